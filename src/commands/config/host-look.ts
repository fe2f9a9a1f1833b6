import type { HostRoom } from "../../decision/host-room.ts";
import type { ProgramProblem } from "../../session/ports.ts";
import type { Bytes } from "../../units/quantities.ts";

/** The host that the configuration is for, as far as the caller may inspect it. */
export interface HostLook extends HostRoom {
  /** The host's total memory. */
  readonly memory: Bytes;
  /** The uid of an account; undefined where there is no account of that name. */
  uidOf(account: string): number | undefined;
  /** Why an account cannot execute a program; without an account, why the caller cannot. */
  problemWithProgram(
    path: string,
    viewer?: { readonly uid: number; readonly confined: boolean },
  ): ProgramProblem | undefined;
  /**
   * An adjective for the privileges that a program gets by its file's mode or capabilities; undefined where it gets
   * none.
   */
  privilegesOf?(path: string): string | undefined;
  /** The controllers of cgroup v2 that the kernel has; undefined without cgroup v2. */
  readonly controllers: readonly string[] | undefined;
  /** Whether a program is in the PATH that commands have. */
  isInstalled(name: string): boolean;
  /** Why records cannot be written below a folder with one of these owners; undefined also where that is hidden. */
  problemWithFolder(path: string, owners: readonly number[]): FolderProblem | undefined;
  /**
   * Whether sshd gets the account's keys from `nixgate authorized-keys` alone; undefined where sshd does not report it.
   */
  keysAreFromPolicies(account: string): boolean | undefined;
  /**
   * Whether sshd takes a certificate with the account's own name from a CA, with no forced command; undefined where
   * sshd does not report it.
   */
  trustsCaAlone(account: string): boolean | undefined;
  /** The login shell of an account, passwd(5). */
  loginShellOf(uid: number): string | undefined;
  /** The first of subuid(5) and subgid(5) in which an account has a range; undefined: it has none. */
  subordinateIds(account: string, uid: number): "/etc/subuid" | "/etc/subgid" | undefined;
  /** Whether sshd's PAM reads variables from a file in the account's home. */
  pamReadsHome(): boolean;
  /** The version that a program of Nix prints; undefined where it prints none. */
  nixVersion(program: string): { readonly major: number; readonly minor: number } | undefined;
  /** Whether an account may connect to the host's own nix-daemon; undefined where only root could find out. */
  reachesHostDaemon(account: string): boolean | undefined;
  /** Whether an account may take the place of the host's own nix-daemon; undefined where only root could find out. */
  replacesHostDaemon?(account: string): boolean | undefined;
  /** kernel.yama.ptrace_scope; undefined where the kernel has no Yama. */
  ptraceScope(): number | undefined;
  /** Whether the kernel tells the inodes of open files: Linux 5.14 and newer do. */
  showsInodes(): boolean;
}

/** `missing`: the folder does not exist. */
export interface FolderProblem {
  readonly missing: boolean;
  /** A text that continues the path. */
  readonly message: string;
}
