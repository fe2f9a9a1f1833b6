import { lstatSync, readdirSync, statfsSync } from "node:fs";
import { type LeastFree, leastOf } from "../../policy/policy.ts";
import type { LogRoom } from "../../session/ports.ts";

/** The space of the records' file system, in bytes. */
export interface LogSpace {
  readonly available: number;
  /** The bytes that must be available. */
  readonly wanted: number;
  readonly used: number;
}

/** @throws Node's own error if the folder is missing or unreadable */
export function logSpace(directory: string, least: LeastFree): LogSpace {
  const { bsize, blocks, bfree, bavail } = statfsSync(directory);
  const wanted = leastOf(least, blocks * bsize);
  return { available: bavail * bsize, wanted, used: (blocks - bfree) * bsize };
}

/** The names in the records' folder. Most of them are teams. */
export const teamsIn = (directory: string): readonly string[] =>
  readdirSync(directory).filter((name) => !name.startsWith("."));

/** The size of a team's file of this day, in bytes. @throws Node's own error if its folder cannot be searched */
export function sizeOfDay(directory: string, team: string, at: number): number {
  const day = new Date(at).toISOString().slice(0, 10);
  return lstatSync(`${directory}/${team}/${day}.jsonl`, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Whether the records' file system has enough room, or the team did not write most of today's records. Where an account
 * cannot read the other teams' folders, the team's even share of the used space decides instead.
 */
export const logRoom: LogRoom = (directory, team, at, least) => {
  try {
    return hasRoom(directory, team, at, least);
  } catch {
    return true; // the records that cannot be written there report the fault of the folder
  }
};

const hasRoom: LogRoom = (directory, team, at, least) => {
  const { available, wanted, used } = logSpace(directory, least);
  if (available >= wanted) return true;
  const teams = teamsIn(directory);
  const own = sizeOfDay(directory, team, at);
  let most = 0;
  try {
    most = Math.max(...teams.map((name) => sizeOfDay(directory, name, at)));
  } catch {
    most = used / Math.max(1, teams.length);
  }
  return own === 0 || own < most;
};
