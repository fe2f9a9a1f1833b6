/** Bits of a value that count: two values that differ by less than one in 1024 may be counted as the same. */
const KEPT_BITS = 11;
const HALF = 2 ** (KEPT_BITS - 1);
const GREATEST = 2 ** 32 - 1;

/** Where a value is counted: exactly up to 2047, then by its first 11 bits, as HdrHistogram (hdrhistogram.org) does it. */
function slotOf(value: number): number {
  const shift = Math.max(0, 32 - KEPT_BITS - Math.clz32(value));
  return shift * HALF + (value >>> shift);
}

/** The greatest value of a slot. */
function greatestIn(slot: number): number {
  const shift = Math.max(0, Math.floor(slot / HALF) - 1);
  return (slot - shift * HALF + 1) * 2 ** shift - 1;
}

/**
 * How some whole numbers are spread, in memory that does not depend on how many they are. In JavaScript because a call
 * of Node's own histogram takes as long as all else that is done for a session (`npm run bench:records`).
 */
export function spread() {
  const counts = new Uint32Array(slotOf(GREATEST) + 1);
  let total = 0;
  return {
    counts,
    get total() {
      return total;
    },
    /** @param value whole, from 0; what is above 2^32 - 1 counts as that */
    add(value: number, times = 1): void {
      const slot = slotOf(Math.min(GREATEST, value));
      counts[slot] = (counts[slot] ?? 0) + times;
      total += times;
    },
    /** The value that so many of a hundred do not exceed, at most 0.1 % above it; 0 where there is none. */
    percentile(per: number): number {
      let left = Math.ceil((per / 100) * total);
      for (const [slot, count] of counts.entries()) {
        left -= count;
        if (left <= 0 && count > 0) return greatestIn(slot);
      }
      return 0;
    },
    /** Takes all of another one in. */
    merge(other: { readonly counts: Uint32Array; readonly total: number }): void {
      for (const [slot, count] of other.counts.entries()) counts[slot] = (counts[slot] ?? 0) + count;
      total += other.total;
    },
  };
}
