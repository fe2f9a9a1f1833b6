import { statSync } from "node:fs";
import { readKernelFile } from "../system/kernel/kernel-files.ts";
import { allProcesses, newestPid } from "../system/kernel/process-group.ts";
import { cgroupIn, hasEndedIn, type Kin, kinIn } from "../system/kernel/process-texts.ts";
import { type Pid, toPid } from "../units/ids.ts";
import { kinOf, programName, whyNoConnection } from "./connection.ts";
import { isNixgateCgroup } from "./shim/shim-process.ts";

/** The number of searches among the newest pids in one interval, and the number of pids in each. */
const SAMPLES = 8;
const NEWEST = 8;
/** Programs of root that begin a session as an account on behalf of an authorised user. */
const LOGINS: ReadonlySet<string> = new Set(["su", "runuser", "sudo", "login", "setpriv"]);

/**
 * The processes of these accounts outside of all allowed places, by account. It costs a stat(2) for each process of the
 * host. Only of these accounts' processes more is read, and of one in nixgate's slice only its cgroup.
 */
export function outside(
  uids: ReadonlySet<number>,
  entered: (pid: Pid) => boolean,
): ReadonlyMap<number, readonly Pid[]> {
  const found = new Map<number, Set<Pid>>();
  const isConnection = connectionsSeen();
  const look = (pid: Pid) => {
    // the effective uid owns the folder, also of a process that cannot be traced (proc(5))
    const uid = uidOfFolder(`/proc/${pid}`);
    if (uid === undefined || !uids.has(uid) || !isAstray(pid, uid, { entered, isConnection })) return;
    found.set(uid, (found.get(uid) ?? new Set()).add(pid));
  };
  for (const pid of allProcesses()) look(pid);
  for (let sample = 0; sample < SAMPLES; sample += 1) for (const pid of newest()) look(pid);
  return new Map([...found].map(([uid, pids]) => [uid, [...pids]]));
}

/** Whether processes of this account run besides those that sshd has for its connections. */
export function runsBesideLogins(uid: number): boolean {
  const runs = (pid: Pid) => {
    const status = uidOfFolder(`/proc/${pid}`) === uid ? readKernelFile(`/proc/${pid}/status`) : undefined;
    return status !== undefined && !hasEndedIn(status) && whyNoConnection(pid, uid) !== undefined;
  };
  return allProcesses().some(runs);
}

/**
 * A process that forks and exits all the time has another pid before the list of all processes has been read. Its pid
 * is among the newest pids, of which proc_loadavg(5) shows one.
 */
function newest(): readonly Pid[] {
  const last = newestPid();
  return Number.isSafeInteger(last) ? Array.from({ length: NEWEST }, (_, at) => toPid(last + 1 - at)) : [];
}

function uidOfFolder(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.uid;
  } catch {
    return undefined; // it ended at this moment
  }
}

interface Known {
  entered(pid: Pid): boolean;
  /** Whether a process is sshd's for a connection of the account. */
  isConnection(pid: Pid, uid: number): boolean;
}

/** In one search each parent is checked only once, because most processes of an account share it. */
function connectionsSeen(): Known["isConnection"] {
  const seen = new Map<Pid, boolean>();
  return (pid, uid) => {
    const known = seen.get(pid) ?? whyNoConnection(pid, uid) === undefined;
    seen.set(pid, known);
    return known;
  };
}

function isAstray(pid: Pid, uid: number, known: Known): boolean {
  if (isInSlice(pid)) return false;
  const status = readKernelFile(`/proc/${pid}/status`);
  const kin = status === undefined ? undefined : kinIn(status);
  if (status === undefined || !kin) return false; // it ended at this moment
  return !hasEndedIn(status) && !belongsToLogin(pid, kin, uid, known);
}

/** A process that has ended is not outside: it counts as in the slice. */
const isInSlice = (pid: Pid): boolean => {
  const cgroup = readKernelFile(`/proc/${pid}/cgroup`);
  return cgroup === undefined || isNixgateCgroup(cgroupIn(cgroup) ?? "");
};

/**
 * Whether the nearest ancestor of another account is a login program, and the login did not start a session's shim.
 */
function belongsToLogin(pid: Pid, own: Kin, uid: number, { entered, isConnection }: Known): boolean {
  if (isConnection(pid, uid)) return true;
  for (let [child, at] = [pid, own.parent]; at > 1; ) {
    const kin = kinOf(at);
    if (!kin) return false; // it has lost its parent at this moment
    if (kin.uids.some((id) => id !== uid)) return kin.uids.every((id) => id === 0) && LOGINS.has(nameOf(at));
    if (isConnection(at, uid)) return !(isInSlice(child) || entered(child));
    [child, at] = [at, kin.parent];
  }
  return false;
}

function nameOf(pid: Pid): string {
  try {
    return programName(pid);
  } catch {
    return "";
  }
}
