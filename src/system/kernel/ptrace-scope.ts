import { readKernelFile } from "./kernel-files.ts";

/**
 * kernel.yama.ptrace_scope: 0 lets every process of an account change the memory of all its others, 1 of its descendants
 * alone (Documentation/admin-guide/LSM/Yama.rst).
 * @returns undefined where the kernel has no Yama
 */
export function ptraceScope(): number | undefined {
  const text = readKernelFile("/proc/sys/kernel/yama/ptrace_scope")?.trim();
  return text === undefined || text === "" ? undefined : Number(text);
}
