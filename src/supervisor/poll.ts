import type { Milliseconds } from "../units/quantities.ts";

interface Round {
  readonly looks: Set<() => void>;
  readonly timer: NodeJS.Timeout;
}

const rounds = new Map<Milliseconds, Round>();

/**
 * Calls back again and again, the first time after `interval` at the latest. Whoever has the same interval shares one
 * timer: most sessions wait for the most part, and each timer of its own would wake the supervisor for one of them.
 * @returns ends it
 */
export function poll(interval: Milliseconds, look: () => void): () => void {
  const round = rounds.get(interval) ?? begin(interval);
  const own = () => look(); // the same look may be due twice
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
