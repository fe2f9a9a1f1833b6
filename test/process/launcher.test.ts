import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary.ts";

/** bin/nixgate in a tree of its own without dist/node, and a folder for each Node.js: scripts that say a version. */
function tree(...versions: readonly string[]) {
  const folder = temporaryFolder("launcher");
  mkdirSync(join(folder, "bin"));
  cpSync("bin/nixgate", join(folder, "bin/nixgate"));
  const folders = versions.map((version, at) => {
    const path = join(folder, `node-${at}`);
    mkdirSync(path);
    const script = `#!/bin/sh
[ "$1" = --version ] && { echo ${version}; exit; }
echo "${version} NODE_OPTIONS=$NODE_OPTIONS $*" >>${folder}/ran`;
    writeFileSync(join(path, "node"), script);
    chmodSync(join(path, "node"), 0o755);
    return path;
  });
  const ran = () => existsSync(join(folder, "ran"));
  const run = (...words: string[]) =>
    execa(join(folder, "bin/nixgate"), words, {
      env: { PATH: `${folders.join(":")}:/usr/bin:/bin`, NODE_OPTIONS: "--inspect" },
      extendEnv: false,
      reject: false,
    });
  return { folder, ran, run };
}
const SYSTEM = await execa("/usr/bin/node", ["--version"], { reject: false });
const [major = 0] = /\d+/.exec(`${SYSTEM.stdout}`)?.map(Number) ?? [];
const isNew = major >= 22 ? "the system's own Node.js is new enough" : undefined;

test.skipIf(isNew).each([
  [["v20.19.2", "v22.14.0", "v22.15.0", "v24.1.0"], "v22.15.0"],
  [["v23.10.0", "v23.11.0"], "v23.11.0"],
  [["v26.0.0"], "v26.0.0"],
])(`of %j it is %s that runs${isNew ? ` (${isNew})` : ""}`, async (versions, chosen) => {
  const { folder, run } = tree(...versions);
  expect((await run("sessions", "list")).exitCode).toBe(0);
  const { stdout } = await execa("cat", [join(folder, "ran")]);
  expect(stdout).toMatch(new RegExp(`^${chosen} NODE_OPTIONS= .*/bin/nixgate\\.cjs sessions list$`));
});

test.skipIf(isNew)(`without one that is new enough it says which it found${isNew ? ` (${isNew})` : ""}`, async () => {
  const { ran, run } = tree("v22.14.0", "v18.0.0");
  const { exitCode, stderr } = await run("check");
  expect(exitCode).toBe(69);
  expect(stderr).toMatch(/^nixgate: no Node\.js of version 22\.15 or newer was found\. /);
  expect(stderr).toMatch(/-0\/node is v22\.14\.0\. .*-1\/node is v18\.0\.0\./);
  expect(ran()).toBe(false);
});

test("for a session none is looked up in a PATH that the client sent", async () => {
  const { ran, run } = tree("v24.1.0");
  await run("session", "--team", "alpha", "--config-dir", "/nonexistent");
  expect(ran()).toBe(false);
});
