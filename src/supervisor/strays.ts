import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { clock, sleep, within } from "../system/kernel/clock.ts";
import { readKernelFile } from "../system/kernel/kernel-files.ts";
import { cgroupIn, hasEndedIn, type Kin, kinIn } from "../system/kernel/process-texts.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { kinOf, programName, whyNoConnection } from "./connection.ts";
import { poll } from "./poll.ts";
import { isOurs } from "./shim/shim-process.ts";

/** The interval at which the supervisor searches /proc while commands run, in milliseconds. */
const LOOK_MS = 7000 as Milliseconds;
/** The minimum time between two searches, also when many sessions end at once, in milliseconds. */
const BETWEEN_LOOKS_MS = 100;
/**
 * The time between the two searches that must find a process outside, in milliseconds. A process that is just ending
 * with its parent has ended by the second search.
 */
const SURE_AFTER_MS = 250;
/**
 * The number of rounds in which found processes are ended one by one. After that all processes of the account are ended
 * at once.
 */
const ROUNDS = 10;
/** After this number of searches in a row without a process, none is left. */
const EMPTY_LOOKS = 3;
/** The maximum number of pids in the log. */
const TOLD = 20;
const KILL_WITHIN_MS = 5000;
/** The number of searches among the newest pids in one interval, and the number of pids in each. */
const SAMPLES = 8;
const NEWEST = 8;
/** Programs of root that begin a session as an account on behalf of an authorised user. */
const LOGINS: ReadonlySet<string> = new Set(["su", "runuser", "sudo", "login", "setpriv"]);

/** An account whose processes belong into scopes. */
export interface Watched {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Finds and ends processes of the teams' accounts that are neither in nixgate's slice nor part of a login of sshd or
 * root. Such processes have left their scope, belong to the account's own systemd, to a job of cron(8) or at(1), or
 * were left by such a job.
 */
export interface Strays {
  /** Called when a session of this account begins to run commands. */
  watch(account: Watched): {
    /** Searches once more. @returns the number of processes ended since, and ends the watch */
    end(): Promise<number>;
  };
}

/** @param entered whether this process is a shim that is in a scope, according to the supervisor */
export function strays(entered: (pid: number) => boolean, warn: (message: string, facts: object) => void): Strays {
  const watches = new Map<number, { readonly account: Watched; count: number }>();
  const ended = new Map<number, number>();
  const under = new Map<number, Promise<void>>();
  let stop = () => {};
  let next: Promise<void> | undefined;
  let lastLook = Number.NEGATIVE_INFINITY;

  const clear = async (account: Watched) => {
    const found = await endAll(account, entered);
    if (found === undefined) return;
    ended.set(account.uid, (ended.get(account.uid) ?? 0) + found.pids.size);
    const { uid } = account;
    warn("processes of an account were outside of its sessions, and were ended", {
      uid,
      ...found,
      count: found.pids.size,
      pids: [...found.pids].slice(0, TOLD),
    });
  };
  /** One at a time for each account, so that no process is counted twice. */
  const clearOnce = (account: Watched) => {
    const clearing = under.get(account.uid) ?? clear(account).finally(() => under.delete(account.uid));
    under.set(account.uid, clearing);
    return clearing;
  };
  const look = async () => {
    await sleep(Math.max(0, lastLook + BETWEEN_LOOKS_MS - clock.monotonic()));
    next = undefined; // a later caller gets another search
    lastLook = clock.monotonic();
    const suspects = outside(new Set(watches.keys()), entered);
    const accounts = [...watches.values()].map(({ account }) => account).filter(({ uid }) => suspects.has(uid));
    await Promise.all(accounts.map(clearOnce));
  };
  /** Settles after a search that has not begun yet. */
  const looked = () => {
    next ??= look().catch((error: unknown) => warn("processes could not be looked for", { error: String(error) }));
    return next;
  };
  return {
    watch(account) {
      const { uid } = account;
      const watch = watches.get(uid) ?? { account, count: 0 };
      if (watches.size === 0) stop = poll(LOOK_MS, () => void looked());
      watches.set(uid, watch);
      watch.count += 1;
      const before = ended.get(uid) ?? 0;
      let result: Promise<number> | undefined;
      const end = async () => {
        await looked();
        watch.count -= 1;
        if (watch.count === 0) watches.delete(uid);
        if (watches.size === 0) stop();
        return (ended.get(uid) ?? 0) - before;
      };
      return {
        end() {
          result ??= end();
          return result;
        },
      };
    },
  };
}

/** @returns undefined if two searches found no process outside */
async function endAll(account: Watched, entered: (pid: number) => boolean) {
  await sleep(SURE_AFTER_MS);
  const pids = new Set<number>();
  const commands = new Set<string>();
  for (let [round, empty] = [0, 0]; ; round += 1) {
    const now = outside(new Set([account.uid]), entered).get(account.uid) ?? [];
    empty = now.length === 0 ? empty + 1 : 0;
    if (empty >= EMPTY_LOOKS) return pids.size === 0 ? undefined : { pids, commands: [...commands] };
    for (const pid of now) {
      pids.add(pid);
      const name = readKernelFile(`/proc/${pid}/comm`)?.trimEnd();
      if (name) commands.add(name); // a process ended in the previous round may exit at this moment
    }
    if (round > 2 * ROUNDS) return { pids, commands: [...commands], remain: now.length };
    // fork(2) waits for a kill(2) to all processes, so none escapes between two searches. It also ends the account's
    // sessions.
    if (now.length > 0) await kill(account, round >= ROUNDS ? [-1] : now);
    await sleep(round);
  }
}

/** Sends with the account's own rights, so that a reused pid of another account is not signalled. */
async function kill({ uid, gid }: Watched, pids: readonly number[]): Promise<void> {
  const words = ["-c", 'kill -s KILL -- "$@"', "sh", ...pids.map(String)];
  const child = spawn("/bin/sh", words, { uid, gid, cwd: "/", env: {}, stdio: "ignore" });
  const over = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  await within(KILL_WITHIN_MS, over, undefined);
  child.kill("SIGKILL");
}

/** The processes of these accounts outside of all allowed places, by account. */
export function outside(
  uids: ReadonlySet<number>,
  entered: (pid: number) => boolean,
): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, Set<number>>();
  const look = (pid: number) => {
    // the effective uid owns the folder, also of a process that cannot be traced (proc(5))
    const uid = uidOfFolder(`/proc/${pid}`);
    if (uid === undefined || !uids.has(uid) || !isAstray(pid, uid, entered)) return;
    found.set(uid, (found.get(uid) ?? new Set()).add(pid));
  };
  for (const name of readdirSync("/proc")) if (/^\d+$/.test(name)) look(Number(name));
  for (let sample = 0; sample < SAMPLES; sample += 1) for (const pid of newest()) look(pid);
  return new Map([...found].map(([uid, pids]) => [uid, [...pids]]));
}

