import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LeastFree } from "../../src/policy/policy.ts";
import { logWriters } from "../../src/supervisor/log-writers.ts";
import { refusals } from "../../src/system/session/refusals.ts";
import { sessionRecords } from "../../src/system/session/session-records.ts";
import type { Bytes } from "../../src/units/quantities.ts";
import { nixgate } from "../support/nixgate.ts";
import { session } from "../support/run-session.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { type Workplace, workplace } from "../support/workplace.ts";

const MANY = { request: `rm ${"x".repeat(3900)}` };
const KIB = 1024;
/** Of the records of one such session. */
const LARGEST = 7 * KIB;

function place(settings: string): Workplace {
  const made = workplace();
  made.edit("nixgate.toml", /\[log\]\n/, `[log]\n${settings}\n`);
  made.allow("hello", ["/bin/echo", "hello"]);
  const alpha = readFileSync(join(made.config, "policies/alpha.toml"), "utf8");
  writeFileSync(join(made.config, "policies/beta.toml"), alpha.replace('team = "alpha"', 'team = "beta"'));
  return made;
}

async function deny(at: Workplace, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) expect((await session(at, MANY)).status).toBe(77);
}

const dayFile = (at: Workplace, team = "alpha") => {
  const name = readdirSync(join(at.log, team)).find((one) => one.endsWith(".jsonl"));
  return join(at.log, team, name as string);
};
const starts = (at: Workplace, team = "alpha") => at.records(team).filter(({ event }) => event === "session.start");
const summedUp = (at: Workplace) =>
  at.records().flatMap((record) => (record.event === "session.end" && record.summed_up) || []);

/** The count of those that wait, as if a minute had gone by since the last record. */
function aMinuteLater(at: Workplace): void {
  const held = join(at.log, "alpha/.refusals-held");
  const [, ...others] = readFileSync(held, "utf8").split("\n");
  writeFileSync(held, [String(Date.now() - 60_001).padEnd(15), ...others].join("\n"));
}

describe("refused sessions above the team's budget", () => {
  test("are counted, one a minute is on record with their number, and readers tell it", async () => {
    const at = place('max_refusal_bytes_per_day = "20K"');
    await deny(at, 12);
    const size = statSync(dayFile(at)).size;
    expect(size).toBeLessThan(20 * KIB + 2 * LARGEST);
    const recorded = starts(at).length;
    expect(recorded).toBeLessThan(6);
    await deny(at, 3);
    expect(statSync(dayFile(at)).size).toBe(size);
    aMinuteLater(at);
    await deny(at, 1);
    expect(starts(at)).toHaveLength(recorded + 1);
    expect(summedUp(at)).toEqual([15 - recorded]);
    const all = recorded + 1 + (15 - recorded);
    expect(all).toBe(16);
    const words = ["--log-dir", at.log];
    const verified = await nixgate(["sessions", "verify", "--no-journal", "--seal-dir", "/nowhere", ...words]);
    expect(verified.stdout.toString()).toContain("nothing found");
    expect((await nixgate(["sessions", "list", ...words])).stdout.toString()).toContain(`,+${15 - recorded} sessions`);
    const stats = JSON.parse((await nixgate(["sessions", "stats", "--json", ...words])).stdout.toString());
    expect(stats.total).toMatchObject({ sessions: recorded + 1, summed_up: 15 - recorded });
    const csv = (await nixgate(["sessions", "export", "--format", "csv", ...words])).stdout.toString();
    expect(csv.split("\r\n")[0]).toContain(",summed_up,");
    const exported = (await nixgate(["sessions", "export", "--format", "ecs", ...words])).stdout.toString();
    expect(exported).toContain(`"summed_up":${15 - recorded}`);
  }, 60_000);

  test("by number of records, too", async () => {
    const at = place("max_refusals_per_day = 3");
    await deny(at, 5);
    expect(starts(at)).toHaveLength(2); // one within the budget, and the first of the minute above it
  }, 30_000);

  test("keep no session with a command off the record, nor another team's refusals", async () => {
    const at = place("max_refusals_per_day = 3");
    await deny(at, 4);
    const before = at.records().length;
    expect((await session(at, { request: "hello" })).status).toBe(0);
    const own = at.records().slice(before);
    expect(own.map(({ event }) => event)).toEqual(["session.start", "command.start", "command.end", "session.end"]);
    expect((await session(at, { ...MANY, team: "beta" })).status).toBe(77);
    expect(starts(at, "beta")).toHaveLength(1);
    aMinuteLater(at);
    await session(at, { request: "hello" });
    expect(summedUp(at)).toEqual([2]);
  }, 30_000);

  test("in a line loop wait with their records for the first command", async () => {
    const at = place("max_refusals_per_day = 3");
    await deny(at, 3);
    const before = at.records().length;
    await session(at, { input: "hello\nrm\n" });
    const events = at.records().slice(before);
    expect(events.map(({ event }) => event)).toEqual([
      ...["session.start", "command.start", "command.end", "command.deny", "session.end"],
    ]);
  }, 30_000);
});

