import { expect, test } from "vitest";
import { causeOf, causeWithBuilds, sessionStatus, statusOf } from "../../../src/ending/cause.ts";
import type { EndedBy, Exit, Forced, Usage } from "../../../src/ending/ending.ts";
import { type LimitEvents, NO_LIMIT_EVENTS } from "../../../src/ending/limit-events.ts";

const refused = (team: number, ancestor: number) => ({ own: 0, team, ancestor });

test.each<[string, Exit, Usage, EndedBy | undefined, string]>([
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
  ["a signal from outside, obeyed with status 0", { code: 0 }, {}, "signal", "signal"],
  ["a signal from outside, obeyed with status 1", { code: 1 }, {}, "signal", "signal"],
  ["all of the scope killed where the OOM killer struck", { signal: "SIGKILL" }, { oom_kills: 1 }, "signal", "oom"],
  ["systemd-oomd", { signal: "SIGKILL" }, {}, "oom", "oom"],
  ["the administrator, obeyed with status 0", { code: 0 }, {}, "killed-by-admin", "killed-by-admin"],
])("%s", (_, exit, usage, stopped, cause) => {
  expect(causeOf(exit, usage, stopped)).toBe(cause);
});

test.each<[string, Exit, Usage, Partial<LimitEvents>, string]>([
  [
    "a failure, the team's limit refused forks",
    { code: 1 },
    { tasks_refused: 0 },
    { tasks: refused(2, 0) },
    "tasks-limit",
  ],
  ["a failure, root's limit refused forks", { code: 1 }, { tasks_refused: 0 }, { tasks: refused(0, 2) }, "tasks-limit"],
  ["success in spite of both", { code: 0 }, {}, { tasks: refused(2, 2) }, "exit"],
  ["SIGKILL near an OOM kill, and nobody saw the figures", { signal: "SIGKILL" }, {}, { killsNearby: 2 }, "oom"],
  ["SIGKILL near another command's OOM kill", { signal: "SIGKILL" }, { oom_kills: 0 }, { killsNearby: 2 }, "signal"],
  ["a crash near an OOM kill", { signal: "SIGSEGV" }, {}, { killsNearby: 2 }, "signal"],
])("%s", (_, exit, usage, limitEvents, cause) => {
  expect(causeOf(exit, usage, undefined, { ...NO_LIMIT_EVENTS, ...limitEvents })).toBe(cause);
});

test.each<[string, Exit, Usage, EndedBy | undefined, string]>([
  ["success", { code: 0 }, {}, undefined, "exit"],
  ["a daemon's status 0 after a build's OOM", { code: 0 }, { oom_kills: 1 }, undefined, "oom"],
  ["a daemon's status 0 after refused forks", { code: 0 }, { tasks_refused: 3 }, undefined, "tasks-limit"],
  ["a client that hung up after a build's OOM", { code: 0 }, { oom_kills: 1 }, "client-gone", "oom"],
  ["a lost client", { code: 0 }, {}, "client-gone", "client-gone"],
  ["the run time after a build's OOM", { code: 0 }, { oom_kills: 1 }, "timeout", "timeout"],
  ["a build outside", { signal: "SIGTERM" }, {}, "scope-failed", "scope-failed"],
])("with builds: %s", (_, exit, usage, stopped, cause) => {
  expect(causeWithBuilds(exit, usage, stopped)).toBe(cause);
});

test("a signal's status is 128 + its number", () => {
  expect(statusOf({ signal: "SIGKILL" })).toBe(137);
  expect(statusOf({ code: 100 })).toBe(100);
});

test.each<[string, Exit | undefined, Forced | undefined, number]>([
  ["a command's own", { code: 0 }, undefined, 0],
  ["a command's own signal", { signal: "SIGSEGV" }, undefined, 139],
  ["143 where it answers SIGTERM with 0, as nix-daemon does", { code: 0 }, "SIGTERM", 143],
  ["143 where it answers SIGTERM with 1, as nix-store does", { code: 1 }, "SIGTERM", 143],
  ["143 where SIGTERM ended it", { signal: "SIGTERM" }, "SIGTERM", 143],
  ["137 where it took SIGKILL", { signal: "SIGKILL" }, "SIGKILL", 137],
  ["137 where something else was quicker with SIGKILL", { signal: "SIGKILL" }, "SIGTERM", 137],
  ["137 where it could not be ended", undefined, "SIGKILL", 137],
])("the session's status is %s", (_, exit, forced, status) => {
  expect(sessionStatus({ exit, forced })).toBe(status);
});
