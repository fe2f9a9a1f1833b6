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
