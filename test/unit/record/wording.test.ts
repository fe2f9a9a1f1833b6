import { expect, test } from "vitest";
import { causeWords } from "../../../src/record/wording.ts";

test("a limit's cause is told with whose limit it was", () => {
  expect(causeWords({ causes: ["exit"] })).toEqual([]);
  expect(causeWords({ causes: ["oom", "exit"] })).toEqual(["oom"]);
  expect(causeWords({ causes: ["oom", "timeout"], limits_of: ["team", "host"] })).toEqual([
    "oom (team, host)",
    "timeout",
  ]);
});
