import { OUTCOMES, type OutcomeName } from "../exports/outcome.ts";
import type { Spans } from "./spans.ts";
import type { Range } from "./time-axis.ts";

/** A bar: one session, or several that would overlap in the picture. */
export interface Bar {
  readonly row: number;
  readonly outcome: OutcomeName;
  readonly start: number;
  readonly end: number;
  readonly sessions: number;
}

const ORDER = Object.keys(OUTCOMES) as readonly OutcomeName[];

/**
 * All sessions of some rows as bars of a picture that is `pixels` wide. Sessions within one pixel of each other share a
 * bar. So the picture's width limits the number of bars, not the number of sessions.
 */
export function barsOf(spans: Spans, rows: ReadonlySet<number>, range: Range, pixels: number): readonly Bar[] {
  const pixel = (range.to - range.from) / pixels;
  const byLane = new Map<string, Bar[]>();
  for (let index = 0; index < spans.count; index += 1) {
    const { row, outcome, ...span } = spans.at(index);
    if (!rows.has(row) || span.end < range.from || span.start > range.to) continue;
    const lane = `${row} ${outcome}`;
    const start = Math.max(span.start, range.from);
    // a bar is at least two pixels wide, because a narrower one is hardly visible
    const end = Math.min(Math.max(span.end, start + 2 * pixel), range.to);
    const bars = byLane.get(lane) ?? [];
    byLane.set(lane, bars);
    bars.push({ row, outcome, start: Math.min(start, end - 2 * pixel), end, sessions: 1 });
    if (bars.length > 4 * pixels) byLane.set(lane, merged(bars, pixel));
  }
  const bars = [...byLane.values()].flatMap((lane) => merged(lane, pixel));
  // rare and bad outcomes are drawn over common ones
  return bars.sort((a, b) => ORDER.indexOf(b.outcome) - ORDER.indexOf(a.outcome));
}

function merged(bars: readonly Bar[], gap: number): Bar[] {
  const joined: Bar[] = [];
  for (const bar of [...bars].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last && bar.start - last.end < gap)
      joined[joined.length - 1] = {
        ...last,
        end: Math.max(last.end, bar.end),
        sessions: last.sessions + bar.sessions,
      };
    else joined.push(bar);
  }
  return joined;
}
