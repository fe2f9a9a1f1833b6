import { expect, test } from "vitest";
import { digestSet } from "../../../src/record/digest-set.ts";
import { digest } from "../../../src/units/digest.ts";

test("20,000 digests are all found, marked one by one, and no other is", () => {
  const set = digestSet();
  const all = Array.from({ length: 20_000 }, (_, at) => digest(String(at), "hex"));
  for (const one of all) set.add(one);
  for (const one of all.slice(0, 10_000)) expect(set.mark(one)).toBe(true);
  expect(all.filter((one) => set.isMarked(one))).toEqual(all.slice(0, 10_000));
  expect(set.mark(digest("another", "hex"))).toBe(false);
  expect(set.isMarked(digest("another", "hex"))).toBe(false);
  set.add(all[0]!); // again: the mark stays
  expect(set.isMarked(all[0]!)).toBe(true);
});
