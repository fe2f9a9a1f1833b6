import { newest, newestFirst } from "../archive/sessions/newest.ts";
import type { SessionUsage } from "../archive/sessions/session-usage.ts";
import type { WholeSession } from "../archive/sessions/whole-sessions.ts";
import type { Cap } from "./charts/chart-parts.ts";
import { type Range, rangeOf } from "./charts/time-axis.ts";
import { Tally } from "./report-totals.ts";

/** As many sessions as have a row and a part of their own, the newest; figures and charts are of all. */
export const PARTS_MAX = 2000;

/** What the page is about, in words of the command line. */
export interface Question {
  /** Milliseconds since 1970; absent where nothing was asked for. */
  readonly since?: number;
  readonly until?: number;
  /** The other filters, as they were written: `--team alpha`. */
  readonly filters: readonly string[];
}

export interface ReportFacts {
  readonly question: Question;
  readonly now: number;
  readonly version: string;
  readonly archive: string;
  readonly caps: ReadonlyMap<string, Cap>;
  /** What was wrong with the files: the first few, and how many in all. */
  readonly problems: { readonly shown: readonly string[]; readonly count: number };
}

/** A session that has a part of its own, with its lines alone: as objects they would take four times the memory. */
export interface Detailed {
  readonly session: Omit<WholeSession, "records">;
  readonly usage: SessionUsage;
}

/** Everything that the page is made from. */
export interface Gathered {
  readonly tally: Tally;
  readonly detailed: readonly Detailed[];
  readonly range: Range;
}

/**
 * Takes sessions in, one after the other, in any order. Memory is that of PARTS_MAX sessions with their lines, and
 * 20 bytes for each other one.
 */
export function gatherReport({ since, until }: Question, now: number) {
  const tally = new Tally();
  const detailed = newest<Detailed>(PARTS_MAX, (a, b) => newestFirst(a.session.summary, b.session.summary));
  return {
    add(session: WholeSession): void {
      const { summary, lines } = session;
      detailed.offer({ session: { summary, lines }, usage: tally.add(session, now) });
    },
    result(): Gathered {
      // one moment is no range: the page shows the sessions that were there then from their starts to their ends
      if (since !== undefined && since === until)
        return { tally, detailed: detailed.result(), range: rangeOf({}, tally.spans.range(now)) };
      const to = until ?? (since === undefined ? undefined : now);
      const wanted = { ...(since !== undefined && { from: since }), ...(to !== undefined && { to }) };
      return { tally, detailed: detailed.result(), range: rangeOf(wanted, tally.spans.range(now)) };
    },
  };
}
