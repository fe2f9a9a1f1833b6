import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, statfsSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  countCpus,
  hostRoom,
  hostState,
  loadOf,
  pressureOf,
  roomOf,
} from "../../../../src/system/kernel/host-state.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

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

test.each([
  ["0.20 0.18 0.12 1/80 11206\n", 0.2],
  ["35.10 20.00 9.00 40/900 11206\n", 35.1],
  ["", undefined],
  ["a b c\n", undefined],
])("the file %j says a load of %s", (text, load) => {
  expect(loadOf(text)).toBe(load);
});

test("tasks that wait without a CPU make no load, however many they are", () => {
  expect(loadOf("35.10 20.00 9.00 2/900 11206\n")).toBe(2);
});

test.each([
  ["some avg10=0.00 avg60=0.12 avg300=3.45 total=15\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=0\n", 0],
  ["some avg10=89.12 avg60=89.23 avg300=92.85 total=13155219754\n", 89.12],
  ["some avg10=100.00 avg60=1.00 avg300=1.00 total=1\n", 100],
  ["", undefined],
  ["full avg10=99.00 avg60=0.00 avg300=0.00 total=0\n", undefined],
])("the file %j of a pressure says %s", (text, pressure) => {
  const folder = temporaryFolder("pressure");
  writeFileSync(join(folder, "io"), text);
  expect(pressureOf("io", folder)).toBe(pressure);
});

test("a pressure without a file, or whose file cannot be read, is unknown", () => {
  const folder = temporaryFolder("pressure");
  mkdirSync(join(folder, "cpu")); // read(2) answers EISDIR, as it answers EOPNOTSUPP where psi=0
  expect([pressureOf("cpu", folder), pressureOf("io", folder)]).toEqual([undefined, undefined]);
});

test("this kernel's pressures are per cent, or unknown without its files", () => {
  for (const resource of ["cpu", "memory", "io"] as const) {
    const now = hostRoom.pressure(resource);
    if (!existsSync(`/proc/pressure/${resource}`)) expect(now).toBeUndefined();
    else expect(Math.min(100, Math.max(0, now ?? Number.NaN))).toBe(now);
  }
});

test("the room of a file system is that of statfs(2), and of a folder that is not there yet that of the folder above", () => {
  const { blocks, bsize, files } = statfsSync("/");
  const room = roomOf("/");
  expect(room).toMatchObject({ bytes: { all: blocks * bsize }, inodes: { all: files } });
  expect(room?.bytes.free).toBeLessThan(blocks * bsize);
  expect(roomOf("/nowhere/at/all")).toMatchObject({ bytes: { all: blocks * bsize }, inodes: { all: files } });
  expect(roomOf("/etc/passwd/store")).toBeUndefined(); // ENOTDIR
});

test("a process that may use one CPU only still sees all of the host's", () => {
  const script = 'import("./src/system/kernel/host-state.ts").then(({ onlineCpus }) => console.log(onlineCpus()))';
  const said = execFileSync("taskset", ["-c", "0", process.execPath, "-e", script], { encoding: "utf8" });
  expect(Number(said)).toBe(cpus().length);
});
