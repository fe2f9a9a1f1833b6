import { closeSync, constants, openSync } from "node:fs";
import type { Served } from "../../archive/archive.ts";
import { signalAs } from "../accounts/signal-as.ts";
import { inside, O_PATH } from "../files/safe-folder.ts";
import { bootsHere } from "../lost/liveness.ts";
import { readKernelFile } from "./kernel-files.ts";
import { startTicksIn } from "./process-group.ts";
import { commandOf, exists, statOf } from "./process-kind.ts";
import { residentIsThere, type Serving, tellResident } from "./resident.ts";

/**
 * The process that serves a session, or the shim that stands for one. Its folder in /proc stays open: it shows this
 * process or none, never its successor.
 */
export interface SessionProcess {
  isThere(): boolean;
  /** A process of nixgate's that serves one session, or a shim, which the resident supervisor knows by its team. */
  readonly command: "session" | "supervise" | "shim";
  /** Whether it is a process of that account alone: real, effective, saved and file system uid (proc_pid_status(5)). */
  isOf(uid: number): boolean;
  /** @throws an error with code EPERM or EACCES where the session is another account's */
  terminate(whose: Whose): void;
  close(): void;
}

/** Whose session it is: the team of the folder that the record is in, and the account that owns that folder. */
export interface Whose {
  readonly team: string;
  readonly uid: number | undefined;
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
    command,
    isOf: (uid) => uidsOf(readKernelFile(inside(folder, "status"))).every((one) => one === uid),
    // Node has no pidfd_send_signal(2). Between this look and the signal the number would have to be freed and, after
    // all the others, given out again; then the signal still reaches no other account's process.
    terminate({ team, uid }) {
      if (!isThere()) return;
      if (command === "shim") tellResident(`kill ${start.pid} ${team}`);
      else if (uid !== undefined) signalAs(uid, start.pid);
    },
    close: () => closeSync(folder),
  };
}

/**
 * Whether nobody will write another record of this session, for certain.
 * @param serving what the resident supervisor has said, where it was asked
 */
export function isGone(start: Start & { readonly session?: string }, serving?: Serving): boolean {
  const found = sessionProcessOf(start);
  if (typeof found !== "string") found.close();
  if (found !== "gone") return false;
  // A shim may be gone before the resident supervisor has written what it came to.
  if (start.isolation !== "scope-system" || bootsHere()(start) !== "here" || !residentIsThere()) return true;
  const { session } = start;
  return serving !== undefined && session !== undefined && ![...serving.served, ...serving.late].includes(session);
}

/** USER_HZ: what /proc counts in, 100 on every architecture that Node supports (proc(5)). */
const TICKS_PER_SECOND = 100;
/** Between a process's start and its session.start lies its start-up, in milliseconds. */
const START_UP_MS = 5000;

/**
 * The process to be signalled. Where the record has no ticks, of an older nixgate, the process must also be old enough
 * to have written the record. A clock that was set forward since makes it look too young; then nothing is signalled.
 */
export function sessionProcessToSignal(start: Start, whose: Whose): ReturnType<typeof sessionProcessOf> | "foreign" {
  const found = sessionProcessOf(start);
  if (typeof found === "string") return found;
  const isIt = start.started_ticks !== undefined || !isYounger(start);
  if (isIt && mayBe(found, whose)) return found;
  found.close();
  return isIt ? "foreign" : "gone";
}

/**
 * Whether a process can serve a session of that team: the record, which the account may have forged, is no proof. Of a
 * shim the resident supervisor asks the kernel itself.
 */
const mayBe = ({ command, isOf }: SessionProcess, { uid }: Whose): boolean =>
  command === "shim" || (command === "session" && uid !== undefined && isOf(uid));

/** The four uids of a process; one that is nobody's where they cannot be read. */
function uidsOf(status: string | undefined): readonly number[] {
  const line = /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(status ?? "");
  return line ? line.slice(1).map(Number) : [Number.NaN];
}

function isYounger({ pid, time }: Start): boolean {
  const ticks = startTicksIn(statOf(`/proc/${pid}`));
  const uptime = Number(readKernelFile("/proc/uptime")?.split(" ")[0]);
  const age = uptime - Number(ticks) / TICKS_PER_SECOND;
  return Date.now() - age * 1000 > Date.parse(time) + START_UP_MS;
}
