import { expect, test, vi } from "vitest";
import { clock, within } from "../../../../src/system/kernel/clock.ts";
import type { Milliseconds } from "../../../../src/units/quantities.ts";

test("what comes in time is given, and nothing waits any more", async () => {
  vi.useFakeTimers();
  expect(await within(1000, Promise.resolve("in time"), "late")).toBe("in time");
  await expect(within(1000, Promise.reject(new Error("failed")), "late")).rejects.toThrow("failed");
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test("what does not come in time is late", async () => {
  expect(await within(5, new Promise(() => undefined), "late")).toBe("late");
});

test("a delay of a month is a month, and can be taken back at any time", () => {
  vi.useFakeTimers();
  const DAY = 86_400_000;
  const called = vi.fn();
  clock.after((60 * DAY) as Milliseconds, called);
  const undo = clock.after((30 * DAY) as Milliseconds, called);
  vi.advanceTimersByTime(26 * DAY);
  undo();
  vi.advanceTimersByTime(34 * DAY - 1);
  expect(called).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(called).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
