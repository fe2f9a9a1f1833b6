import { availableParallelism, loadavg } from "node:os";
import { mem } from "systeminformation";

/** The whole machine in a few figures. */
export async function hostFigures() {
  const { total, available } = await mem();
  return {
    /** Of the last minute, 5 and 15 minutes (proc_loadavg(5)). */
    load: loadavg(),
    cpus: availableParallelism(),
    memory_total_bytes: total,
    /** What a new program could have without swapping (MemAvailable of proc_meminfo(5)). */
    memory_available_bytes: available,
  };
}
