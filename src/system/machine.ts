import { randomFillSync } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { isatty } from "node:tty";
import type { Account } from "../scope/environment.ts";
import { makeSessionId, type SessionId } from "../units/ids.ts";
import { readKernelFile } from "./files.ts";

export const STDIN = 0;

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
  return makeSessionId(Date.now(), randomFillSync(new Uint8Array(10)));
}

/** Whether stdin is a terminal, whatever SSH_TTY says. */
export function stdinIsTerminal(): boolean {
  return isatty(STDIN);
}
