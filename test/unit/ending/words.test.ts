import { expect, test } from "vitest";
import type { Whose } from "../../../src/ending/limit-events.ts";
import { wordsForClient } from "../../../src/ending/words.ts";

const limits = { memory: "2G", tasks: "64", runtime: "4h" };

test.each<[Whose, string, string]>([
  ["command", "memory limit of 2G reached", "limit of 64 tasks reached"],
  ["team", "memory limit of the team reached", "limit of the team's tasks reached"],
  ["ancestor", "memory limit above the team reached", "limit of tasks above the team reached"],
  ["host", "the host ran out of memory", "limit of the host's tasks reached"],
])("the limit that was reached is named by whose it is: %s", (whose, memory, tasks) => {
  const reached = { memory: whose, tasks: whose };
  expect(wordsForClient("oom", limits, reached, { signal: "SIGKILL" })).toBe(memory);
  expect(wordsForClient("tasks-limit", limits, reached, { code: 1 })).toBe(tasks);
});

test("an end that the command knows of needs no words", () => {
  const reached = { memory: "host", tasks: "host" } as const;
  expect(wordsForClient("exit", limits, reached, { code: 1 })).toBeUndefined();
});
