import type { Ending } from "../../ending/ending.ts";
import { type Whose, whoseLimit } from "../../ending/limit-events.ts";
import type { LimitWords } from "../../ending/words.ts";
import type { LimitOf } from "../../record/vocabulary.ts";
import type { CommandTerms } from "../../scope/plan.ts";

/** The values of the limits that a message to the client may name. */
export function limitWords({ properties }: Pick<CommandTerms, "properties">): LimitWords {
  const limit = (name: string) => properties.find((property) => property.name === name)?.value;
  return { memory: limit("MemoryMax"), tasks: limit("TasksMax"), runtime: limit("RuntimeMaxSec") };
}

type Expected = Pick<CommandTerms, "expectations">;

/** The owner of each limit that the command hit. */
export function whoseLimits(
  { usage, limitEvents }: Pick<Ending, "usage" | "limitEvents">,
  { expectations }: Expected,
): { readonly memory: Whose; readonly tasks: Whose } {
  const inKernel = (name: string) => expectations.find(({ property }) => property === name)?.value;
  return {
    memory: whoseLimit(limitEvents.memory, usage.memory_peak_bytes, inKernel("MemoryMax")),
    tasks: whoseLimit(limitEvents.tasks, usage.tasks_peak, inKernel("TasksMax")),
  };
}

/** The owner of the limit that ended the command; undefined where no limit did. */
export function limitOf(ending: Ending, expected: Expected): LimitOf | undefined {
  const kind = { oom: "memory", "tasks-limit": "tasks" } as const;
  if (ending.cause !== "oom" && ending.cause !== "tasks-limit") return undefined;
  const whose = whoseLimits(ending, expected)[kind[ending.cause]];
  return whose === "command" ? "own" : whose;
}