test("of sessions above the rate the first in a minute is on record, and the others are counted", async () => {
  const at = place("max_refusals_per_day = 1000");
  at.edit("policies/alpha.toml", /$/, "\n[session]\nmax_starts_per_minute = 1\n");
  await session(at, { request: "hello" });
  const busy = [];
  for (let n = 0; n < 5; n += 1) busy.push((await session(at, { request: "hello" })).status);
  const refused = at.records().filter(({ event }) => event === "session.refuse");
  expect(busy.filter((status) => status === 75).length).toBeGreaterThan(2); // a minute may begin anew in between
  expect(refused.length).toBeLessThan(busy.length - 1);
}, 30_000);

test("with little room for records the team that wrote most is turned away, and nobody else", async () => {
  const at = place("max_refusals_per_day = 1000");
  await deny(at, 2);
  expect((await session(at, { request: "hello", team: "beta" })).status).toBe(0);
  at.edit("nixgate.toml", "[admission]", '[admission]\nmin_free_log = "100%"');
  const refused = await session(at, { request: "hello" });
  expect({ status: refused.status, stderr: refused.stderr }).toEqual({
    status: 75,
    stderr: expect.stringContaining("little space left for records"),
  });
  expect(at.records().at(-2)).toMatchObject({ event: "session.refuse", reason: "log-full" });
  const before = at.records().length;
  expect((await session(at, { request: "hello" })).status).toBe(75);
  expect(at.records()).toHaveLength(before);
  expect((await session(at, { request: "hello", team: "beta" })).status).toBe(0);
}, 30_000);

test("a supervisor turns away the team that writes the most now, and a new one the team with the largest file", () => {
  const log = temporaryFolder("log");
  const at = Date.now();
  const { open } = sessionRecords("system");
  const write = (opened: typeof open, team: string, kib: number) => {
    const file = opened(log, team, at);
    for (let n = 0; n < kib; n += 1) file.append(`${"x".repeat(KIB - 1)}\n`, { durable: false });
    file.close();
  };
  write(open, "alpha", 200);
  const whole = "100%" as LeastFree;
  const { counting, logRoom } = logWriters();
  write(counting(open), "beta", 64);
  expect([logRoom(log, "alpha", at, whole), logRoom(log, "beta", at, whole)]).toEqual([true, false]);
  const restarted = logWriters();
  expect([restarted.logRoom(log, "alpha", at, whole), restarted.logRoom(log, "beta", at, whole)]).toEqual([
    false,
    true,
  ]);
  expect(logRoom(log, "beta", at, 0 as Bytes)).toBe(true);
  expect(logRoom(join(log, "missing"), "beta", at, whole)).toBe(true);
});

test("the count of a day goes when the next one begins, and text that is no number is no room", () => {
  const log = temporaryFolder("log");
  const at = Date.parse("2026-01-05T12:00:00Z");
  const budget = { bytes: 100, records: 10 };
  refusals.spend(log, "alpha", at, { bytes: 99, records: 3 });
  expect(refusals.isSpent(log, "alpha", at, budget)).toBe(false);
  refusals.spend(log, "alpha", at, { bytes: 1, records: 3 });
  expect(refusals.isSpent(log, "alpha", at, budget)).toBe(true);
  expect(refusals.isSpent(log, "alpha", at + 86_400_000, budget)).toBe(false);
  refusals.spend(log, "alpha", at + 86_400_000, { bytes: 1, records: 1 });
  expect(readdirSync(join(log, "alpha"))).toEqual([".refusals-2026-01-06"]);
});
