import type { Milliseconds } from "../units/quantities.ts";

interface Round {
  readonly looks: Set<() => void>;
  readonly timer: NodeJS.Timeout;
}

const rounds = new Map<Milliseconds, Round>();

/**
 * Calls `look` repeatedly, the first time after at most `interval`. Callers with the same interval share one timer.
 * Most sessions wait most of the time, and a timer for each would wake the supervisor for one session at a time.
 * @returns a function that ends the calls
 */
export function poll(interval: Milliseconds, look: () => void): () => void {
  const round = rounds.get(interval) ?? begin(interval);
  const own = () => look(); // one function may be registered twice
  round.looks.add(own);
  return () => {
    round.looks.delete(own);
    if (round.looks.size > 0 || rounds.get(interval) !== round) return;
    clearInterval(round.timer);
    rounds.delete(interval);
  };
}

function begin(interval: Milliseconds): Round {
  const looks = new Set<() => void>();
  const timer = setInterval(() => {
    for (const look of looks) look();
  }, interval);
  const round = { looks, timer };
  rounds.set(interval, round);
  return round;
}
