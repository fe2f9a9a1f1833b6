import { expect, test } from "vitest";
import { busProperty } from "../../../src/scope/bus-properties.ts";

const NO_BOUND = 2n ** 64n - 1n;

test.each([
  ["TasksMax", "256", "TasksMax", 256n],
  ["TasksMax", "infinity", "TasksMax", NO_BOUND],
  ["MemoryMax", "1536M", "MemoryMax", 1536n * 1024n * 1024n],
  ["MemoryHigh", "infinity", "MemoryHigh", NO_BOUND],
  ["MemorySwapMax", "0", "MemorySwapMax", 0n],
  ["CPUQuota", "150%", "CPUQuotaPerSecUSec", 1_500_000n],
  ["CPUQuota", "", "CPUQuotaPerSecUSec", NO_BOUND],
  ["CPUWeight", "50", "CPUWeight", 50n],
  ["IOWeight", "100", "IOWeight", 100n],
  ["IOWeight", "", "IOWeight", NO_BOUND],
  ["RuntimeMaxSec", "4h", "RuntimeMaxUSec", 14_400_000_000n],
  ["RuntimeMaxSec", "infinity", "RuntimeMaxUSec", NO_BOUND],
  ["TimeoutStopSec", "500ms", "TimeoutStopUSec", 500_000n],
] as const)("%s=%s is %s on the bus", (name, value, busName, busValue) => {
  expect(busProperty({ name, value })).toEqual([busName, "t", busValue]);
});

test("a property that the bus is not known to take is no silent loss", () => {
  expect(() => busProperty({ name: "IOReadBandwidthMax", value: "1M" })).toThrow("IOReadBandwidthMax");
});
