import { lstatSync, readlinkSync, statSync } from "node:fs";
import { basename } from "node:path";
import { readKernelFile } from "../system/kernel/kernel-files.ts";

/** The programs of OpenSSH whose process stands for a connection: sshd, from 9.8 on sshd-session. */
const PROGRAMS: ReadonlySet<string> = new Set(["sshd", "sshd-session"]);
/** Group and others may write, chmod(2). */
const WRITABLE = 0o022;

/** What /proc/PID/status says of who a process is and whose child. */
export interface Kin {
  readonly parent: number;
  /** Real, effective, saved and filesystem uid. */
  readonly uids: readonly number[];
}

export const kinOf = (pid: number): Kin | undefined => kinIn(readKernelFile(`/proc/${pid}/status`) ?? "");

/** @param status text of /proc/PID/status */
export function kinIn(status: string): Kin | undefined {
  const uids = /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(status)?.slice(1).map(Number);
  const parent = /^PPid:\t(\d+)$/m.exec(status)?.[1];
  return uids && parent !== undefined ? { parent: Number(parent), uids } : undefined;
}

/**
 * Whether a process is sshd's own for a connection of this account. sshd forks it from root's process for the connection
 * and gives up root's uid in it, without execve(2): so it has root's program, the account cannot trace it, and no process
 * of the account's can have such a parent.
 * @returns why it is not, in words for the log; undefined where it is
 */
export function whyNoConnection(pid: number, uid: number): string | undefined {
  const own = kinOf(pid);
  if (!own?.uids.every((id) => id === uid)) return "its parent is none of the account's processes";
  const root = kinOf(own.parent);
  if (!root?.uids.every((id) => id === 0)) return "its parent's parent is none of root's processes";
  try {
    const program = statSync(exe(own.parent));
    const same = statSync(exe(pid));
    // what a process that cannot be traced has in /proc is root's, proc(5)
    if (lstatSync(exe(pid)).uid !== 0) return "its parent can be traced by the account";
    if (same.dev !== program.dev || same.ino !== program.ino) return "its parent runs another program than root's";
    if (program.uid !== 0 || (program.mode & WRITABLE) !== 0) return "its parent's program is not root's alone";
    return PROGRAMS.has(programName(own.parent)) ? undefined : "its parent is not sshd";
  } catch {
    return "its parent is gone";
  }
}

const exe = (pid: number) => `/proc/${pid}/exe`;

/** Also of a file that an upgrade has removed meanwhile. */
export const programName = (pid: number): string => basename(readlinkSync(exe(pid)).replace(/ \(deleted\)$/, ""));
