import { describe, expect, test } from "vitest";
import type { Limits } from "../../../src/policy/policy.ts";
import { busProperty } from "../../../src/scope/bus-properties.ts";
import {
  expectations,
  isInForce,
  limitProperties,
  rlimitExpectations,
  sliceLimits,
  stopProperties,
} from "../../../src/scope/properties.ts";
import type { Bytes, Milliseconds, Percent } from "../../../src/units/quantities.ts";

const M = 1024 ** 2;
const all: Limits = {
  TasksMax: 256,
  MemoryMax: (2048 * M) as Bytes,
  MemoryHigh: (1536 * M) as Bytes,
  MemorySwapMax: 0 as Bytes,
  MemoryMin: (128 * M) as Bytes,
  CPUQuota: 150 as Percent,
  CPUWeight: 50,
  IOWeight: 200,
  RuntimeMaxSec: 90_000 as Milliseconds,
};
const unbounded: Limits = {
  TasksMax: "infinity",
  MemoryMax: "infinity",
  MemoryHigh: "infinity",
  MemorySwapMax: "infinity",
  RuntimeMaxSec: "infinity",
};

const written = (limits: Limits) => limitProperties(limits).map(({ name, value }) => `${name}=${value}`);
const expected = (limits: Limits) => expectations(limits).map(({ file, value }) => `${file}: ${value}`);

test("every limit is written as systemd spells it", () => {
  expect(written(all)).toEqual([
    "TasksMax=256",
    "MemoryMax=2G",
    "MemoryHigh=1536M",
    "MemorySwapMax=0",
    "MemoryMin=128M",
    "CPUQuota=150%",
    "CPUWeight=50",
    "IOWeight=200",
    "RuntimeMaxSec=1min 30s",
  ]);
  expect(written(unbounded)).toEqual(Object.keys(unbounded).map((name) => `${name}=infinity`));
});

test("every limit but the run time is read back from its cgroup file", () => {
  expect(expected(all)).toEqual([
    "pids.max: 256",
    `memory.max: ${2048 * M}`,
    `memory.high: ${1536 * M}`,
    "memory.swap.max: 0",
    `memory.min: ${128 * M}`,
    "cpu.max: 150000 100000",
    "cpu.weight: 50",
    "io.weight: default 200",
  ]);
  expect(expected(unbounded)).toEqual(["pids.max: max", "memory.max: max", "memory.high: max", "memory.swap.max: max"]);
});

test("what is not limited is neither set nor read back", () => {
  expect([...limitProperties({}), ...expectations({}), ...rlimitExpectations({})]).toEqual([]);
});

test.each([
  [4096, "4096"],
  [4095, "0"],
  [1_000_000, "999424"],
])("the kernel rounds %i bytes down to whole pages: %s", (bytes, value) => {
  expect(expected({ MemoryMax: bytes as Bytes })).toEqual([`memory.max: ${value}`]);
});

test.each([
  [1, "1000 100000"],
  [12.5, "12500 100000"],
  [33.33, "33330 100000"],
  [400, "400000 100000"],
])("a quota of %f%% is so much of each period: %s", (percent, value) => {
  expect(expected({ CPUQuota: percent as Percent })).toEqual([`cpu.max: ${value}`]);
});

test("without a cgroup only tasks and memory are looked at, to the byte", () => {
  expect(rlimitExpectations({ ...all, MemoryMax: 5000 as Bytes })).toEqual([
    { property: "TasksMax", file: "Max processes", value: "256" },
    { property: "MemoryMax", file: "Max data size", value: "5000" },
  ]);
  expect(rlimitExpectations(unbounded)).toEqual([]);
});

test.each([
  ["256", "256", true],
  ["256", "max", false],
  ["256", undefined, false],
  ["max", "max", true],
  ["max", "256", false],
  ["max", undefined, true],
  ["max 100000", undefined, true],
  ["100", undefined, true],
  ["50", undefined, false],
  ["default 100", undefined, true],
  ["default 1000", undefined, false],
])("%s was asked and %s is found: in force %s", (value, found, inForce) => {
  expect(isInForce({ property: "TasksMax", file: "pids.max", value }, found)).toBe(inForce);
});

describe("a team's slice", () => {
  const UNBOUNDED = ["TasksMax", "MemoryMax", "MemoryHigh", "MemorySwapMax"];

  test("without limits has what bounds nothing, so that an earlier limit is lifted", () => {
    const { properties, expectations } = sliceLimits({});
    expect(properties).toEqual([
      ...UNBOUNDED.map((name) => ({ name, value: "infinity" })),
      { name: "MemoryMin", value: "0" },
      { name: "CPUWeight", value: "100" },
      { name: "CPUQuota", value: "" },
      { name: "IOWeight", value: "" },
    ]);
    expect(expectations.map(({ file, value }) => `${file}: ${value}`)).toEqual([
      ...["pids.max: max", "memory.max: max", "memory.high: max", "memory.swap.max: max"],
      "memory.min: 0",
      ...["cpu.weight: 100", "cpu.max: max 100000", "io.weight: default 100"],
    ]);
    for (const expectation of expectations) expect(isInForce(expectation, undefined)).toBe(true);
  });

  test("has the limits of its policy, and nothing twice", () => {
    const { RuntimeMaxSec, ...limits } = all;
    const slice = sliceLimits(limits);
    expect(slice.properties).toEqual(limitProperties(limits));
    expect(slice.expectations).toEqual(expectations(limits));
  });
});

test.each([
  ["user", "10s"],
  ["none", "10s"],
  ["system", "15s"],
] as const)("under the manager %s systemd waits %s before it kills", (manager, value) => {
  expect(stopProperties(10_000 as Milliseconds, manager)).toEqual([{ name: "TimeoutStopSec", value }]);
});

describe("MemoryMin", () => {
  const limits: Limits = { MemoryMin: (256 * M + 1) as Bytes };

  test("is written, put on the bus and read back in whole pages", () => {
    expect(written(limits)).toEqual(["MemoryMin=268435457"]);
    expect(limitProperties(limits).map(busProperty)).toEqual([["MemoryMin", "t", 268_435_457n]]);
    expect(expected(limits)).toEqual([`memory.min: ${256 * M}`]);
    expect(rlimitExpectations(limits)).toEqual([]);
  });

  test("of a team that has none is 0, so that an earlier one is lifted", () => {
    const { properties, expectations } = sliceLimits({});
    expect(properties).toContainEqual({ name: "MemoryMin", value: "0" });
    expect(expectations).toContainEqual({ property: "MemoryMin", file: "memory.min", value: "0" });
    expect(isInForce({ property: "MemoryMin", file: "memory.min", value: "0" }, undefined)).toBe(true);
    expect(isInForce({ property: "MemorySwapMax", file: "memory.swap.max", value: "0" }, undefined)).toBe(false);
  });
});
