import type { RecordCause } from "./vocabulary.ts";

/** A duration for people: `120 ms`, `9.8 s`, `4 min 05 s`, `2 h 07 min`. */
export function durationInWords(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min`;
}

/** Time since a session's start: `+12.345 s`; negative where the clock was set back. */
export const formatOffset = (ms: number) => `${ms < 0 ? "-" : "+"}${(Math.abs(ms) / 1000).toFixed(3)} s`;

/**
 * Local time to the second: `2026-11-23 07:03:12`.
 * @param time RFC 3339, or milliseconds since 1970
 */
export function localTime(time: string | number): string {
  const at = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
}

/** A size in binary units, as systemd writes them: `512 B`, `1.5 GiB`. */
export function bytesInWords(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Causes other than `exit`, with whose limit it was: `oom (team)`. */
export function causeWords({
  causes,
  limits_of = [],
}: {
  readonly causes: readonly RecordCause[];
  readonly limits_of?: readonly string[];
}): readonly string[] {
  const whose = limits_of.length > 0 ? ` (${limits_of.join(", ")})` : "";
  const atLimit = (cause: RecordCause) => cause === "oom" || cause === "tasks-limit";
  return causes.filter((cause) => cause !== "exit").map((cause) => (atLimit(cause) ? cause + whose : cause));
}

/** `1 command`, `2 commands`. */
export const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
