import { watch } from "node:fs";
import { dirname } from "node:path";
import { keyed } from "../../ending/counters.ts";
import type { LimitEvents, OwnedEvents } from "../../ending/limit-events.ts";
import type { BoundedBuilds } from "../../session/bounded-builds.ts";
import { MOUNT, readCgroupFile } from "./cgroup.ts";

/**
 * How often a cgroup's own limits were hit since it was made. A count is undefined where the kernel has no file for it.
 */
export interface LimitCounts {
  readonly memory: number | undefined;
  readonly tasks: number | undefined;
}

export function limitCountsOf(folder: string): LimitCounts {
  return {
    memory: keyed(readCgroupFile(folder, "memory.events.local"), "oom"),
    tasks: keyed(readCgroupFile(folder, "pids.events.local"), "max"),
  };
}

/**
 * Counts hits of the limits around a scope. Other scopes share these limits, so earlier counts are subtracted. A cgroup
 * that is gone at the end counts nothing, which happens when the OOM killer ends the account's own systemd.
 * @param scope its folder; the team's slice is its parent
 * @returns the hits since this call, with the scope's own counts as they were last read
 */
export function watchLimitEvents(scope: string): (own: LimitCounts) => LimitEvents {
  const before = ancestorsOf(scope).map((folder) => ({
    folder,
    counts: limitCountsOf(folder),
    kills: kills(folder),
  }));
  return (own) => {
    const grown = before.map(({ folder, counts }) => {
      const now = limitCountsOf(folder);
      const since = (kind: keyof LimitCounts) => Math.max(0, (now[kind] ?? 0) - (counts[kind] ?? 0));
      return { memory: since("memory"), tasks: since("tasks") };
    });
    const limitEvents = (kind: keyof LimitCounts): OwnedEvents => {
      const [team = 0, ...others] = grown.map((counts) => counts[kind]);
      return { own: own[kind], team, ancestor: others.reduce((sum, count) => sum + count, 0) };
    };
    const nearest = before.find(({ folder }) => kills(folder) !== undefined);
    const killsNearby = nearest ? (kills(nearest.folder) ?? 0) - (nearest.kills ?? 0) : 0;
    return { memory: limitEvents("memory"), tasks: limitEvents("tasks"), killsNearby };
  };
}

/**
 * The count for the whole tree, including removed descendants (memory.events in
 * Documentation/admin-guide/cgroup-v2.rst).
 */
const kills = (folder: string) => keyed(readCgroupFile(folder, "memory.events"), "oom_kill");

/** The ancestors, innermost first. The root has no limits. */
function ancestorsOf(folder: string): readonly string[] {
  const above = dirname(folder);
  return above.startsWith(`${MOUNT}/`) ? [above, ...ancestorsOf(above)] : [];
}

/**
 * Calls back once when a limit of the cgroup, or of one around it, has ended a process in it or refused a fork. The
 * kernel reports changes of both files by inotify(7).
 * @returns stops that
 */
export function onLimit(folder: string, callback: Parameters<BoundedBuilds["onLimit"]>[0]): () => void {
  const looks = [
    { file: "memory.events", key: "oom_kill", limit: "oom" },
    { file: "pids.events", key: "max", limit: "tasks-limit" },
  ] as const;
  const stops: (() => void)[] = [];
  const stop = () => {
    for (const one of stops.splice(0)) one();
  };
  for (const { file, key, limit } of looks) {
    try {
      const watcher = watch(`${folder}/${file}`, { persistent: false }, () => {
        if ((keyed(readCgroupFile(folder, file), key) ?? 0) === 0) return;
        stop();
        callback(limit);
      }).on("error", () => undefined);
      stops.push(() => watcher.close());
    } catch {
      // the kernel has no such file, or no inotify instance is left: the client is told at the end
    }
  }
  return stop;
}
