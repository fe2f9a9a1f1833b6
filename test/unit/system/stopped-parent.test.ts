import { expect, test } from "vitest";
import { stoppedTooLong } from "../../../src/system/session/stopped-parent.ts";
import type { Milliseconds } from "../../../src/units/quantities.ts";

const GRACE = 2000 as Milliseconds;
const LOOK = 1000;

/** Looks once a second; `parent` says whether sshd is stopped at a time, and is told when it is let go on. */
function looks(seconds: number, parent: { isStopped(now: number): boolean; goOn(now: number): void }) {
  let now = 0;
  const continued: number[] = [];
  const isLost = stoppedTooLong(
    {
      isStopped: () => parent.isStopped(now),
      goOn() {
        continued.push(now);
        parent.goOn(now);
      },
    },
    GRACE,
    () => now,
  );
  for (; now < seconds * LOOK; ) {
    now += LOOK;
    if (isLost()) return { lost: now, continued };
  }
  return { lost: undefined, continued };
}

test("sshd that runs, or is stopped for no longer than the grace, is left alone", () => {
  expect(looks(100, { isStopped: () => false, goOn: () => {} })).toEqual({ lost: undefined, continued: [] });
  const now = (at: number) => at % 10_000 < 2000;
  expect(looks(100, { isStopped: now, goOn: () => {} })).toEqual({ lost: undefined, continued: [] });
});

test("sshd that was stopped once is let go on, and its client counts as there", () => {
  let stopped = true;
  const goOn = () => {
    stopped = false;
  };
  expect(looks(100, { isStopped: () => stopped, goOn })).toEqual({ lost: undefined, continued: [3000] });
});

test("of sshd that stays stopped, or is stopped each time again, the client counts as gone", () => {
  expect(looks(100, { isStopped: () => true, goOn: () => {} })).toEqual({ lost: 6000, continued: [3000, 4000, 5000] });
  // runs one look of three
  const mostly = (at: number) => at % 3000 !== 0;
  expect(looks(100, { isStopped: mostly, goOn: () => {} }).lost).toBeLessThan(20_000);
});
