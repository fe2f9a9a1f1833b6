/**
 * The number of significant bits of a value. Two values that differ by less than one in 1024 may be counted as the
 * same.
 */
const KEPT_BITS = 11;
const HALF = 2 ** (KEPT_BITS - 1);
const GREATEST = 2 ** 32 - 1;

/** The slot of a value: exact up to 2047, then by its first 11 bits, as in HdrHistogram (hdrhistogram.org). */
function slotOf(value: number): number {
  const shift = Math.max(0, 32 - KEPT_BITS - Math.clz32(value));
  return shift * HALF + (value >>> shift);
}

/** The greatest value of a slot. */
function greatestIn(slot: number): number {
  const shift = Math.max(0, Math.floor(slot / HALF) - 1);
  return (slot - shift * HALF + 1) * 2 ** shift - 1;
}

/** With at most this many slots in use, a histogram is a map and not an array of all slots. */
const FEW_SLOTS = 256;

/**
 * A histogram of whole numbers. Its memory does not depend on the number of values, and is small with few values. Node's
 * own histogram is not used, because one call of it takes as long as all other work for a session (`npm run
 * bench:records`).
 */
export function spread() {
  const few = new Map<number, number>();
  let counts: Uint32Array | undefined;
  let total = 0;
  const addTo = (slot: number, times: number): void => {
    total += times;
    if (counts) {
      counts[slot] = (counts[slot] ?? 0) + times;
      return;
    }
    few.set(slot, (few.get(slot) ?? 0) + times);
    if (few.size <= FEW_SLOTS) return;
    counts = new Uint32Array(slotOf(GREATEST) + 1);
    for (const [known, count] of few) counts[known] = count;
    few.clear();
  };
  /** The slots in use, the least value first. */
  function* used(): Generator<readonly [slot: number, count: number]> {
    if (!counts) yield* [...few].sort(([a], [b]) => a - b);
    else for (const [slot, count] of counts.entries()) if (count > 0) yield [slot, count];
  }
  return {
    used,
    get total() {
      return total;
    },
    /** Whether the histogram has memory for every slot. */
    get isWide() {
      return counts !== undefined;
    },
    /** @param value a whole number from 0; a value above 2^32 - 1 counts as 2^32 - 1 */
    add(value: number, times = 1): void {
      addTo(slotOf(Math.min(GREATEST, value)), times);
    },
    /** The value that `per` of a hundred values do not exceed, or at most 0.1 % more; 0 where there is no value. */
    percentile(per: number): number {
      let left = Math.ceil((per / 100) * total);
      for (const [slot, count] of used()) {
        left -= count;
        if (left <= 0) return greatestIn(slot);
      }
      return 0;
    },
    /** Adds all values of another histogram. */
    merge(other: { used(): Iterable<readonly [slot: number, count: number]> }): void {
      for (const [slot, count] of other.used()) addTo(slot, count);
    },
  };
}
