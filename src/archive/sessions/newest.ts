import type { Summary } from "./summary.ts";

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
/** By their start; of those with the same one by their id, so that the order is always one. */
export const newestFirst = (a: Summary, b: Summary): number =>
  compare(b.start, a.start) || compare(b.session, a.session);

/** Keeps the `limit` items that come first in `order`, whatever their number: memory is that of the limit. */
export function newest<T>(limit: number, order: (a: T, b: T) => number) {
  let kept: T[] = [];
  const trim = () => {
    kept = kept.sort(order).slice(0, limit);
  };
  return {
    offer(item: T): void {
      kept.push(item);
      if (kept.length >= 2 * limit + 64) trim();
    },
    result(): readonly T[] {
      trim();
      return kept;
    },
  };
}
