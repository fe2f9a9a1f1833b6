import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { COUNTER_FILES, type CounterFile, usageFrom } from "../../ending/counters.ts";
import type { Usage } from "../../ending/ending.ts";
import { type Pid, toPid } from "../../units/ids.ts";
import { readKernelFile } from "../kernel/kernel-files.ts";
import { cgroupIn } from "../kernel/process-texts.ts";
import { signalAll } from "../kernel/signals.ts";

/** Where cgroup v2 is mounted. */
export const MOUNT = "/sys/fs/cgroup";

/** The cgroup v2 folder of a process (cgroups(7)), or undefined where the host has none or the process is gone. */
export function cgroupOf(pid: Pid): string | undefined {
  const path = cgroupIn(readKernelFile(`/proc/${pid}/cgroup`) ?? "");
  return path === undefined ? undefined : MOUNT + path;
}

/**
 * Whether the host uses cgroup v2 alone: only the root of that hierarchy has the file. In hybrid mode the file is below
 * unified/, without a controller. With systemd.unified_cgroup_hierarchy=0 it is missing (systemd(1)).
 */
export const hasCgroup2 = (): boolean => controllers() !== undefined;

/** The kernel's controllers; undefined without cgroup v2. */
export function controllers(mount = MOUNT): readonly string[] | undefined {
  return readKernelFile(`${mount}/cgroup.controllers`)?.trim().split(/\s+/);
}

/** The message for a process that is not in the unit that was made for it. */
export const notInUnit = (unit: string): string =>
  hasCgroup2() ? `the process is not in ${unit}` : "this host has no cgroup v2 at /sys/fs/cgroup, which limits need";

/**
 * The text of a cgroup file without its last newline; undefined where the kernel or the controller has no such file.
 */
export function readCgroupFile(folder: string, file: string): string | undefined {
  return readKernelFile(`${folder}/${file}`)?.trimEnd();
}

/** All processes of the cgroup and of its descendants. */
export function processesOf(folder: string): readonly Pid[] {
  const own = unveiled(folder, () => readKernelFile(`${folder}/cgroup.procs`));
  if (own === undefined) return [];
  const pids = own.split("\n").filter(Boolean).map(Number).map(toPid);
  return pids.concat(...subfolders(folder).map((name) => processesOf(`${folder}/${name}`)));
}

function subfolders(folder: string): readonly string[] {
  const entries = unveiled(folder, () => {
    try {
      return readdirSync(folder, { withFileTypes: true });
    } catch {
      return undefined; // vanished between two reads, or hidden
    }
  });
  return (entries ?? []).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/**
 * Restores permissions before a read. A command can remove them from its cgroups to hide processes; systemd then fails
 * to remove these cgroups.
 */
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
 * Sends SIGKILL to every process but one. The cgroup is frozen meanwhile (cgroup.freeze, Linux ≥ 5.2), so that no
 * process can fork and no pid can be reused. cgroup.kill would end the spared process too.
 */
export function killAllBut(spared: Pid, folder: string): void {
  if (isAlone(spared, folder)) return;
  setFrozen(folder, "1");
  signalAll(
    processesOf(folder).filter((pid) => pid !== spared),
    "SIGKILL",
  );
  setFrozen(folder, "0");
}

/**
 * pids.current is exact and includes descendants. Freezing a cgroup costs more than all other steps of a command's end.
 */
const isAlone = (pid: Pid, folder: string): boolean =>
  readCgroupFile(folder, "pids.current") === "1" && readCgroupFile(folder, "cgroup.procs") === String(pid);

/**
 * Sends SIGKILL to the whole tree of a cgroup (cgroup.kill, Linux ≥ 5.14), including processes that are moved or made
 * meanwhile.
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
    // an older kernel, or the cgroup is gone: the caller polls until no process is left
  }
}

/** The cgroup's counters now. */
export function cgroupUsageOf(folder: string): Usage {
  const texts = COUNTER_FILES.map((file) => [file, readCgroupFile(folder, file)]);
  return usageFrom(Object.fromEntries(texts) as Record<CounterFile, string | undefined>);
}
