import type { DayFile, IsAlive } from "./archive.ts";
import { glanceThrough } from "./sessions/summarise.ts";

/** No session that has ended was there in this time. */
const NEVER = { since: Number.POSITIVE_INFINITY };

/**
 * Which files may still be written to: those of the days from `since` on, and older ones with a session that runs. A
 * clock that was set forward gives a running session's file a day that is long over. Of an older file the index tells
 * it without a reading of the file.
 * @param since `YYYY-MM-DD`
 */
export function daysInUse(files: readonly DayFile[], since: string, isAlive: IsAlive): readonly DayFile[] {
  return files.filter((file) => file.day >= since || hasRunning(file, isAlive));
}

function hasRunning(file: DayFile, isAlive: IsAlive): boolean {
  for (const { state } of glanceThrough(file, isAlive, () => undefined, NEVER)) if (state === "running") return true;
  return false;
}
