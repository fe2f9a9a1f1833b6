import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { clientOfWorker } from "../../src/supervisor/builds/outside-builds.ts";
import { startTicks } from "../../src/system/kernel/process-group.ts";
import type { Pid } from "../../src/units/ids.ts";
import { pidOf } from "../support/processes.ts";

test("a worker's client is the process that it names, and not a younger one that got its number", async () => {
  // sleep(1) takes any number, as the worker of a Nix daemon has its client's there
  const worker = spawn("/bin/sleep", [String(process.pid)], { argv0: "nix-daemon", stdio: "ignore" });
  try {
    await once(worker, "spawn");
    const pid = pidOf(worker);
    expect(clientOfWorker(pid)).toBe(process.pid);
    const reused = (of: Pid) => (of === process.pid ? (startTicks(pid) ?? 0) + 1 : startTicks(of));
    expect(clientOfWorker(pid, reused)).toBeUndefined();
    const ended = (of: Pid) => (of === process.pid ? undefined : startTicks(of));
    expect(clientOfWorker(pid, ended)).toBeUndefined();
  } finally {
    worker.kill();
  }
});
