import type { Cause, Exit } from "./ending.ts";
import type { Whose } from "./limit-hits.ts";

/** The command's own limits as the policy spells them, for a sentence; undefined: there is none. */
export interface LimitWords {
  readonly memory: string | undefined;
  readonly tasks: string | undefined;
  readonly runtime: string | undefined;
}

/** What the client is told about an end that it could not know the cause of; undefined where its own output says it. */
export function wordsForClient(
  cause: Cause,
  limits: LimitWords,
  whose: { readonly memory: Whose; readonly tasks: Whose },
  exit: Exit,
): string | undefined {
  switch (cause) {
    case "oom":
      return {
        command: `memory limit of ${limits.memory} reached`,
        team: "memory limit of the team reached",
        around: "memory limit around the team reached",
        host: "the host ran out of memory",
      }[whose.memory];
    case "tasks-limit":
      return {
        command: `limit of ${limits.tasks} tasks reached`,
        team: "limit of the team's tasks reached",
        around: "limit of tasks around the team reached",
        host: "limit of the host's tasks reached",
      }[whose.tasks];
    case "timeout":
      return `run time limit of ${limits.runtime} reached`;
    case "killed-by-admin":
      return "ended by the administrator";
    case "signal":
      return `the command was ended by ${exit.signal}`;
    case "exec-failed":
      return cannotRun(exit.notExecuted ?? "");
    default:
      return undefined;
  }
}

/** @param problem beginning with the program's path */
export const cannotRun = (problem: string): string => `the program of this request cannot be run: ${problem}`;
