import { expect, test } from "vitest";
import { tally } from "../../../src/supervisor/admission-counters.ts";
import type { SessionId } from "../../../src/units/ids.ts";

const id = (name: string) => name as SessionId;

test("of any number at once as many are admitted as there are places, and a place that is given back is free", async () => {
  const { takeSlot } = tally();
  const places = await Promise.all(Array.from({ length: 500 }, () => takeSlot("team-alpha", 8)));
  const held = places.filter((place) => place !== undefined);
  expect(held).toHaveLength(8);
  expect(await takeSlot("team-beta", 1)).toBeDefined();
  held[0]?.giveBack();
  held[0]?.giveBack(); // twice is once
  const again = await Promise.all([takeSlot("team-alpha", 8), takeSlot("team-alpha", 8)]);
  expect(again.filter((place) => place !== undefined)).toHaveLength(1);
});

test("a minute is the last sixty seconds, and who is turned away does not count", () => {
  let now = 0;
  const { countStart } = tally(undefined, () => now);
  expect(countStart("alpha", id("a"), 2)).toEqual(["a"]);
  now = 30_000;
  expect(countStart("alpha", id("b"), 2)).toEqual(["a", "b"]);
  now = 59_999;
  expect(countStart("alpha", id("c"), 2)).toEqual(["a", "b"]);
  now = 60_000;
  expect(countStart("alpha", id("d"), 2)).toEqual(["b", "d"]);
  expect(countStart("beta", id("e"), 2)).toEqual(["e"]);
});
