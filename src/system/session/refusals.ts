import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { LogRoom, Refusals } from "../../session/ports.ts";
import { inside, makeFolder, openFolder, openFolderIn } from "../files/safe-folder.ts";

const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
/** `BYTES RECORDS\n` of one session that is on record, padded: appended by one write(2), and counted by the size alone. */
const ENTRY_BYTES = 16;
/** Times in milliseconds since 1970, padded: first of a session that is on record, then of those that are not. */
const HELD_BYTES = 16;
/** Most of a file of entries that is read; a budget of that many sessions is as good as used up. */
const READ_MAX_BYTES = 16 * 1024 * 1024;
/** In each of these there is at most one record of refusals that are summed up, in milliseconds. */
const MINUTE_MS = 60_000;

const SPENT = /^\.refusals-(\d{4}-\d\d-\d\d)$/;
const HELD = ".refusals-held";
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
const spentName = (at: number) => `.refusals-${dayOf(at)}`;

/**
 * Counts a team's refusals in files of its own folder, which readers of records pass over: the count outlives a process,
 * and an account that can write there spoils its own team's count alone. Sessions that end in the
 * same moment can count one refusal less or more than there were.
 */
export const refusals: Refusals = {
  isSpent(directory, team, at, { bytes, records }) {
    const path = `${directory}/${team}/${spentName(at)}`;
    const size = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size === 0) return false;
    const spent = sumOf(path);
    return spent.bytes >= bytes || spent.records >= records;
  },
  spend(directory, team, at, cost) {
    const text = `${cost.bytes} ${cost.records}`.padEnd(ENTRY_BYTES - 1).slice(0, ENTRY_BYTES - 1);
    inFolder(directory, team, (folder) => {
      const isFirst = append(folder, spentName(at), `${text}\n`);
      if (isFirst) removeOlder(folder, dayOf(at));
    });
  },
  hold: (directory, team, at) =>
    inFolder(directory, team, (folder) => {
      const since = heldSince(inside(folder, HELD));
      const entry = `${String(at).padEnd(HELD_BYTES - 1)}\n`;
      if (since !== undefined && isYoung(since, at)) {
        append(folder, HELD, entry);
        return undefined;
      }
      const count = since === undefined ? 0 : take(inside(folder, HELD), at);
      append(folder, HELD, entry); // the time of the record that this session becomes
      return count;
    }),
  claim(directory, team, at) {
    const path = `${directory}/${team}/${HELD}`;
    const since = heldSince(path);
    return since === undefined || isYoung(since, at) ? 0 : take(path, at);
  },
};

function inFolder<T>(directory: string, team: string, use: (folder: number) => T): T {
  const top = openFolder(directory);
  try {
    makeFolder(top, team, 0o750);
    const folder = openFolderIn(top, team, `${directory}/${team}`);
    try {
      return use(folder);
    } finally {
      closeSync(folder);
    }
  } finally {
    closeSync(top);
  }
}

/** @returns whether the file was empty */
function append(folder: number, name: string, entry: string): boolean {
  const file = openSync(inside(folder, name), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o640);
  try {
    const { size } = fstatSync(file);
    writeSync(file, entry);
    return size === 0;
  } finally {
    closeSync(file);
  }
}

/** When the latest refusal was put on record behind which others are held; undefined where there is none. */
const heldSince = (path: string): number | undefined =>
  lstatSync(path, { throwIfNoEntry: false }) && Number(textOf(path, HELD_BYTES));

/** A clock that was set back must not hold them for ever, and text that is no time is an account's own doing. */
const isYoung = (since: number, at: number) => Number.isFinite(since) && Math.abs(at - since) < MINUTE_MS;

/** How many are held, which are so no more; 0 where another session was quicker. */
function take(path: string, at: number): number {
  const mine = `${path}-${process.pid}-${at}`;
  try {
    renameSync(path, mine);
  } catch {
    return 0;
  }
  const { size } = lstatSync(mine);
  unlinkSync(mine);
  return Math.max(0, Math.floor(size / HELD_BYTES) - 1); // the first is on record
}

function removeOlder(folder: number, day: string): void {
  for (const name of readdirSync(inside(folder, "."))) {
    const named = SPENT.exec(name)?.[1];
    if (named !== undefined && named < day) unlinkSync(inside(folder, name));
  }
}

function textOf(path: string, most: number): string {
  const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const block = Buffer.alloc(Math.min(most, fstatSync(file).size));
    return block.toString("latin1", 0, readSync(file, block, 0, block.length, 0));
  } finally {
    closeSync(file);
  }
}

function sumOf(path: string): { readonly bytes: number; readonly records: number } {
  const text = textOf(path, READ_MAX_BYTES);
  if (text.length === READ_MAX_BYTES) return { bytes: Number.POSITIVE_INFINITY, records: Number.POSITIVE_INFINITY };
  const spent = { bytes: 0, records: 0 };
  for (const line of text.split("\n")) {
    const [bytes, records] = line.trim().split(" ").map(Number);
    spent.bytes += bytes || 0;
    spent.records += records || 0;
  }
  return spent;
}

/**
 * Whether the file system of the records has too little room, and the team is the one that wrote most of today's. Where an
 * account cannot look into the others' folders, it is one that has more than its even share of what is used.
 */
export const logRoom: LogRoom = (directory, team, at, least) => {
  try {
    return hasRoom(directory, team, at, least);
  } catch {
    return true; // what is wrong with the folder is said by the records that cannot be written there
  }
};

const hasRoom: LogRoom = (directory, team, at, least) => {
  const { bsize, blocks, bfree, bavail } = statfsSync(directory);
  const wanted = typeof least === "number" ? least : (blocks * bsize * Number.parseFloat(least)) / 100;
  if (bavail * bsize >= wanted) return true;
  const teams = readdirSync(directory).filter((name) => !name.startsWith("."));
  const today = (name: string) =>
    lstatSync(`${directory}/${name}/${dayOf(at)}.jsonl`, { throwIfNoEntry: false })?.size ?? 0;
  const own = today(team);
  let most = 0;
  try {
    most = Math.max(...teams.map(today));
  } catch {
    most = ((blocks - bfree) * bsize) / Math.max(1, teams.length);
  }
  return own === 0 || own < most;
};
