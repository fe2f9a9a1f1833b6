import { closeSync, openSync, readlinkSync, readSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import type { Account } from "../scope/environment.ts";
import { makeSessionId, type SessionId } from "../units/ids.ts";
import { readKernelFile } from "./files.ts";

/** The account that this process runs as, from passwd(5), not from the environment. */
export function ownAccount(): Account {
  const { username, uid, homedir } = userInfo();
  return { name: username, uid, home: homedir };
}

/** The host's name, and the id of its boot as /proc/sys/kernel/random/boot_id has it. */
export function ownMachine(): { readonly host: string; readonly boot: string } {
  return { host: hostname(), boot: readKernelFile("/proc/sys/kernel/random/boot_id")?.trim() ?? "unknown" };
}

export function newSessionId(): SessionId {
  return makeSessionId(Date.now(), randomBytes(10));
}

/** From the kernel's generator (random(4)); node:crypto would take a quarter of Node's own start to load. */
function randomBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  const device = openSync("/dev/urandom", "r");
  try {
    // up to 256 bytes always come whole (random(4))
    readSync(device, bytes, 0, count, null);
  } finally {
    closeSync(device);
  }
  return bytes;
}

/** Whether stdin is a terminal, whatever SSH_TTY says. */
export function stdinIsTerminal(): boolean {
  try {
    return /^\/dev\/(?:pts\/|tty|console|hvc)/.test(readlinkSync("/proc/self/fd/0"));
  } catch {
    return false; // closed
  }
}
