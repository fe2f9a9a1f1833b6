import { readFileSync } from "node:fs";

/** Identifies a process. A later process with the same pid differs in `started`. */
export interface ProcessId {
  readonly pid: number;
  /** When it started, in clock ticks since boot: field 22 of /proc/PID/stat, proc_pid_stat(5). */
  readonly started: string;
}

/** @returns undefined when there is no such process, or only a zombie */
export function processId(pid: number): ProcessId | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold any character, including blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return { pid, started: fields[19] as string };
  } catch {
    return undefined;
  }
}

export const isAlive = (id: ProcessId): boolean => processId(id.pid)?.started === id.started;

/** The children of a process's first thread. Needs CONFIG_PROC_CHILDREN, as Debian's kernels have it. */
export function children(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

export function kill(id: ProcessId): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

export const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The words that start a program in its own namespaces. It is killed with the thread that started it, and its processes
 * and mounts end with the namespaces (unshare(1), setpriv(1), util-linux ≥ 2.38).
 */
export const contained = (...command: string[]): [string, string[]] => [
  "setpriv",
  ["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", ...command],
];
