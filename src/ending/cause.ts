import { constants } from "node:os";
import { ExitStatus } from "../units/exit-status.ts";
import type { Cause, EndedBy, Ending, Exit, Usage } from "./ending.ts";
import { type LimitEvents, NO_LIMIT_EVENTS } from "./limit-events.ts";

/**
 * Finds the cause of a command's end. A stop by nixgate or systemd comes first, since the signal that follows says
 * nothing about the cause. A limit is the cause only where the command failed.
 * @param limitEvents the hits of the limits of the command and of its ancestors. Where its cgroup was removed before its
 * counters were read, an OOM kill nearby explains a SIGKILL.
 */
export function causeOf(
  exit: Exit | undefined,
  usage: Usage,
  stopped: EndedBy | undefined,
  limitEvents: LimitEvents = NO_LIMIT_EVENTS,
): Cause {
  if (exit?.notExecuted !== undefined) return "exec-failed";
  // A limit that was hit explains more than a signal from outside.
  if (stopped !== undefined && stopped !== "signal") return stopped;
  if (exit === undefined) return "signal";
  if (exit.code === 0) return stopped ?? "exit";
  const kills = usage.oom_kills ?? (exit.signal === "SIGKILL" ? limitEvents.killsNearby : 0);
  if (kills > 0) return "oom";
  if ((usage.tasks_refused ?? 0) + limitEvents.tasks.team + limitEvents.tasks.ancestor > 0) return "tasks-limit";
  return stopped ?? (exit.signal === undefined ? "exit" : "signal");
}

/**
 * Finds the cause where builds share the limits of the command. Nix's programs exit with 0 also where the build failed
 * that they were asked for, and their client then hangs up. So a limit that was hit is the cause whatever the status,
 * also where the client went first.
 */
export function causeWithBuilds(
  exit: Exit | undefined,
  usage: Usage,
  stopped: EndedBy | undefined,
  limitEvents: LimitEvents = NO_LIMIT_EVENTS,
): Cause {
  const perhapsFailed = exit?.code === 0 && exit.notExecuted === undefined ? { code: 1 } : exit;
  const found = causeOf(perhapsFailed, usage, stopped === "client-gone" ? undefined : stopped, limitEvents);
  return found === "oom" || found === "tasks-limit" ? found : causeOf(exit, usage, stopped, limitEvents);
}

/**
 * The session's exit status. Where something ended the command from outside, it is never the command's own status:
 * Nix's programs answer SIGTERM with 0 or 1 (NixOS/nix#11667).
 */
export function sessionStatus({ exit, forced }: Pick<Ending, "exit" | "forced">): number {
  if (exit === undefined) return statusOf({ signal: "SIGKILL" });
  if (forced === undefined) return statusOf(exit);
  return statusOf({ signal: exit.signal === "SIGKILL" ? exit.signal : forced });
}

/**
 * The command's own status, or 128 + the signal's number, as in sh. The status is 78 for a program that could not be
 * executed, because the administrator has to fix that. A command can exit with 126 or 127 by itself.
 */
export function statusOf(exit: Exit): number {
  if (exit.notExecuted !== undefined) return ExitStatus.config;
  return exit.signal === undefined ? exit.code : 128 + constants.signals[exit.signal];
}
