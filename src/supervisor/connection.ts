import { lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import { basename } from "node:path";
import { readKernelFile } from "../system/kernel/kernel-files.ts";
import { mountAt } from "../system/kernel/open-file.ts";
import { type Kin, kinIn } from "../system/kernel/process-texts.ts";

/** The programs of OpenSSH whose process stands for a connection: sshd, from 9.8 on sshd-session. */
const PROGRAMS: ReadonlySet<string> = new Set(["sshd", "sshd-session"]);
/** Group and others may write, chmod(2). */
const WRITABLE = 0o022;

export const kinOf = (pid: number): Kin | undefined => kinIn(readKernelFile(`/proc/${pid}/status`) ?? "");

/** What is asked of the kernel about a process that is perhaps sshd's. */
export interface Look {
  kin(pid: number): Kin | undefined;
  /** The name of its program's file, from a link that the kernel writes. */
  program(pid: number): string;
  /** Whose its files in /proc are: root's where it cannot be traced, proc(5). */
  filesOwner(pid: number): number;
  /** The mount that its program is on. */
  mount(pid: number): number | undefined;
  /** stat(2) of its program: the program's file system is asked, and may never answer. */
  file(pid: number): Pick<Stats, "dev" | "ino" | "uid" | "mode">;
}

/**
 * Whether a process is sshd's own for a connection of this account. sshd forks it from root's process for the connection
 * and gives up root's uid in it, without execve(2): so it has root's program, the account cannot trace it, and no process
 * of the account's can have such a parent.
 *
 * A program of the account's may lie on a file system of its own making (FUSE, also below overlayfs in a user namespace),
 * which never answers root's stat(2). So the kernel is asked first, and a file only where it is on the mount of root's sshd.
 * @returns why it is not, in words for the log; undefined where it is
 */
export function whyNoConnection(pid: number, uid: number, look: Look = kernel): string | undefined {
  const own = look.kin(pid);
  if (!own?.uids.every((id) => id === uid)) return "its parent is none of the account's processes";
  const root = look.kin(own.parent);
  if (!root?.uids.every((id) => id === 0)) return "its parent's parent is none of root's processes";
  try {
    if (!PROGRAMS.has(look.program(own.parent))) return "its parent is not sshd";
    if (look.filesOwner(pid) !== 0) return "its parent can be traced by the account";
    const mount = look.mount(own.parent);
    if (mount === undefined || look.mount(pid) !== mount) return "its parent runs another program than root's";
    const program = look.file(own.parent);
    const same = look.file(pid);
    if (same.dev !== program.dev || same.ino !== program.ino) return "its parent runs another program than root's";
    return program.uid !== 0 || (program.mode & WRITABLE) !== 0
      ? "its parent's program is not root's alone"
      : undefined;
  } catch {
    return "its parent is gone";
  }
}

const exe = (pid: number) => `/proc/${pid}/exe`;

/** Also of a file that an upgrade has removed meanwhile. */
export const programName = (pid: number): string => basename(readlinkSync(exe(pid)).replace(/ \(deleted\)$/, ""));

const kernel: Look = {
  kin: kinOf,
  program: programName,
  filesOwner: (pid) => lstatSync(exe(pid)).uid,
  mount: (pid) => mountAt(exe(pid)),
  file: (pid) => statSync(exe(pid)),
};
