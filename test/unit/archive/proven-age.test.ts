import { expect, test } from "vitest";
import { provenMoment } from "../../../src/archive/proven-age.ts";

const DAY_MS = 86_400_000;
const at = (day: string) => Date.parse(`${day}T12:00:00Z`);
const last = (count: number, before: string) =>
  Array.from({ length: count }, (_, ago) => new Date(at(before) - ago * DAY_MS).toISOString().slice(0, 10));
const before = (days: readonly string[], now: string, age: number) => {
  const moment = provenMoment(days, at(now), age * DAY_MS);
  return moment === undefined ? undefined : new Date(moment).toISOString().slice(0, 10);
};
const BUSY = last(200, "2026-11-30");

test.each([
  ["of a host that works each day is that of the clock", BUSY, "2026-11-30", 90, "2026-09-01"],
  ["bears a holiday", [...last(5, "2026-11-30"), ...last(200, "2026-11-05")], "2026-11-30", 90, "2026-09-01"],
  ["loses 73 years that nobody saw but for one day", BUSY, "2099-03-01", 90, "2026-09-02"],
  ["loses 70 days in the same way", BUSY, "2027-02-08", 90, "2026-09-02"],
  [
    "counts days of a wrong clock on which the host worked",
    [...last(10, "2099-03-10"), ...BUSY],
    "2099-03-10",
    90,
    "2026-09-11",
  ],
  ["ignores days to come", ["2099-03-01", ...BUSY], "2026-11-30", 90, "2026-09-01"],
  ["of a day never ends in a gap", BUSY, "2099-03-01", 1, "2026-11-29"],
  ["is not proven where nothing is older", ["2026-11-30"], "2099-03-01", 1, undefined],
  ["is not proven where nothing is there", [], "2026-11-30", 1, undefined],
] as const)("the age %s", (_, days, now, age, expected) => {
  expect(before(days, now, age)).toBe(expected);
});
