import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { COUNTER_FILES, type CounterFile, usageFrom } from "../../ending/counters.ts";
import type { Usage } from "../../ending/ending.ts";
import { readKernelFile } from "../kernel/kernel-files.ts";
import { signalAll } from "../kernel/signals.ts";

/** Where cgroup v2 is mounted. */
export const MOUNT = "/sys/fs/cgroup";

/** The cgroup v2 folder of a process (cgroups(7)), or undefined where the host has none or the process is gone. */
export function cgroupOf(pid: number): string | undefined {
  const line = readKernelFile(`/proc/${pid}/cgroup`)
    ?.split("\n")
    .find((text) => text.startsWith("0::/"));
  return line === undefined ? undefined : MOUNT + line.slice("0::".length);
}

/**
 * Whether the kernel's cgroups are those of version 2: the file is in the root of that hierarchy alone. Of the two others
 * (hybrid, and systemd.unified_cgroup_hierarchy=0) the first has it below unified/, without a controller (systemd(1)).
 */
export const hasCgroup2 = (): boolean => controllers() !== undefined;

/** The controllers that the kernel has; undefined without cgroup v2. */
export function controllers(mount = MOUNT): readonly string[] | undefined {
  return readKernelFile(`${mount}/cgroup.controllers`)?.trim().split(/\s+/);
}

/** Why a process is not in the unit that was made for it. */
export const notInUnit = (unit: string): string =>
  hasCgroup2() ? `the process is not in ${unit}` : "this host has no cgroup v2 at /sys/fs/cgroup, which limits need";

/** A file of a cgroup, without the newline at its end; undefined where the kernel or the controller has no such file. */
export function readCgroupFile(folder: string, file: string): string | undefined {
  return readKernelFile(`${folder}/${file}`)?.trimEnd();
}

/** Every process of the cgroup and of those that were made below it. */
export function processesOf(folder: string): readonly number[] {
  const own = unveiled(folder, () => readKernelFile(`${folder}/cgroup.procs`));
  if (own === undefined) return [];
  const pids = own.split("\n").filter(Boolean).map(Number);
  return pids.concat(...subfolders(folder).map((name) => processesOf(`${folder}/${name}`)));
}

function subfolders(folder: string): readonly string[] {
  const entries = unveiled(folder, () => {
    try {
      return readdirSync(folder, { withFileTypes: true });
    } catch {
      return undefined; // gone between two looks, or hidden
    }
  });
  return (entries ?? []).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** A command can take the permissions from a cgroup that it made, to hide what is in it; systemd then fails to remove it. */
function unveiled<Found>(folder: string, read: () => Found | undefined): Found | undefined {
  const found = read();
  if (found !== undefined) return found;
  try {
    chmodSync(folder, 0o755);
    chmodSync(`${folder}/cgroup.procs`, 0o644);
  } catch {
    return undefined; // gone
  }
  return read();
}

/**
 * SIGKILL for every process but one. The cgroup is frozen meanwhile (cgroup.freeze, Linux ≥ 5.2), so that nothing
 * forks away under our hands and no pid passes to a stranger; cgroup.kill would take the spared one too.
 */
export function killAllBut(spared: number, folder: string): void {
  if (isAlone(spared, folder)) return;
  setFrozen(folder, "1");
  signalAll(
    processesOf(folder).filter((pid) => pid !== spared),
    "SIGKILL",
  );
  setFrozen(folder, "0");
}

/** pids.current is exact, and counts what is below; to freeze a cgroup costs more than all else at a command's end. */
const isAlone = (pid: number, folder: string): boolean =>
  readCgroupFile(folder, "pids.current") === "1" && readCgroupFile(folder, "cgroup.procs") === String(pid);

/**
 * SIGKILL for the whole tree of a cgroup (cgroup.kill, Linux ≥ 5.14), whatever was moved or made there meanwhile.
 */
export function killWhole(folder: string): void {
  writeIfThere(`${folder}/cgroup.kill`, "1");
}

function setFrozen(folder: string, value: "0" | "1"): void {
  writeIfThere(`${folder}/cgroup.freeze`, value);
}

function writeIfThere(file: string, value: string): void {
  try {
    writeFileSync(file, value);
  } catch {
    // an older kernel, or the cgroup is gone: the caller looks again until nothing is left
  }
}

/** The counters of the cgroup up to now. */
export function usageOf(folder: string): Usage {
  const texts = COUNTER_FILES.map((file) => [file, readCgroupFile(folder, file)]);
  return usageFrom(Object.fromEntries(texts) as Record<CounterFile, string | undefined>);
}
