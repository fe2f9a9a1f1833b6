import type { RecordOf, SessionRecord } from "../../record/schema.ts";

/** The usage of all of a session's commands: sums, and the highest of peaks. A figure that no record has is absent. */
export interface SessionUsage {
  readonly cpu_ms?: number;
  readonly cpu_throttled_ms?: number;
  readonly memory_peak_bytes?: number;
  readonly tasks_peak?: number;
  readonly oom_kills?: number;
  readonly tasks_refused?: number;
  readonly io_read_bytes?: number;
  readonly io_write_bytes?: number;
  readonly leftovers?: number;
  /** The command whose memory peak came nearest to its MemoryMax, in bytes. Absent where no command had a limit. */
  readonly memory?: { readonly peak: number; readonly limit: number };
}

type Usage = RecordOf<"command.end">["usage"];
const PEAKS: readonly (keyof Usage)[] = ["memory_peak_bytes", "tasks_peak"];

export function sessionUsageOf(records: readonly SessionRecord[]): SessionUsage {
  const totals: Record<string, number> = {};
  const limits = new Map<number, number>();
  let memory: SessionUsage["memory"];
  for (const record of records) {
    if (record.event === "command.start") {
      const limit = memoryLimit(record);
      if (limit !== undefined) limits.set(record.n, limit);
    }
    if (record.event !== "command.end") continue;
    const { leftovers, usage } = record;
    for (const [name, value] of Object.entries({ ...usage, leftovers })) {
      if (typeof value !== "number") continue;
      const known = totals[name];
      const isPeak = PEAKS.includes(name as keyof Usage);
      totals[name] = known === undefined ? value : isPeak ? Math.max(known, value) : known + value;
    }
    const [peak, limit] = [usage.memory_peak_bytes, limits.get(record.n)];
    if (peak !== undefined && limit !== undefined && (!memory || peak / limit > memory.peak / memory.limit))
      memory = { peak, limit };
  }
  return { ...totals, ...(memory && { memory }) };
}

/** The MemoryMax that the kernel had in force, in bytes; undefined for `max`, or where it was not read. */
function memoryLimit({ limits }: RecordOf<"command.start">): number | undefined {
  const bytes = Number(limits.applied["MemoryMax"]);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}
