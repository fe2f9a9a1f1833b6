import { constants } from "node:os";
import type { EndedBy, Exit } from "../../ending/ending.ts";
import type { Plan } from "../../scope/plan.ts";
import { lookOfFront } from "../../session/front-answers.ts";
import type { SystemManager } from "./system-manager.ts";
import type { Talk } from "./talk.ts";

/** A scope in which a front runs the command as its child, and stays until the figures are read. */
export const heldBy = ({ front: { pid } }: Talk) =>
  ({
    pid,
    holder: pid,
    isolation: "scope-system",
    // as OOMPolicy=stop has it, systemd's default from 253 on; but its SIGKILL would take the front too, and comes later
    stopsOnOom: true,
  }) as const;

/** `hit`: it got a signal, as all of a scope gets it. Its own word, which says no more than when to ask systemd. */
export interface Seen {
  front?: "hit" | "gone";
}

/** What systemd says of a scope or service around a front. */
export function stopsOf(unit: string, seen: Seen, manager: Pick<SystemManager, "onStop" | "stopOf">) {
  let isStopped = false;
  const onStop = (callback: () => void) =>
    manager.onStop(unit, () => {
      isStopped = true;
      callback();
    });
  return {
    onStop,
    /** In a session that ends by itself systemd is not asked: nothing came to the front. */
    async endedBy(): Promise<EndedBy | undefined> {
      if (seen.front === undefined && !isStopped) return undefined;
      const said = await manager.stopOf(unit);
      return said ?? (seen.front === undefined ? undefined : "signal");
    },
  };
}

/**
 * Has a front run the command. Where its answer is longer than the room that is held for it, and /run is full, the command
 * counts as killed: the front stands still, and its last answer has the status that is on record.
 */
export function letRun(talk: Talk, words: Parameters<Talk["answer"]>[0]): void {
  talk.answer(words).catch(talk.lost);
}

/** How the command that a front was told to run ended. @param seen takes what became of the front meanwhile */
export async function endOf(talk: Talk, { argv: [program] }: Pick<Plan, "argv">, seen: Seen): Promise<Exit> {
  const ask = await talk.asked();
  if (ask?.status === undefined) seen.front = "gone";
  else if (ask.isHit) seen.front = "hit";
  if (ask?.status === undefined) return { signal: "SIGKILL" };
  const look = lookOfFront(ask.status);
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
