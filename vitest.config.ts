import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** What the reading commands keep goes with the test run. */
const cache = mkdtempSync(join(tmpdir(), "nixgate-test-cache-"));
process.once("exit", () => rmSync(cache, { recursive: true, force: true }));

/** Two files at a time also where there are two CPUs: most wait for the programs that they have started. */
const manyFiles = { maxWorkers: Math.max(2, availableParallelism() - 1), sequence: { groupOrder: 0 } };
const oneFile = (groupOrder: number) => ({ fileParallelism: false, sequence: { groupOrder } });

const project = (name: string, timeoutMs: number, extra: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: 120_000,
    pool: "forks" as const,
    env: { XDG_CACHE_HOME: cache },
    ...extra,
  },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/last-line-reporter.ts"],
    projects: [
      // Unit tests share no state, so their files need no process of their own: a quarter of the time.
      project("unit", 10_000, { ...manyFiles, pool: "threads", isolate: false }),
      project("process", 30_000, manyFiles),
      project("ssh", 60_000, oneFile(1)),
      project("machine", 180_000, {
        // what one way of serving sessions has alone: `user` and `system` hold it
        exclude: process.env["MANAGER"] === "system" ? ["test/machine/user/**"] : ["test/machine/system/**"],
        ...oneFile(2),
        hookTimeout: 900_000,
        globalSetup: "test/machine/global-setup.ts",
        env: {}, // its images lie in the user's own cache
      }),
    ],
  },
});
