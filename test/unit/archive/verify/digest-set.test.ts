import { expect, test } from "vitest";
import { DigestSet, shortened } from "../../../../src/archive/verify/digest-set.ts";
import { digest } from "../../../../src/units/digest.ts";

test("20,000 digests are all found, marked one by one, and no other is", () => {
  const set = new DigestSet();
  const all = Array.from({ length: 20_000 }, (_, at) => digest(String(at), "hex"));
  for (const one of all) set.add(one);
  for (const one of all.slice(0, 10_000)) expect(set.mark(one)).toBe(true);
  expect(all.filter((one) => set.isMarked(one))).toEqual(all.slice(0, 10_000));
  expect(all.every((one) => set.has(one))).toBe(true);
  expect(set.unmarked).toBe(10_000);
  expect([...set.withoutMark()].sort()).toEqual(all.slice(10_000).map(shortened).sort());
  const another = digest("another", "hex");
  expect([set.has(another), set.mark(another), set.isMarked(another)]).toEqual([false, false, false]);
  set.add(all[0]!); // again: the mark stays
  set.mark(all[0]!);
  expect(set.unmarked).toBe(10_000);
});
