import { execFileSync, spawn } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { pidOf } from "../support/processes.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

const MODULE = new URL("../../src/supervisor/shim/account-reads.ts", import.meta.url).pathname;
const SHIMS = new URL("../../src/supervisor/shim/shim-process.ts", import.meta.url).pathname;
/** More accounts than libuv has threads by default. */
const ACCOUNTS = 12;

/**
 * The output of a program of its own, because libuv's pool is made once for a process. Opening a FIFO without a writer
 * waits like the memory of a process whose lock is held. @param program gets `pipe(uid)`, and prints what it found
 */
async function run(program: string): Promise<string> {
  const folder = temporaryFolder("reads");
  const names = Array.from({ length: ACCOUNTS }, (_, uid) => join(folder, String(uid)));
  execFileSync("mkfifo", names);
  const code = `const fs = require("node:fs");
    const { makeThreadsFor, readOfAccount } = require(${JSON.stringify(MODULE)});
    const pipe = (uid) => ${JSON.stringify(`${folder}/`)} + uid;
    const accounts = Array.from({ length: ${ACCOUNTS} }, (_, uid) => uid);
    ${program}`;
  return sayings(process.execPath, ["--input-type=commonjs", "-e", code]);
}

/** What a program prints up to the line `end`. A thread of it still waits then, so it does not end by itself. */
async function sayings(program: string, words: readonly string[]): Promise<string> {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  for await (const text of child.stdout) {
    said += text;
    if (said.includes("end\n")) break;
  }
  return said;
}

const ALL_WAIT = `let begun = 0;
  for (const uid of accounts) for (let n = 0; n < 3; n += 1)
  readOfAccount(uid, () => { begun += 1; return pipe(uid) }, 99).then((bytes) => console.log(uid + " " + bytes));`;

describe("reads of accounts' memory that wait", () => {
  test("keep no record from the disk, and take one thread an account", { timeout: 60_000 }, async () => {
    const said = await run(`makeThreadsFor(${ACCOUNTS}); ${ALL_WAIT}
      const file = fs.openSync(${JSON.stringify(MODULE)}, "r");
      setTimeout(() => fs.fdatasync(file, () => {
        console.log("written, " + begun + " wait");
        console.log("end");
      }), 500);`);
    expect(said).toBe(`written, ${ACCOUNTS} wait\nend\n`);
  });

  test("end in their order, and the next account is read meanwhile", { timeout: 60_000 }, async () => {
    const said = await run(`makeThreadsFor(${ACCOUNTS}); ${ALL_WAIT}
      readOfAccount(99, () => ${JSON.stringify(MODULE)}, 6).then((bytes) => {
        console.log("other " + bytes);
        const give = (n) => { if (n < 3) fs.writeFile(pipe(3), "part" + n, () => setTimeout(give, 50, n + 1)); else console.log("end"); };
        give(0);
      });`);
    expect(said).toBe("other import\n3 part0\n3 part1\n3 part2\nend\n");
  });
});

test.each(["cmdline", "environ"])(
  "a shim whose %s does not answer keeps the supervisor's only thread free",
  { timeout: 60_000 },
  async (file) => {
    const folder = temporaryFolder("stuck");
    execFileSync("mkfifo", [join(folder, "never")]);
    copyFileSync("test/fixtures/programs/stopped.sh", join(folder, "nixgate-shim"));
    const code = `const { shimProcessOf } = require(${JSON.stringify(SHIMS)});
      const { execFileSync, spawn } = require("node:child_process");
      const { setTimeout: sleep } = require("node:timers/promises");
      const child = spawn("/bin/sh", [${JSON.stringify(join(folder, "nixgate-shim"))}, "alpha"], { stdio: "ignore" });
      const look = () => shimProcessOf(child.pid, "alpha", process.getuid());
      const never = () => execFileSync("mount", ["--bind", ${JSON.stringify(join(folder, "never"))}, "/proc/" + child.pid + "/${file}"]);
      (async () => {
        let shim;
        while (typeof (shim = await look()) === "string") await sleep(20);
        never();
        const found = ${file === "cmdline" ? "look()" : "shim.environment()"}.then(() => "an answer");
        console.log(await Promise.race([found, sleep(300, "none yet")]));
        shim.close();
        child.kill("SIGKILL");
        console.log("end");
      })();`;
    expect(await sayings("unshare", ["-Urm", process.execPath, "--input-type=commonjs", "-e", code])).toBe(
      "none yet\nend\n",
    );
  },
);

test("each read of an account's process is charged to its budget, with its bytes", async () => {
  const { readOfAccount } = await import("../../src/supervisor/shim/account-reads.ts");
  const spent: string[] = [];
  const budget = { spend: (uid: number, bytes: number) => void spent.push(`${uid} ${bytes}`) };
  await readOfAccount(7, () => MODULE, 600, budget);
  await readOfAccount(7, () => "/nowhere", 600, budget).catch(() => undefined);
  expect(spent).toEqual(["7 600", "7 0"]);
});

test("shims with large environments use up the budget of their account", async () => {
  const { budgets } = await import("../../src/supervisor/shim/account-budgets.ts");
  const { shimProcessOf } = await import("../../src/supervisor/shim/shim-process.ts");
  const uid = process.getuid?.() ?? 0;
  const path = join(temporaryFolder("shim"), "nixgate-shim");
  copyFileSync("test/fixtures/programs/stopped.sh", path);
  const large = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`V${n}`, "x".repeat(100_000)]));
  const child = spawn("/bin/sh", [path, "alpha"], { env: large, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const shim = await waitFor("the shim", async () => {
    const found = await shimProcessOf(pidOf(child), "alpha", uid);
    return typeof found === "string" ? undefined : found;
  });
  onTestFinished(() => shim.close());
  expect(budgets.isLeft(uid)).toBe(true);
  for (let n = 0; n < 2000 && budgets.isLeft(uid); n += 1) await shim.environment();
  expect(budgets.isLeft(uid)).toBe(false);
});

test("a path that cannot be read is an error, and the next read begins", async () => {
  const { readOfAccount } = await import("../../src/supervisor/shim/account-reads.ts");
  const [missing, found] = [readOfAccount(1, () => "/nowhere", 9), readOfAccount(1, () => MODULE, 6)];
  await expect(missing).rejects.toThrow("ENOENT");
  expect(`${await found}`).toBe("import");
});
