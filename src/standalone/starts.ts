import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, unlinkSync, writeSync } from "node:fs";
import { AdmissionUnavailable } from "../session/admission-unavailable.ts";
import type { Admission } from "../session/ports.ts";
import {
  inside,
  isRootsOrOwn,
  makeFolder,
  openFolder,
  openFolderIn,
  UnsafeFolder,
} from "../system/files/safe-folder.ts";
import { readKernelFile } from "../system/kernel/kernel-files.ts";
import { type Fd, toFd } from "../units/ids.ts";
import { escapeText } from "../units/text.ts";

const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
const FLAGS = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
/** A slow session may still write to the file of a minute that is this many minutes ago. */
const NEAR_MINUTES = 2;

/**
 * Counts session starts without a lock. Each session appends its line to the file of the minute (O_APPEND, open(2):
 * writes do not interleave) and then reads the lines before its own. Minutes count from the host's boot, so setting the
 * clock has no effect. Where there are `most` lines already, no line is added: no file grows larger.
 * @param minuteNow returns the minutes since boot
 */
export function createStartCounter(folders = runtimeFolders(), minuteNow = minuteOfBoot): Admission["countStart"] {
  return (name, session, most) => {
    const open: Fd[] = [];
    const keep = (descriptor: Fd) => {
      open.push(descriptor);
      return descriptor;
    };
    try {
      const minute = minuteNow();
      const folderFd = keep(openFirst(folders));
      const file = keep(toFd(openSync(inside(folderFd, `${name}.${minute}`), FLAGS, 0o600)));
      checkFile(file);
      const before = linesOf(file);
      if (before.length === 0) removeOld(folderFd, minute);
      if (before.length >= most) return before;
      appendLine(file, session);
      return linesOf(file);
    } catch (error) {
      throw unavailable(error);
    } finally {
      for (const descriptor of open) closeSync(descriptor);
    }
  };
}

/** Minutes since boot, from a clock that cannot be set: proc_uptime(5). */
function minuteOfBoot(): number {
  const minute = Math.floor(Number.parseFloat(readKernelFile("/proc/uptime") ?? "") / 60);
  if (Number.isNaN(minute)) throw new Error("/proc/uptime cannot be read");
  return minute;
}

type Folder = readonly [parent: string, name: string];

/** The account's folder for data of one boot: pam_systemd(8) makes one; otherwise /dev/shm is used. */
function runtimeFolders(): readonly [Folder, ...Folder[]] {
  const uid = process.geteuid?.() ?? 0;
  return [
    [`/run/user/${uid}`, "nixgate"],
    ["/dev/shm", `nixgate-${uid}`],
  ];
}

/** Opens the folder in the first existing parent, and makes it where it is missing. */
function openFirst([[parent, name], ...others]: readonly [Folder, ...Folder[]]): Fd {
  const [next, ...rest] = others;
  let topFd: Fd;
  try {
    topFd = openFolder(parent);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || !next) throw error;
    return openFirst([next, ...rest]);
  }
  try {
    makeFolder(topFd, name, 0o700);
    return openFolderIn(topFd, name, `${parent}/${name}`);
  } finally {
    closeSync(topFd);
  }
}

/** No other account can write to the folder, so a wrong file was made by the account itself. */
function checkFile(file: Fd): void {
  const stat = fstatSync(file);
  if (!stat.isFile() || !isRootsOrOwn(stat)) {
    throw new UnsafeFolder("the list of starts is not a regular file of the account's", "remove it");
  }
}

function linesOf(file: Fd): readonly string[] {
  const bytes = Buffer.alloc(fstatSync(file).size);
  const length = readSync(file, bytes, 0, bytes.length, 0);
  return bytes.toString("latin1", 0, length).split("\n").slice(0, -1);
}

function appendLine(file: Fd, line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  if (writeSync(file, bytes) !== bytes.length) throw new Error("the list of starts cannot be written (memory full?)");
}

function removeOld(folderFd: Fd, minute: number): void {
  for (const name of readdirSync(inside(folderFd, "."))) {
    const [, written] = /^[a-z][a-z0-9-]*@[0-9a-f]{12}\.(\d+)$/.exec(name) ?? [];
    if (written === undefined || Math.abs(Number(written) - minute) < NEAR_MINUTES) continue;
    try {
      unlinkSync(inside(folderFd, name));
    } catch {
      // another start was faster
    }
  }
}

function unavailable(cause: unknown): AdmissionUnavailable {
  const { code, syscall, message } = cause as NodeJS.ErrnoException;
  const why = code === undefined ? message : `${code} (${syscall})`;
  const hint = cause instanceof UnsafeFolder ? cause.hint : "check /run/user/UID, or else at /dev/shm";
  return new AdmissionUnavailable(`starts cannot be counted: ${escapeText(why)}`, { hint, cause });
}
