import { closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";
import { DAY_MAX_BYTES } from "../../archive/bounds.ts";
import { RecordError, unreadableCode } from "../../record/error.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";
import { inside, isRootsOrOwn, O_PATH } from "../files/safe-folder.ts";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** stat(2) counts blocks of this size, whatever the file system's block size. */
const BLOCK_BYTES = 512;
/** Smaller files may be stored in the inode or compressed. Reading one costs nothing. */
const SPARSE_FROM_BYTES = 65_536;
/** A new file of root's has no blocks for some seconds on ZFS. Root's files are few, and only large ones cost time. */
const OWN_SPARSE_FROM_BYTES = 16_777_216;
/** Records hold hashes, so no file system compresses them to less than this fraction of their size. */
const COMPRESSED_AT_MOST = 32;

/** A file with a day file's name that nixgate did not write. */
export class ForeignFile extends Error {}

/** A day's file, open for reading. */
export interface OpenDay {
  readonly file: Fd;
  /** Bytes after this offset are not read, even where the file grows meanwhile. */
  readonly end: number;
}

/** Runs `use` with the team's folder open. No link is followed on the way. */
export function withTeam<T>(directory: string, team: string, use: (folderFd: Fd) => T): T {
  const topFd = toFd(openSync(directory, O_RDONLY | O_DIRECTORY));
  try {
    const folderFd = toFd(openSync(inside(topFd, team), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    try {
      return use(folderFd);
    } finally {
      closeSync(folderFd);
    }
  } finally {
    closeSync(topFd);
  }
}

/**
 * Opens a day file for reading. No link is followed and only a regular file is opened. A lease of another account on it
 * (fcntl(2)) is an error at once, never a wait.
 * @throws ForeignFile, or Node's own error
 */
export function openDay(directory: string, team: string, name: string): OpenDay {
  const pathFd = withTeam(directory, team, (folderFd) => toFd(openSync(inside(folderFd, name), O_PATH | O_NOFOLLOW)));
  let file: Fd | undefined;
  try {
    checkPlain(fstatSync(pathFd));
    file = toFd(openSync(`/proc/self/fd/${pathFd}`, O_RDONLY | O_NONBLOCK));
    return { file, end: endOf(fstatSync(file)) };
  } catch (error) {
    if (file !== undefined) closeSync(file);
    throw error;
  } finally {
    closeSync(pathFd);
  }
}

function checkPlain(stat: Stats): void {
  if (stat.isSymbolicLink()) throw new ForeignFile("a link, or another kind of file: not read");
  if (!stat.isFile()) throw new ForeignFile("cannot be read: not a regular file");
}

/**
 * The offset up to which a file is read.
 * @throws ForeignFile where reading it would cost more than reading records can
 */
function endOf(stat: Stats): number {
  const { size, blocks, nlink, uid } = stat;
  const isOwn = isRootsOrOwn(stat);
  // an account could show one large file as many days, at the price of one; a file that was removed meanwhile has none
  if (!isOwn && nlink > 1) throw new ForeignFile(`cannot be read: has ${nlink} names`);
  if (size > (isOwn ? OWN_SPARSE_FROM_BYTES : SPARSE_FROM_BYTES) && blocks * BLOCK_BYTES * COMPRESSED_AT_MOST < size)
    throw new ForeignFile(
      `cannot be read: ${size} bytes, of which ${blocks * BLOCK_BYTES} are on disk: a file with holes`,
    );
  if (uid === 0) return Number.POSITIVE_INFINITY; // root's own file, which no other account can enlarge
  if (size > DAY_MAX_BYTES)
    throw new ForeignFile(`cannot be read: ${size} bytes, at most ${DAY_MAX_BYTES} are read of a day`);
  return DAY_MAX_BYTES;
}

/** Explains a failed read in plain words. */
export function unreadable(error: unknown): string {
  if (error instanceof ForeignFile) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ELOOP" || code === "ENOTDIR") return "a link, or another kind of file: not read";
  if (isHeld(error)) return "cannot be read: its owner holds a lease on it (F_SETLEASE, fcntl(2))";
  return `cannot be read: ${code ?? message}`;
}

/** EAGAIN of open(2): another process holds a lease. */
const isHeld = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "EAGAIN";

/** The error of callers of `openDay` for a file that cannot be read. */
export const cannotRead = (path: string, cause: unknown): RecordError =>
  new RecordError(isHeld(cause) ? "E_LOG_HELD" : unreadableCode(cause), `${escapeText(path)}: ${unreadable(cause)}`, {
    cause,
  });

/** Whether an error came from reading, not from a bug. */
export const isReadFailure = (error: unknown): boolean =>
  error instanceof ForeignFile || (error instanceof Error && "syscall" in error);
