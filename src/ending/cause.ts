import { constants } from "node:os";
import type { Cause, Exit, StopReason, Usage } from "./ending.ts";

/**
 * Tells the cause of a command's end. A stop of nixgate's own comes first, since the signal that follows from it says
 * nothing; a limit counts as the cause only where the command did not succeed all the same.
 * @param teamRefusals forks that the team's limit refused while the command ran
 */
export function causeOf(exit: Exit, usage: Usage, stopped: StopReason | undefined, teamRefusals = 0): Cause {
  if (stopped) return stopped;
  if (exit.code === 0) return "exit";
  if ((usage.oom_kills ?? 0) > 0) return "oom";
  if ((usage.tasks_refused ?? 0) + teamRefusals > 0) return "tasks-limit";
  return exit.signal === undefined ? "exit" : "signal";
}

/** The command's own status, or 128 + the signal's number, as sh has it. */
export function statusOf(exit: Exit): number {
  return exit.signal === undefined ? exit.code : 128 + constants.signals[exit.signal];
}
