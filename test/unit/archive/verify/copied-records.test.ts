import { expect, test } from "vitest";
import type { DayFile } from "../../../../src/archive/archive.ts";
import { copiedRecords } from "../../../../src/archive/verify/copied-records.ts";
import { digest } from "../../../../src/units/digest.ts";

const DAYS = 5;
const digests = (day: number) => Array.from({ length: 100 }, (_, at) => digest(`${day} ${at}`, "hex"));
const files = Array.from(
  { length: DAYS },
  (_, day): DayFile => ({ path: "", team: "alpha", day: String(day), lines: () => [] }),
);

/** @param most room for so many digests; a file with a hundred takes room for 144 */
function open(most: number) {
  const readings = files.map(() => 0);
  const records = copiedRecords((file, visit) => {
    readings[Number(file.day)]! += 1;
    digests(Number(file.day)).forEach(visit);
  }, most);
  return { records, readings };
}

for (const [name, most] of [
  ["room for all", 10_000],
  ["room for two files", 300],
  ["room for none", 0],
] as const) {
  test(`${name}: what came is marked, what did not is not`, () => {
    const { records, readings } = open(most);
    for (const [day, file] of files.entries())
      for (const [at, one] of digests(day).entries()) if (at % 10 !== day) expect(records.mark(file, one)).toBe(true);
    expect(readings).toEqual(files.map(() => 1)); // in the journal's order each is read once
    for (const [day, file] of files.entries()) {
      const marked = digests(day).map((one) => records.isMarked(file, one));
      expect(marked).toEqual(marked.map((_, at) => at % 10 !== day));
      expect(records.areAllMarked(file)).toBe(false);
    }
  });

  test(`${name}: stragglers, copies that come twice and copies of what does not exist`, () => {
    const { records } = open(most);
    const first = files[0]!;
    for (const [day, file] of files.entries()) for (const one of digests(day).slice(1)) records.mark(file, one);
    expect(records.areAllMarked(first)).toBe(false);
    expect(records.mark(first, digests(0)[1]!)).toBe(true);
    expect(records.mark(first, digests(1)[1]!)).toBe(false);
    expect(records.isMarked(first, digests(0)[0]!)).toBe(false);
    expect(records.mark(first, digests(0)[0]!)).toBe(true);
    expect(records.isMarked(first, digests(0)[0]!)).toBe(true);
    expect(records.areAllMarked(first)).toBe(true);
    expect(records.areAllMarked(files[1]!)).toBe(false);
  });
}

test("a file of which no copy came is never read", () => {
  const { records, readings } = open(10_000);
  expect(records.isMarked(files[0]!, digests(0)[0]!)).toBe(false);
  expect(records.areAllMarked(files[0]!)).toBe(false);
  expect(readings).toEqual(files.map(() => 0));
});
