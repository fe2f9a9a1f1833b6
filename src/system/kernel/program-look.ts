import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import type { ProgramProblem } from "../../session/ports.ts";
import { lackOfNow } from "../../units/exhausted.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { O_PATH } from "../files/safe-folder.ts";

/** The account that executes the program, where it is not this process's own. */
export interface Viewer {
  readonly uid: number;
  /** Whether the command runs in the sandbox of src/scope/confinement.ts. */
  readonly confined: boolean;
}

/** The folders that the sandbox makes empty (ProtectHome=tmpfs and PrivateTmp= of systemd.exec(5)). */
const HIDDEN_BY_SANDBOX = /^\/(?:home|root|run\/user|tmp|var\/tmp)\//;
/**
 * The kernel follows at most this many interpreters of scripts (BINPRM of exec_binprm in fs/exec.c, Linux 5.8 to 6.12).
 */
const MOST_INTERPRETERS = 5;
/** The kernel reads this many bytes of a first line (BINPRM_BUF_SIZE of include/uapi/linux/binfmts.h, Linux 5.1). */
const FIRST_LINE = 256;
const ANY_EXECUTE = 0o111;
const GROUP_OR_OTHERS_EXECUTE = 0o011;
const OWNER_EXECUTE = 0o100;

/**
 * The reason why execve(2) of a program would fail, before it is tried: eight system calls for a valid program. The
 * path may change afterwards, so the caller must still handle a failure. Uncertain obstacles (a folder on the path, an
 * access control list) are not reported.
 * @param viewer the account that will execute it, where that is not this process's; only root can check for others
 */
export function problemWithProgram(path: string, viewer?: Viewer, depth = 0): ProgramProblem | undefined {
  const stats = statOf(path);
  if ("message" in stats) return stats;
  if (stats.isDirectory()) return { message: "is a folder", fix: "write the path of a program in it" };
  if (!stats.isFile()) return { message: "is no regular file", fix: "write the path of a program" };
  if (!mayExecute(path, stats, viewer))
    return { message: "cannot be executed by the account", fix: `chmod a+rx ${path}, or name another program` };
  if (viewer?.confined && HIDDEN_BY_SANDBOX.test(realpathSync.native(path)))
    return {
      message: "cannot be seen inside the sandbox of confine = true",
      fix: "install it below /usr or /nix/store",
    };
  const interpreter = interpreterOf(path);
  if (interpreter === undefined) return undefined;
  if (depth === MOST_INTERPRETERS)
    return { message: "is a script with too many nested interpreters", fix: "name a program that is no script" };
  const beneath = problemWithProgram(interpreter, viewer, depth + 1);
  return beneath && { ...beneath, message: `needs the interpreter ${interpreter}, which ${beneath.message}` };
}

function statOf(path: string): Stats | ProgramProblem {
  try {
    return statSync(path);
  } catch (error) {
    return unreachable(path, error);
  }
}

function unreachable(path: string, error: unknown): ProgramProblem {
  const lack = lackOfNow(error);
  if (lack !== undefined) return { message: `cannot be checked now: ${lack}`, fix: "check the host", temporary: true };
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const missing = code === "ENOENT" || code === "ENOTDIR";
  if (code === "EACCES")
    return { message: "cannot be reached by the account", fix: `give it access to each folder of ${path}` };
  if (!missing) return { message: `cannot be checked (${code})`, fix: "check the path and the file system" };
  const target = linkTarget(path);
  const collected = (target ?? path).startsWith("/nix/store/");
  const fix = collected
    ? "install it again with a garbage collector root, and name its path in a profile"
    : "correct the path, or install the program";
  if (target !== undefined) return { message: `is a link to ${target}, which is missing`, fix };
  return { message: "does not exist", fix };
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** False only where it is certain. */
function mayExecute(path: string, { mode, uid }: Stats, viewer: Viewer | undefined): boolean {
  try {
    accessSync(path, constants.X_OK); // also respects access control lists and noexec mounts
  } catch (error) {
    if (lackOfNow(error) === undefined) return false;
  }
  if (viewer === undefined) return true;
  if (viewer.uid === 0) return (mode & ANY_EXECUTE) !== 0;
  if (viewer.uid === uid) return (mode & OWNER_EXECUTE) !== 0;
  // With an access control list the group's bits are its mask (acl(5)). Without these bits the list grants nothing
  // more.
  return (mode & GROUP_OR_OTHERS_EXECUTE) !== 0;
}

/** The text after `#!`, as fs/binfmt_script.c reads it; undefined for any other or unreadable file. */
function interpreterOf(path: string): string | undefined {
  const open: Fd[] = [];
  const hold = (name: string, flags: number) => {
    const descriptor = toFd(openSync(name, flags));
    open.push(descriptor);
    return descriptor;
  };
  try {
    // The account that owns the folder may have put a link to a device there since. /dev/watchdog must not be opened.
    const named = hold(path, O_PATH);
    if (!fstatSync(named).isFile()) return undefined;
    const bytes = Buffer.alloc(FIRST_LINE);
    const length = readSync(hold(`/proc/self/fd/${named}`, constants.O_RDONLY), bytes, 0, FIRST_LINE, 0);
    return /^#![ \t]*([^ \t\n\0]+)/.exec(bytes.toString("latin1", 0, length))?.[1];
  } catch {
    return undefined; // execute permission does not require read permission
  } finally {
    for (const descriptor of open) closeSync(descriptor);
  }
}
