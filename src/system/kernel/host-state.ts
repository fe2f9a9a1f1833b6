import { statfsSync } from "node:fs";
import { freemem, loadavg } from "node:os";
import { dirname } from "node:path";
import type { Pressure } from "../../policy/policy.ts";
import type { Admission } from "../../session/ports.ts";
import type { Bytes } from "../../units/quantities.ts";
import { readKernelFile } from "./kernel-files.ts";

/**
 * os.freemem() is MemAvailable on Linux (uv_get_free_memory of libuv 1.45 and later). The load is the whole host's, so it
 * is divided by the host's CPUs. os.availableParallelism() counts only the CPUs within this process's own cgroup quota and
 * affinity (libuv 1.49 and later): with a quota on the account the host would look busy.
 */
export const hostState: Admission["hostState"] = () => {
  const load = loadOf(readKernelFile("/proc/loadavg") ?? "") ?? loadavg()[0] ?? 0;
  return { availableMemory: freemem() as Bytes, loadPerCpu: load / onlineCpus() };
};

/**
 * The smaller one of the average and of the number of tasks that can run now. The average also counts tasks that wait
 * without a CPU, such as the parent of a vfork(2) (kernel/sched/loadavg.c). An account makes such tasks in any number, and
 * would keep all teams out with them.
 * @param text /proc/loadavg: `0.20 0.18 0.12 1/80 11206` (proc_loadavg(5))
 * @returns undefined where the text is another one
 */
export function loadOf(text: string): number | undefined {
  const [, average, running] = /^(\d+\.\d+) \S+ \S+ (\d+)\//.exec(text) ?? [];
  return average === undefined ? undefined : Math.min(Number(average), Number(running));
}

/**
 * A kernel without PSI has no such file. One that was booted with psi=0 may have it, and answers read(2) with
 * EOPNOTSUPP (kernel/sched/psi.c). Costs open(2), read(2) and close(2).
 * @param folder /proc/pressure, except in tests
 */
export function pressureOf(resource: Pressure, folder = "/proc/pressure"): number | undefined {
  const [, some] = /^some avg10=(\d+\.\d+) /.exec(readKernelFile(`${folder}/${resource}`) ?? "") ?? [];
  return some === undefined ? undefined : Number(some);
}

/**
 * Costs one statfs(2). The free bytes are those that accounts other than root may use. Where there is no such folder
 * yet, the folder above it counts: Debian's Nix makes /nix/store when it is first used, which may be by a session.
 */
export function roomOf(path: string): ReturnType<Admission["storeRoom"]> {
  try {
    const { bsize, blocks, bavail, files, ffree } = statfsSync(path);
    return { bytes: { free: bavail * bsize, all: blocks * bsize }, inodes: { free: ffree, all: files } };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return isMissing && path !== "/" ? roomOf(dirname(path)) : undefined;
  }
}

/** The store of the host, whose paths all requests name (src/request/placeholders.ts). */
export const hostRoom: Pick<Admission, "pressure" | "storeRoom"> = {
  pressure: (resource) => pressureOf(resource),
  storeRoom: () => roomOf("/nix/store"),
};

/** The CPUs of the host, whatever share of them this process has; at least 1. */
export function onlineCpus(): number {
  return Math.max(1, countCpus(readKernelFile("/sys/devices/system/cpu/online") ?? ""));
}

/** The number of CPUs in a list such as `0-3,5` (cpuset(7), "List format"). */
export function countCpus(list: string): number {
  let count = 0;
  for (const [, first, last] of list.matchAll(/(\d+)(?:-(\d+))?/g)) count += Number(last ?? first) - Number(first) + 1;
  return count;
}
