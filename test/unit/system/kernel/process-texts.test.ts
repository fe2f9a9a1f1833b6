import { expect, test } from "vitest";
import { cgroupIn, hasEndedIn, kinIn } from "../../../../src/system/kernel/process-texts.ts";

const status = (name: string, state = "S (sleeping)") => `Name:\t${name}\nUmask:\t0022\nState:\t${state}\nPPid:\t4710
Uid:\t990\t990\t990\t990\nThreads:\t1\n`;

// prctl(2) takes 15 bytes for a name, and the kernel escapes only a line feed and a backslash of it
test.each(["\rState:\tZ", "\rUid:\t0\t0\t0\t0", "\rPPid:\t1", "\u2028State:\tZ", "\u2029PPid:\t1"])(
  "the name %j of a process is no other row of its status",
  (name) => {
    expect(hasEndedIn(status(name))).toBe(false);
    expect(kinIn(status(name))).toEqual({ parent: 4710, uids: [990, 990, 990, 990] });
  },
);

test("a process that has ended with all its threads is told from one that runs", () => {
  expect(hasEndedIn(status("sh", "Z (zombie)"))).toBe(true);
  expect(hasEndedIn(status("sh", "Z (zombie)").replace("Threads:\t1", "Threads:\t2"))).toBe(false);
  expect(hasEndedIn(status("sh"))).toBe(false);
});

test("a line end in the name of a cgroup begins no other row", () => {
  expect(cgroupIn("1:cpu:/\n0::/user.slice/a\r0::/nixgate.slice\n")).toBe("/user.slice/a\r0::/nixgate.slice");
  expect(cgroupIn("1:cpu:/\n")).toBeUndefined();
});
