import { hostname } from "node:os";
import type { IsAlive, Served } from "../../archive/archive.ts";
import { readKernelFile } from "../kernel/kernel-files.ts";
import { machineId } from "../kernel/machine.ts";
import { startTicksIn } from "../kernel/process-group.ts";
import { commandOf, exists, statOf } from "../kernel/process-kind.ts";

/**
 * Whose session a record is about. The boot's id says it, whatever the host is called: `here` is this boot. `before` is
 * an earlier boot of this host, which is known by its machine id or its name. All else is `elsewhere`.
 */
export type Boot = "here" | "before" | "elsewhere";

/** Tells of a session.start which boot it is of. */
export function bootsHere(): (start: Served) => Boot {
  const boot = readKernelFile("/proc/sys/kernel/random/boot_id")?.trim();
  const [host, machine] = [hostname(), machineId()];
  return (start) => {
    if (boot !== undefined && withoutDashes(start.boot) === withoutDashes(boot)) return "here";
    const isThisHost = start.host === host || (machine !== undefined && start.machine === machine);
    return isThisHost ? "before" : "elsewhere";
  };
}

/**
 * Whether the process of a session.start still serves it. Another host's cannot be seen from here and counts as alive;
 * another boot's is gone. A process is known by its number and the ticks since boot at which it began, because no clock
 * that somebody sets is in them. A record without the ticks is believed as long as the number is one of nixgate's.
 */
export function livenessHere(): IsAlive {
  const bootOf = bootsHere();
  return (start) => {
    const boot = bootOf(start);
    return boot === "here" ? servesStill(start) : boot === "elsewhere";
  };
}

/** A boot id in the one form that two can be compared in: systemd writes it without dashes. */
export const withoutDashes = (id: string) => id.replaceAll("-", "");

/** True where /proc does not show the process (hidepid, proc(5)). */
function servesStill({ pid, started_ticks: ticks }: Served): boolean {
  if (!exists(pid)) return false;
  const fields = statOf(`/proc/${pid}`);
  if (fields === undefined) return exists(pid);
  if (fields[0] === "Z") return false;
  return ticks === undefined ? commandOf(`/proc/${pid}`) !== "gone" : startTicksIn(fields) === ticks;
}
