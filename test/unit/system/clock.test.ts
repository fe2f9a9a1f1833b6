import { expect, test, vi } from "vitest";
import { within } from "../../../src/system/clock.ts";

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
