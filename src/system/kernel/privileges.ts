import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { findProgram } from "./programs.ts";

const SET_USER_ID = 0o4000;
const SET_GROUP_ID = 0o2000;
/** The timeout of getcap(8), in milliseconds. */
const GETCAP_MS = 2000;

/**
 * An adjective for the privileges that a program gains by execve(2); undefined where it gains none, or they are not
 * visible. Node reads no extended attributes: without getcap(8) file capabilities are not visible.
 */
export function privilegesOf(path: string): string | undefined {
  let mode: number;
  try {
    mode = statSync(path).mode;
  } catch {
    return undefined;
  }
  if (mode & SET_USER_ID) return "set-user-ID";
  if (mode & SET_GROUP_ID) return "set-group-ID";
  const getcap = findProgram("getcap");
  if (getcap === undefined) return undefined;
  const { stdout } = spawnSync(getcap, ["--", path], { env: {}, timeout: GETCAP_MS, encoding: "utf8" });
  return /\bcap_/.test((stdout ?? "").slice(path.length)) ? "capability-bearing" : undefined;
}
