import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { processesOfSession } from "../../../../src/system/kernel/process-group.ts";
import type { Pid } from "../../../../src/units/ids.ts";
import { pidOf } from "../../../support/processes.ts";

const JUST_NOW = 0;
const started: ChildProcess[] = [];

/** A session of three processes, the first among them. */
async function sessionOfThree(): Promise<Pid> {
  const child = spawn("/bin/sh", ["-c", "sleep 60 & sleep 60 & echo there; wait"], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  started.push(child);
  await once(child.stdout, "data");
  return pidOf(child);
}

afterEach(() => {
  for (const { pid } of started.splice(0)) process.kill(-(pid as number), "SIGKILL");
});

test("all processes of a session are found, and none of another", async () => {
  const [first, other] = [await sessionOfThree(), await sessionOfThree()];
  const found = processesOfSession(first);
  expect(found).toHaveLength(3);
  expect(found).toContain(first);
  expect(processesOfSession(other).filter((pid) => found.includes(pid))).toEqual([]);
});

test("the look at those that were started since finds the same", async () => {
  const first = await sessionOfThree();
  expect([...processesOfSession(first, JUST_NOW)].sort()).toEqual([...processesOfSession(first)].sort());
});

test("nor does it miss any where many were started since", async () => {
  const first = await sessionOfThree();
  spawnSync("/bin/sh", ["-c", `for each in $(seq 100); do (:); done`]);
  expect(processesOfSession(first, JUST_NOW)).toHaveLength(3);
});
