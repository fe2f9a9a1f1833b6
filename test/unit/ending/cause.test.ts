import { expect, test } from "vitest";
import { causeOf, statusOf } from "../../../src/ending/cause.ts";
import type { Exit, StopReason, Usage } from "../../../src/ending/ending.ts";

test.each<[string, Exit, Usage, StopReason | undefined, string]>([
  ["success", { code: 0 }, {}, undefined, "exit"],
  ["the command's own failure", { code: 1 }, {}, undefined, "exit"],
  ["a signal", { signal: "SIGSEGV" }, { oom_kills: 0 }, undefined, "signal"],
  ["the OOM killer", { signal: "SIGKILL" }, { oom_kills: 1 }, undefined, "oom"],
  ["a failure after a child's OOM", { code: 1 }, { oom_kills: 1 }, undefined, "oom"],
  ["success in spite of a child's OOM", { code: 0 }, { oom_kills: 1 }, undefined, "exit"],
  ["a failure after refused forks", { code: 254 }, { tasks_refused: 3 }, undefined, "tasks-limit"],
  ["success in spite of refused forks", { code: 0 }, { tasks_refused: 3 }, undefined, "exit"],
  ["the run time", { signal: "SIGTERM" }, {}, "timeout", "timeout"],
  ["a lost client", { signal: "SIGKILL" }, { oom_kills: 1 }, "client-gone", "client-gone"],
  ["the administrator, obeyed with status 0", { code: 0 }, {}, "killed-by-admin", "killed-by-admin"],
])("%s", (_, exit, usage, stopped, cause) => {
  expect(causeOf(exit, usage, stopped)).toBe(cause);
});

test("forks that the team's limit refused count like the command's own", () => {
  expect(causeOf({ code: 1 }, { tasks_refused: 0 }, undefined, 2)).toBe("tasks-limit");
  expect(causeOf({ code: 0 }, {}, undefined, 2)).toBe("exit");
});

test("a signal's status is 128 + its number", () => {
  expect(statusOf({ signal: "SIGKILL" })).toBe(137);
  expect(statusOf({ code: 100 })).toBe(100);
});
