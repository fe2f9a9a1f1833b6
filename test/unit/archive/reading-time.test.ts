import { expect, test } from "vitest";
import { readingWithin } from "../../../src/archive/reading-time.ts";
import { archiveOf } from "../../support/archive-in-memory.ts";

const MOST = { team: 100, file: 30 };

/** Files of so many lines each. Every line takes a millisecond. */
function reader(files: Readonly<Record<string, number>>) {
  let clock = 0;
  const within = readingWithin(() => clock, MOST);
  const texts = Object.fromEntries(Object.entries(files).map(([name, lines]) => [name, "x\n".repeat(lines)]));
  const bounded = archiveOf(texts).scan().files.map(within.bounded);
  const read = (name: string): number | string => {
    const file = bounded.find(({ path }) => path === `/log/${name}.jsonl`)!;
    let lines = 0;
    try {
      for (const _ of file.lines()) {
        lines += 1;
        clock += 1;
      }
      return lines;
    } catch (error) {
      return `${lines} lines, then ${(error as { code?: string }).code} ${(error as Error).message}`;
    }
  };
  const measure = within.boundedDigester(() => {
    clock += 20;
    return undefined;
  });
  return { read, measure, spend: (ms: number) => (clock += ms) };
}

test("a file of much is read for its time, the rest of its team's for theirs, and another team's is whole", () => {
  const days = ["01", "02", "03", "04", "05"].map((day) => `alpha/2026-01-${day}`);
  const { read } = reader({ ...Object.fromEntries(days.map((day) => [day, 1000])), "beta/2026-01-01": 30 });
  const end = (day: string, what: string) => `E_LOG_TIME /log/${day}.jsonl: not read${what} is over`;
  expect(days.map(read)).toEqual([
    ...days.slice(0, 3).map((day) => `31 lines, then ${end(day, " to its end: the time for it")}`),
    `8 lines, then ${end(days[3]!, " to its end: the time for team alpha")}`,
    `0 lines, then ${end(days[4]!, ": the time for team alpha")}`,
  ]);
  expect(read("beta/2026-01-01")).toBe(30);
});

test("the time between two readings counts for no team", () => {
  const { read, spend } = reader({ "alpha/2026-01-01": 20, "alpha/2026-01-02": 20 });
  expect(read("alpha/2026-01-01")).toBe(20);
  spend(1000);
  expect(read("alpha/2026-01-02")).toBe(20);
});

test("digests of whole files count for the same time", () => {
  const { read, measure } = reader({ "alpha/2026-01-01": 10 });
  const of = (team: string) => ({ team, day: "2026-01-01", path: `/log/${team}/2026-01-01.jsonl` });
  for (let n = 0; n < 5; n += 1) expect(measure(of("alpha"), [])).toBeUndefined();
  expect(() => measure(of("alpha"), [])).toThrow("not read: the time for team alpha is over");
  expect(read("alpha/2026-01-01")).toContain("0 lines, then E_LOG_TIME");
  expect(measure(of("beta"), [])).toBeUndefined();
});
