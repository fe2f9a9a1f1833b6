import { clock } from "../clock.ts";
import type { Fifo } from "./fifos.ts";
import type { Front } from "./front.ts";
import type { Ask } from "./talk.ts";

/**
 * Sessions of one team that begin at one time. To begin is what a session costs the supervisor: where a team starts many, its own
 * wait for each other, and those of another team share the time with so many of them at most.
 */
const BEGINNING = 2;
/** Fronts of one team that wait to begin, with two descriptors each; more lines stay in the FIFO, and their writers wait. */
const MOST_WAITING = 1000;

/** A front that has asked for its first answer. */
export interface Arrival {
  readonly front: Front;
  readonly ask: Ask;
  /** When its line was read; clock.monotonic(). */
  readonly since: number;
}

export interface Arrivals {
  add(fifo: Fifo, front: Front, ask: Ask): void;
  /** Whether no more fronts of this team are to be added now. */
  isFull(fifo: Fifo): boolean;
}

/**
 * Begins the sessions of each team in the order in which they came, some at a time.
 * @param begin settles when the session has begun, or will not; it closes the front
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
      if (arrival.front.state() === "gone") {
        arrival.front.close();
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
    add(fifo, front, ask) {
      const { waiting } = teamOf(fifo);
      const known = waiting.get(front.pid);
      if (known && known.front.state() !== "gone") return front.close(); // it was let go on, and asks once more
      known?.front.close();
      waiting.set(front.pid, { front, ask, since: clock.monotonic() });
      next(fifo);
    },
    isFull: (fifo) => teamOf(fifo).waiting.size >= MOST_WAITING,
  };
}
