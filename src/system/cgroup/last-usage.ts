import { watch } from "node:fs";
import type { Usage } from "../../ending/ending.ts";
import { cgroupUsageOf } from "./cgroup.ts";
import { type LimitCounts, limitCountsOf } from "./limit-events.ts";

export interface LastUsage {
  /** The counters now; those of the last read, where the cgroup is gone. */
  look(): Usage;
  /** How often the scope's own limits were hit, up to the last read. */
  limitCounts(): LimitCounts;
  stop(): void;
}

/**
 * Keeps a scope's counters after its cgroup is gone. systemd may stop a scope by itself, after an OOM kill in it
 * (OOMPolicy=stop, the default from 253 on) or at RuntimeMaxSec, and then ends the holder as well: then the last values
 * are reported. The kernel reports a change of memory.events by inotify(7) (Linux ≥ 4.5), so an OOM kill is seen at
 * once.
 * @param seen is called after each such change
 */
export function lastUsageOf(folder: string, seen: (usage: Usage) => void = () => undefined): LastUsage {
  let last: Usage = {};
  let counts = limitCountsOf(folder);
  const look = () => {
    last = { ...last, ...cgroupUsageOf(folder) };
    const { memory = counts.memory, tasks = counts.tasks } = limitCountsOf(folder);
    counts = { memory, tasks };
    return last;
  };
  let stop = () => {};
  try {
    const watcher = watch(`${folder}/memory.events`, { persistent: false }, () => seen(look())).on(
      "error",
      () => undefined,
    );
    stop = () => watcher.close();
  } catch {
    // no memory controller, or no inotify instance left for the account: only the other reads remain
  }
  return { look, limitCounts: () => counts, stop };
}
