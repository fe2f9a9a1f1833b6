import { readFileSync } from "node:fs";
import type { RawEnvironment } from "../../session/requests/ssh-environment.ts";

/**
 * The environment that this process was started with, as bytes. `process.env` replaces bytes that are not UTF-8 by
 * U+FFFD, and a request must be judged exactly as it came. Source: /proc/self/environ, proc_pid_environ(5).
 */
export const readOwnEnvironment = (): RawEnvironment => environmentIn(readFileSync("/proc/self/environ"));

/**
 * The entries of an environment as the kernel holds it. The first of several entries with a name counts, as for
 * getenv(3).
 */
export function environmentIn(block: Buffer): RawEnvironment {
  const entries = new Map<string, Uint8Array>();
  for (let at = 0; at < block.length; ) {
    const end = block.indexOf(0, at);
    const entry = block.subarray(at, end < 0 ? block.length : end);
    const equals = entry.indexOf("=");
    if (equals > 0) {
      const name = entry.toString("latin1", 0, equals);
      if (!entries.has(name)) entries.set(name, entry.subarray(equals + 1));
    }
    at += entry.length + 1;
  }
  return entries;
}

/**
 * Copies only the named values. An account can also write half a MiB of empty entries: that costs only one search for
 * each of five names.
 */
export function valuesIn(block: Buffer, names: readonly string[]): RawEnvironment {
  const values = new Map<string, Uint8Array>();
  for (const name of names) {
    const entry = Buffer.from(`\0${name}=`, "latin1");
    const isFirst = block.subarray(0, entry.length - 1).equals(entry.subarray(1));
    const at = isFirst ? -1 : block.indexOf(entry);
    if (!isFirst && at < 0) continue;
    const start = at + entry.length;
    const end = block.indexOf(0, start);
    values.set(name, Uint8Array.from(block.subarray(start, end < 0 ? block.length : end)));
  }
  return values;
}
