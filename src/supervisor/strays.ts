import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { clock, sleep, within } from "../system/kernel/clock.ts";
import { readKernelFile } from "../system/kernel/kernel-files.ts";
import { cgroupIn, hasEndedIn, type Kin, kinIn } from "../system/kernel/process-texts.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { kinOf, programName, whyNoConnection } from "./connection.ts";
import { poll } from "./poll.ts";
import { isOurs } from "./shim/shim-process.ts";

/** How often all of /proc is looked at while commands run. */
const LOOK_MS = 7000 as Milliseconds;
/** Two looks at /proc are at least so far apart, also where many sessions end at once. */
const BETWEEN_LOOKS_MS = 100;
/** Who is outside in two looks so far apart is no process that ends in this moment with its parent. */
const SURE_AFTER_MS = 250;
/** So many times each process that was found is ended by its number; then all processes of the account at once. */
const ROUNDS = 10;
/** Nobody is left where so many looks in a row found nobody. */
const EMPTY_LOOKS = 3;
/** So many pids of them are named in the log. */
const TOLD = 20;
const KILL_WITHIN_MS = 5000;
/** How often, and how many of them, the numbers are looked at that were given out last. */
const SAMPLES = 8;
const NEWEST = 8;
/** Programs of root's that begin a session as an account for somebody who may. */
const LOGINS: ReadonlySet<string> = new Set(["su", "runuser", "sudo", "login", "setpriv"]);

/** An account whose processes belong into scopes. */
export interface Watched {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Finds and ends the processes of the teams' accounts that are neither in nixgate's slice nor part of a login that sshd or
 * root began: what has left its scope by whatever way, a systemd or services of the account's own, jobs of cron(8) and
 * at(1), and what such a login has left behind.
 */
export interface Strays {
  /** A session of this account's begins to run commands. */
  watch(account: Watched): {
    /** Looks once more. @returns how many were ended since, and ends the watch */
    end(): Promise<number>;
  };
}

/** @param entered whether this process is a shim that is in a scope, as far as the supervisor knows */
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
  /** One at a time for each account: none is counted twice. */
  const clearOnce = (account: Watched) => {
    const clearing = under.get(account.uid) ?? clear(account).finally(() => under.delete(account.uid));
    under.set(account.uid, clearing);
    return clearing;
  };
  const look = async () => {
    await sleep(Math.max(0, lastLook + BETWEEN_LOOKS_MS - clock.monotonic()));
    next = undefined; // who asks from now on gets another look
    lastLook = clock.monotonic();
    const suspects = outside(new Set(watches.keys()), entered);
    const accounts = [...watches.values()].map(({ account }) => account).filter(({ uid }) => suspects.has(uid));
    await Promise.all(accounts.map(clearOnce));
  };
  /** Settles after a look that has not begun yet. */
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

/** @returns undefined where nobody was outside in two looks */
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
      if (name) commands.add(name); // one that was ended in the round before may go in this moment
    }
    if (round > 2 * ROUNDS) return { pids, commands: [...commands], remain: now.length };
    // fork(2) waits for kill(2) to all: nobody gets away between two looks. It ends the account's sessions with them.
    if (now.length > 0) await kill(account, round >= ROUNDS ? [-1] : now);
    await sleep(round);
  }
}

/** With the account's own rights: whoever has a number by now, no process of another account is ended. */
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

/** The processes of these accounts that are where none belongs, by account. */
export function outside(
  uids: ReadonlySet<number>,
  entered: (pid: number) => boolean,
): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, Set<number>>();
  const look = (pid: number) => {
    // the folder is the effective uid's, also of a process that cannot be traced (proc(5))
    const uid = uidOfFolder(`/proc/${pid}`);
    if (uid === undefined || !uids.has(uid) || !isAstray(pid, uid, entered)) return;
    found.set(uid, (found.get(uid) ?? new Set()).add(pid));
  };
  for (const name of readdirSync("/proc")) if (/^\d+$/.test(name)) look(Number(name));
  for (let sample = 0; sample < SAMPLES; sample += 1) for (const pid of newest()) look(pid);
  return new Map([...found].map(([uid, pids]) => [uid, [...pids]]));
}

/**
 * A process that forks and exits all the time has another number before a list of all has been looked through: it is among
 * the numbers that were given out last, of which proc_loadavg(5) tells one.
 */
function newest(): readonly number[] {
  const last = Number(readKernelFile("/proc/loadavg")?.trimEnd().split(" ").at(-1));
  return Number.isSafeInteger(last) ? Array.from({ length: NEWEST }, (_, at) => last + 1 - at) : [];
}

function uidOfFolder(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.uid;
  } catch {
    return undefined; // it ended in this moment
  }
}

function isAstray(pid: number, uid: number, entered: (pid: number) => boolean): boolean {
  const status = readKernelFile(`/proc/${pid}/status`);
  const kin = status === undefined ? undefined : kinIn(status);
  if (status === undefined || !kin) return false; // it ended in this moment
  if (hasEndedIn(status)) return false;
  return !isInSlice(pid) && !belongsToLogin(pid, kin, uid, entered);
}

/** A process that has gone meanwhile is nowhere, and counts as being there. */
const isInSlice = (pid: number): boolean => {
  const cgroup = readKernelFile(`/proc/${pid}/cgroup`);
  return cgroup === undefined || isOurs(cgroupIn(cgroup) ?? "");
};

/** Whether its nearest ancestor that is not the account's is one that logs in, and it was no shim of a session's that came so. */
function belongsToLogin(pid: number, own: Kin, uid: number, entered: (pid: number) => boolean): boolean {
  if (whyNoConnection(pid, uid) === undefined) return true;
  for (let [child, at] = [pid, own.parent]; at > 1; ) {
    const kin = kinOf(at);
    if (!kin) return false; // it has lost its parent in this moment
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
