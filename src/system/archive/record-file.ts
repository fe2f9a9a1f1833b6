import {
  closeSync,
  constants,
  fchmodSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { DAY_MAX_BYTES } from "../../archive/bounds.ts";
import { RecordError } from "../../record/error.ts";
import type { RecordFile } from "../../session/ports.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";
import {
  inside,
  isRootsOrOwn,
  makeFolder,
  openFolder,
  openFolderIn,
  othersWrite,
  UnsafeFolder,
} from "../files/safe-folder.ts";

const { O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
const FLAGS = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
const LF = 0x0a;

/** The open file of a team's day. */
export interface DayRecordFile extends RecordFile {
  readonly path: string;
  /** The descriptor of the open file, for a lock on it (flock(2)). */
  readonly descriptor: Fd;
  /**
   * Appends one line by one write(2). A reader sees all of it or nothing.
   * @param durable returns only when the line is on disk (fdatasync(2))
   * @throws RecordError E_LOG_WRITE, with the errno in its message
   */
  append(line: string, options?: { readonly durable?: boolean }): undefined;
}

/**
 * Opens the file for all records of a session. The file and the team's folder are made when they are missing.
 * @param directory absolute; must exist
 * @param team a name, `_unassigned` or `_host`
 * @param start of the session, milliseconds since 1970: its UTC day names the file
 * @throws RecordError E_LOG_CREATE
 */
export function openRecordFile(directory: string, team: string, start: number): DayRecordFile {
  const name = `${new Date(start).toISOString().slice(0, 10)}.jsonl`;
  const path = `${directory}/${team}/${name}`;
  const open: Fd[] = [];
  const keep = (descriptor: Fd) => {
    open.push(descriptor);
    return descriptor;
  };
  try {
    const topFd = keep(openFolder(directory));
    const isNewFolder = makeFolder(topFd, team, 0o750);
    const folderFd = keep(openFolderIn(topFd, team, `${directory}/${team}`));
    if (isNewFolder) setMode(folderFd, 0o750);
    const { file, isNew } = openOrCreate(inside(folderFd, name), path);
    if (isNew) fsyncSync(folderFd);
    // The first fsync writes the file's entry. The folder's own entry is in its parent, which may not be readable.
    if (isNewFolder) syncFolder(topFd);
    return recordFile(file, path);
  } catch (error) {
    throw cannotCreate(path, error);
  } finally {
    for (const descriptor of open) closeSync(descriptor);
  }
}

/**
 * Sets the mode whatever the umask. A folder keeps its parent's set-group-ID bit: all files below belong to that group.
 */
function setMode(descriptor: Fd, mode: number): void {
  const now = fstatSync(descriptor).mode;
  if ((now & 0o777) !== mode) fchmodSync(descriptor, mode | (now & 0o2000));
}

/** fsync(2) of a folder that was opened with O_PATH, which cannot be synced itself. */
export function syncFolder(topFd: Fd): void {
  const readable = toFd(openSync(inside(topFd, "."), constants.O_RDONLY | constants.O_DIRECTORY));
  try {
    fsyncSync(readable);
  } finally {
    closeSync(readable);
  }
}

function openOrCreate(name: string, path: string): { file: Fd; isNew: boolean } {
  const opened = (file: Fd, isNew: boolean) => {
    try {
      if (isNew) setMode(file, 0o640);
      checkFile(file, path);
      return { file, isNew };
    } catch (error) {
      closeSync(file);
      throw error;
    }
  };
  try {
    return opened(toFd(openSync(name, FLAGS | O_CREAT | O_EXCL, 0o640)), true);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return opened(toFd(openSync(name, FLAGS)), false);
}

function checkFile(file: Fd, path: string): void {
  const stat = fstatSync(file);
  const shown = escapeText(path);
  if (!stat.isFile()) throw new UnsafeFolder(`${shown}: not a regular file`, "move it away");
  if (stat.nlink !== 1)
    throw new UnsafeFolder(`${shown}: has ${stat.nlink} names`, "leave it one name, or move it away");
  if (!isRootsOrOwn(stat)) throw new UnsafeFolder(`${shown}: belongs to uid ${stat.uid}`, "move it away");
  if (othersWrite(stat)) throw new UnsafeFolder(`${shown}: others can write to it`, `chmod go-w ${shown}`);
}

function recordFile(file: Fd, path: string): DayRecordFile {
  // Many sessions write to an account's file at the same time. None of them truncates another's line.
  const takesBack = process.geteuid?.() === 0 && fstatSync(file).uid === 0;
  return {
    path,
    descriptor: file,
    append(line, { durable = false } = {}) {
      try {
        appendLine(file, line, durable, { most: mostBytes(), takesBack });
      } catch (error) {
        throw cannotWrite(path, error);
      }
    },
    close: () => closeSync(file),
  };
}

/**
 * The same, for a process that serves other sessions meanwhile: a thread calls fdatasync(2), because a disk may take
 * longer for it than a whole session.
 * @throws RecordError E_LOG_CREATE
 */
export function openPatiently(...words: Parameters<typeof openRecordFile>): RecordFile {
  const { append, close, descriptor, path } = openRecordFile(...words);
  let underWay: Promise<unknown> = Promise.resolve();
  return {
    append(line, { durable }) {
      append(line);
      if (!durable) return undefined;
      const syncing = new Promise<void>((resolve, reject) => {
        fdatasync(descriptor, (error) => (error ? reject(cannotWrite(path, error)) : resolve()));
      });
      underWay = Promise.allSettled([underWay, syncing]);
      return syncing;
    },
    close: () => void underWay.then(close),
  };
}

/** Readers accept at most this size of a file that is not root's. */
const mostBytes = () => (process.geteuid?.() === 0 ? Number.POSITIVE_INFINITY : DAY_MAX_BYTES);

/**
 * Appends one line by one write(2). After an incomplete line it starts on a line of its own.
 * @param most size of the file, in bytes, above which nothing is written
 * @param takesBack whether the written part of a line is removed again when the disk is full, so that no line is
 * incomplete
 * @throws Node's own error, or a short write's
 */
export function appendLine(
  file: Fd,
  line: string,
  durable: boolean,
  { most = Number.POSITIVE_INFINITY, takesBack = false } = {},
): void {
  const { size, isTorn } = tailOf(file);
  const bytes = Buffer.from(isTorn ? `\n${line}` : line);
  if (size + bytes.length > most) throw new Error(`the file has ${size} bytes, and at most ${most} are read`);
  const written = writeSync(file, bytes);
  if (written !== bytes.length) {
    if (takesBack && fstatSync(file).size === size + written) ftruncateSync(file, size);
    throw new Error(`only ${written} of ${bytes.length} bytes were written (disk full?)`);
  }
  if (durable) fdatasyncSync(file);
}

/**
 * The size of the file, and whether it ends within a line.
 * @throws when the file is no longer at the path that readers open
 */
function tailOf(file: Fd): { readonly size: number; readonly isTorn: boolean } {
  const { size, nlink } = fstatSync(file);
  if (nlink === 0) throw new Error("the file was removed while it was written");
  const last = Buffer.alloc(1);
  return { size, isTorn: size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== LF };
}

const why = (error: unknown): string => {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : `${code} (${syscall})`;
};

function cannotCreate(path: string, cause: unknown): RecordError {
  if (cause instanceof UnsafeFolder)
    return new RecordError("E_LOG_CREATE", `cannot write records: ${cause.message}`, { hint: cause.hint, cause });
  const looped = (cause as NodeJS.ErrnoException).code === "ELOOP";
  const hint = looped
    ? "move the link away"
    : "make log.directory of nixgate.toml a folder that this account may write to";
  return new RecordError("E_LOG_CREATE", `${escapeText(path)}: cannot write records: ${why(cause)}`, { hint, cause });
}

const cannotWrite = (path: string, cause: unknown) =>
  new RecordError("E_LOG_WRITE", `${escapeText(path)}: a record could not be written: ${why(cause)}`, {
    hint: "check the disk: full, read-only or failing",
    cause,
  });
