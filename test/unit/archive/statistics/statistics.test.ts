import { expect, test } from "vitest";
import type { Summary } from "../../../../src/archive/sessions/summary.ts";
import { GROUPS_MAX, OTHERS, statistics } from "../../../../src/archive/statistics/statistics.ts";
import { statisticsTables } from "../../../../src/commands/sessions/statistics-tables.ts";

const summary = (given: Partial<Summary>): Summary => ({
  session: "s",
  team: "alpha",
  host: "builder",
  start: "2026-01-05T03:00:00.000Z",
  commands: 1,
  denied: 0,
  reasons: [],
  causes: ["exit"],
  requests: [],
  state: "ended",
  ...given,
});
const counted = (sessions: readonly Partial<Summary>[]) => {
  const all = statistics();
  for (const one of sessions) all.take(summary(one));
  return all.result();
};

test("each member, each team and all together are counted", () => {
  const { total, teams } = counted([
    { member: "ci", wall_ms: 1000, cpu_ms: 400, memory_peak_bytes: 5 },
    { member: "ci", wall_ms: 3000, cpu_ms: 600, memory_peak_bytes: 9, causes: ["oom", "exit"], commands: 2 },
    { member: "ada", denials: ["malformed", "malformed"], commands: 0, causes: ["exit"], wall_ms: 7 },
    { team: "beta", denials: ["team-busy"], commands: 0, state: "lost", causes: [] },
    { team: "beta", state: "running", causes: [] },
  ]);
  expect(teams.map(({ team, members }) => [team, members.map(({ member }) => member)])).toEqual([
    ["alpha", ["ada", "ci"]],
    ["beta", [undefined]],
  ]);
  expect(total).toEqual({
    sessions: 5,
    running: 1,
    lost: 1,
    commands: 4,
    denials: { malformed: 2, "team-busy": 1 },
    causes: { exit: 3, oom: 1 },
    cpu_ms: 1000,
    memory_peak_bytes: 9,
    wall_ms: { p50: 1000, p95: 3000, max: 3000 },
  });
  const { members: _, ...beta } = teams[1]!;
  expect(beta).toEqual({
    team: "beta",
    ...{ sessions: 2, running: 1, lost: 1, commands: 1, denials: { "team-busy": 1 }, causes: {}, cpu_ms: 0 },
  });
  expect(teams[0]).toMatchObject({ sessions: 3, denials: { malformed: 2 }, cpu_ms: 1000, wall_ms: { max: 3000 } });
  expect(teams[0]?.members[0]).toMatchObject({ sessions: 1, wall_ms: { p50: 7, p95: 7, max: 7 } });
});

test.each([1, 2, 10, 999, 20_000])(
  "the percentiles of %i sessions are those of the sorted list, within 0.1 %%",
  (count) => {
    const walls = Array.from({ length: count }, (_, index) => 1 + ((index * 7919) % 100_003) * 37);
    const { total } = counted(walls.map((wall_ms) => ({ wall_ms })));
    const sorted = walls.toSorted((a, b) => a - b);
    const exact = (per: number) => sorted[Math.ceil((per / 100) * count) - 1] ?? 0;
    for (const [found, per] of [
      [total.wall_ms?.p50, 50],
      [total.wall_ms?.p95, 95],
    ] as const) {
      expect(found).toBeGreaterThanOrEqual(exact(per) * 0.999);
      expect(found).toBeLessThanOrEqual(exact(per) * 1.001 + 1);
    }
    expect(total.wall_ms?.max).toBe(sorted.at(-1));
  },
);

test("sessions of no time at all, and of years, are counted", () => {
  const year = 365 * 86_400_000;
  expect(counted([{ wall_ms: 0 }]).total.wall_ms).toEqual({ p50: 0, p95: 0, max: 0 });
  expect(counted([{ wall_ms: 0 }, { wall_ms: year }]).total.wall_ms).toMatchObject({ p50: 0, max: year });
});

test("nothing is no statistics of anything", () => {
  expect(counted([])).toEqual({
    total: { sessions: 0, running: 0, lost: 0, commands: 0, denials: {}, causes: {}, cpu_ms: 0 },
    teams: [],
  });
});

test("members and teams beyond the bound are counted together, and another team's stand alone", () => {
  const many = Array.from({ length: GROUPS_MAX + 500 }, (_, index) => index);
  const { total, teams } = counted([
    { team: "beta", member: "ci" },
    ...many.map((index) => ({ member: `m${index}`, wall_ms: index })),
    { member: "m0", wall_ms: 0 },
    ...many.map((index) => ({ team: `t${index}` })),
  ]);
  expect(total.sessions).toBe(2 * many.length + 2);
  const alpha = teams.find(({ team }) => team === "alpha");
  expect(alpha).toMatchObject({ sessions: many.length + 1, wall_ms: { max: GROUPS_MAX + 499 } });
  expect(alpha?.members).toHaveLength(GROUPS_MAX + 1);
  const row = (member: string) => alpha?.members.find((one) => one.member === member);
  expect([row("m0")?.sessions, row(OTHERS)?.sessions]).toEqual([2, 500]);
  expect(teams).toHaveLength(GROUPS_MAX + 1);
  expect(teams.find(({ team }) => team === "beta")?.members.map(({ member }) => member)).toEqual(["ci"]);
  const text = statisticsTables({ total, teams });
  expect(text).toContain("of alpha: 1000 members are counted separately, all others together as (others)\n");
  expect(text).toContain("of all teams: 1000 are counted separately, all others together as (others)\n");
});
