import { readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lastUsageOf } from "../../../../src/system/cgroup/last-usage.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

/** inotify(7) reports a change of a plain file as it does of the kernel's. */
test.each([
  ["nobody is told of it", false],
  ["somebody is told of it", true],
])("an OOM kill is kept after its cgroup is gone, where %s", async (_, isTold) => {
  const folder = temporaryFolder("cgroup");
  const file = join(folder, "memory.events");
  const told: unknown[] = [];
  writeFileSync(join(folder, "memory.peak"), "4096\n");
  writeFileSync(file, "oom_kill 0\n");
  const usage = lastUsageOf(folder, { seen: isTold ? ({ oom_kills }) => told.push(oom_kills) : undefined });
  const killed = new Promise<void>((resolve) => {
    // a later watch of the same file is called after the one of the product
    const watcher = watch(file, () => {
      if (readFileSync(file, "utf8") !== "oom_kill 1\n") return;
      watcher.close();
      resolve();
    });
  });
  writeFileSync(file, "oom_kill 1\n");
  await killed;
  rmSync(folder, { recursive: true });
  expect(usage.look()).toMatchObject({ oom_kills: 1, memory_peak_bytes: 4096 });
  expect(told.includes(1)).toBe(isTold);
  usage.stop();
});
