import { closeSync, openSync, readlinkSync, readSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import type { Account } from "../../scope/environment.ts";
import type { RawEnvironment } from "../../session/requests/ssh-environment.ts";
import { digest } from "../../units/digest.ts";
import { makeSessionId, type Pid, type SessionId, toFd } from "../../units/ids.ts";
import { readKernelFile } from "./kernel-files.ts";

/** The account that this process runs as, from passwd(5), not from the environment. */
export function ownAccount(): Account {
  const { username, uid, homedir } = userInfo();
  return { name: username, uid, home: homedir };
}

/** The host's name, the id of its boot as /proc/sys/kernel/random/boot_id has it, and the host's own id. */
export function ownMachine() {
  const boot = readKernelFile("/proc/sys/kernel/random/boot_id")?.trim() ?? "unknown";
  return { host: hostname(), boot, id: machineId() };
}

/**
 * Identifies this host, whatever its name. machine-id(5) asks to keep the id itself secret, so this is a digest of it
 * for nixgate alone. Undefined where the host has no machine id.
 */
export function machineId(): string | undefined {
  const id = readKernelFile("/etc/machine-id")?.trim();
  return id !== undefined && /^[0-9a-f]{32}$/.test(id) ? digest(`nixgate host ${id}`, "hex") : undefined;
}

export function newSessionId(at: number): SessionId {
  return makeSessionId(at, randomBytes(10));
}

/** From the kernel's generator (random(4)). Loading node:crypto would take a quarter of Node's own start-up time. */
export function randomBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  const device = toFd(openSync("/dev/urandom", "r"));
  try {
    // a read of up to 256 bytes is always complete (random(4))
    readSync(device, bytes, 0, count, null);
  } finally {
    closeSync(device);
  }
  return bytes;
}

/** Whether a process's stdin is a terminal, whatever the client sent as SSH_TTY. */
export function stdinIsTerminal(pid: Pid | "self"): boolean {
  try {
    return /^\/dev\/(?:pts\/|tty|console|hvc)/.test(readlinkSync(`/proc/${pid}/fd/0`));
  } catch {
    return false; // closed
  }
}

/**
 * Becomes bin/nixgate-shim, a script of sh, with fds 0 to 2 and the environment of this process (execve(2)). Node
 * ignores SIGPIPE and SIGXFSZ. The new program and all its children inherit an ignored signal; a handled signal returns
 * to its default.
 */
export function becomeShim(shim: string, words: readonly string[], environment: RawEnvironment): never {
  for (const signal of ["SIGPIPE", "SIGXFSZ"] as const) process.on(signal, () => undefined);
  const entries = [...environment].map(([name, value]) => [name, asText(value)]);
  process.execve?.("/bin/sh", ["/bin/sh", shim, ...words], Object.fromEntries(entries));
  throw new Error("execve(2) came back");
}

/** Node passes only texts on, no bytes. Bytes that are not UTF-8 must not become a valid request. */
function asText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "\u0001not UTF-8";
  }
}
