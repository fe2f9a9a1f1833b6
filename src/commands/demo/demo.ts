import type { Command } from "../../cli/command.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { NixgateError } from "../../units/error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText, shellWord } from "../../units/text.ts";
import {
  type DemoPrograms,
  demoPolicy,
  findPrograms,
  hostFile,
  MEMBER,
  NIX_CONF,
  storeOf,
  TEAM,
} from "./demo-files.ts";
import type { DemoPorts, Ran, Workshop } from "./demo-ports.ts";

/** The exit status of sh after SIGINT. */
const INTERRUPTED = 130;

export const demo: Command<DemoPorts> = {
  name: "demo",
  summary: "serve real sessions in temporary folders",
  usage: "[--keep]",
  help: `
Serves real sessions: with a configuration made from policies/ci.toml, and an sshd of its own on a port of 127.0.0.1. The
real Nix copies a path over ssh:// and another over ssh-ng://. One request is refused. At the end the records are listed.
All files, also the Nix stores, are in one temporary folder, which is removed at the end.

  --keep     keep the folder

It needs Nix and OpenSSH (Debian: nix-bin, openssh-server, openssh-client), and no root.
Exit status: 0 when each step succeeded, 69 when a program is missing or a step failed, 130 after Ctrl-C.
`,
  options: { keep: { type: "boolean" } },
  async run({ options, positionals }, ports) {
    if (positionals.length > 0) throw new UsageError("demo takes no words", { hint: "see nixgate demo --help" });
    const programs = requirePrograms(ports);
    const keep = options["keep"] === true;
    const workshop = ports.openWorkshop({ keep });
    try {
      await tell({ ports, workshop, programs });
      return { status: ExitStatus.ok, stdout: keep ? `Everything is left in ${workshop.folder}\n` : "" };
    } catch (error) {
      if (!ports.isInterruption(error)) throw error;
      return { status: INTERRUPTED, stderr: "nixgate: interrupted\n" };
    } finally {
      await workshop.close();
    }
  },
};

/** A step of the demo failed. */
class DemoError extends NixgateError {
  override readonly name = "DemoError";
  constructor(message: string, hint: string) {
    super("E_DEMO", ExitStatus.unavailable, message, { hint });
  }
}

function requirePrograms(ports: DemoPorts): DemoPrograms {
  const programs = findPrograms(ports);
  if ("found" in programs) return programs.found;
  const { missing, packages } = programs;
  throw new DemoError(`missing: ${missing.join(", ")}`, `install (Debian): apt-get install ${packages.join(" ")}`);
}

type Argv = readonly [string, ...string[]];

interface Stage {
  readonly ports: DemoPorts;
  readonly workshop: Workshop;
  readonly programs: DemoPrograms;
}

async function tell(stage: Stage): Promise<void> {
  const { ports, workshop, programs } = stage;
  const { say } = ports;
  say(`Everything happens in ${workshop.folder}; nothing else of this machine is touched.`);
  say(`nixgate is ${ports.nixgate}, Nix ${await version(stage, programs.nix)}`);

  say("\n1. The configuration, made from policies/ci.toml");
  const etc = await configure(stage);
  await expectStatus(stage, [ports.nixgate, "check", etc], ExitStatus.ok);

  say("\n2. An sshd of its own, which starts nixgate for each session");
  const forced = `exec ${ports.nixgate} session --team ${TEAM} --member ${MEMBER} --config-dir ${etc}`;
  const { port, clientConfig } = await workshop.startSshd(forced);
  say(`   it listens on 127.0.0.1:${port}; its one authorized key is restricted to`);
  say(`   ${forced}`);
  const client = { ...storeOf(workshop, "client"), NIX_SSHOPTS: `-F ${clientConfig}` };
  say(`   $ export ${assignments(client)}`);

  for (const [step, scheme] of [
    [3, "ssh"],
    [4, "ssh-ng"],
  ] as const) {
    say(`\n${step}. Nix copies a path to the builder over ${scheme}://`);
    await copy(stage, scheme, client);
  }

  say("\n5. A request that the policy does not allow");
  const ssh: Argv = [programs.ssh, "-F", clientConfig, "builder", "cat", "/etc/passwd"];
  const { stderr } = await expectStatus(stage, ssh, ExitStatus.denied);
  say(`   status ${ExitStatus.denied}: denied by policy`);
  const [, refused] = /\(session ([0-9a-f-]{36})\)/.exec(stderr) ?? [];
  if (refused === undefined) throw new DemoError("the refusal names no session", "this is a bug in nixgate");

  say("\n6. The records");
  await settled(stage, etc);
  await expectStatus(stage, [ports.nixgate, "sessions", "list", "--config-dir", etc], ExitStatus.ok);
  const served = await firstSession(stage, etc);
  for (const session of [served, refused])
    await expectStatus(stage, [ports.nixgate, "sessions", "show", session, "--config-dir", etc], ExitStatus.ok);
  await expectStatus(stage, [ports.nixgate, "sessions", "verify", "--config-dir", etc], ExitStatus.ok);
  say("\nEach step did what it should.");
}

