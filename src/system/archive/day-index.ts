import { randomUUID } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { DayIndex, IndexBuilder, KeptIndex } from "../../archive/archive.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { inside, isRootsOrOwn, othersWrite } from "../files/safe-folder.ts";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
/** The footer is followed by its length, its CRC-32, and this mark of the file type. */
const MAGIC = Buffer.from("nixgidx1");
const TAIL_BYTES = 8 + MAGIC.length;
const FOOTER_MAX_BYTES = 16 * 1024 * 1024;
/** The stamp holds this many first and last bytes of a day file. The last ones contain the last record's hash. */
const EDGE_BYTES = 96;
/** Two changes within one tick of the file system's clock have the same time. */
const SETTLED_MS = 1000;

/**
 * Identifies the state of a day file that was read: its device and inode, its size, both times, its first and last
 * bytes. An account that can write to the file can change it without changing any of these, through a shared mapping: a
 * dirty page is written again without a new ctime (mmap(2), until it is written back). So only a file that nobody but
 * root or the reader can write to has a stamp.
 * @throws for any other file
 */
function stampOf(file: Fd): { readonly stamp: string; readonly changedMs: number } {
  const stat = fstatSync(file, { bigint: true });
  const [uid, mode] = [Number(stat.uid), Number(stat.mode)];
  if (!isRootsOrOwn({ uid }) || othersWrite({ mode })) throw new Error("another account can write to the day's file");
  const edge = (from: number) => {
    const bytes = Buffer.alloc(EDGE_BYTES);
    return bytes.toString("hex", 0, readSync(file, bytes, 0, EDGE_BYTES, from));
  };
  const { dev, ino, size, mtimeNs, ctimeNs } = stat;
  const edges = [edge(0), edge(Math.max(0, Number(size) - EDGE_BYTES))];
  return { stamp: [dev, ino, size, mtimeNs, ctimeNs, ...edges].join(" "), changedMs: Number(ctimeNs) / 1e6 };
}

/**
 * The index of one day file, stored as one file in a folder that only this account, or root, can write to. It is
 * written to a temporary file and renamed when it is complete. An index that does not match is ignored.
 * @param openFolderFd opens the folder, made when it is missing and requested; undefined where there is none
 * @param name of the index's file
 * @param openDay opens the day file for reading
 */
export function dayIndex(openFolderFd: (make: boolean) => Fd | undefined, name: string, openDay: () => Fd): DayIndex {
  const withDay = <T>(use: (file: Fd) => T): T => {
    const file = openDay();
    try {
      return use(file);
    } finally {
      closeSync(file);
    }
  };
  return {
    open: () => attempt(() => openKept(openFolderFd(false), name, () => withDay(stampOf).stamp)),
    build: () => attempt(() => startBuild(openFolderFd(true), name, () => withDay(stampOf))),
  };
}

/** An index is optional: one that cannot be read or written counts as missing. */
function attempt<T>(action: () => T | undefined): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function openKept(folderFd: Fd | undefined, name: string, stampNow: () => string): KeptIndex | undefined {
  if (folderFd === undefined) return undefined;
  const file = toFd(openSync(inside(folderFd, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const read = (from: number, length: number) => {
    const bytes = Buffer.allocUnsafeSlow(length);
    if (readSync(file, bytes, 0, length, from) !== length) throw new Error("the index ends too early");
    return bytes;
  };
  try {
    const stat = fstatSync(file);
    if (!stat.isFile() || !isRootsOrOwn(stat) || othersWrite(stat)) throw new Error("not an index of nixgate");
    const tail = Buffer.from(read(stat.size - TAIL_BYTES, TAIL_BYTES));
    const length = tail.readUInt32LE(0);
    if (!tail.subarray(8).equals(MAGIC) || length > FOOTER_MAX_BYTES) throw new Error("not an index");
    const bytes = read(stat.size - TAIL_BYTES - length, length);
    if (crc32(bytes) !== tail.readUInt32LE(4)) throw new Error("the index is damaged");
    const { stamp, footer } = JSON.parse(Buffer.from(bytes).toString()) as { stamp: string; footer: string };
    if (stamp !== stampNow()) throw new Error("the day's file is another one");
    return { footer, read, close: () => closeSync(file) };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function startBuild(
  folderFd: Fd | undefined,
  name: string,
  look: () => ReturnType<typeof stampOf>,
): IndexBuilder | undefined {
  if (folderFd === undefined) return undefined;
  const before = look().stamp;
  const beside = inside(folderFd, `.${name}.${randomUUID()}`);
  const file = toFd(openSync(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
  let isWhole = true;
  const write = (bytes: Uint8Array) => {
    for (let at = 0; isWhole && at < bytes.length; ) {
      const count = attempt(() => writeSync(file, bytes, at));
      if (count === undefined) isWhole = false;
      else at += count;
    }
  };
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    closeSync(file);
    attempt(() => unlinkSync(beside));
  };
  return {
    add: write,
    finish(footer) {
      const bytes = Buffer.from(JSON.stringify({ stamp: before, footer }));
      const tail = Buffer.alloc(8);
      tail.writeUInt32LE(bytes.length, 0);
      tail.writeUInt32LE(crc32(bytes), 4);
      write(Buffer.concat([bytes, tail, MAGIC]));
      const after = attempt(look);
      const settled = after?.stamp === before && Date.now() - after.changedMs > SETTLED_MS;
      if (isWhole && settled) attempt(() => renameSync(beside, inside(folderFd, name)));
      close();
    },
    close,
  };
}
