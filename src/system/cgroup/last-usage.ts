import { watch } from "node:fs";
import { keyed } from "../../ending/counters.ts";
import type { Usage } from "../../ending/ending.ts";
import { cgroupUsageOf, readCgroupFile } from "./cgroup.ts";
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
 * @param parts cgroups below the folder whose refused forks count as well: up to Linux 6.10 the kernel counts them where
 * the fork was, not where the limit is (pids.events in Documentation/admin-guide/cgroup-v2.rst)
 * @param seen is called after each such change
 */
export function lastUsageOf(
  folder: string,
  {
    parts = [],
    seen,
  }: { readonly parts?: readonly string[]; readonly seen?: ((usage: Usage) => void) | undefined } = {},
): LastUsage {
  let last: Usage = {};
  let counts = limitCountsOf(folder);
  const look = () => {
    last = { ...last, ...withParts(cgroupUsageOf(folder), parts, last) };
    const { memory = counts.memory, tasks = counts.tasks } = limitCountsOf(folder);
    counts = { memory, tasks };
    return last;
  };
  let stop = () => {};
  try {
    const changed = () => {
      const usage = look(); // also where nobody is told: the cgroup may be gone before the next read
      seen?.(usage);
    };
    const watcher = watch(`${folder}/memory.events`, { persistent: false }, changed).on("error", () => undefined);
    stop = () => watcher.close();
  } catch {
    // no memory controller, or no inotify instance left for the account: only the other reads remain
  }
  return { look, limitCounts: () => counts, stop };
}

/** The usage with the refused forks of the parts. A part may be gone, and with it its count. */
function withParts(usage: Usage, parts: readonly string[], last: Usage): Usage {
  if (parts.length === 0 || usage.tasks_refused === undefined) return usage;
  const counts = parts.map((part) => keyed(readCgroupFile(part, "pids.events"), "max") ?? 0);
  const sum = counts.reduce((total, count) => total + count, 0);
  return { ...usage, tasks_refused: Math.max(usage.tasks_refused, sum, last.tasks_refused ?? 0) };
}
