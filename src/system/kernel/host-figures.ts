import { availableParallelism, loadavg } from "node:os";
import { mem } from "systeminformation";

/** The figures of the whole machine. */
export async function hostFigures() {
  const { total, available } = await mem();
  return {
    /** The averages of 1, 5 and 15 minutes (proc_loadavg(5)). */
    load: loadavg(),
    cpus: availableParallelism(),
    memory_total_bytes: total,
    /** The memory that a new program could use without swapping (MemAvailable of proc_meminfo(5)). */
    memory_available_bytes: available,
  };
}
