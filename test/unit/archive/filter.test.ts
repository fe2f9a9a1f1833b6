import { expect, test } from "vitest";
import { type Criteria, keepMatching } from "../../../src/archive/filter.ts";
import type { Summary } from "../../../src/archive/sessions/summary.ts";

const at = (time: string) => Date.parse(`2026-01-05T${time}Z`);
const base = { team: "alpha", host: "b", commands: 1, denied: 0, reasons: [], causes: ["exit"], requests: [] } as const;
const sessions: readonly Summary[] = [
  {
    ...base,
    session: "early",
    member: "ci",
    start: "2026-01-05T01:00:00.000Z",
    end: "2026-01-05T02:00:00.000Z",
    state: "ended",
    requests: ["nix-store --serve"],
  },
  {
    ...base,
    session: "denied",
    start: "2026-01-05T03:00:00.000Z",
    end: "2026-01-05T03:00:01.000Z",
    state: "ended",
    denied: 1,
    reasons: ["not-allowlisted"],
    requests: ["rm -rf /"],
  },
  {
    ...base,
    session: "refused",
    team: "beta",
    start: "2026-01-05T03:30:00.000Z",
    end: "2026-01-05T03:30:01.000Z",
    state: "ended",
    commands: 0,
    reasons: ["team-busy"],
  },
  {
    ...base,
    session: "oom",
    member: "ci",
    start: "2026-01-05T03:00:00.000Z",
    end: "2026-01-05T05:00:00.000Z",
    state: "ended",
    causes: ["oom", "exit"],
  },
  {
    ...base,
    session: "set-back",
    start: "2026-01-05T03:10:00.000Z",
    end: "2026-01-05T01:10:00.000Z",
    state: "ended",
    causes: ["timeout"],
  },
  { ...base, session: "running", start: "2026-01-05T04:00:00.000Z", state: "running", causes: [] },
  { ...base, session: "lost", start: "2026-01-05T04:00:00.000Z", state: "lost", causes: [] },
];

test.each<[Criteria, string[]]>([
  [{}, ["early", "denied", "refused", "oom", "set-back", "running", "lost"]],
  [{ team: "beta" }, ["refused"]],
  [{ member: "ci" }, ["early", "oom"]],
  [{ denied: true }, ["denied", "refused"]],
  [{ cause: "oom" }, ["oom"]],
  [{ request: "RM -RF" }, ["denied"]],
  [{ running: true }, ["running"]],
  [{ since: at("04:30:00") }, ["oom", "running"]],
  [{ since: at("03:10:00"), until: at("03:10:00") }, ["oom", "set-back"]],
  [{ until: at("02:30:00") }, ["early"]],
  [{ since: at("03:30:00"), until: at("03:30:00") }, ["refused", "oom"]],
  [{ since: at("04:30:00"), cause: "oom", member: "ci" }, ["oom"]],
  [{ team: "beta", cause: "oom" }, []],
])("%o keeps %o", (criteria, expected) => {
  expect(sessions.filter(keepMatching(criteria)).map(({ session }) => session)).toEqual(expected);
});
