import { describe, expect } from "vitest";
import { attempt, awaitNothing, lineOf, setRunTime, test } from "./hostile.ts";
import { supervised } from "./managers.ts";

/** In bytes: what alpha's commands may have. */
const MEMORY = 64 << 20;
const atLeast = (least: number) => expect.toSatisfy((value: number) => value >= least, `at least ${least}`);

interface Expected {
  readonly request: string;
  readonly told?: string | undefined;
  readonly status: number;
  readonly end: Readonly<Record<string, unknown>>;
}

const TASKS = { told: "limit of 64 tasks reached" };
const OOM = {
  told: "memory limit of 64M reached",
  status: 137,
  end: {
    cause: "oom",
    limit_of: "own",
    signal: "SIGKILL",
    usage: { oom_kills: atLeast(1), memory_peak_bytes: MEMORY },
  },
};
const TIMEOUT = { told: "run time limit of 2s reached", status: 143 };
const refused = { tasks_peak: 64, tasks_refused: atLeast(1) };

/** What the account cannot even begin where its scopes are root's, and it has no systemd of its own. */
const NO_CGROUP = { status: 9, end: { cause: "exit", exit_code: 9, leftovers: 0 } };
const BARRED: Readonly<Record<string, Partial<Expected> & { told?: undefined }>> = {
  "sub-cgroup-maker": NO_CGROUP,
  hidden: NO_CGROUP,
  escaper: { told: undefined, status: 1, end: { cause: "exit", exit_code: 1 } },
};

describe("a hostile program", () => {
  test.for<Expected>([
    {
      request: "fork-bomb",
      ...TASKS,
      status: 11,
      end: { cause: "tasks-limit", exit_code: 11, usage: refused, leftovers: atLeast(61) },
    },
    { request: "thread-bomb", ...TASKS, status: 11, end: { cause: "tasks-limit", exit_code: 11, usage: refused } },
    { request: "malloc-hog", ...OOM },
    { request: "mmap-hog", ...OOM },
    { request: "tmpfs-hog", ...OOM },
    { request: "cpu-hog", ...TIMEOUT, end: { cause: "timeout", signal: "SIGTERM" } },
    { request: "self-stopper", ...TIMEOUT, end: { cause: "timeout", signal: "SIGTERM" } },
    { request: "ignore-sigterm", ...TIMEOUT, status: 137, end: { cause: "timeout", signal: "SIGKILL" } },
    { request: "sub-cgroup-maker", status: 4, end: { cause: "exit", exit_code: 4, leftovers: 3 } },
    { request: "hidden", status: 4, end: { cause: "exit", exit_code: 4, leftovers: 3 } },
    { request: "daemon-maker", status: 5, end: { cause: "exit", exit_code: 5, leftovers: 6 } },
    { request: "zombie-maker", status: 6, end: { cause: "exit", exit_code: 6, leftovers: atLeast(1) } },
    { request: "orphan-maker", status: 3, end: { cause: "exit", exit_code: 3, leftovers: 3 } },
    { request: "escaper", ...TIMEOUT, end: { cause: "timeout", signal: "SIGTERM" } },
  ])("$request ends as its record says and leaves nothing", async (expected, { builder }) => {
    const { request, told, status, end } = { ...expected, ...(supervised(builder) && BARRED[expected.request]) };
    await setRunTime(builder, told === TIMEOUT.told ? "2s" : "60s"); // what the machine's load makes of the other limits
    const { exitCode, stderr, story } = await attempt(builder, request);
    expect.soft(lineOf(stderr), `${stderr}`).toBe(told);
    expect.soft(exitCode).toBe(status);
    expect.soft(story.ended).toMatchObject(end);
    expect.soft(story.over).toMatchObject({ exit: status, cause: end["cause"] });
    await awaitNothing(builder, 1000);
  });
});
