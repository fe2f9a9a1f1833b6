import { hostname } from "node:os";
import type { IsAlive, Served } from "../../archive/archive.ts";
import { toPid } from "../../units/ids.ts";
import { readKernelFile } from "../kernel/kernel-files.ts";
import { machineId } from "../kernel/machine.ts";
import { startTicksIn } from "../kernel/process-group.ts";
import { commandOf, exists, statOf } from "../kernel/process-kind.ts";

/**
 * The boot that a record is of. The boot's id decides, whatever the host's name: `here` is this boot. `before` is an
 * earlier boot of this host, known by its machine id or its name. Any other is `elsewhere`.
 */
export type Boot = "here" | "before" | "elsewhere";

/** Returns a function that finds the boot of a session.start. */
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
 * Whether the process of a session.start still serves it. A process of another host is not visible and counts as alive;
 * one of an earlier boot is gone. A process is identified by its pid and its start in ticks since boot, because no
 * clock that can be set affects these. A record without ticks counts as alive while its pid belongs to a nixgate
 * process.
 */
export function livenessHere(): IsAlive {
  const bootOf = bootsHere();
  return (start) => {
    const boot = bootOf(start);
    return boot === "here" ? servesStill(start) : boot === "elsewhere";
  };
}

/** A boot id in the form for comparison: systemd writes it without dashes. */
const withoutDashes = (id: string) => id.replaceAll("-", "");

/** True where /proc does not show the process (hidepid, proc(5)). */
function servesStill({ pid: number, started_ticks: ticks }: Served): boolean {
  const pid = toPid(number);
  if (!exists(pid)) return false;
  const fields = statOf(`/proc/${pid}`);
  if (fields === undefined) return exists(pid);
  if (fields[0] === "Z") return false;
  return ticks === undefined ? commandOf(`/proc/${pid}`) !== "gone" : startTicksIn(fields) === ticks;
}
