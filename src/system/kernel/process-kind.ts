import { basename } from "node:path";
import { readFirst } from "./kernel-files.ts";
import { fieldsBehindName } from "./process-group.ts";

/** What the build calls the program; the interpreter and its options may stand before it. */
const PROGRAM = "nixgate.cjs";
/** The script that stands for a session under the resident supervisor. */
const SHIM = "nixgate-shim";
/** What is read of a command line, which is as long as its process has made it; the words that count come first. */
const PAGE = 4096;

/** Whether there is a process of this number, of whatever account. */
export function exists(pid: number): boolean {
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
 * What a process is for, by its command line. `gone` is also a zombie, whose command line is empty, and whatever is none
 * of nixgate's.
 * @param place its folder in /proc
 */
export function commandOf(place: string): "session" | "supervise" | "shim" | "gone" | "hidden" {
  try {
    const words = readFirst(`${place}/cmdline`, PAGE).toString("utf8").split("\0");
    if (words.some((word) => basename(word) === SHIM)) return "shim";
    const program = words.findIndex((word) => basename(word) === PROGRAM);
    const command = program < 0 ? undefined : words[program + 1];
    if (command === "read-request") return "shim"; // for a line of its loop
    return command === "session" || command === "supervise" ? command : "gone";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ESRCH" || code === "ENOENT" ? "gone" : "hidden";
  }
}