async function version({ workshop }: Stage, nix: string): Promise<string> {
  const { stdout } = await workshop.run([nix, "--version"], {});
  return /\d[\w.-]*/.exec(stdout)?.[0] ?? "of an unknown version";
}

/** Writes the configuration. It uses systemd scopes where nixgate finds that it can make them. */
async function configure({ ports, workshop, programs }: Stage): Promise<string> {
  const { say, userManager } = ports;
  workshop.write("nix/nix.conf", NIX_CONF);
  for (const log of ["rehearsal", "log"]) workshop.makeFolder(log);
  const write = (manager: "user" | "none", log: string) => {
    const host = { manager, nixStore: programs["nix-store"], nixDaemon: programs["nix-daemon"] };
    workshop.write("etc/nixgate.toml", hostFile({ ...host, log: `${workshop.folder}/${log}` }));
    const policy = demoPolicy(ports.examplePolicy(), storeOf(workshop, "server"), manager);
    workshop.write(`etc/policies/${TEAM}.toml`, policy);
  };
  const etc = `${workshop.folder}/etc`;
  let trouble = `no process listens at ${userManager.socket}`;
  if (userManager.isThere) {
    write("user", "rehearsal");
    const session = [ports.nixgate, "session", "--team", TEAM, "--config-dir", etc];
    const { status, stderr } = await workshop.run(session, { SSH_ORIGINAL_COMMAND: "nix-store --serve --write" });
    trouble = status === ExitStatus.unavailable ? escapeText(stderr.trim()) : "";
  }
  write(trouble === "" ? "user" : "none", "log");
  if (trouble === "") {
    say('   manager = "user": each command runs in a systemd scope of its own with the limits of the policy');
  } else {
    say(`   manager = "none", since there is no systemd user manager to be had: ${trouble}.`);
    say(
      "   No cgroup bounds the sessions then: MemoryMax holds for each process alone, TasksMax for all of an account but root, CPUQuota not at all.",
    );
  }
  return etc;
}

async function copy(stage: Stage, scheme: string, client: Readonly<Record<string, string>>): Promise<void> {
  const { ports, workshop, programs } = stage;
  const file = workshop.write(`hello-over-${scheme}`, `Carried over ${scheme}:// through nixgate.\n`);
  const added = await expectStatus(stage, [programs["nix-store"], "--add", file], ExitStatus.ok, client);
  const path = added.stdout.trim();
  await expectStatus(stage, [programs.nix, "copy", "--to", `${scheme}://builder`, path], ExitStatus.ok, client);
  const hashes: string[] = [];
  for (const side of ["client", "server"] as const) {
    const hash: Argv = [programs["nix-hash"], "--type", "sha256", `${workshop.folder}/${side}${path}`];
    hashes.push((await expectStatus(stage, hash, ExitStatus.ok, client)).stdout);
  }
  if (hashes[0] !== hashes[1])
    throw new DemoError(`${path} is not the same on both sides`, "run it again with --keep and compare the two");
  ports.say("   the same on both sides");
}

/** Waits for the session's last record, which nixgate may write after the client has ended. */
async function settled({ ports, workshop }: Stage, etc: string): Promise<void> {
  const running = [ports.nixgate, "sessions", "list", "--running", "--json", "--config-dir", etc];
  for (let tries = 0; tries < 50; tries += 1) {
    const { stdout } = await workshop.run(running, {});
    if (stdout.replace(/\s/g, "") === "[]") return;
  }
  throw new DemoError("a session does not end", "run it again with --keep and look at nixgate sessions list");
}

async function firstSession({ ports, workshop }: Stage, etc: string): Promise<string> {
  const list = [ports.nixgate, "sessions", "list", "--json", "--config-dir", etc];
  const sessions: { session: string }[] = JSON.parse((await workshop.run(list, {})).stdout);
  return sessions.at(-1)?.session ?? "";
}

/**
 * Prints a command as a person would type it, runs it, and prints its output.
 * @throws DemoError for another exit status
 */
async function expectStatus(
  { ports, workshop }: Stage,
  argv: Argv,
  status: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const [file, ...rest] = argv;
  const typed = [file.slice(file.lastIndexOf("/") + 1), ...rest].map(shellWord).join(" ");
  ports.say(`   $ ${typed}`);
  const ran = await workshop.run(argv, environment);
  // line by line: the output may contain any character but a line's end
  for (const line of `${ran.stdout}${ran.stderr}`.split("\n")) if (line !== "") ports.say(`     ${escapeText(line)}`);
  if (ran.status === status) return ran;
  throw new DemoError(`${typed}: status ${ran.status} instead of ${status}`, "what it printed stands above");
}

const assignments = (environment: Readonly<Record<string, string>>) =>
  Object.entries(environment)
    .map(([name, value]) => `${name}=${shellWord(value)}`)
    .join(" ");
