import { basename } from "node:path";
import type { Pid } from "../../units/ids.ts";
import { readFirst } from "./kernel-files.ts";
import { fieldsBehindName } from "./process-group.ts";

type Kind = "session" | "supervise" | "shim" | "gone";

/** The file name of the program in the build. The interpreter and its options may come before it. */
const PROGRAM = "nixgate.cjs";
/** The script that represents a session under the resident supervisor. */
const SHIM = "nixgate-shim";
/** The number of bytes read of a command line. A process sets its length itself; the relevant words come first. */
const PAGE = 4096;

/** Whether a process with this pid exists, of any account. */
export function exists(pid: Pid): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The fields of a process's stat from the state on (proc_pid_stat(5)); undefined where it is gone or hidden. */
export function statOf(folder: string): readonly string[] | undefined {
  try {
    return fieldsBehindName(readFirst(`${folder}/stat`, PAGE).toString("latin1"));
  } catch {
    return undefined;
  }
}

/**
 * The kind of a process, by its command line. `gone` includes a zombie, whose command line is empty, and any process
 * that is not nixgate's.
 * @param place its folder in /proc
 */
export function commandOf(path: string): Kind | "hidden" {
  try {
    return kindIn(readFirst(`${path}/cmdline`, PAGE));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ESRCH" || code === "ENOENT" ? "gone" : "hidden";
  }
}

/** @param bytes the first ones of /proc/PID/cmdline */
export function kindIn(bytes: Buffer): Kind {
  const words = bytes.toString("utf8").split("\0");
  if (words.some((word) => basename(word) === SHIM)) return "shim";
  const program = words.findIndex((word) => basename(word) === PROGRAM);
  const command = program < 0 ? undefined : words[program + 1];
  if (command === "read-request") return "shim"; // it reads one line of the shim's loop
  return command === "session" || command === "supervise" ? command : "gone";
}
