import { readdirSync } from "node:fs";
import { readKernelFile } from "./files.ts";

/** Fields of /proc/PID/stat behind the command's name (proc_pid_stat(5)): state is the first of them. */
const STATE = 0;
const SESSION = 3;
const CHILDREN_USER_TICKS = 13;
const CHILDREN_SYSTEM_TICKS = 14;
/** USER_HZ, the same on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** The processes of a session in the sense of setsid(2), zombies left out: what can be found without a cgroup. */
export function processesOfSession(session: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const fields = statFields(pid);
      return fields?.[SESSION] === String(session) && fields[STATE] !== "Z";
    });
}

/** CPU time of nixgate's children that have ended, in milliseconds. */
export function endedChildrenCpuMs(): number {
  const fields = statFields("self") ?? [];
  return (Number(fields[CHILDREN_USER_TICKS]) + Number(fields[CHILDREN_SYSTEM_TICKS])) * MS_PER_TICK;
}

function statFields(pid: number | "self"): readonly string[] | undefined {
  const stat = readKernelFile(`/proc/${pid}/stat`);
  // the name stands in brackets and may itself hold brackets and blanks
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** A row of /proc/PID/limits: the soft limit, `unlimited` where there is none. */
export function resourceLimit(pid: number, row: string): string | undefined {
  const line = readKernelFile(`/proc/${pid}/limits`)
    ?.split("\n")
    .find((text) => text.startsWith(row));
  return line?.slice(row.length).trim().split(/\s+/)[0];
}
