import { closeSync, constants, openSync } from "node:fs";
import { type Fd, toFd } from "../../units/ids.ts";
import { O_PATH } from "../files/safe-folder.ts";
import { readKernelFile } from "./kernel-files.ts";

/**
 * The kernel's own facts about an open file (proc_pid_fdinfo(5)). stat(2) and fstat(2) ask the file system, also for a
 * descriptor that only holds the file (O_PATH). A file system that an account serves (FUSE) could then make root wait.
 */
export interface OpenFile {
  /** The flags of open(2): the direction, and O_PATH. */
  readonly flags: number;
  /** The mount through which it was opened; no two on this host have the same number at a time. */
  readonly mount: number;
  /** The kernel's number of the inode; undefined before Linux 5.14. */
  readonly inode: number | undefined;
}

/** @param path /proc/PID/fdinfo/N @returns undefined where there is no such descriptor */
const openFileAt = (path: string): OpenFile | undefined => openFileIn(readKernelFile(path) ?? "");

/** @param text of /proc/PID/fdinfo/N */
export function openFileIn(text: string): OpenFile | undefined {
  const [, flags] = /^flags:\t([0-7]+)$/m.exec(text) ?? [];
  const [, mount] = /^mnt_id:\t(\d+)$/m.exec(text) ?? [];
  const [, inode] = /^ino:\t(\d+)$/m.exec(text) ?? [];
  if (flags === undefined || mount === undefined) return undefined;
  const number = inode === undefined ? undefined : Number(inode);
  return { flags: Number.parseInt(flags, 8), mount: Number(mount), inode: number };
}

/** Whether this kernel tells the inodes of open files: Linux 5.14 and newer do (proc_pid_fdinfo(5)). */
export function showsInodes(): boolean {
  const held = toFd(openSync("/proc/self", O_PATH));
  try {
    return openFileAt(`/proc/self/fdinfo/${held}`)?.inode !== undefined;
  } finally {
    closeSync(held);
  }
}

/** Whether it can be read (O_RDONLY) or written to (O_WRONLY): not where it is only held. */
export function isOpenFor(file: OpenFile, direction: number): boolean {
  const mode = file.flags & (constants.O_WRONLY | constants.O_RDWR);
  return (file.flags & O_PATH) === 0 && (mode === direction || mode === constants.O_RDWR);
}

/** The mount that a held file of this process's is on. */
export const mountOf = (descriptor: Fd): number | undefined => openFileAt(`/proc/self/fdinfo/${descriptor}`)?.mount;

/** The mount that a path leads to. @throws Node's own error where it leads nowhere */
export function mountAt(path: string): number | undefined {
  const held = toFd(openSync(path, O_PATH));
  try {
    return mountOf(held);
  } finally {
    closeSync(held);
  }
}
