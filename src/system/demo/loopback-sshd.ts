import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { NixgateError } from "../../units/error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { type Pid, toPid } from "../../units/ids.ts";
import { findProgram } from "../kernel/programs.ts";
import { withPrivsepFolder } from "./privsep-folder.ts";

const START_TIMEOUT_MS = 10_000;
/** Another program may take the free port before sshd does. */
const TRIES = 3;

export interface SshdOptions {
  /** An empty folder of the caller's, mode 0700. It receives the keys, configuration and logs of server and client. */
  readonly folder: string;
  /** Lines of sshd_config(5) after the fixed ones. The first value of a keyword counts. */
  readonly config: readonly string[];
  /** Returns authorized_keys(5) for the client's public key (`TYPE BASE64`). */
  readonly authorizedKeys?: (publicKey: string) => string;
}

export interface LoopbackSshd {
  readonly port: number;
  readonly pid: Pid;
  /** A file for `ssh -F`. It defines one host, `builder`. */
  readonly clientConfig: string;
  /** sshd's log so far. */
  log(): string;
  stop(): Promise<void>;
}

/** sshd could not be started. Status 69. */
export class SshdUnavailable extends NixgateError {
  override readonly name = "SshdUnavailable";
  constructor(message: string, hint?: string) {
    super("E_SSHD", ExitStatus.unavailable, message, hint === undefined ? {} : { hint });
  }
}

/**
 * Starts a real sshd for the caller's own account, on a free port of 127.0.0.1, with its own keys. The machine's sshd,
 * configuration and host keys are not used. It forks as sshd always does. `stop` ends the listener; sessions end with
 * their clients.
 * @throws SshdUnavailable
 */
export async function startSshd({ folder, config, authorizedKeys }: SshdOptions): Promise<LoopbackSshd> {
  const inFolder = (name: string) => join(folder, name);
  const put = (name: string, text: string) => writeFileSync(inFolder(name), text, { mode: 0o600 });
  const keygen = findProgram("ssh-keygen");
  const sshd = findProgram("sshd");
  if (keygen === undefined || sshd === undefined)
    throw new SshdUnavailable("sshd and ssh-keygen do not exist", "install the Debian package openssh-server");
  for (const name of ["host_key", "client_key"])
    execFileSync(keygen, ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", inFolder(name)]);
  const publicKey = (name: string) => readFileSync(inFolder(`${name}.pub`), "utf8").trim();
  put("authorized_keys", authorizedKeys?.(publicKey("client_key")) ?? `${publicKey("client_key")}\n`);

  let trouble = "";
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = await freePort();
    put("sshd_config", sshdConfig(inFolder, port, config));
    put("known_hosts", `[127.0.0.1]:${port} ${publicKey("host_key")}\n`);
    put("ssh_config", clientConfig(inFolder, port));
    const server = await listen(sshd, folder);
    if ("child" in server) return { ...handleOf(server), port, clientConfig: inFolder("ssh_config") };
    trouble = server.trouble;
    if (!trouble.includes("Address already in use")) break;
  }
  throw new SshdUnavailable(`sshd does not start: ${trouble}`);
}

/** StrictModes is off: sshd, unlike nixgate, refuses a sticky parent folder (/tmp) as writable by others. */
function sshdConfig(inFolder: (name: string) => string, port: number, config: readonly string[]): string {
  return [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${inFolder("host_key")}`,
    "PidFile none",
    "StrictModes no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    ...(process.getuid?.() === 0 ? ["PermitRootLogin yes"] : []),
    ...config,
    `AuthorizedKeysFile ${inFolder("authorized_keys")}`,
    "UsePAM no",
    "",
  ].join("\n");
}

function clientConfig(inFolder: (name: string) => string, port: number): string {
  return [
    "Host builder",
    "  HostName 127.0.0.1",
    `  Port ${port}`,
    `  User ${userInfo().username}`,
    `  IdentityFile ${inFolder("client_key")}`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile ${inFolder("known_hosts")}`,
    "  StrictHostKeyChecking yes",
    "  BatchMode yes",
    "  LogLevel ERROR",
    "",
  ].join("\n");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

interface Listening {
  readonly child: ChildProcess;
  readonly log: () => string;
  readonly tidy: () => void;
}

/** sshd needs its absolute path as argv[0]: it executes itself for each connection. */
function listen(sshd: string, folder: string): Promise<Listening | { readonly trouble: string }> {
  const call = [sshd, "-D", "-e", "-f", join(folder, "sshd_config")] as const;
  const { argv, tidy } = withPrivsepFolder(call, folder);
  const [file, ...args] = argv;
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"], env: { PATH: process.env["PATH"] ?? "" } });
  let said = "";
  return new Promise((resolve) => {
    const giveUp = (trouble: string) => {
      clearTimeout(timer);
      child.off("exit", ended);
      child.kill();
      tidy();
      resolve({ trouble });
    };
    const timer = setTimeout(() => giveUp("it did not listen in time"), START_TIMEOUT_MS);
    child.once("error", (error) => giveUp(error.message));
    const ended = () => giveUp(said.trim().split("\n").at(-1) ?? "");
    child.once("exit", ended);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (!said.includes("Server listening on")) return;
      clearTimeout(timer);
      child.off("exit", ended);
      resolve({ child, log: () => said, tidy });
    });
  });
}

function handleOf({ child, log, tidy }: Listening): Pick<LoopbackSshd, "pid" | "log" | "stop"> {
  const gone = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
  return {
    pid: toPid(child.pid ?? 0),
    log,
    async stop() {
      child.kill();
      await gone;
      tidy();
    },
  };
}
