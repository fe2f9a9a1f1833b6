import { constants } from "node:os";
import { ExitStatus } from "../units/exit-status.ts";
import type { Cause, EndedBy, Ending, Exit, Usage } from "./ending.ts";
import { type LimitHits, NO_HITS } from "./limit-hits.ts";

/**
 * Tells the cause of a command's end. Whoever ended it comes first, since the signal that follows from it says nothing; a limit counts as the cause only where the command did not succeed all the same.
 * @param hits of the limits around the command; where its cgroup was taken away before anybody could look, an OOM kill
 * nearby is what a SIGKILL came from
 */
export function causeOf(
  exit: Exit | undefined,
  usage: Usage,
  stopped: EndedBy | undefined,
  hits: LimitHits = NO_HITS,
): Cause {
  if (exit?.notExecuted !== undefined) return "exec-failed";
  // A signal from outside says less than a limit that was hit.
  if (stopped !== undefined && stopped !== "signal") return stopped;
  if (exit === undefined) return "signal";
  if (exit.code === 0) return stopped ?? "exit";
  const kills = usage.oom_kills ?? (exit.signal === "SIGKILL" ? hits.killsNearby : 0);
  if (kills > 0) return "oom";
  if ((usage.tasks_refused ?? 0) + hits.tasks.team + hits.tasks.around > 0) return "tasks-limit";
  return stopped ?? (exit.signal === undefined ? "exit" : "signal");
}

/**
 * The status that the session ends with. Where the command was ended from outside it is never the command's own: Nix's
 * programs answer SIGTERM with 0 or 1 (NixOS/nix#11667).
 */
export function sessionStatus({ exit, forced }: Pick<Ending, "exit" | "forced">): number {
  if (exit === undefined) return statusOf({ signal: "SIGKILL" });
  if (forced === undefined) return statusOf(exit);
  return statusOf({ signal: exit.signal === "SIGKILL" ? exit.signal : forced });
}

/**
 * The command's own status, or 128 + the signal's number, as sh has it. A program that could not be executed is the
 * administrator's to mend: 78, which tells it apart from a command that exits with 126 or 127 by itself.
 */
export function statusOf(exit: Exit): number {
  if (exit.notExecuted !== undefined) return ExitStatus.config;
  return exit.signal === undefined ? exit.code : 128 + constants.signals[exit.signal];
}
