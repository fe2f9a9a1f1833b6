import { spawn } from "node:child_process";
import { clock, sleep, within } from "../system/kernel/clock.ts";
import { readKernelFile } from "../system/kernel/kernel-files.ts";
import { type Pid, toPid } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { outside } from "./outside.ts";
import { poll } from "./poll.ts";

/** The interval at which the supervisor searches /proc while commands run, in milliseconds. */
const LOOK_MS = 7000 as Milliseconds;
/** The minimum time between two searches for one account, also when many of its sessions end at once, in milliseconds. */
const BETWEEN_LOOKS_MS = 100;
/** The minimum time between two searches of /proc for any accounts, in milliseconds. Accounts that wait share one. */
const BETWEEN_ROUNDS_MS = 20;
/**
 * The time between the two searches that must find a process outside, in milliseconds. A process that is just ending
 * with its parent has ended by the second search.
 */
const SURE_AFTER_MS = 250;
/**
 * The number of rounds in which found processes are ended one by one. After that all processes of the account are ended
 * at once.
 */
const ROUNDS = 4;
/** The number of searches after which the rest is left to the next one. */
const MOST_ROUNDS = 20;
/** After this number of searches in a row without a process, none is left. */
const EMPTY_LOOKS = 3;
/** The pid that names every process that the sender may signal (kill(2)). */
const EVERY_PROCESS = toPid(-1);
/** The maximum number of pids in the log. */
const TOLD = 20;
const KILL_WITHIN_MS = 5000;

/** An account whose processes belong into scopes. */
export interface TeamAccount {
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
  watch(account: TeamAccount): {
    /** Searches once more. @returns the number of processes ended since, and ends the watch */
    end(): Promise<number>;
  };
}

/** @param entered whether this process is a shim that is in a scope, according to the supervisor */
export function strays(entered: (pid: Pid) => boolean, warn: (message: string, facts: object) => void): Strays {
  const watches = new Map<number, { readonly account: TeamAccount; count: number }>();
  const waiting = new Map<TeamAccount, PromiseWithResolvers<void>>();
  const lastLooks = new Map<number, number>();
  const ended = new Map<number, number>();
  const under = new Map<number, Promise<void>>();
  let stop = () => {};
  let timer: NodeJS.Timeout | undefined;
  let lastRound = Number.NEGATIVE_INFINITY;

  const clear = async (account: TeamAccount) => {
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
  const clearOnce = (account: TeamAccount) => {
    const clearing = under.get(account.uid) ?? clear(account).finally(() => under.delete(account.uid));
    under.set(account.uid, clearing);
    return clearing;
  };
  const dueAt = ({ uid }: TeamAccount) => (lastLooks.get(uid) ?? Number.NEGATIVE_INFINITY) + BETWEEN_LOOKS_MS;
  /** If the processes of one account take long to end, the other accounts do not wait for them. */
  const look = (accounts: readonly TeamAccount[]) => {
    const suspects = outside(new Set(accounts.map(({ uid }) => uid)), entered);
    return (account: TeamAccount) => (suspects.has(account.uid) ? clearOnce(account) : Promise.resolve());
  };
  const round = () => {
    const at = clock.monotonic();
    const due = [...waiting].filter(([account]) => dueAt(account) <= at);
    if (due.length === 0) return begin();
    lastRound = at;
    for (const [account] of due) {
      waiting.delete(account); // a later caller gets another search
      lastLooks.set(account.uid, at);
    }
    begin();
    const tell = (error: unknown) => warn("processes could not be searched", { error: String(error) });
    const looked = attempt(() => look(due.map(([account]) => account)), tell);
    for (const [account, { resolve }] of due)
      void (looked?.(account) ?? Promise.resolve()).catch(tell).finally(resolve);
  };
  const begin = () => {
    if (waiting.size === 0 || timer !== undefined) return;
    const first = Math.min(...[...waiting.keys()].map(dueAt));
    const wait = Math.max(0, Math.max(first, lastRound + BETWEEN_ROUNDS_MS) - clock.monotonic());
    timer = setTimeout(() => {
      timer = undefined;
      round();
    }, Math.ceil(wait));
  };
  /** Settles after a search for this account that has not begun yet. */
  const looked = (account: TeamAccount): Promise<void> => {
    const known = waiting.get(account) ?? Promise.withResolvers<void>();
    waiting.set(account, known);
    begin();
    return known.promise;
  };
  return {
    watch(account) {
      const { uid } = account;
      const watch = watches.get(uid) ?? { account, count: 0 };
      if (watches.size === 0)
        stop = poll(LOOK_MS, () => [...watches.values()].forEach(({ account: one }) => void looked(one)));
      watches.set(uid, watch);
      watch.count += 1;
      const before = ended.get(uid) ?? 0;
      let result: Promise<number> | undefined;
      const end = async () => {
        await looked(watch.account);
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

function attempt<T>(work: () => T, failed: (error: unknown) => void): T | undefined {
  try {
    return work();
  } catch (error) {
    failed(error);
    return undefined;
  }
}

/** @returns undefined if two searches found no process outside */
async function endAll(account: TeamAccount, entered: (pid: Pid) => boolean) {
  await sleep(SURE_AFTER_MS);
  const pids = new Set<Pid>();
  const commands = new Set<string>();
  for (let [round, empty] = [0, 0]; ; round += 1) {
    const now = outside(new Set([account.uid]), entered).get(account.uid) ?? [];
    empty = now.length === 0 ? empty + 1 : 0;
    if (empty >= EMPTY_LOOKS) return pids.size === 0 ? undefined : { pids, commands: [...commands], rounds: round };
    for (const pid of now) {
      pids.add(pid);
      const name = readKernelFile(`/proc/${pid}/comm`)?.trimEnd();
      if (name) commands.add(name); // a process ended in the previous round may exit at this moment
    }
    if (round > MOST_ROUNDS) return { pids, commands: [...commands], rounds: round, remain: now.length };
    // fork(2) waits for a kill(2) to all processes, so none escapes between two searches. It also ends the account's
    // sessions.
    if (now.length > 0) await kill(account, round >= ROUNDS ? [EVERY_PROCESS] : now);
    await sleep(round);
  }
}

/** Sends with the account's own rights, so that a reused pid of another account is not signalled. */
async function kill({ uid, gid }: TeamAccount, pids: readonly Pid[]): Promise<void> {
  const words = ["-c", 'kill -s KILL -- "$@"', "sh", ...pids.map(String)];
  const child = spawn("/bin/sh", words, { uid, gid, cwd: "/", env: {}, stdio: "ignore" });
  const over = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  await within(KILL_WITHIN_MS, over, undefined);
  child.kill("SIGKILL");
}
