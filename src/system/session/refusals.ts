import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { Refusals } from "../../session/ports.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { inside, makeFolder, openFolder, openFolderIn } from "../files/safe-folder.ts";

const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
/**
 * `BYTES RECORDS\n` for one recorded session, padded. Each is appended by one write(2), and the file's size gives their
 * number.
 */
const ENTRY_BYTES = 16;
/** Times in milliseconds since 1970, padded: first that of a recorded session, then those of the unrecorded ones. */
const HELD_BYTES = 16;
/** The maximum number of bytes read of a file of entries. A budget of that many sessions counts as used up. */
const READ_MAX_BYTES = 16 * 1024 * 1024;
/** There is at most one record of summed refusals in each interval of this length, in milliseconds. */
const MINUTE_MS = 60_000;

const SPENT = /^\.refusals-(\d{4}-\d\d-\d\d)$/;
const HELD = ".refusals-held";
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
const spentName = (at: number) => `.refusals-${dayOf(at)}`;

/**
 * Counts a team's refusals in files of its own folder, which readers of records ignore. The count outlives a process,
 * and an account that can write there spoils only its own team's count. Sessions that end at the same moment can make
 * the count wrong by one refusal.
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
    inFolder(directory, team, (folderFd) => {
      const isFirst = append(folderFd, spentName(at), `${text}\n`);
      if (isFirst) removeOlder(folderFd, dayOf(at));
    });
  },
  hold: (directory, team, at) =>
    inFolder(directory, team, (folderFd) => {
      const since = heldSince(inside(folderFd, HELD));
      const entry = `${String(at).padEnd(HELD_BYTES - 1)}\n`;
      if (since !== undefined && isYoung(since, at)) {
        append(folderFd, HELD, entry);
        return undefined;
      }
      const count = since === undefined ? 0 : take(inside(folderFd, HELD), at);
      append(folderFd, HELD, entry); // the time of this session's own record
      return count;
    }),
  claim(directory, team, at) {
    const path = `${directory}/${team}/${HELD}`;
    const since = heldSince(path);
    return since === undefined || isYoung(since, at) ? 0 : take(path, at);
  },
};

function inFolder<T>(directory: string, team: string, use: (folderFd: Fd) => T): T {
  const topFd = openFolder(directory);
  try {
    makeFolder(topFd, team, 0o750);
    const folderFd = openFolderIn(topFd, team, `${directory}/${team}`);
    try {
      return use(folderFd);
    } finally {
      closeSync(folderFd);
    }
  } finally {
    closeSync(topFd);
  }
}

/** @returns whether the file was empty */
function append(folderFd: Fd, name: string, entry: string): boolean {
  const file = toFd(openSync(inside(folderFd, name), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o640));
  try {
    const { size } = fstatSync(file);
    writeSync(file, entry);
    return size === 0;
  } finally {
    closeSync(file);
  }
}

/** The time of the recorded refusal after which others are held; undefined where there is none. */
const heldSince = (path: string): number | undefined =>
  lstatSync(path, { throwIfNoEntry: false }) && Number(textOf(path, HELD_BYTES));

/**
 * A clock that was set back must not hold refusals for ever. Only the account itself can write text that is no time.
 */
const isYoung = (since: number, at: number) => Number.isFinite(since) && Math.abs(at - since) < MINUTE_MS;

/** Takes the number of held refusals and resets it; 0 where another session was faster. */
function take(path: string, at: number): number {
  const mine = `${path}-${process.pid}-${at}`;
  try {
    renameSync(path, mine);
  } catch {
    return 0;
  }
  const { size } = lstatSync(mine);
  unlinkSync(mine);
  return Math.max(0, Math.floor(size / HELD_BYTES) - 1); // the first one is recorded
}

function removeOlder(folderFd: Fd, day: string): void {
  for (const name of readdirSync(inside(folderFd, "."))) {
    const named = SPENT.exec(name)?.[1];
    if (named !== undefined && named < day) unlinkSync(inside(folderFd, name));
  }
}

function textOf(path: string, most: number): string {
  const file = toFd(openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
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
