import { clock } from "../system/kernel/clock.ts";
import type { Fifo } from "./fifos.ts";

const MINUTE_MS = 60_000;

export type Complain = (fifo: Pick<Fifo, "name">, message: string, facts?: object) => void;

/** Writes warnings about one team, with a maximum a minute, so that one team cannot flood the log. */
export function complaints(
  warn: (message: string, facts: object) => void,
  most: number,
  now: () => number = clock.monotonic,
): Complain {
  const minutes = new Map<string, { readonly since: number; count: number }>();
  return ({ name }, message, facts = {}) => {
    const at = now();
    const known = minutes.get(name);
    const minute = known && at - known.since < MINUTE_MS ? known : { since: at, count: 0 };
    minutes.set(name, minute);
    minute.count += 1;
    if (minute.count <= most) warn(message, { team: name, ...facts });
    if (minute.count === most && most > 1) warn("and more of it in this minute", { team: name });
  };
}
