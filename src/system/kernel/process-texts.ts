import { type Pid, toPid } from "../../units/ids.ts";

/**
 * Parsers of the kernel's texts about a process in /proc. A process chooses its name and its command line itself, so these functions
 * take any text and never throw.
 */

/** The uids and the parent of a process, from /proc/PID/status (proc_pid_status(5)). */
export interface Kin {
  readonly parent: Pid;
  /** Real, effective, saved and filesystem uid. */
  readonly uids: readonly number[];
}

/**
 * @param status text of /proc/PID/status. Its first row is the name, which a process chooses. The kernel escapes only \n
 * and \\ in it (proc_task_name() in fs/proc/array.c). So rows end at \n alone: with the flag m of a regular expression ^
 * and $ would match at a \r of the name, too.
 */
export function kinIn(status: string): Kin | undefined {
  const uids = /\nUid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)\n/.exec(status)?.slice(1).map(Number);
  const parent = /\nPPid:\t(\d+)\n/.exec(status)?.[1];
  return uids && parent !== undefined ? { parent: toPid(Number(parent)), uids } : undefined;
}

/**
 * Whether a process has ended, with all its threads. A process whose first thread has ended is also shown as a zombie
 * while other threads run.
 */
export const hasEndedIn = (status: string): boolean =>
  /\nState:\t[ZX]/.test(status) && /\nThreads:\t[01]\n/.test(status);

/** @param text of /proc/PID/cgroup @returns the path below the mount of cgroup v2; undefined where the host has none */
export const cgroupIn = (text: string): string | undefined =>
  text
    .split("\n")
    .find((line) => line.startsWith("0::/"))
    ?.slice("0::".length);

/** @param bytes the first ones of /proc/PID/cmdline @returns the whole words, without a word that is cut off */
export const wordsIn = (bytes: Buffer): readonly string[] => bytes.toString("utf8").split("\0").slice(0, -1);
