import { clock } from "../system/kernel/clock.ts";
import type { Pid } from "../units/ids.ts";
import type { Fifo } from "./fifos.ts";
import type { Ask } from "./shim/shim-channel.ts";
import type { ShimProcess } from "./shim/shim-process.ts";

/**
 * The number of sessions of one team that can begin at one time. The start of a session costs the supervisor most. If a
 * team starts many, they wait for each other. Sessions of other teams share the supervisor's time with at most this
 * number of them.
 */
const BEGINNING = 2;
/** The same while sessions of another team start, so that these get as much of the supervisor's time. */
const BEGINNING_BESIDE_OTHERS = 1;
/** The pause between two checks of a team's budget, in milliseconds. */
const CHECK_AGAIN_MS = 50;
/** Waiting shims of one team, with two descriptors each. Further lines stay in the FIFO, and their writers wait. */
const MOST_WAITING = 1000;

/** A shim that has asked for its first answer. */
export interface Arrival {
  readonly shim: ShimProcess;
  readonly ask: Ask;
  /** The time at which its line was read, by clock.monotonic(). */
  readonly since: number;
}

export interface Arrivals {
  add(fifo: Fifo, shim: ShimProcess, ask: Ask): void;
  /** Whether a shim with this pid waits to begin, or begins. Its repeated lines say nothing new. */
  has(fifo: Fifo, pid: Pid): boolean;
  /** Whether this team's queue is full. */
  isFull(fifo: Fifo): boolean;
}

/**
 * Begins the sessions of each team in the order of their arrival, a bounded number at a time.
 * @param mayBegin whether a session of the team may begin now; it is asked again after a pause
 * @param begin settles when the session has begun, or will not begin; it closes the shim
 */
export function arrivalsInTurn(
  begin: (fifo: Fifo, arrival: Arrival) => Promise<void>,
  mayBegin: (fifo: Fifo) => boolean = () => true,
): Arrivals {
  const teams = new Map<Fifo, { readonly waiting: Map<Pid, Arrival>; readonly beginning: Set<Arrival> }>();
  const teamOf = (fifo: Fifo) => {
    const known = teams.get(fifo) ?? { waiting: new Map(), beginning: new Set() };
    teams.set(fifo, known);
    return known;
  };
  const mostOf = (team: unknown) =>
    [...teams.values()].some((other) => other !== team && other.beginning.size > 0)
      ? BEGINNING_BESIDE_OTHERS
      : BEGINNING;
  const pausing = new Set<Fifo>();
  const pause = (fifo: Fifo) => {
    if (pausing.has(fifo)) return;
    pausing.add(fifo);
    setTimeout(() => {
      pausing.delete(fifo);
      next(fifo);
    }, CHECK_AGAIN_MS);
  };
  const next = (fifo: Fifo) => {
    const team = teamOf(fifo);
    const most = mostOf(team);
    for (const [pid, arrival] of team.waiting) {
      if (team.beginning.size >= most) return;
      if (!mayBegin(fifo)) return pause(fifo);
      team.waiting.delete(pid);
      if (arrival.shim.state() === "gone") {
        arrival.shim.close();
        continue;
      }
      team.beginning.add(arrival);
      void begin(fifo, arrival).finally(() => {
        team.beginning.delete(arrival);
        next(fifo);
        if (team.beginning.size === 0) for (const other of teams.keys()) if (other !== fifo) next(other);
      });
    }
  };
  return {
    add(fifo, shim, ask) {
      const { waiting } = teamOf(fifo);
      const known = waiting.get(shim.pid);
      if (known && known.shim.state() !== "gone") return shim.close(); // somebody continued it, and it asked again
      known?.shim.close();
      waiting.set(shim.pid, { shim, ask, since: clock.monotonic() });
      next(fifo);
    },
    has(fifo, pid) {
      const { waiting, beginning } = teamOf(fifo);
      return [waiting.get(pid), ...beginning].some((one) => one?.shim.pid === pid && one.shim.state() !== "gone");
    },
    isFull: (fifo) => teamOf(fifo).waiting.size >= MOST_WAITING,
  };
}
