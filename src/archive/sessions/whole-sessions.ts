import type { SessionRecord } from "../../record/schema.ts";
import type { ArchiveProblem, DayFile, IsAlive } from "../archive.ts";
import { gatherSessions } from "./gather-sessions.ts";
import { conclude, type Gathering, type Summary } from "./summary.ts";

/** A session with all its records, in the order of its file. */
export interface WholeSession {
  readonly summary: Summary;
  readonly records: readonly SessionRecord[];
  /** The exact line of each record, without its LF. */
  readonly lines: readonly string[];
}

/** The sessions of one file in the order of `gatherSessions`, with their records. */
export function* wholeSessions(
  file: DayFile,
  isAlive: IsAlive,
  report: (problem: ArchiveProblem) => void,
): Generator<WholeSession> {
  for (const { known, records, lines } of gatherSessions(file, report, begin))
    yield { summary: conclude(known, isAlive), records, lines };
}

function begin(known: Gathering) {
  const records: SessionRecord[] = [];
  const lines: string[] = [];
  return {
    ...{ known, records, lines },
    take(record: SessionRecord, { bytes }: { readonly bytes: Uint8Array }): void {
      records.push(record);
      lines.push(Buffer.from(bytes).toString("utf8"));
    },
  };
}
