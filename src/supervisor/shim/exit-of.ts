import { constants } from "node:os";
import type { EndedBy, Exit } from "../../ending/ending.ts";
import { lookOfShim } from "../../session/shim-answers.ts";
import type { Held } from "../../system/cgroup/cgroup-scope.ts";
import type { SystemManager } from "../systemd/system-manager.ts";
import type { ShimChannel } from "./shim-channel.ts";

/** A scope or service with a shim in it, which this supervisor or an earlier one made. */
export interface ShimScope
  extends Pick<Held, "openedAt" | "begunAt" | "invocation" | "applied" | "appliedToTeam" | "stopTimeout" | "begin"> {
  /** The absolute path of its cgroup. */
  readonly folder: string;
  /** The program of its command. */
  readonly program: string;
}

/** A scope in which a shim runs the command as its child, and stays until the figures are read. */
export const heldBy = ({ shim: { pid } }: ShimChannel) =>
  ({
    pid,
    holder: pid,
    isolation: "scope-system",
    // as OOMPolicy=stop has it, systemd's default from 253 on; but its SIGKILL would take the shim too, and comes later
    stopsOnOom: true,
  }) as const;

/** `hit`: it got a signal, as all of a scope gets it. Its own word, which says no more than when to ask systemd. */
export interface Seen {
  shim?: "hit" | "gone";
}

/** What systemd says of a scope or service around a shim. */
export function stopsOf(unit: string, seen: Seen, manager: Pick<SystemManager, "onStop" | "stopOf">) {
  let isStopped = false;
  const onStop = (callback: () => void) =>
    manager.onStop(unit, () => {
      isStopped = true;
      callback();
    });
  return {
    onStop,
    /** In a session that ends by itself systemd is not asked: nothing came to the shim. */
    async endedBy(): Promise<EndedBy | undefined> {
      if (seen.shim === undefined && !isStopped) return undefined;
      const said = await manager.stopOf(unit);
      return said ?? (seen.shim === undefined ? undefined : "signal");
    },
  };
}

/**
 * Has a shim run the command. Where its answer is longer than the room that is held for it, and /run is full, the command
 * counts as killed: the shim stands still, and its last answer has the status that is on record.
 */
export function letRun(talk: ShimChannel, words: Parameters<ShimChannel["answer"]>[0]): void {
  talk.answer(words).catch(talk.lost);
}

/** How the command that a shim was told to run ended. @param seen takes what became of the shim meanwhile */
export async function endOf(talk: ShimChannel, program: string, seen: Seen): Promise<Exit> {
  const ask = await talk.asked();
  if (ask?.status === undefined) seen.shim = "gone";
  else if (ask.isHit) seen.shim = "hit";
  if (ask?.status === undefined) return { signal: "SIGKILL" };
  const look = lookOfShim(ask.status);
  return look === undefined ? exitOf(ask.status) : { code: NOT_FOUND, notExecuted: `${program} ${look}` };
}

/** As a shell exits where it finds no program (XCU 2.8.2). */
const NOT_FOUND = 127;

/**
 * What sh made of the command's end: 128 + the signal's number (XCU 2.8.2). A command that exits with such a status by
 * itself is taken for one that a signal ended; sh does not tell the two apart.
 */
export function exitOf(status: number): Exit {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return signal === undefined ? { code: status } : { signal: signal as NodeJS.Signals };
}
