import { lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import { basename } from "node:path";
import { cgroupOf } from "../system/cgroup/cgroup.ts";
import { readKernelFile } from "../system/kernel/kernel-files.ts";
import { mountAt } from "../system/kernel/open-file.ts";
import { type Kin, kinIn } from "../system/kernel/process-texts.ts";
import type { Pid } from "../units/ids.ts";

/** The programs of OpenSSH whose process serves a connection: sshd, and from 9.8 on sshd-session. */
const PROGRAMS: ReadonlySet<string> = new Set(["sshd", "sshd-session"]);
/** Write permission of group and others, chmod(2). */
const WRITABLE = 0o022;

export const kinOf = (pid: Pid): Kin | undefined => kinIn(readKernelFile(`/proc/${pid}/status`) ?? "");

/** The kernel's facts about a process that may be sshd's. */
export interface Look {
  kin(pid: Pid): Kin | undefined;
  /** The name of its program's file, from a link that the kernel writes. */
  program(pid: Pid): string;
  /** The owner of its files in /proc: root if the process cannot be traced, proc(5). */
  filesOwner(pid: Pid): number;
  /** The mount of its program. */
  mount(pid: Pid): number | undefined;
  /** stat(2) of its program. This asks the program's file system, which may never answer. */
  file(pid: Pid): Pick<Stats, "dev" | "ino" | "uid" | "mode">;
}

/**
 * Checks that a process is sshd's own for a connection of this account. sshd forks it from root's process for the
 * connection, and gives up root's uid in it without execve(2). Therefore it has root's program, the account cannot
 * trace it, and no process of the account can have such a parent.
 *
 * A program of the account may lie on a file system that the account serves (FUSE, also below overlayfs in a user
 * namespace). Such a file system may never answer root's stat(2). Therefore the kernel is asked first, and a file only
 * if it is on the mount of root's sshd.
 * @returns the reason why it is not, as text for the log; undefined if it is
 */
export function whyNoConnection(pid: Pid, uid: number, look: Look = kernel): string | undefined {
  const own = look.kin(pid);
  if (!own?.uids.every((id) => id === uid)) return "its parent is not a process of the account";
  const root = look.kin(own.parent);
  if (!root?.uids.every((id) => id === 0)) return "its parent's parent is not a process of root";
  try {
    if (!PROGRAMS.has(look.program(own.parent))) return "its parent is not sshd";
    if (look.filesOwner(pid) !== 0) return "its parent can be traced by the account";
    const mount = look.mount(own.parent);
    if (mount === undefined || look.mount(pid) !== mount) return "its parent runs another program than root's";
    const program = look.file(own.parent);
    const same = look.file(pid);
    if (same.dev !== program.dev || same.ino !== program.ino) return "its parent runs another program than root's";
    return program.uid !== 0 || (program.mode & WRITABLE) !== 0
      ? "accounts other than root can change its parent's program"
      : undefined;
  } catch {
    return "its parent is gone";
  }
}

/** Units in which sshd's process for a connection may be: pam_systemd(8) makes the first, sshd.socket the second. */
const OF_A_CONNECTION = /^(?:session-[0-9a-z]+\.scope|sshd?@.+\.service)$/;

/** The unit that sshd's process is in, where it is of this connection alone; undefined for every other. */
export function connectionUnit(pid: Pid, folder = cgroupOf(pid)): string | undefined {
  const unit = basename(folder ?? "");
  return OF_A_CONNECTION.test(unit) ? unit : undefined;
}

const exe = (pid: Pid) => `/proc/${pid}/exe`;

/** The file name of a program, also if an upgrade has removed the file. */
export const programName = (pid: Pid): string => basename(readlinkSync(exe(pid)).replace(/ \(deleted\)$/, ""));

const kernel: Look = {
  kin: kinOf,
  program: programName,
  filesOwner: (pid) => lstatSync(exe(pid)).uid,
  mount: (pid) => mountAt(exe(pid)),
  file: (pid) => statSync(exe(pid)),
};
