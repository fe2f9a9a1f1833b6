import { expect, test } from "vitest";
import { openSessions } from "../../../../../src/archive/sessions/open-sessions.ts";
import { byCpu, commandKey, readOpen, type TopRow, topRow } from "../../../../../src/commands/sessions/top/top-rows.ts";
import { topTable } from "../../../../../src/commands/sessions/top/top-table.ts";
import { bodies, sessionLines } from "../../../../support/records.ts";

const START = "2026-01-05T03:12:00Z";
const NOW = Date.parse(START) + 90_000;

function running() {
  const open = openSessions();
  for (const line of sessionLines(START, [bodies.start, bodies.run]).lines) open.take({ team: "alpha", text: line });
  return readOpen(open.all()[0]!)!;
}
const sample = (at: number, cpuMs?: number) => ({
  at,
  cpuMs: new Map(cpuMs === undefined ? [] : [[commandKey(running()), cpuMs]]),
});

test.each([
  ["half a CPU", 1500, (key: string) => ({ at: 1000, cpuMs: new Map([[key, 500]]) }), 3000, 50],
  ["two CPUs", 4500, (key: string) => ({ at: 1000, cpuMs: new Map([[key, 500]]) }), 3000, 200],
  ["nothing", 500, (key: string) => ({ at: 1000, cpuMs: new Map([[key, 500]]) }), 3000, 0],
  [
    "less than before, since processes ended",
    400,
    (key: string) => ({ at: 1000, cpuMs: new Map([[key, 500]]) }),
    3000,
    0,
  ],
  ["a command that has only begun", 500, () => sample(1000), 3000, undefined],
  ["the first look", 500, () => undefined, 3000, undefined],
  ["no time in between", 500, (key: string) => ({ at: 3000, cpuMs: new Map([[key, 100]]) }), 3000, undefined],
])("%s in CPU per cent", (_, used, before, at, percent) => {
  const one = running();
  const row = topRow(one, { cpu_ms: used }, { now: NOW, at }, before(commandKey(one)));
  expect(row.cpu_percent).toBe(percent);
  expect(row).toMatchObject({ age_ms: 90_000, command: "nix-store --serve --write", member: "ci" });
});

test("the busiest come first, then the oldest; unknown figures come last", () => {
  const row = (session: string, age_ms: number, cpu_percent?: number) =>
    ({ session, age_ms, ...(cpu_percent !== undefined && { cpu_percent }) }) as TopRow;
  const rows = [row("a", 1), row("b", 5, 0), row("c", 9, 0), row("d", 1, 80)];
  expect(rows.sort(byCpu).map(({ session }) => session)).toEqual(["d", "c", "b", "a"]);
});

test("the table has a line for the host and shows each figure against its limit", () => {
  const figures = { cpu_quota_percent: 200, memory_bytes: 3 * 1024 ** 2, memory_max_bytes: 2 * 1024 ** 3, tasks: 7 };
  const row = topRow(running(), figures, { now: NOW, at: 0 }, undefined);
  const host = { load: [0.5, 1, 2], cpus: 4, memory_total_bytes: 8 * 1024 ** 3 };
  expect(topTable(host, [row], [])).toEqual([
    "1 session  ·  load 0.50 1.00 2.00 on 4 CPUs  ·  memory 8 GiB",
    "",
    "SESSION       TEAM   MEMBER  AGE         CPU  MEMORY         TASKS  COMMAND",
    `${row.session.slice(-12)}  alpha  ci      1 min 30 s  -    3 MiB / 2 GiB  7      nix-store --serve --write`,
  ]);
});
