import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { type Fd, toFd } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";
import { inside, isRootsOrOwn, UnsafeFolder } from "../files/safe-folder.ts";
import { syncFolder } from "./record-file.ts";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
const KEY = "seal.key";
const KEY_BYTES = 32;

/** @throws UnsafeFolder unless it is a regular file of root's or the caller's that no other account can read */
export function checkPrivate(file: Fd, path: string): void {
  const stat = fstatSync(file);
  const shown = escapeText(path);
  if (!stat.isFile() || !isRootsOrOwn(stat))
    throw new UnsafeFolder(`${shown}: not a regular file of the account that seals`, "move it away");
  if ((stat.mode & 0o077) !== 0) throw new UnsafeFolder(`${shown}: others can read or write it`, `chmod 600 ${shown}`);
}

/** @throws UnsafeFolder, or Node's own error with its errno */
export function readKey(topFd: Fd, sealDirectory: string): Uint8Array {
  const path = `${sealDirectory}/${KEY}`;
  const file = openKey(topFd, path);
  try {
    checkPrivate(file, path);
    const text = readFileSync(file, "latin1").trim();
    if (!/^[0-9a-f]{64}$/.test(text))
      throw new UnsafeFolder(`${escapeText(path)}: not a key`, "restore the right key from a backup");
    return Buffer.from(text, "hex");
  } finally {
    closeSync(file);
  }
}

/**
 * The key is written to a temporary file and then linked to its name, so that no reader sees a part of it. An existing
 * key stays.
 */
export function makeKey(topFd: Fd, sealDirectory: string): Uint8Array {
  const aside = `.${KEY}.${process.pid}`;
  const file = toFd(openSync(inside(topFd, aside), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
  try {
    writeSync(file, `${randomBytes(KEY_BYTES).toString("hex")}\n`);
    fsyncSync(file);
    linkSync(inside(topFd, aside), inside(topFd, KEY));
    syncFolder(topFd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    closeSync(file);
    unlinkSync(inside(topFd, aside));
  }
  return readKey(topFd, sealDirectory);
}

function openKey(topFd: Fd, path: string): Fd {
  try {
    return toFd(openSync(inside(topFd, KEY), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new UnsafeFolder(
      `${escapeText(path)}: there are seals, and their key is missing`,
      "restore it from a backup",
    );
  }
}
