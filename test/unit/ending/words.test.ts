import { expect, test } from "vitest";
import { wasReached, wordsForClient } from "../../../src/ending/words.ts";

test.each<[string, number | undefined, string | undefined, boolean]>([
  ["a peak at the limit", 1024, "1024", true],
  ["a peak that a batch of the kernel's keeps below", 1000, "1024", true],
  ["a peak far below it: a limit around it was reached", 512, "1024", false],
  ["a kernel that knows no peak", undefined, "1024", true],
  ["no limit at all", 512, "max", false],
  ["a limit that was not asked for", 512, undefined, false],
])("%s", (_, peak, limit, reached) => {
  expect(wasReached(peak, limit)).toBe(reached);
});

test("the limit that was reached is named, or else the team's", () => {
  const none = { memory: undefined, tasks: undefined, runtime: undefined };
  expect(wordsForClient("oom", { ...none, memory: "2G" }, { code: 1 })).toBe("memory limit of 2G reached");
  expect(wordsForClient("oom", none, { code: 1 })).toBe("memory limit of the team reached");
  expect(wordsForClient("tasks-limit", { ...none, tasks: "64" }, { code: 1 })).toBe("limit of 64 tasks reached");
  expect(wordsForClient("tasks-limit", none, { code: 1 })).toBe("limit of the team's tasks reached");
});
