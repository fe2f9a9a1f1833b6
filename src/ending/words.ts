import { escapeText } from "../units/text.ts";
import type { Cause, Exit, StopReason, Survivor } from "./ending.ts";
import type { Whose } from "./limit-events.ts";

/** The command's own limits as the policy spells them, for a sentence; undefined where there is none. */
export interface LimitWords {
  readonly memory: string | undefined;
  readonly tasks: string | undefined;
  readonly runtime: string | undefined;
}

/** The message to the client before nixgate ends its command. */
export function stopWords(why: StopReason, limits: LimitWords): string {
  switch (why) {
    case "timeout":
      return `run time limit of ${limits.runtime} reached`;
    case "killed-by-admin":
      return "ended by the administrator";
    case "client-gone":
      return "ended because its client no longer reads";
    case "scope-failed":
      return "ended because a build ran outside of the limits of its session";
  }
}

/** `pid 4711 of uid 0 (sleep)`; escaped for a terminal. */
export function survivorWords({ pid, uid, name }: Survivor): string {
  return `pid ${pid} of ${uid === undefined ? "an unknown account" : `uid ${uid}`} (${escapeText(name ?? "unknown")})`;
}

/**
 * The message to the client about an end whose cause it cannot know; undefined where the command's own output is
 * enough.
 */
export function wordsForClient(
  cause: Cause,
  limits: LimitWords,
  whose: { readonly memory: Whose; readonly tasks: Whose },
  exit: Exit | undefined,
): string | undefined {
  switch (cause) {
    case "oom":
      return {
        command: `memory limit of ${limits.memory} reached`,
        team: "memory limit of the team reached",
        ancestor: "memory limit above the team reached",
        host: "the host ran out of memory",
      }[whose.memory];
    case "tasks-limit":
      return {
        command: `limit of ${limits.tasks} tasks reached`,
        team: "limit of the team's tasks reached",
        ancestor: "limit of tasks above the team reached",
        host: "limit of the host's tasks reached",
      }[whose.tasks];
    case "timeout":
    case "killed-by-admin":
    case "client-gone":
    case "scope-failed":
      return stopWords(cause, limits);
    case "signal":
      return `the command was ended by ${exit === undefined ? "SIGKILL" : (exit.signal ?? "a signal")}`;
    case "exec-failed":
      return cannotRun(exit?.notExecuted ?? "");
    default:
      return undefined;
  }
}

/** @param problem the text begins with the program's path */
export const cannotRun = (problem: string): string => `the program of this request cannot be run: ${problem}`;
