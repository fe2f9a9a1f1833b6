import { expect, test } from "vitest";
import { sessionsStats } from "../../../../src/commands/sessions/sessions-stats.ts";
import { bodies, sessionLines } from "../../../support/records.ts";
import { portsOf, run } from "./sessions.fixture.ts";

test("a table of teams and members, then denials by reason and causes by team", async () => {
  const { status, stdout, stderr } = await run(sessionsStats, []);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toBe(`\
TEAM   MEMBER  SESSIONS  COMMANDS  DENIALS  CPU HOURS  MEMORY PEAK     P50     P95  LONGEST
alpha  (all)          2         2        1       0.00      812 MiB   3.0 s  12.3 s   12.3 s
alpha  -              1         1        0       0.00      812 MiB   3.0 s   3.0 s    3.0 s
alpha  ci             1         1        1       0.00      812 MiB  12.3 s  12.3 s   12.3 s
beta   (all)          2         1        0       0.00            -       -       -        -
beta   ci             2         1        0       0.00            -       -       -        -
(all)  (all)          4         3        1       0.00      812 MiB   3.0 s  12.3 s   12.3 s
of all: 1 running, 1 lost

DENIALS          ALL  alpha  beta
not-allowlisted    1      1     -

SESSIONS ENDED BY  ALL  alpha  beta
exit                 1      1     -
oom                  1      1     -
`);
});

test("the same filters as list, and --json", async () => {
  const { stdout = "" } = await run(sessionsStats, [], { json: true, cause: "oom", until: "2026-01-05T12:00:00Z" });
  expect(JSON.parse(stdout)).toEqual({
    total: expect.objectContaining({ sessions: 1, causes: { oom: 1 }, wall_ms: { p50: 3000, p95: 3000, max: 3000 } }),
    teams: [expect.objectContaining({ team: "alpha", members: [expect.objectContaining({ sessions: 1 })] })],
  });
  expect((await run(sessionsStats, [], { team: "gamma" })).stdout).toBe("no sessions match\n");
});

test("names out of records cannot reach the terminal raw, nor the program's own objects", async () => {
  const { lines } = sessionLines("2026-01-05T03:12:00Z", [{ ...bodies.start, member: "\u001b[2J" }, bodies.end]);
  const proto = sessionLines("2026-01-05T03:12:00Z", [{ ...bodies.start, member: "__proto__" }, bodies.end]).lines;
  const ports = portsOf({ "alpha/2026-01-05": [...lines, ...proto].join("") });
  const { stdout = "" } = await run(sessionsStats, [], {}, ports);
  expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(stdout).toMatch(/^alpha +__proto__ +1 /m);
});

test.each<[string[], Record<string, string>]>([
  [["alpha"], {}],
  [[], { client: "nowhere" }],
])("%o %o is a usage error", async (positionals, options) => {
  await expect(run(sessionsStats, positionals, options)).rejects.toMatchObject({ exitStatus: 64 });
});
