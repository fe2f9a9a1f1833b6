import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import type { Say } from "../../tools/machine/error.ts";
import { startGuest, stopGuest } from "../../tools/machine/guest.ts";
import { installMissing, requireHost } from "../../tools/machine/host.ts";
import { sleep } from "../../tools/machine/processes.ts";
import { settings } from "../../tools/machine/settings.ts";
import { type GuestState, runFolder } from "../../tools/machine/state.ts";
import { rootSocket, sshCommand } from "../../tools/machine/talk.ts";

const say: Say = (line) => console.error(`machine: ${line}`);

/** Starts the one guest of a test run and ends it afterwards; a killed run takes it along. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  requireHost();
  await installMissing(say);
  const options = settings({ ...process.env, NAME: process.env["NAME"] ?? `test-${process.pid}` });
  const guest = await startGuest({ ...options, outlives: false }, say);
  const master = await shareRoot(guest);
  project.provide("guestName", guest.name);
  return async () => {
    master.kill("SIGKILL");
    const complaints = kernelComplaints(guest.name);
    await stopGuest(guest.name);
    if (complaints.length > 0) throw new Error(`the guest's kernel complained:\n${complaints.join("\n")}`);
  };
}

/** Holds one connection of root's open, so that a command over it costs 50 ms and no handshake. */
async function shareRoot(guest: GuestState): Promise<ChildProcess> {
  const socket = rootSocket(guest);
  const master = sshCommand(guest, "root", [], ["-N", "-o", "ControlMaster=yes", "-o", `ControlPath=${socket}`]);
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...master], { stdio: "ignore" });
  for (let tries = 0; !existsSync(socket) && tries < 100; tries += 1) await sleep(100);
  return child;
}

/** A test that passes on a broken kernel says nothing. */
export function kernelComplaints(name: string): string[] {
  const console = readFileSync(join(runFolder(name), "console.log"), "utf8");
  return console.split("\n").filter((line) => /^(?:BUG:|WARNING:|Kernel panic|Oops)/.test(line));
}
