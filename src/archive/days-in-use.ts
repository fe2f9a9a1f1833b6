import type { DayFile, IsAlive } from "./archive.ts";
import { glanceThrough } from "./sessions/summarise.ts";

/** A window that no ended session lies in. */
const NEVER = { since: Number.POSITIVE_INFINITY };

/**
 * The files that sessions may still write to: those of the days from `since` on, and older ones with a running session.
 * After the clock was set forward, a running session's file can be of a day long past. For older files the index
 * answers without reading the file.
 * @param since `YYYY-MM-DD`
 */
export function daysInUse(files: readonly DayFile[], since: string, isAlive: IsAlive): readonly DayFile[] {
  return files.filter((file) => file.day >= since || hasRunning(file, isAlive));
}

function hasRunning(file: DayFile, isAlive: IsAlive): boolean {
  for (const { state } of glanceThrough(file, isAlive, () => undefined, NEVER)) if (state === "running") return true;
  return false;
}
