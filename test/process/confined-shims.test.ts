import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { confinedShims } from "../../src/supervisor/shim/confined-shims.ts";
import { cgroupOf, MOUNT } from "../../src/system/cgroup/cgroup.ts";
import { toFd } from "../../src/units/ids.ts";
import { pidOf } from "../support/processes.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

const uid = process.getuid?.() ?? 0;
const FIFO = { name: "alpha", descriptor: toFd(-1), uid, gid: uid };
const FIRST = { number: 1, status: undefined };
/** The cgroup of this test and of all that it starts, in place of a service's. */
const CGROUP = (cgroupOf(pidOf(process)) ?? MOUNT).slice(MOUNT.length);

/** A stopped process that looks like a shim of team alpha. */
async function stoppedShim() {
  const path = join(temporaryFolder("shim"), "nixgate-shim");
  copyFileSync("test/fixtures/programs/stopped.sh", path);
  const child: ChildProcess = spawn("/bin/sh", [path, "alpha"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const pid = pidOf(child);
  await waitFor("the shim to stop", () => readFileSync(`/proc/${pid}/stat`, "utf8").includes(" T "));
  const ask = { pid, fifo: FIFO, answers: temporaryFolder("answers") };
  const kill = () => child.kill("SIGKILL");
  return { ask, kill };
}

test("a shim in the service that is awaited is found by its cgroup, and its lines are its own from then on", async () => {
  const { ask, kill } = await stoppedShim();
  const shims = confinedShims();
  const comes = shims.comes(CGROUP);
  expect(await shims.take(ask, FIRST)).toBe(true);
  const talk = await comes;
  expect(talk?.shim.pid).toBe(ask.pid);
  expect(await shims.take(ask, { number: 2, status: 0 })).toBe(true);
  expect(await shims.take({ ...ask, fifo: { ...FIFO } }, FIRST)).toBe(false); // another team's FIFO
  kill();
  await talk?.end();
  if (talk) shims.left(talk);
  expect(await shims.take(ask, FIRST)).toBe(false);
});

test("a shim is no confined one without an awaited service, in another cgroup, or with a later number", async () => {
  const { ask } = await stoppedShim();
  expect(await confinedShims().take(ask, FIRST)).toBe(false);
  const elsewhere = confinedShims();
  void elsewhere.comes("/nixgate.slice/nixgate-alpha.slice/other.service");
  expect(await elsewhere.take(ask, FIRST)).toBe(false);
  const late = confinedShims();
  void late.comes(CGROUP);
  expect(await late.take(ask, { number: 2, status: 0 })).toBe(false);
});

test("a shim without room for its answers is not accepted", async () => {
  const { ask } = await stoppedShim();
  const shims = confinedShims();
  void shims.comes(CGROUP);
  expect(await shims.take({ ...ask, answers: "/nonexistent/answers" }, FIRST)).toBe(false);
});

test("a shim of an earlier supervisor's service is accepted while it is in that cgroup", async () => {
  const { ask, kill } = await stoppedShim();
  const shims = confinedShims();
  expect(await shims.isIn({ ...ask, cgroup: "/elsewhere" })).toBeUndefined();
  const talk = await shims.isIn({ ...ask, cgroup: CGROUP });
  expect(talk?.shim.pid).toBe(ask.pid);
  kill();
  await talk?.end();
});
