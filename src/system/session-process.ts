import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";
import type { IsAlive } from "../record/archive.ts";
import { readKernelFile } from "./files.ts";
import { exists, livenessHere, withoutDashes } from "./liveness.ts";
import { inside, O_PATH } from "./safe-folder.ts";

/** What the build calls the program; the interpreter and its options may stand before it. */
const PROGRAM = "nixgate.cjs";
/** The script that stands for a session under the resident supervisor. */
const FRONT = "nixgate-front";
/** Root's way to the resident supervisor, and its sign of life with its pid. */
const CONTROL = "/run/nixgate/_control";
export const READY = "/run/nixgate/_ready";

/**
 * The process that serves a session, or the front that stands for one. Its folder in /proc stays open: it shows this
 * process or none, never its successor.
 */
export interface SessionProcess {
  isThere(): boolean;
  /** @throws Node's own error with code EPERM or EACCES where the session is another account's */
  terminate(): void;
  close(): void;
}

export type Start = Parameters<IsAlive>[0] & { readonly isolation?: string };

/**
 * The process that a session.start names, as long as it is one of nixgate's. `elsewhere`: another host's. `hidden`: a
 * process that this account cannot look at (hidepid, proc(5)).
 */
export function sessionProcessOf(start: Start): SessionProcess | "gone" | "elsewhere" | "hidden" {
  if (start.host !== hostname()) return "elsewhere";
  const boot = readKernelFile("/proc/sys/kernel/random/boot_id")?.trim();
  if (boot !== undefined && withoutDashes(boot) !== withoutDashes(start.boot)) return "gone";
  if (!Number.isSafeInteger(start.pid) || start.pid <= 0) return "gone";
  let folder: number;
  try {
    folder = openSync(`/proc/${start.pid}`, O_PATH | constants.O_DIRECTORY);
  } catch {
    return exists(start.pid) ? "hidden" : "gone";
  }
  const command = commandOf(folder);
  if (command === "gone" || command === "hidden") {
    closeSync(folder);
    return command;
  }
  const isThere = () => commandOf(folder) !== "gone";
  return {
    isThere,
    // Node has no pidfd_send_signal(2). Between this look and the signal the number would have to be freed and, after
    // all the others, given out again.
    terminate() {
      if (!isThere()) return;
      if (command === "front") tellResident(`kill ${start.pid}`);
      else process.kill(start.pid, "SIGTERM");
    },
    close: () => closeSync(folder),
  };
}

/**
 * Whether nobody will write another record of this session, for certain. Stricter than livenessHere: the age of a
 * process is no evidence here, because a step of the clock makes a running one look too young.
 */
export function isGone(start: Start): boolean {
  const found = sessionProcessOf(start);
  if (typeof found !== "string") found.close();
  // A front may be gone before the resident supervisor has written what it came to.
  return found === "gone" && !(start.isolation === "scope-system" && residentIsThere());
}

/** Whether the resident supervisor runs. */
function residentIsThere(): boolean {
  const pid = Number(readKernelFile(READY));
  if (!(pid > 0)) return false;
  try {
    const folder = openSync(`/proc/${pid}`, O_PATH | constants.O_DIRECTORY);
    const command = commandOf(folder);
    closeSync(folder);
    return command === "supervise" || command === "hidden";
  } catch {
    return false;
  }
}

/** One line into the control FIFO; systemd holds it open, so that this does not wait for a reader. */
function tellResident(line: string): void {
  const fifo = openSync(CONTROL, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    writeSync(fifo, `${line}\n`);
  } finally {
    closeSync(fifo);
  }
}

/** The process to be signalled: it must be old enough to have written the record, too. */
export function sessionProcessToSignal(start: Start): ReturnType<typeof sessionProcessOf> {
  const found = sessionProcessOf(start);
  if (typeof found === "string" || livenessHere()(start)) return found;
  found.close();
  return "gone";
}

/** `gone` is also a zombie, whose command line is empty, and whatever is none of nixgate's. */
function commandOf(folder: number): "session" | "supervise" | "front" | "gone" | "hidden" {
  try {
    const words = readFileSync(inside(folder, "cmdline"), "utf8").split("\0");
    if (words.some((word) => basename(word) === FRONT)) return "front";
    const program = words.findIndex((word) => basename(word) === PROGRAM);
    const command = program < 0 ? undefined : words[program + 1];
    if (command === "front-line") return "front"; // for a line of its loop
    return command === "session" || command === "supervise" ? command : "gone";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ESRCH" || code === "ENOENT" ? "gone" : "hidden";
  }
}
