import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { IsAlive } from "../record/archive.ts";
import { fieldsBehindName } from "./process-group.ts";

/** USER_HZ: what /proc counts in, 100 on every architecture that Node supports (proc(5)). */
const TICKS_PER_SECOND = 100;
/** Between a process's start and its session.start lie its start-up and a step of the clock. */
const TOLERANCE_MS = 5000;

/**
 * Whether the process of a session.start still serves it. Another host's cannot be seen from here and counts as alive;
 * another boot's is gone; a process that is younger than the record has only inherited the number.
 */
export function livenessHere(): IsAlive {
  const boot = withoutDashes(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const host = hostname();
  return (start) => {
    if (start.host !== host) return true;
    return withoutDashes(start.boot) === boot && exists(start.pid) && !isYounger(start.pid, Date.parse(start.time));
  };
}

/** A boot id in the one form that two can be compared in: systemd writes it without dashes. */
export const withoutDashes = (id: string) => id.replaceAll("-", "");

/** Whether there is a process of this number, of whatever account. */
export function exists(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** False where /proc does not show the process (hidepid, proc(5)). */
function isYounger(pid: number, time: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // the state is field 3, the start field 22 (proc_pid_stat(5))
    const fields = fieldsBehindName(stat);
    if (fields[0] === "Z") return true;
    const uptime = Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]);
    const age = uptime - Number(fields[19]) / TICKS_PER_SECOND;
    return Date.now() - age * 1000 > time + TOLERANCE_MS;
  } catch {
    return false;
  }
}
