import type { Summary } from "./summary.ts";

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
/** Orders by start, and by id where the starts are equal, so that the order is always the same. */
export const newestFirst = (a: Summary, b: Summary): number =>
  compare(b.start, a.start) || compare(b.session, a.session);

/** Keeps the first `limit` items in `order`. Memory holds `limit` items, however many are added. */
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
