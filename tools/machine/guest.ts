import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Suite } from "./debian.ts";
import { MachineError, type Say } from "./error.ts";
import { image } from "./image.ts";
import { type Kernel, kernel } from "./kernel.ts";
import { contained, isAlive, type ProcessId, processId, sleep } from "./processes.ts";
import { product } from "./product.ts";
import {
  againFile,
  claim,
  clear,
  clearDead,
  type GuestState,
  type Manager,
  runFolder,
  runningGuest,
  writeState,
} from "./state.ts";
import { sshCommand } from "./talk.ts";

export interface GuestOptions {
  readonly name: string;
  readonly suite: Suite;
  /** The suites to take User-Mode Linux from, best first. */
  readonly kernels: readonly Suite[];
  /** In the notation of User-Mode Linux: `1536M`. The host provides only the pages that the guest touches. */
  readonly memory: string;
  readonly manager: Manager;
  /** Whether the guest survives the process that starts it. */
  readonly outlives: boolean;
  /** More parameters for the kernel and its systemd. The last value of a parameter counts. */
  readonly kernelWords?: readonly string[];
}

const BOOT_MS = 60_000;
/** Each unit may take its own time to stop, 90 s at most (DefaultTimeoutStopSec= of systemd-system.conf(5)). */
const RESTART_MS = BOOT_MS + 120_000;

/**
 * Boots a guest, waits for its sshd and installs nixgate in it. Ends the guest when that fails.
 * @throws MachineError E_MACHINE_RUNNING, E_MACHINE_BOOT, E_MACHINE_INSTALL and those of image, kernel and product
 */
export async function startGuest(options: GuestOptions, say: Say): Promise<GuestState> {
  const { name, suite, manager } = options;
  await clearDead();
  const starter = processId(process.pid) as ProcessId;
  if (!claim(name, starter))
    throw new MachineError("E_MACHINE_RUNNING", `guest ${name} is running`, "stop it first, or choose another NAME");
  try {
    const disk = (await image(suite, say)).disk;
    const program = await kernel(say, options.kernels);
    const archive = product(say);
    archive.catch(() => {}); // awaited below; when the boot itself fails, the guest is ended first
    const holder = launch(options, disk, program);
    const state = { name, suite, kernel: program.suite, manager, holder, starter, ready: false };
    writeState(state);
    await booted(state);
    await install(state, await archive);
    const ready = { ...state, ready: true };
    writeState(ready);
    return ready;
  } catch (error) {
    await clear(name);
    throw error;
  }
}

/** Ends the guest of that name and removes all of its files; does nothing when there is none. */
export const stopGuest = clear;

/** @throws MachineError E_MACHINE_STOPPED when no guest of that name is running */
export function guestNamed(name: string): GuestState {
  const guest = runningGuest(name);
  if (guest === undefined)
    throw new MachineError("E_MACHINE_STOPPED", `guest ${name} is not running`, "npm run machine -- start");
  return guest;
}

function launch(
  { name, memory, outlives, kernelWords = [] }: GuestOptions,
  disk: string,
  { program, suite }: Kernel,
): ProcessId {
  const folder = runFolder(name);
  const console = openSync(join(folder, "console.log"), "w", 0o600);
  const command = [
    ...["sh", join(import.meta.dirname, "guest/launch.sh"), againFile(name), program],
    ...[`mem=${memory}`, `umid=kernel`, `uml_dir=${folder}/`],
    ...[`ubd0=${join(folder, "disk.cow")},${disk}`, "root=/dev/ubda", "rw"],
    ...["vec0:transport=tap,ifname=tap0,depth=128,gro=1", "con=null", "con0=null,fd:1"],
    // Kernels before 6.16 stop at this option, which they do not know.
    ...(suite === "forky" ? ["seccomp=on"] : []),
    // Node maps io_uring's rings and forks. In User-Mode Linux (7.2 at least) that causes "Bad page map" and a kernel
    // crash. Linux ≥ 6.6 has the switch, earlier ones ignore it.
    "sysctl.kernel.io_uring_disabled=2",
    ...["noreboot", "panic=-1", "systemd.unified_cgroup_hierarchy=1", "init=/lib/systemd/systemd"],
    ...kernelWords,
  ];
  const [setpriv, words] = contained(...command);
  const [first, ...rest] = outlives ? words.slice(words.indexOf("unshare")) : [setpriv, ...words];
  rest.splice(rest.indexOf("--mount"), 0, "--net");
  try {
    const child = spawn(first as string, rest, {
      detached: true, // only the tool gets a Ctrl-C, and then ends the guest itself
      stdio: ["ignore", console, console],
      // The guest's memory is a file that the kernel unlinks at once. It must be in memory, not on a disk.
      env: { PATH: process.env["PATH"], TMPDIR: "/dev/shm" },
    });
    child.unref();
    const id = child.pid === undefined ? undefined : processId(child.pid);
    if (id === undefined) throw new MachineError("E_MACHINE_BOOT", `${first} could not be started`);
    return id;
  } finally {
    closeSync(console);
  }
}

