import { keyed, single } from "./counters.ts";

/** The cgroup v2 files of a running command (Documentation/admin-guide/cgroup-v2.rst). */
export const LIVE_FILES = ["cpu.stat", "cpu.max", "memory.current", "memory.max", "pids.current", "pids.max"] as const;
export type LiveFile = (typeof LIVE_FILES)[number];

/**
 * A command's present usage, and its limits. A figure that the kernel does not offer, or a limit that is not set, is
 * absent.
 */
export interface LiveFigures {
  /** CPU time since the command began, user and system, in milliseconds. */
  readonly cpu_ms?: number;
  /** Per cent of one CPU. */
  readonly cpu_quota_percent?: number;
  readonly memory_bytes?: number;
  readonly memory_max_bytes?: number;
  /** Processes and threads; processes only where there is no cgroup. */
  readonly tasks?: number;
  readonly tasks_max?: number;
}

export function liveFiguresFrom(files: Readonly<Record<LiveFile, string | undefined>>): LiveFigures {
  const usec = keyed(files["cpu.stat"], "usage_usec");
  const [quota, period] = (files["cpu.max"] ?? "").split(" ").map((text) => single(text));
  return present({
    cpu_ms: usec === undefined ? undefined : usec / 1000,
    cpu_quota_percent: quota === undefined || !period ? undefined : (quota / period) * 100,
    memory_bytes: single(files["memory.current"]),
    memory_max_bytes: single(files["memory.max"]), // "max" is no number and means no limit
    tasks: single(files["pids.current"]),
    tasks_max: single(files["pids.max"]),
  });
}

/** Leaves out the figures that are undefined. */
export function present(figures: { readonly [Name in keyof LiveFigures]: number | undefined }): LiveFigures {
  return Object.fromEntries(Object.entries(figures).filter(([, figure]) => figure !== undefined));
}
