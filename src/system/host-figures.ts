import { availableParallelism, loadavg, totalmem } from "node:os";
import { readKernelFile } from "./files.ts";

/** The whole machine in a few figures. */
export function hostFigures() {
  const available = /^MemAvailable: +(\d+) kB$/m.exec(readKernelFile("/proc/meminfo") ?? "")?.[1];
  return {
    /** Of the last minute, 5 and 15 minutes (proc_loadavg(5)). */
    load: loadavg(),
    cpus: availableParallelism(),
    memory_total_bytes: totalmem(),
    /** What a new program could have without swapping (MemAvailable of proc_meminfo(5)). */
    ...(available !== undefined && { memory_available_bytes: Number(available) * 1024 }),
  };
}
