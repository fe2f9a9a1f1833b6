import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { privilegesOf } from "../../../../src/system/kernel/privileges.ts";

test.each([
  [0o755, undefined],
  [0o4755, "set-user-ID"],
  [0o2755, "set-group-ID"],
])("a program of mode %o gets by its file: %s", (mode, expected) => {
  const folder = mkdtempSync(join(tmpdir(), "nixgate-privileges-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const program = join(folder, "true");
  copyFileSync("/bin/true", program);
  chmodSync(program, mode);
  expect(privilegesOf(program)).toBe(expected);
  expect(privilegesOf(join(folder, "nothing"))).toBeUndefined();
});