/**
 * Ends the guest's system by a command of its own, and waits until it is there again. All that is not on its disk is lost.
 * @param command a line of sh for root, as `systemctl reboot`
 * @throws MachineError E_MACHINE_BOOT
 */
export async function restartGuest(guest: GuestState, command: string): Promise<void> {
  const before = await userspaceOf(guest);
  writeFileSync(againFile(guest.name), "");
  const [file, ...words] = sshCommand(guest, "root", [command]) as [string, ...string[]];
  await execa(file, words, { reject: false }); // the connection may end with the system
  try {
    const end = Date.now() + RESTART_MS;
    while (isAlive(guest.holder) && Date.now() < end) {
      const now = await userspaceOf(guest);
      if (now !== "" && now !== before) return;
      await sleep(200);
    }
    throw new MachineError("E_MACHINE_BOOT", `guest ${guest.name} did not restart:\n${consoleTail(guest.name)}`);
  } finally {
    rmSync(againFile(guest.name), { force: true });
  }
}

/** Differs after each start of the guest's systemd, also where its kernel goes on (systemctl(1), soft-reboot). */
async function userspaceOf(guest: GuestState): Promise<string> {
  const ask = [
    "systemctl is-system-running --wait >&2",
    "cat /proc/sys/kernel/random/boot_id",
    "systemctl show -P UserspaceTimestampMonotonic",
  ].join("; ");
  const [file, ...words] = sshCommand(guest, "root", [ask], ["-o", "ConnectTimeout=2"]) as [string, ...string[]];
  const { stdout, exitCode } = await execa(file, words, { reject: false });
  return exitCode === 0 ? stdout : "";
}

async function booted(guest: GuestState): Promise<void> {
  const end = Date.now() + BOOT_MS;
  while (isAlive(guest.holder) && Date.now() < end) {
    const [file, ...words] = sshCommand(guest, "root", ["true"], ["-o", "ConnectTimeout=2"]) as [string, ...string[]];
    if ((await execa(file, words, { reject: false })).exitCode === 0) return;
    await sleep(100);
  }
  const how = isAlive(guest.holder) ? `has no sshd after ${BOOT_MS / 1000} s` : "ended while it booted";
  throw new MachineError("E_MACHINE_BOOT", `guest ${guest.name} ${how}:\n${consoleTail(guest.name)}`);
}

const consoleTail = (name: string): string =>
  readFileSync(join(runFolder(name), "console.log"), "utf8")
    .trimEnd()
    .split("\n")
    .slice(-20)
    .join("\n");

async function install(guest: GuestState, archive: Uint8Array): Promise<void> {
  const folder = "/run/nixgate-install";
  const script = [
    `mkdir -p ${folder}`,
    `tar -x -C ${folder}`,
    `sh ${folder}/install.sh ${folder} ${guest.manager}`,
    `rm -r ${folder}`,
    "systemctl is-system-running --wait",
  ].join(" && ");
  const [file, ...words] = sshCommand(guest, "root", [script]) as [string, ...string[]];
  const done = await execa(file, words, { input: archive, reject: false, all: true });
  if (done.exitCode !== 0)
    throw new MachineError("E_MACHINE_INSTALL", `nixgate could not be installed in guest ${guest.name}: ${done.all}`);
}
