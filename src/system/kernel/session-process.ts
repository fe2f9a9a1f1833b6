import { closeSync, constants, openSync } from "node:fs";
import type { FolderOwner, Served } from "../../archive/archive.ts";
import { type Fd, toFd, toPid } from "../../units/ids.ts";
import { signalAs } from "../accounts/signal-as.ts";
import { inside, O_PATH } from "../files/safe-folder.ts";
import { bootsHere } from "../lost/liveness.ts";
import { readKernelFile } from "./kernel-files.ts";
import { startTicksIn } from "./process-group.ts";
import { commandOf, exists, statOf } from "./process-kind.ts";
import { kinIn } from "./process-texts.ts";
import { residentIsThere, type Serving, tellResident } from "./resident.ts";

/**
 * The process that serves a session, or its shim. Its folder in /proc stays open: it shows this process or none, never
 * a later process with the same pid.
 */
export interface SessionProcess {
  isThere(): boolean;
  /** A nixgate process that serves one session, or a shim, whose team the resident supervisor knows. */
  readonly command: "session" | "supervise" | "shim";
  /** Whether all its uids are that account's: real, effective, saved and file system uid (proc_pid_status(5)). */
  isOf(uid: number): boolean;
  /** @throws an error with code EPERM or EACCES where the session belongs to another account */
  terminate(whose: FolderOwner): void;
  close(): void;
}

export type Start = Served & { readonly isolation?: string };

/**
 * The process that a session.start names, where it is one of nixgate's. `elsewhere`: a process of another host.
 * `hidden`: a process that this account cannot see (hidepid, proc(5)).
 */
export function sessionProcessOf(start: Start): SessionProcess | "gone" | "elsewhere" | "hidden" {
  const boot = bootsHere()(start);
  if (boot !== "here") return boot === "before" ? "gone" : "elsewhere";
  const pid = toPid(start.pid);
  if (!Number.isSafeInteger(pid) || pid <= 0) return "gone";
  let folderFd: Fd;
  try {
    folderFd = toFd(openSync(`/proc/${pid}`, O_PATH | constants.O_DIRECTORY));
  } catch {
    return exists(pid) ? "hidden" : "gone";
  }
  const path = inside(folderFd, ".");
  const command = commandOf(path);
  const isOther = start.started_ticks !== undefined && startTicksIn(statOf(path)) !== start.started_ticks;
  if (command === "gone" || command === "hidden" || isOther) {
    closeSync(folderFd);
    return command === "hidden" ? command : "gone";
  }
  const isThere = () => commandOf(path) !== "gone";
  return {
    isThere,
    command,
    isOf: (uid) => kinIn(readKernelFile(inside(folderFd, "status")) ?? "")?.uids.every((one) => one === uid) === true,
    // Node has no pidfd_send_signal(2). Between this check and the signal the pid would have to be freed and, after all
    // other pids, reused. The signal still reaches no process of another account.
    terminate({ team, uid }) {
      if (!isThere()) return;
      if (command === "shim") tellResident(`kill ${pid} ${team}`);
      else if (uid !== undefined) signalAs(uid, pid);
    },
    close: () => closeSync(folderFd),
  };
}

/**
 * Whether it is certain that no process will write another record of this session.
 * @param serving the resident supervisor's answer, where it was asked
 */
export function isGone(start: Start & { readonly session?: string }, serving?: Serving): boolean {
  const found = sessionProcessOf(start);
  if (typeof found !== "string") found.close();
  if (found !== "gone") return false;
  // A shim may end before the resident supervisor has written its session's last record.
  if (start.isolation !== "scope-system" || bootsHere()(start) !== "here" || !residentIsThere()) return true;
  const { session } = start;
  return serving !== undefined && session !== undefined && ![...serving.served, ...serving.late].includes(session);
}

/** USER_HZ: the unit of times in /proc, 100 on every architecture that Node supports (proc(5)). */
const TICKS_PER_SECOND = 100;
/** The time between a process's start and its session.start record, in milliseconds. */
const START_UP_MS = 5000;

/**
 * The process to signal. Records of older versions have no ticks: then the process must be old enough to have written
 * the record. A clock that was set forward since makes the process look too young, and no signal is sent.
 */
export function sessionProcessToSignal(
  start: Start,
  whose: FolderOwner,
): ReturnType<typeof sessionProcessOf> | "foreign" {
  const found = sessionProcessOf(start);
  if (typeof found === "string") return found;
  const isIt = start.started_ticks !== undefined || !isYounger(start);
  if (isIt && mayBe(found, whose)) return found;
  found.close();
  return isIt ? "foreign" : "gone";
}

/**
 * Whether a process can serve a session of that team. The record proves nothing, because the account may have forged
 * it. For a shim the resident supervisor asks the kernel itself.
 */
const mayBe = ({ command, isOf }: SessionProcess, { uid }: FolderOwner): boolean =>
  command === "shim" || (command === "session" && uid !== undefined && isOf(uid));

function isYounger({ pid, time }: Start): boolean {
  const ticks = startTicksIn(statOf(`/proc/${pid}`));
  const uptime = Number(readKernelFile("/proc/uptime")?.split(" ")[0]);
  const age = uptime - Number(ticks) / TICKS_PER_SECOND;
  return Date.now() - age * 1000 > Date.parse(time) + START_UP_MS;
}
