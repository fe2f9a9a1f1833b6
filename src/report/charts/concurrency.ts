import type { Spans } from "./spans.ts";
import type { Range } from "./time-axis.ts";

/** The number of sessions that ran at the same time. */
export interface Concurrency {
  /** The highest number, and the time at which it was first reached. */
  readonly peak: number;
  readonly peakAt: number;
  /** The highest number within each step of the picture, where it changes. */
  readonly steps: readonly { readonly start: number; readonly count: number }[];
}

/**
 * Counts exactly, over the starts and ends of all sessions of some rows. Refused sessions took no slot and do not
 * count.
 */
export function concurrencyOf(spans: Spans, rows: ReadonlySet<number>, range: Range, pixels: number): Concurrency {
  const own: number[] = [];
  for (let index = 0; index < spans.count; index += 1) {
    const { row, admitted } = spans.at(index);
    if (admitted && rows.has(row)) own.push(index);
  }
  const starts = Float64Array.from(own, (index) => spans.at(index).start).sort();
  const ends = Float64Array.from(own, (index) => spans.at(index).end).sort();
  const step = (range.to - range.from) / pixels;
  const highest = new Float64Array(pixels);
  let [peak, peakAt, ended, slot] = [0, range.from, 0, -1];
  /** The number of the first `begun` sessions that still run at a time. */
  const left = (begun: number, time: number) => {
    while (ended < begun && (ends[ended] ?? 0) <= time) ended += 1;
    return begun - ended;
  };
  const note = (at: number, count: number, time: number) => {
    highest[at] = Math.max(highest[at] ?? 0, count);
    if (count > peak) [peak, peakAt] = [count, time];
  };
  // between two starts the number only falls, so each step's highest number is the one at its start
  const stepTo = (last: number, begun: number) => {
    while (slot < last) {
      slot += 1;
      const time = range.from + slot * step;
      note(slot, left(begun, time), time);
    }
  };
  for (const [begun, start] of starts.entries()) {
    if (start < range.from) continue;
    const at = Math.min(Math.floor((start - range.from) / step), pixels - 1);
    stepTo(at, begun);
    note(at, left(begun, start) + 1, start);
  }
  stepTo(pixels - 1, starts.length);
  const all = Array.from(highest, (count, index) => ({ start: range.from + index * step, count }));
  const steps = all.filter(({ count }, index) => index === 0 || count !== all[index - 1]?.count);
  return { peak, peakAt, steps: [...steps, { start: range.to, count: all.at(-1)?.count ?? 0 }] };
}
