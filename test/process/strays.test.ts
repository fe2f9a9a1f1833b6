import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { outside } from "../../src/supervisor/outside.ts";
import { strays } from "../../src/supervisor/strays.ts";
import type { Pid } from "../../src/units/ids.ts";
import { pidOf } from "../support/processes.ts";
import { waitFor } from "../support/wait-for.ts";

/** No account has it, so that nobody's processes are ended. */
const ACCOUNT = { uid: 3_987_001, gid: 3_987_001 };
const OTHER = { uid: 3_987_002, gid: 3_987_002 };
const isRoot = process.getuid?.() === 0;

function start(program: string, ...words: string[]): Pid {
  const child = spawn(program, words, { uid: ACCOUNT.uid, gid: ACCOUNT.gid, cwd: "/", env: {}, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return pidOf(child);
}
const found = () => outside(new Set([ACCOUNT.uid]), () => false).get(ACCOUNT.uid) ?? [];

// only root starts processes of another account, and ends them
test.runIf(isRoot)("a process of the account's that nobody let in is found, ended, counted and told", async () => {
  const said: unknown[] = [];
  const looked = strays(
    () => false,
    (message, facts) => void said.push([message, facts]),
  );
  const watch = looked.watch(ACCOUNT);
  const other = looked.watch(ACCOUNT);
  expect(await looked.watch(ACCOUNT).end()).toBe(0);
  const pid = start("/bin/sleep", "600");
  await waitFor("the process", () => found().includes(pid));
  expect(await watch.end()).toBe(1);
  expect(found()).toEqual([]);
  expect(await watch.end()).toBe(1);
  expect(said).toEqual([
    [
      "processes of an account were outside of its sessions, and were ended",
      { ...ACCOUNT, pids: [pid], commands: ["sleep"] },
    ].map((part) => (typeof part === "string" ? part : expect.objectContaining({ pids: [pid], commands: ["sleep"] }))),
  ]);
  expect(await other.end()).toBe(1); // of each session that ran meanwhile
  expect(await looked.watch(ACCOUNT).end()).toBe(0);
});

test.runIf(isRoot)("one whose name looks like the state of an ended process is found as well", async () => {
  // perl sets the name of the process by prctl(2), PR_SET_NAME
  const pid = start("/usr/bin/perl", "-e", '$0 = "\\rState:\\tZ"; sleep 600');
  await waitFor("its name", () => readFileSync(`/proc/${pid}/comm`, "utf8") === "\rState:\tZ\n");
  expect(found()).toContain(pid);
});

test.runIf(isRoot)("one that forks away all the time is ended as well", { timeout: 90_000 }, async () => {
  const hop = "$SIG{TERM} = 'IGNORE'; while (1) { select undef, undef, undef, 0.001; fork and exit }";
  // some of so many have another number each time before they are ended by their numbers
  for (let count = 0; count < 16; count += 1) start("/usr/bin/perl", "-e", hop);
  const said: { rounds?: number }[] = [];
  const looked = strays(
    () => false,
    (_, facts) => void said.push(facts),
  );
  expect(await looked.watch(ACCOUNT).end()).toBeGreaterThan(1);
  expect(found()).toEqual([]);
  // four rounds by their numbers, one for all at once, three that find nobody, and some for processes that are ending
  expect(said[0]?.rounds).toBeLessThanOrEqual(11);
});

test.runIf(isRoot)("an account whose processes take long to end keeps no other waiting", async () => {
  const looked = strays(
    () => false,
    () => undefined,
  );
  const [slow, quick] = [looked.watch(ACCOUNT), looked.watch(OTHER)];
  const pid = start("/bin/sleep", "600");
  await waitFor("the process", () => found().includes(pid));
  const order: string[] = [];
  const ends = [slow.end().then(() => order.push("slow")), quick.end().then(() => order.push("quick"))];
  await Promise.all(ends);
  expect(order).toEqual(["quick", "slow"]);
});

test.runIf(isRoot)("one that ends every other process of its account is ended as well", async () => {
  const pid = start("/usr/bin/perl", "-e", "while (1) { kill 9, -1 }");
  await waitFor("the process", () => found().includes(pid));
  const looked = strays(
    () => false,
    () => undefined,
  );
  expect(await looked.watch(ACCOUNT).end()).toBe(1);
  await waitFor("its end", () => !isThere(pid));
});

const THREADS = "use threads; threads->create(sub { sleep 600 }); select undef, undef, undef, 0.2; syscall 60, 0";
const hasThreads = process.arch === "x64" && spawnSync("/usr/bin/perl", ["-Mthreads", "-e1"]).status === 0;

// the kernel shows the process as a zombie once its first thread has ended (proc_pid_stat(5))
test.runIf(isRoot && hasThreads)("one whose first thread has ended is ended as well", async () => {
  const pid = start("/usr/bin/perl", "-e", THREADS);
  await waitFor("its first thread to end", () => /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8")));
  const looked = strays(
    () => false,
    () => undefined,
  );
  expect(await looked.watch(ACCOUNT).end()).toBe(1);
  await waitFor("its end", () => !isThere(pid));
});

test.runIf(isRoot)("a process that ends by itself in this moment is none", async () => {
  const looked = strays(
    () => false,
    () => undefined,
  );
  const watch = looked.watch(ACCOUNT);
  const pid = start("/bin/sleep", "0.1");
  await waitFor("the process", () => found().includes(pid) || !isThere(pid));
  expect(await watch.end()).toBe(0);
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
