import { expect, test } from "vitest";
import { newest } from "../../../../src/archive/sessions/newest.ts";

test.each([1, 3, 100, Number.POSITIVE_INFINITY])("the first %s of any order of arrival are kept, in order", (limit) => {
  const kept = newest<number>(limit, (a, b) => b - a);
  for (let step = 0; step < 1000; step += 1) kept.offer((step * 617) % 1000);
  const all = Array.from({ length: 1000 }, (_, index) => 999 - index);
  expect(kept.result()).toEqual(all.slice(0, limit));
});
