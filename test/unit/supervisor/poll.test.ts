import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { poll } from "../../../src/supervisor/poll.ts";
import type { Milliseconds } from "../../../src/units/quantities.ts";

const SECOND = 1000 as Milliseconds;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("all of one interval are called back by one timer, until each has ended", () => {
  const seen: string[] = [];
  const stops = ["a", "b", "c"].map((name) => poll(SECOND, () => void seen.push(name)));
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(1000);
  expect(seen).toEqual(["a", "b", "c"]);
  stops[1]?.();
  stops[1]?.(); // twice is once
  vi.advanceTimersByTime(1000);
  expect(seen).toEqual(["a", "b", "c", "a", "c"]);
  stops[0]?.();
  stops[2]?.();
  expect(vi.getTimerCount()).toBe(0);
});

test("the same function twice is called back twice, each interval has its own timer, and one may end in its own look", () => {
  let count = 0;
  const look = () => {
    count += 1;
  };
  const stops = [poll(SECOND, look), poll(SECOND, look)];
  const stop = poll(250 as Milliseconds, () => stop());
  expect(vi.getTimerCount()).toBe(2);
  vi.advanceTimersByTime(1000);
  expect(count).toBe(2);
  expect(vi.getTimerCount()).toBe(1);
  for (const end of stops) end();
});

test("who comes when all others have ended begins anew", () => {
  poll(SECOND, () => undefined)();
  let count = 0;
  const stop = poll(SECOND, () => {
    count += 1;
  });
  vi.advanceTimersByTime(1000);
  stop();
  vi.advanceTimersByTime(1000);
  expect(count).toBe(1);
});
