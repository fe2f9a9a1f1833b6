import { expect, test } from "vitest";
import { concurrencyOf } from "../../../../src/report/charts/concurrency.ts";
import { Spans } from "../../../../src/report/charts/spans.ts";
import { barsOf } from "../../../../src/report/charts/timeline.ts";

type Given = readonly [start: number, end: number, row?: number];
const spansOf = (given: readonly Given[], admitted = true) => {
  const spans = new Spans();
  for (const [start, end, row = 0] of given) spans.add({ start, end, row, outcome: "well", admitted });
  return spans;
};
const rows = new Set([0]);
const range = { from: 0, to: 100 };

/** What ran in each step, looked at one by one; a session that ends where another begins has made room for it. */
function slowly(given: readonly Given[], pixels: number): number[] {
  const step = (range.to - range.from) / pixels;
  const at = (time: number) => given.filter(([start, end]) => start <= time && (end > time || start === end)).length;
  return Array.from({ length: pixels }, (_, index) => {
    const moments = [
      index * step,
      ...given.map(([start]) => start).filter((s) => Math.min(Math.floor(s / step), pixels - 1) === index),
    ];
    return Math.max(...moments.map((time) => at(time)));
  });
}

const spread = ({ steps }: ReturnType<typeof concurrencyOf>, pixels: number) =>
  Array.from({ length: pixels }, (_, index) => {
    const time = index * (100 / pixels);
    return steps.findLast(({ start }) => start <= time + 1e-9)?.count;
  });

test.each([
  ["nothing", [], 0],
  [
    "one after the other",
    [
      [0, 10],
      [10, 20],
      [20, 30],
    ],
    1,
  ],
  [
    "side by side",
    [
      [0, 50],
      [10, 60],
      [20, 30],
    ],
    3,
  ],
  [
    "a gap",
    [
      [5, 6],
      [80, 90],
    ],
    1,
  ],
  [
    "one that is over at once",
    [
      [40, 40.5],
      [41, 41],
    ],
    1,
  ],
] as [string, Given[], number][])("%s: the peak", (_, given, peak) => {
  expect(concurrencyOf(spansOf(given), rows, range, 10).peak).toBe(peak);
});

test("the highest number of each step is that of a look at each moment", () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let round = 0; round < 200; round += 1) {
    const given = Array.from({ length: 1 + Math.floor(random() * 30) }, (): Given => {
      const start = random() * 99;
      return [start, Math.min(100, start + random() * 30 + 0.001)];
    });
    const concurrency = concurrencyOf(spansOf(given), rows, range, 20);
    expect(spread(concurrency, 20)).toEqual(slowly(given, 20));
    expect(concurrency.peak).toBe(Math.max(...slowly(given, 20)));
  }
});

test("refused sessions, and those of other rows, take no place", () => {
  expect(concurrencyOf(spansOf([[0, 50]], false), rows, range, 10).peak).toBe(0);
  expect(concurrencyOf(spansOf([[0, 50, 1]]), rows, range, 10).peak).toBe(0);
});

test("what began before the range counts in it, and is no peak of it before", () => {
  const { steps, peak } = concurrencyOf(
    spansOf([
      [-50, 30],
      [-40, -20],
    ]),
    rows,
    range,
    10,
  );
  expect(steps[0]).toEqual({ start: 0, count: 1 });
  expect(peak).toBe(1);
});

test("sessions closer than a pixel are one bar, and none is lost", () => {
  const given = Array.from({ length: 5000 }, (_, index): Given => [index / 50, index / 50 + 0.01]);
  const bars = barsOf(spansOf(given), rows, range, 100);
  expect(bars.length).toBeLessThanOrEqual(2);
  expect(bars.reduce((sum, { sessions }) => sum + sessions, 0)).toBe(5000);
});

test("a bar is wide enough to be seen and lies within the picture", () => {
  const bars = barsOf(
    spansOf([
      [100, 100],
      [-20, -10],
      [50, 50],
    ]),
    rows,
    range,
    100,
  );
  expect(bars.map(({ start, end }) => [start, end])).toEqual([
    [50, 52],
    [98, 100],
  ]);
});
