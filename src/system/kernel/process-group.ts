import { readdirSync } from "node:fs";
import { type Pid, toPid } from "../../units/ids.ts";
import { readKernelFile } from "./kernel-files.ts";

/** The fields of /proc/PID/stat after the command's name (proc_pid_stat(5)). The state is the first of them. */
const STATE = 0;
const SESSION = 3;
const CHILDREN_USER_TICKS = 13;
const CHILDREN_SYSTEM_TICKS = 14;
const START_TICKS = 19;
/** From USER_HZ, which is the same on every Linux that Node supports. */
const MS_PER_TICK = 10;

/**
 * The kernel does not reuse pids within this time, in milliseconds: there are at least 32768 of them (pid_max of
 * proc_sys_kernel(5)).
 */
const BRIEF_MS = 100;
/** Above this number of new pids, a scan of all processes costs less. */
const FEW = 50;

/**
 * The processes of a session in the sense of setsid(2), without zombies: those that can be found without a cgroup.
 * @param age of the session's first process, in milliseconds. Where it is short, only pids since then are checked: most
 * commands end at once, and a host may have many thousand processes
 */
export function processesOfSession(session: Pid, age = Number.POSITIVE_INFINITY): readonly Pid[] {
  return (startedSince(session, age) ?? allProcesses()).filter((pid) => {
    const fields = statFields(pid);
    return fields?.[SESSION] === String(session) && fields[STATE] !== "Z";
  });
}

/** The pid that was given out last: the last word of proc_loadavg(5). NaN where the file cannot be read. */
export const newestPid = (): number => Number(readKernelFile("/proc/loadavg")?.trimEnd().split(" ").at(-1));

function startedSince(first: Pid, age: number): readonly Pid[] | undefined {
  if (age > BRIEF_MS) return undefined;
  const last = newestPid();
  return last >= first && last - first < FEW
    ? Array.from({ length: last - first + 1 }, (_, at) => toPid(first + at))
    : undefined;
}

/** The pids of all processes of the host that /proc shows. */
export const allProcesses = (): readonly Pid[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .map(toPid);

/** The CPU time of nixgate's ended children, in milliseconds. */
export function endedChildrenCpuMs(): number {
  const fields = statFields("self") ?? [];
  return (Number(fields[CHILDREN_USER_TICKS]) + Number(fields[CHILDREN_SYSTEM_TICKS])) * MS_PER_TICK;
}

/**
 * The start of a process in ticks since boot; undefined where /proc hides it. Together with the boot's id it identifies
 * the process.
 */
export const startTicks = (pid: Pid | "self"): number | undefined => startTicksIn(statFields(pid));

/** The same from the fields of /proc/PID/stat. */
export function startTicksIn(fields: readonly string[] | undefined): number | undefined {
  const ticks = Number(fields?.[START_TICKS]);
  return Number.isSafeInteger(ticks) ? ticks : undefined;
}

function statFields(pid: Pid | "self"): readonly string[] | undefined {
  const stat = readKernelFile(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : fieldsBehindName(stat);
}

/**
 * The fields of /proc/PID/stat from the state on. The name before it is in parentheses, and may itself hold parentheses
 * and blanks.
 * @param most the number of fields needed
 */
export const fieldsBehindName = (stat: string, most?: number): readonly string[] =>
  stat.slice(stat.lastIndexOf(")") + 2).split(" ", most);

/** A row of /proc/PID/limits: the soft limit, `unlimited` where there is none. */
export function resourceLimit(pid: Pid, row: string): string | undefined {
  const line = readKernelFile(`/proc/${pid}/limits`)
    ?.split("\n")
    .find((text) => text.startsWith(row));
  return line?.slice(row.length).trim().split(/\s+/)[0];
}
