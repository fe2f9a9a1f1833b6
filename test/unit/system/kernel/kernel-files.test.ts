import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readKernelFile, removeIfThere } from "../../../../src/system/kernel/kernel-files.ts";

test.for(["/proc/filesystems", "/proc/version", "/proc/self/mountinfo", "/proc/kallsyms"])("%s", (path) => {
  expect(readKernelFile(path)).toBe(readFileSync(path, "utf8"));
});

test("a file of several blocks, an empty one, one that does not exist, a folder", ({ onTestFinished }) => {
  const folder = mkdtempSync(join(tmpdir(), "nixgate-files-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "file");
  const texts = [0, 1, 2048, 2049, 4095, 4096, 4097, 12_288, 20_000].map((length) =>
    "ä".padEnd(length, "x").slice(0, length),
  );
  for (const text of texts) {
    writeFileSync(path, text);
    expect(readKernelFile(path)).toBe(text);
  }
  removeIfThere(path);
  expect(readKernelFile(path)).toBeUndefined();
  expect(() => removeIfThere(path)).not.toThrow();
  expect(readKernelFile(folder)).toBeUndefined();
});
