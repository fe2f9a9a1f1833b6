import { expect, test } from "vitest";
import { spread } from "../../../../src/archive/statistics/spread.ts";

test.each([0, 1, 2047, 2048, 2049, 4095, 4096, 9800, 65_535, 1_000_000, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1])(
  "%i alone is every percentile, at most 0.1 %% above itself",
  (value) => {
    const one = spread();
    one.add(value);
    for (const per of [1, 50, 95, 100]) {
      expect(one.percentile(per)).toBeGreaterThanOrEqual(value);
      expect(one.percentile(per)).toBeLessThanOrEqual(value * (1 + 1 / 1024));
    }
  },
);

test("a value above the largest class counts in the largest class", () => {
  const one = spread();
  one.add(1);
  one.add(2 ** 40);
  expect([one.percentile(50), one.percentile(100)]).toEqual([1, 2 ** 32 - 1]);
});

test("two merged are as one that took all", () => {
  const [a, b, all] = [spread(), spread(), spread()];
  for (let step = 0; step < 5000; step += 1) {
    const value = (step * 7919) % 1_000_003;
    (step % 3 === 0 ? a : b).add(value);
    all.add(value);
  }
  a.merge(b);
  expect(a.total).toBe(5000);
  for (const per of [0, 1, 25, 50, 75, 95, 99.9, 100]) expect(a.percentile(per)).toBe(all.percentile(per));
});

test("nothing has no spread", () => expect(spread().percentile(50)).toBe(0));

test("few values take no memory for every slot; many values count the same", () => {
  const [one, many] = [spread(), spread()];
  for (let value = 0; value < 1000; value += 1) {
    one.add(7);
    many.add(value);
  }
  one.merge({ used: () => [[9, 1000]] });
  expect([one.isWide, one.percentile(50), one.percentile(51), one.total]).toEqual([false, 7, 9, 2000]);
  expect([many.isWide, many.percentile(50), many.percentile(100)]).toEqual([true, 499, 999]);
});
