import { closeSync, constants, openSync, writeSync } from "node:fs";
import type { Served } from "../record/archive.ts";
import { readKernelFile } from "./files.ts";
import { bootsHere } from "./liveness.ts";
import { startTicksIn } from "./process-group.ts";
import { commandOf, exists, statOf } from "./process-kind.ts";
import { inside, O_PATH } from "./safe-folder.ts";

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

export type Start = Served & { readonly isolation?: string };

/**
 * The process that a session.start names, as long as it is one of nixgate's. `elsewhere`: another host's. `hidden`: a
 * process that this account cannot look at (hidepid, proc(5)).
 */
export function sessionProcessOf(start: Start): SessionProcess | "gone" | "elsewhere" | "hidden" {
  const boot = bootsHere()(start);
  if (boot !== "here") return boot === "before" ? "gone" : "elsewhere";
  if (!Number.isSafeInteger(start.pid) || start.pid <= 0) return "gone";
  let folder: number;
  try {
    folder = openSync(`/proc/${start.pid}`, O_PATH | constants.O_DIRECTORY);
  } catch {
    return exists(start.pid) ? "hidden" : "gone";
  }
  const place = inside(folder, ".");
  const command = commandOf(place);
  const isOther = start.started_ticks !== undefined && startTicksIn(statOf(place)) !== start.started_ticks;
  if (command === "gone" || command === "hidden" || isOther) {
    closeSync(folder);
    return command === "hidden" ? command : "gone";
  }
  const isThere = () => commandOf(place) !== "gone";
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

/** Whether nobody will write another record of this session, for certain. */
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
    const command = commandOf(inside(folder, "."));
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

/** USER_HZ: what /proc counts in, 100 on every architecture that Node supports (proc(5)). */
const TICKS_PER_SECOND = 100;
/** Between a process's start and its session.start lies its start-up, in milliseconds. */
const START_UP_MS = 5000;

/**
 * The process to be signalled. Where the record has no ticks, of an older nixgate, the process must also be old enough
 * to have written the record. A clock that was set forward since makes it look too young; then nothing is signalled.
 */
export function sessionProcessToSignal(start: Start): ReturnType<typeof sessionProcessOf> {
  const found = sessionProcessOf(start);
  if (typeof found === "string" || start.started_ticks !== undefined || !isYounger(start)) return found;
  found.close();
  return "gone";
}

function isYounger({ pid, time }: Start): boolean {
  const ticks = startTicksIn(statOf(`/proc/${pid}`));
  const uptime = Number(readKernelFile("/proc/uptime")?.split(" ")[0]);
  const age = uptime - Number(ticks) / TICKS_PER_SECOND;
  return Date.now() - age * 1000 > Date.parse(time) + START_UP_MS;
}
