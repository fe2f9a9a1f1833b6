import { closeSync, constants, fstatSync, fsyncSync, openSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { SealStore } from "../../archive/verify/sealing.ts";
import { RecordError } from "../../record/error.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";
import { lockFile } from "../files/lock.ts";
import { inside, makeFolder, openFolder, openFolderIn, UnsafeFolder } from "../files/safe-folder.ts";
import { readLines } from "./line-reader.ts";
import { appendLine } from "./record-file.ts";
import { checkPrivate, makeKey, readKey } from "./seal-key.ts";

const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * `/var/log/nixgate` → `var-log-nixgate`, as systemd-escape(1) `--path` does it. Each archive has one file of seals.
 */
function archiveName(directory: string): string {
  const plain = resolve(directory).replace(/^\/|\/$/g, "");
  return plain.replaceAll(/[^a-zA-Z0-9:_./]/g, hexEscape).replaceAll("/", "-") || "-";
}
const hexEscape = (character: string) =>
  [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");

/**
 * The seals of an archive, `<sealDirectory>/seals/<archive>.jsonl` (0600), and the key `<sealDirectory>/seal.key`
 * (0600). Both belong to root, or to an account that seals in a folder of its own. `write` makes missing files and
 * locks the file for this process; without it nothing is made.
 * @param directory the archive's path when it was sealed
 * @throws RecordError E_SEAL_STORE; E_LOG_WRITE where another process holds the lock for too long
 */
export async function openSealStore(
  sealDirectory: string,
  directory: string,
  { write }: { readonly write: boolean },
): Promise<SealStore> {
  const name = `${archiveName(real(directory))}.jsonl`;
  const path = `${resolve(sealDirectory)}/seals/${name}`;
  const open: Fd[] = [];
  const keep = (descriptor: Fd) => {
    open.push(descriptor);
    return descriptor;
  };
  let file: Fd | undefined;
  try {
    const topFd = keep(openTop(resolve(sealDirectory), write));
    if (write) makeFolder(topFd, "seals", 0o700);
    const folderFd = keep(openFolderIn(topFd, "seals", `${sealDirectory}/seals`));
    file = openSeals(folderFd, name, path, write);
    if (write) await lockFile(file, path);
    const isFirst = fstatSync(file).size === 0;
    const key = write && isFirst ? makeKey(topFd, sealDirectory) : readKey(topFd, sealDirectory);
    return sealStore(file, path, key);
  } catch (error) {
    if (file !== undefined) closeSync(file);
    throw error instanceof RecordError ? error : toNixgateError(sealDirectory, error);
  } finally {
    for (const descriptor of open) closeSync(descriptor);
  }
}

function real(directory: string): string {
  try {
    return realpathSync(directory);
  } catch {
    return directory; // seals also detect an archive that is missing as a whole
  }
}

function openTop(path: string, write: boolean): Fd {
  try {
    return openFolder(path);
  } catch (error) {
    if (!write || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const parentFd = openFolder(dirname(path));
  try {
    makeFolder(parentFd, path.slice(path.lastIndexOf("/") + 1), 0o700);
  } finally {
    closeSync(parentFd);
  }
  return openFolder(path);
}

function openSeals(folderFd: Fd, name: string, path: string, write: boolean): Fd {
  const flags = O_NOFOLLOW | O_NONBLOCK;
  const file = write
    ? toFd(openSync(inside(folderFd, name), O_RDWR | O_APPEND | O_CREAT | flags, 0o600))
    : toFd(openSync(inside(folderFd, name), O_RDONLY | flags));
  try {
    checkPrivate(file, path);
    if (write) fsyncSync(folderFd);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function sealStore(file: Fd, path: string, key: Uint8Array): SealStore {
  return {
    path,
    key,
    *lines() {
      const again = toFd(openSync(`/proc/self/fd/${file}`, O_RDONLY));
      try {
        yield* readLines(again);
      } finally {
        closeSync(again);
      }
    },
    append(line) {
      try {
        appendLine(file, line, true);
      } catch (cause) {
        const { code, message } = cause as NodeJS.ErrnoException;
        throw new RecordError("E_SEAL_WRITE", `${escapeText(path)}: a seal could not be written: ${code ?? message}`, {
          hint: "check the disk: full, read-only or failing",
          cause,
        });
      }
    },
    close: () => closeSync(file),
  };
}

function toNixgateError(sealDirectory: string, cause: unknown): unknown {
  const shown = escapeText(sealDirectory);
  if (cause instanceof UnsafeFolder)
    return new RecordError("E_SEAL_STORE", `no seals: ${cause.message}`, { hint: cause.hint, cause });
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  if (code === "ENOENT")
    return new RecordError("E_SEAL_STORE", `no seals of this archive below ${shown}`, {
      hint: "make them: nixgate sessions seal, as root",
      cause,
    });
  const isRights = code === "EACCES" || code === "EPERM";
  return new RecordError("E_SEAL_STORE", `${shown}: the seals cannot be opened: ${code}`, {
    hint: isRights ? "only root reads the key; run this as root" : "name the folder with --seal-dir",
    cause,
  });
}
