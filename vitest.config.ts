import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** What the reading commands keep goes with the test run. */
const cache = mkdtempSync(join(tmpdir(), "nixgate-test-cache-"));
process.once("exit", () => rmSync(cache, { recursive: true, force: true }));

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
      project("unit", 10_000),
      project("process", 30_000),
      project("ssh", 60_000, { fileParallelism: false }),
      project("machine", 180_000, {
        // what one way of serving sessions has alone: `user` and `system` hold it
        exclude: process.env["MANAGER"] === "system" ? ["test/machine/user/**"] : ["test/machine/system/**"],
        fileParallelism: false,
        hookTimeout: 900_000,
        globalSetup: "test/machine/global-setup.ts",
        env: {}, // its images lie in the user's own cache
      }),
    ],
  },
});
