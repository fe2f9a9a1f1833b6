import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { controllers } from "../../../../src/system/cgroup/cgroup.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

test("the controllers of cgroup v2 are those of the mount's root, and there are none without it", () => {
  const mount = temporaryFolder("cgroup");
  expect(controllers(mount)).toBeUndefined();
  writeFileSync(join(mount, "cgroup.controllers"), "cpu io memory pids\n");
  expect(controllers(mount)).toEqual(["cpu", "io", "memory", "pids"]);
  writeFileSync(join(mount, "cgroup.controllers"), "\n");
  expect(controllers(mount)).toEqual([""]);
});
