import { clock } from "../system/kernel/clock.ts";
import type { Fifo } from "./fifos.ts";
import type { Ask } from "./shim/shim-channel.ts";
import type { ShimProcess } from "./shim/shim-process.ts";

/**
 * Sessions of one team that begin at one time. To begin is what a session costs the supervisor: where a team starts many, its own
 * wait for each other, and those of another team share the time with so many of them at most.
 */
const BEGINNING = 2;
/** Shims of one team that wait to begin, with two descriptors each; more lines stay in the FIFO, and their writers wait. */
const MOST_WAITING = 1000;

/** A shim that has asked for its first answer. */
export interface Arrival {
  readonly shim: ShimProcess;
  readonly ask: Ask;
  /** When its line was read; clock.monotonic(). */
  readonly since: number;
}

export interface Arrivals {
  add(fifo: Fifo, shim: ShimProcess, ask: Ask): void;
  /** Whether no more shims of this team are to be added now. */
  isFull(fifo: Fifo): boolean;
}

/**
 * Begins the sessions of each team in the order in which they came, some at a time.
 * @param begin settles when the session has begun, or will not; it closes the shim
 */
export function arrivalsInTurn(begin: (fifo: Fifo, arrival: Arrival) => Promise<void>): Arrivals {
  const teams = new Map<Fifo, { readonly waiting: Map<number, Arrival>; beginning: number }>();
  const teamOf = (fifo: Fifo) => {
    const known = teams.get(fifo) ?? { waiting: new Map(), beginning: 0 };
    teams.set(fifo, known);
    return known;
  };
  const next = (fifo: Fifo) => {
    const team = teamOf(fifo);
    for (const [pid, arrival] of team.waiting) {
      if (team.beginning >= BEGINNING) return;
      team.waiting.delete(pid);
      if (arrival.shim.state() === "gone") {
        arrival.shim.close();
        continue;
      }
      team.beginning += 1;
      void begin(fifo, arrival).finally(() => {
        team.beginning -= 1;
        next(fifo);
      });
    }
  };
  return {
    add(fifo, shim, ask) {
      const { waiting } = teamOf(fifo);
      const known = waiting.get(shim.pid);
      if (known && known.shim.state() !== "gone") return shim.close(); // it was let go on, and asks once more
      known?.shim.close();
      waiting.set(shim.pid, { shim, ask, since: clock.monotonic() });
      next(fifo);
    },
    isFull: (fifo) => teamOf(fifo).waiting.size >= MOST_WAITING,
  };
}
