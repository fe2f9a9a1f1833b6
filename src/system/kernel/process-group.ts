import { readdirSync } from "node:fs";
import { readKernelFile } from "./kernel-files.ts";

/** Fields of /proc/PID/stat behind the command's name (proc_pid_stat(5)): state is the first of them. */
const STATE = 0;
const SESSION = 3;
const CHILDREN_USER_TICKS = 13;
const CHILDREN_SYSTEM_TICKS = 14;
const START_TICKS = 19;
/** USER_HZ, the same on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/**
 * In so short a time the kernel does not come around to numbers that it has given out: there are 32768 of them and more
 * (pid_max of proc_sys_kernel(5)). In milliseconds.
 */
const BRIEF_MS = 100;
/** If more were given out than this, a look at all processes costs less. */
const FEW = 50;

/**
 * The processes of a session in the sense of setsid(2), zombies left out: what can be found without a cgroup.
 * @param age of the session's first process, in milliseconds. Where it is brief only numbers given out since are looked
 *   at: most commands are over at once, and a host may have many thousand processes
 */
export function processesOfSession(session: number, age = Number.POSITIVE_INFINITY): readonly number[] {
  return (startedSince(session, age) ?? allProcesses()).filter((pid) => {
    const fields = statFields(pid);
    return fields?.[SESSION] === String(session) && fields[STATE] !== "Z";
  });
}

function startedSince(first: number, age: number): readonly number[] | undefined {
  if (age > BRIEF_MS) return undefined;
  // its last word is the number that was given out last, proc_loadavg(5)
  const last = Number(readKernelFile("/proc/loadavg")?.trimEnd().split(" ").at(-1));
  return last >= first && last - first < FEW
    ? Array.from({ length: last - first + 1 }, (_, at) => first + at)
    : undefined;
}

const allProcesses = (): readonly number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** CPU time of nixgate's children that have ended, in milliseconds. */
export function endedChildrenCpuMs(): number {
  const fields = statFields("self") ?? [];
  return (Number(fields[CHILDREN_USER_TICKS]) + Number(fields[CHILDREN_SYSTEM_TICKS])) * MS_PER_TICK;
}

/** When a process began, in ticks since boot; undefined where /proc does not show it. With the boot's id it is its identity. */
export const startTicks = (pid: number | "self"): number | undefined => startTicksIn(statFields(pid));

/** The same out of the fields of /proc/PID/stat. */
export function startTicksIn(fields: readonly string[] | undefined): number | undefined {
  const ticks = Number(fields?.[START_TICKS]);
  return Number.isSafeInteger(ticks) ? ticks : undefined;
}

function statFields(pid: number | "self"): readonly string[] | undefined {
  const stat = readKernelFile(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : fieldsBehindName(stat);
}

/**
 * The fields of /proc/PID/stat from the state on: the name before it stands in brackets, and may itself hold brackets and
 * blanks.
 * @param most as many as are needed
 */
export const fieldsBehindName = (stat: string, most?: number): readonly string[] =>
  stat.slice(stat.lastIndexOf(")") + 2).split(" ", most);

/** A row of /proc/PID/limits: the soft limit, `unlimited` where there is none. */
export function resourceLimit(pid: number, row: string): string | undefined {
  const line = readKernelFile(`/proc/${pid}/limits`)
    ?.split("\n")
    .find((text) => text.startsWith(row));
  return line?.slice(row.length).trim().split(/\s+/)[0];
}
