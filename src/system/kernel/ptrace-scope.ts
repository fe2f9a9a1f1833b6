import { readKernelFile } from "./kernel-files.ts";

/**
 * kernel.yama.ptrace_scope. With 0, every process of an account can change the memory of all its other processes; with
 * 1, only of its descendants (Documentation/admin-guide/LSM/Yama.rst).
 * @returns undefined where the kernel has no Yama
 */
export function ptraceScope(): number | undefined {
  const text = readKernelFile("/proc/sys/kernel/yama/ptrace_scope")?.trim();
  return text === undefined || text === "" ? undefined : Number(text);
}
