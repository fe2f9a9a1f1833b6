import { constants } from "node:os";
import type { EndedBy, Exit } from "../../ending/ending.ts";
import { lookOfShim } from "../../session/shim-answers.ts";
import type { Held } from "../../system/cgroup/cgroup-scope.ts";
import type { SystemManager } from "../systemd/system-manager.ts";
import type { ShimChannel } from "./shim-channel.ts";

/** A scope or service with a shim in it, which this supervisor or an earlier one made. */
export interface ShimScope
  extends Pick<
    Held,
    "openedAt" | "begunAt" | "invocation" | "applied" | "appliedToTeam" | "stopTimeout" | "begin" | "builds"
  > {
  readonly unit: string;
  /** The absolute path of the cgroup that has the limits: the unit's, or the slice's around it and its builds. */
  readonly folder: string;
  /** The program of its command. */
  readonly program: string;
}

/** A scope in which a shim runs the command as its child, and stays until the counters are read. */
export const heldBy = ({ shim: { pid } }: ShimChannel) =>
  ({
    pid,
    holder: pid,
    isolation: "scope-system",
    // as with OOMPolicy=stop, systemd's default from 253 on, whose SIGKILL would also end the shim, and comes later
    stopsOnOom: true,
  }) as const;

/**
 * `hit`: the shim received a signal, as all of its scope did. The account reports it, so it only decides whether
 * systemd is asked.
 */
export interface Seen {
  shim?: "hit" | "gone";
}

/** Starts a shim's command, and knows whether it runs. Meanwhile sh waits for it, and handles nothing else. */
export function commandOfShim({ begunAt, begin }: Pick<ShimScope, "begunAt" | "begin">, exited: Promise<Exit>) {
  let isRunning = begunAt !== undefined;
  void exited.then(() => {
    isRunning = false;
  });
  return {
    isRunning: () => isRunning,
    begin() {
      isRunning = true;
      begin();
    },
  };
}

/** systemd's facts about the stop of a scope or service around a shim. */
export function stopsOf(unit: string, seen: Seen, manager: Pick<SystemManager, "onStop" | "stopOf">) {
  let isStopped = false;
  const onStop = (callback: () => void) =>
    manager.onStop(unit, () => {
      isStopped = true;
      callback();
    });
  return {
    onStop,
    /** systemd is not asked about a session that ends by itself, because the shim received no signal. */
    async endedBy(): Promise<EndedBy | undefined> {
      if (seen.shim === undefined && !isStopped) return undefined;
      const said = await manager.stopOf(unit);
      return said ?? (seen.shim === undefined ? undefined : "signal");
    },
  };
}

/**
 * Lets a shim run the command. If the answer is longer than its reserved space and /run is full, the command counts as
 * killed. The shim stays stopped, and its last answer has the recorded status.
 */
export function letRun(talk: ShimChannel, words: Parameters<ShimChannel["answer"]>[0]): void {
  talk.answer(words).catch(talk.lost);
}

/** The exit of the command that a shim runs. @param seen is set to what happened to the shim meanwhile */
export async function endOf(talk: ShimChannel, program: string, seen: Seen): Promise<Exit> {
  const ask = await talk.asked();
  if (ask?.status === undefined) seen.shim = "gone";
  else if (ask.isHit) seen.shim = "hit";
  if (ask?.status === undefined) return { signal: "SIGKILL" };
  const look = lookOfShim(ask.status);
  return look === undefined ? exitOf(ask.status) : { code: NOT_FOUND, notExecuted: `${program} ${look}` };
}

/** The status of a shell that finds no program (XCU 2.8.2). */
const NOT_FOUND = 127;

/**
 * Converts sh's status of the command: 128 + the signal's number (XCU 2.8.2). A command that exits with such a status
 * by itself counts as ended by a signal, because sh does not distinguish them.
 */
export function exitOf(status: number): Exit {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return signal === undefined ? { code: status } : { signal: signal as NodeJS.Signals };
}
