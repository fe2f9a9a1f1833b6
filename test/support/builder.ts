import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa, type Options } from "execa";
import type { RecordOf, SessionRecord } from "../../src/record/schema.ts";
import { type LoopbackSshd, type SshdOptions, startSshd } from "../../src/system/demo/loopback-sshd.ts";
import { processesWith } from "./processes.ts";
import { waitFor } from "./wait-for.ts";
import { NIXGATE } from "./workplace.ts";

/** What Nix calls this machine: `x86_64-linux`. */
export const SYSTEM = `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux`;

/** Where things lie; the server's store is `server` below the folder, the client's `client`. */
export interface Layout {
  readonly folder: string;
  /** nixgate's configuration folder. */
  readonly etc: string;
  /** The forced command, without sshd's keyword for it. */
  readonly forced: string;
  /** For a policy's `stores`: another store on the server. */
  readonly otherStore: string;
}

export interface BuilderOptions {
  readonly team?: string;
  /** Lines for sshd_config; a ForceCommand for the team, without forwarding, when absent. */
  readonly sshd?: (layout: Layout) => readonly string[];
  readonly authorizedKeys?: (layout: Layout, publicKey: string) => string;
  /** What `nix-store --serve --write` asks for is served without writing. */
  readonly readOnly?: true;
  /** More of the policy, as TOML. */
  readonly policy?: (layout: Layout) => string;
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Builder extends Layout {
  readonly sshd: LoopbackSshd;
  /** The environment of a Nix client with a store of its own, whose ssh knows the host `builder`. */
  readonly clientEnvironment: Readonly<Record<string, string>>;
  /** Runs a program as a client. */
  run(argv: readonly string[], options?: Options): Promise<Ran>;
  /** Runs ssh with these words behind its configuration. */
  ssh(words: readonly string[], options?: Options): Promise<Ran>;
  nixgate(...words: string[]): Promise<Ran>;
  /** Puts a file with random bytes into the client's store. */
  addToClient(name: string, bytes: Uint8Array): Promise<string>;
  /** The NAR of a path as it lies in one of the two stores. */
  dump(side: "client" | "server", path: string): Promise<Buffer>;
  records(team?: string): readonly SessionRecord[];
  /** Records of one kind, of sessions that began after the mark, once there are as many. */
  awaitRecords<E extends SessionRecord["event"]>(event: E, count?: number): Promise<readonly RecordOf<E>[]>;
  /** Forgets the sessions up to now, also what they are still to record: a test sees its own only. */
  mark(): void;
  stop(): Promise<void>;
}

/**
 * A builder in a folder of its own: policy, records, two Nix stores and a real sshd in front of the built nixgate. The
 * stores' paths begin with a folder below it, not with /nix: builds need neither root nor a sandbox, and nothing
 * outside is written.
 */
export async function startBuilder(options: BuilderOptions = {}): Promise<Builder> {
  const { team = "alpha" } = options;
  const folder = mkdtempSync(join(tmpdir(), "nixgate-ssh-"));
  const inFolder = (...names: string[]) => join(folder, ...names);
  const put = (name: string, text: string) => {
    mkdirSync(dirname(inFolder(name)), { recursive: true });
    writeFileSync(inFolder(name), text, { mode: 0o644 });
  };
  const layout: Layout = {
    folder,
    etc: inFolder("etc"),
    forced: `exec ${NIXGATE} session --config-dir ${inFolder("etc")} --team ${team}`,
    otherStore: `local?root=${inFolder("other")}`,
  };
  for (const name of ["log", "ssh", "home"]) mkdirSync(inFolder(name), { mode: 0o700 });
  put("nix/nix.conf", "build-users-group =\nsandbox = false\nsubstituters =\nexperimental-features = nix-command\n");
  put("etc/nixgate.toml", hostFile(inFolder("log")));
  put(`etc/policies/${team}.toml`, policyFile(team, layout, options.readOnly) + (options.policy?.(layout) ?? ""));

  const { authorizedKeys } = options;
  const sshdOptions: SshdOptions = {
    folder: inFolder("ssh"),
    config: options.sshd?.(layout) ?? [`ForceCommand ${layout.forced}`, "DisableForwarding yes"],
    ...(authorizedKeys && { authorizedKeys: (key) => authorizedKeys(layout, key) }),
  };
  const sshd = await startSshd(sshdOptions).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });

  const clientEnvironment = clientEnvironmentOf(folder, sshd.clientConfig);
  const run: Builder["run"] = async ([file = "", ...args], more = {}) => {
    const { exitCode, stdout, stderr, failed, timedOut, message } = await execa(file, args, {
      env: clientEnvironment,
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
      timeout: 30_000,
      ...more,
    });
    if (timedOut || (failed && exitCode === undefined)) throw new Error(message);
    return { status: exitCode ?? 0, stdout: String(stdout ?? ""), stderr: String(stderr ?? "") };
  };
  let earlier: ReadonlySet<string> = new Set();
  const records = (of = team) => readRecords(inFolder("log", of));

  return {
    ...layout,
    sshd,
    clientEnvironment,
    run,
    ssh: (words, more) => run(["ssh", "-F", sshd.clientConfig, ...words], { input: "", ...more }),
    nixgate: (...words) => run([NIXGATE, ...words, "--config-dir", layout.etc]),
    async addToClient(name, bytes) {
      writeFileSync(inFolder(name), bytes);
      return (await run(["nix-store", "--add", inFolder(name)])).stdout.trim();
    },
    async dump(side, path) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      const { stdout } = await execa("nix-store", ["--dump", inFolder(side, "store", name)], { encoding: "buffer" });
      return Buffer.from(stdout);
    },
    records,
    awaitRecords: <E extends SessionRecord["event"]>(event: E, count = 1) =>
      waitFor(`${count} × ${event}`, () => {
        const found = records().filter(
          (record): record is RecordOf<E> => record.event === event && !earlier.has(record.session),
        );
        return found.length < count ? undefined : found;
      }),
    mark: () => {
      earlier = new Set(records().map(({ session }) => session));
    },
    async stop() {
      await sshd.stop();
      try {
        await waitFor("the sessions to end", () => processesWith(folder).length === 0, 5000);
      } finally {
        for (const pid of processesWith(folder)) process.kill(pid, "SIGKILL");
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

const hostFile = (log: string) => `schema = 1
[scope]
manager = "none"
[programs]
nix-store = "/usr/bin/nix-store"
nix-daemon = "/usr/bin/nix-daemon"
[log]
directory = "${log}"
journald = false
[admission]
min_available_memory = 0
max_load_per_cpu = 1e6
`;

function policyFile(team: string, { folder, otherStore }: Layout, readOnly = false): string {
  const environment = {
    NIX_CONF_DIR: `${folder}/nix`,
    NIX_STORE_DIR: `${folder}/server/store`,
    NIX_STATE_DIR: `${folder}/server/state`,
    NIX_LOG_DIR: `${folder}/server/log`,
  };
  const inline = Object.entries(environment).map(([name, value]) => `${name} = "${value}"`);
  const rule = (endpoint: string) =>
    `[[allow]]\nendpoint = "${endpoint}"\nstores = ["${otherStore}"]\nenvironment = { ${inline.join(", ")} }\n`;
  const serve = rule("store-serve-write") + (readOnly ? "read_only = true\n" : "");
  return `schema = 1\nteam = "${team}"\n${serve}${rule("daemon-stdio")}`;
}

/** `real`: the client keeps its paths elsewhere, under the names that they have on the server. */
function clientEnvironmentOf(folder: string, sshConfig: string): Readonly<Record<string, string>> {
  const side = `${folder}/client`;
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: `${folder}/home`,
    NIX_CONF_DIR: `${folder}/nix`,
    NIX_STORE_DIR: `${folder}/server/store`,
    NIX_REMOTE: `local?store=${folder}/server/store&real=${side}/store&state=${side}/state&log=${side}/log`,
    NIX_SSHOPTS: `-F ${sshConfig}`,
  };
}

function readRecords(log: string): readonly SessionRecord[] {
  try {
    const files = readdirSync(log)
      .filter((name) => name.endsWith(".jsonl")) // beside them: counts of refusals
      .sort();
    const lines = files.flatMap((file) => readFileSync(join(log, file), "utf8").split("\n").slice(0, -1));
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []; // nobody was here yet
    throw error;
  }
}
