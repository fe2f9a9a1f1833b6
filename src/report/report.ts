import { newest, newestFirst } from "../archive/sessions/newest.ts";
import type { SessionUsage } from "../archive/sessions/session-usage.ts";
import type { WholeSession } from "../archive/sessions/whole-sessions.ts";
import type { Cap } from "./charts/chart-parts.ts";
import { type Range, rangeOf } from "./charts/time-axis.ts";
import { ReportTotals } from "./report-totals.ts";

/** The most sessions with a row and a part of their own: the newest ones. Figures and charts cover all sessions. */
export const PARTS_MAX = 2000;

/** The sessions that the page is about, in words of the command line. */
export interface Question {
  /** Milliseconds since 1970; absent where the user gave none. */
  readonly since?: number;
  readonly until?: number;
  /** The other filters as the user wrote them: `--team alpha`. */
  readonly filters: readonly string[];
}

export interface ReportFacts {
  readonly question: Question;
  readonly now: number;
  readonly version: string;
  readonly archive: string;
  readonly caps: ReadonlyMap<string, Cap>;
  /** The damage of the files: the first few messages, and the number of all. */
  readonly problems: { readonly shown: readonly string[]; readonly count: number };
}

/**
 * A session with a part of its own. Only its lines are kept: as objects its records would take four times the memory.
 */
export interface Detailed {
  readonly session: Omit<WholeSession, "records">;
  readonly usage: SessionUsage;
}

/** All data of the page. */
export interface ReportData {
  readonly tally: ReportTotals;
  readonly detailed: readonly Detailed[];
  readonly range: Range;
}

/**
 * Collects sessions one after the other, in any order. Memory holds PARTS_MAX sessions with their lines, and 20 bytes
 * for each other session.
 */
export function gatherReport({ since, until }: Question, now: number) {
  const tally = new ReportTotals();
  const detailed = newest<Detailed>(PARTS_MAX, (a, b) => newestFirst(a.session.summary, b.session.summary));
  return {
    add(session: WholeSession): void {
      const { summary, lines } = session;
      detailed.offer({ session: { summary, lines }, usage: tally.add(session, now) });
    },
    result(): ReportData {
      // one moment is no range: the page then shows the sessions of that moment from their starts to their ends
      if (since !== undefined && since === until)
        return { tally, detailed: detailed.result(), range: rangeOf({}, tally.spans.range(now)) };
      const to = until ?? (since === undefined ? undefined : now);
      const wanted = { ...(since !== undefined && { from: since }), ...(to !== undefined && { to }) };
      return { tally, detailed: detailed.result(), range: rangeOf(wanted, tally.spans.range(now)) };
    },
  };
}
