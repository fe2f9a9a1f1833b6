import type { Usage } from "./ending.ts";

/** The cgroup v2 files that hold the figures (Documentation/admin-guide/cgroup-v2.rst). */
export const COUNTER_FILES = [
  "cpu.stat",
  "memory.peak",
  "memory.events",
  "pids.peak",
  "pids.events",
  "io.stat",
] as const;
export type CounterFile = (typeof COUNTER_FILES)[number];

/** Makes the figures of a scope from the texts of its files. A file that the kernel does not have is undefined. */
export function usageFrom(files: Readonly<Record<CounterFile, string | undefined>>): Usage {
  const figures: { readonly [Name in keyof Usage]-?: number | undefined } = {
    cpu_ms: milliseconds(keyed(files["cpu.stat"], "usage_usec")),
    cpu_throttled_ms: milliseconds(keyed(files["cpu.stat"], "throttled_usec")),
    memory_peak_bytes: single(files["memory.peak"]),
    tasks_peak: single(files["pids.peak"]),
    oom_kills: keyed(files["memory.events"], "oom_kill"),
    tasks_refused: keyed(files["pids.events"], "max"),
    io_read_bytes: summed(files["io.stat"], "rbytes"),
    io_write_bytes: summed(files["io.stat"], "wbytes"),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, figure]) => figure !== undefined));
}

export function single(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+\s*$/.test(text) ? Number(text) : undefined;
}

export function keyed(text: string | undefined, key: string): number | undefined {
  return single(
    text
      ?.split("\n")
      .find((line) => line.startsWith(`${key} `))
      ?.slice(key.length + 1),
  );
}

/** One line a device, `8:0 rbytes=1 wbytes=2 …`. An empty file means that nothing was read or written. */
function summed(text: string | undefined, key: string): number | undefined {
  if (text === undefined) return undefined;
  return [...text.matchAll(new RegExp(`\\b${key}=(\\d+)`, "g"))].reduce((sum, [, digits]) => sum + Number(digits), 0);
}

function milliseconds(microseconds: number | undefined): number | undefined {
  return microseconds === undefined ? undefined : Math.round(microseconds / 1000);
}