/**
 * A process that forks and exits all the time has another pid before the list of all processes has been read. Its pid
 * is among the newest pids, of which proc_loadavg(5) shows one.
 */
function newest(): readonly number[] {
  const last = Number(readKernelFile("/proc/loadavg")?.trimEnd().split(" ").at(-1));
  return Number.isSafeInteger(last) ? Array.from({ length: NEWEST }, (_, at) => last + 1 - at) : [];
}

function uidOfFolder(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.uid;
  } catch {
    return undefined; // it ended at this moment
  }
}

function isAstray(pid: number, uid: number, entered: (pid: number) => boolean): boolean {
  const status = readKernelFile(`/proc/${pid}/status`);
  const kin = status === undefined ? undefined : kinIn(status);
  if (status === undefined || !kin) return false; // it ended at this moment
  if (hasEndedIn(status)) return false;
  return !isInSlice(pid) && !belongsToLogin(pid, kin, uid, entered);
}

/** A process that has ended is not outside: it counts as in the slice. */
const isInSlice = (pid: number): boolean => {
  const cgroup = readKernelFile(`/proc/${pid}/cgroup`);
  return cgroup === undefined || isOurs(cgroupIn(cgroup) ?? "");
};

/**
 * Whether the nearest ancestor of another account is a login program, and the login did not start a session's shim.
 */
function belongsToLogin(pid: number, own: Kin, uid: number, entered: (pid: number) => boolean): boolean {
  if (whyNoConnection(pid, uid) === undefined) return true;
  for (let [child, at] = [pid, own.parent]; at > 1; ) {
    const kin = kinOf(at);
    if (!kin) return false; // it has lost its parent at this moment
    if (kin.uids.some((id) => id !== uid)) return kin.uids.every((id) => id === 0) && LOGINS.has(nameOf(at));
    if (whyNoConnection(at, uid) === undefined) return !(isInSlice(child) || entered(child));
    [child, at] = [at, kin.parent];
  }
  return false;
}

function nameOf(pid: number): string {
  try {
    return programName(pid);
  } catch {
    return "";
  }
}
