import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { expect, test } from "vitest";
import { countCpus, hostState } from "../../../../src/system/kernel/host-state.ts";

test.each([
  ["0\n", 1],
  ["0-1\n", 2],
  ["0-3,8,10-11\n", 7],
  ["", 0],
])("the list %j names %i CPUs", (list, count) => {
  expect(countCpus(list)).toBe(count);
});

test("this host has memory available and a load", () => {
  const { availableMemory, loadPerCpu } = hostState();
  expect(availableMemory).toBeGreaterThan(2 ** 20);
  expect(loadPerCpu).toBeGreaterThanOrEqual(0);
  expect(loadPerCpu * cpus().length).toBeLessThan(10_000);
});

test("a process that may use one CPU only still sees all of the host's", () => {
  const script = 'import("./src/system/kernel/host-state.ts").then(({ onlineCpus }) => console.log(onlineCpus()))';
  const said = execFileSync("taskset", ["-c", "0", process.execPath, "-e", script], { encoding: "utf8" });
  expect(Number(said)).toBe(cpus().length);
});
