import { constants } from "node:os";
import type { Cause, Exit, StopReason, Usage } from "./ending.ts";
import { type LimitHits, NO_HITS } from "./limit-hits.ts";

/**
 * Tells the cause of a command's end. A stop of nixgate's own comes first, since the signal that follows from it says
 * nothing; a limit counts as the cause only where the command did not succeed all the same.
 * @param hits of the limits around the command; where its cgroup was taken away before anybody could look, an OOM kill
 * nearby is what a SIGKILL came from
 */
export function causeOf(exit: Exit, usage: Usage, stopped: StopReason | undefined, hits: LimitHits = NO_HITS): Cause {
  if (stopped) return stopped;
  if (exit.code === 0) return "exit";
  const kills = usage.oom_kills ?? (exit.signal === "SIGKILL" ? hits.killsNearby : 0);
  if (kills > 0) return "oom";
  if ((usage.tasks_refused ?? 0) + hits.tasks.team + hits.tasks.around > 0) return "tasks-limit";
  return exit.signal === undefined ? "exit" : "signal";
}

/** The command's own status, or 128 + the signal's number, as sh has it. */
export function statusOf(exit: Exit): number {
  return exit.signal === undefined ? exit.code : 128 + constants.signals[exit.signal];
}
