import { describe, expect, test } from "vitest";
import { hostBusy, hostFull, teamBusy, tooManyStarts } from "../../../src/decision/admit.ts";
import type { Bytes } from "../../../src/units/quantities.ts";

describe("the starts of a minute", () => {
  test.each([
    { starts: ["a"], own: "a", most: 1, admitted: true },
    { starts: ["a", "b", "c"], own: "c", most: 3, admitted: true },
    { starts: ["a", "b", "c"], own: "c", most: 2, admitted: false },
    { starts: ["a", "b", "c", "d"], own: "b", most: 2, admitted: true },
    { starts: ["a", "b"], own: "c", most: 5, admitted: false },
    { starts: [], own: "a", most: 5, admitted: false },
  ])("$own of $starts with at most $most: $admitted", ({ starts, own, most, admitted }) => {
    const objection = tooManyStarts(starts, own, { maxStartsPerMinute: most });
    expect(objection?.reason).toBe(admitted ? undefined : "rate");
  });

  test("what stands behind a start never changes its answer", () => {
    const starts = ["a", "b", "c", "d", "e"];
    for (const [index, own] of starts.entries()) {
      const answers = starts.slice(index).map((_, more) => tooManyStarts(starts.slice(0, index + 1 + more), own, RATE));
      expect(new Set(answers.map((answer) => answer === undefined))).toEqual(new Set([index < 3]));
    }
  });
});

const RATE = { maxStartsPerMinute: 3 };
const GIB = 2 ** 30;

describe("the host", () => {
  const bounds = { maxSessions: 200, minAvailableMemory: GIB as Bytes, maxLoadPerCpu: 8 };
  test.each([
    { memory: GIB, load: 8, says: undefined },
    { memory: GIB - 1, load: 0, says: "the host has less than 1G of memory available; try again later" },
    { memory: 4 * GIB, load: 8.01, says: "the host's load is above 8 per CPU; try again later" },
    { memory: 0, load: 100, says: "the host has less than 1G of memory available; try again later" },
  ])("with $memory bytes available and a load of $load says: $says", ({ memory, load, says }) => {
    const objection = hostBusy({ availableMemory: memory as Bytes, loadPerCpu: load }, bounds);
    expect(objection).toEqual(says && { reason: "host-busy", message: says });
  });

  test("asks for no memory where the bound is 0", () => {
    const state = { availableMemory: 0 as Bytes, loadPerCpu: 0 };
    expect(hostBusy(state, { ...bounds, minAvailableMemory: 0 as Bytes })).toBeUndefined();
  });
});

test.each([
  ["all 8 places of the team are taken; try again later", "team-busy", teamBusy({ maxConcurrent: 8 })],
  ["the one place of the team is taken; try again later", "team-busy", teamBusy({ maxConcurrent: 1 })],
  ["all 200 places of the host are taken; try again later", "host-busy", hostFull({ maxSessions: 200 })],
  ["all 3 starts of this minute are used up; try again in a minute", "rate", tooManyStarts([], "a", RATE)],
  [
    "the one start of this minute is used up; try again in a minute",
    "rate",
    tooManyStarts([], "a", { maxStartsPerMinute: 1 }),
  ],
])("%s", (message, reason, objection) => {
  expect(objection).toEqual({ reason, message });
});
