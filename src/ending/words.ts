import type { Cause, Exit } from "./ending.ts";

/** The limits as the policy spells them, for a sentence; undefined: there is none, or it is not the one that was reached. */
export interface LimitWords {
  readonly memory: string | undefined;
  readonly tasks: string | undefined;
  readonly runtime: string | undefined;
}

/** What the client is told about an end that it could not know the cause of; undefined where its own output says it. */
export function wordsForClient(cause: Cause, limits: LimitWords, exit: Exit): string | undefined {
  switch (cause) {
    case "oom":
      return `memory limit of ${limits.memory ?? "the team"} reached`;
    case "tasks-limit":
      return `limit of ${limits.tasks ?? "the team's"} tasks reached`;
    case "timeout":
      return `run time limit of ${limits.runtime ?? "the team"} reached`;
    case "killed-by-admin":
      return "ended by the administrator";
    case "signal":
      return `the command was ended by ${exit.signal}`;
    default:
      return undefined;
  }
}

/** The kernel charges memory in batches, so that a peak may stay below the limit by that much; tasks it counts one by one. */
const NEAR = 15 / 16;

/**
 * Whether it was this limit that a command ran into, and not one around it, such as its team's.
 * @param peak the most that the command ever had, undefined where the kernel does not say
 * @param limit as the kernel has it; "max" is none
 */
export function wasReached(peak: number | undefined, limit: string | undefined): boolean {
  return limit !== "max" && (peak === undefined || peak >= Number(limit) * NEAR);
}
