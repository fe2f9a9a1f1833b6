import { escapeText } from "../units/text.ts";
import type { ArchiveProblem, DayFile, IsAlive } from "./archive.ts";
import { decodeLine } from "./decode.ts";
import { RecordError } from "./error.ts";
import type { SessionRecord } from "./schema.ts";
import { conclude, type Gathering, gather, type Summary, take } from "./summary.ts";

/** A session with all that is on record of it, in the order of its file. */
export interface WholeSession {
  readonly summary: Summary;
  readonly records: readonly SessionRecord[];
  /** Each record's line, as its bytes are, without its LF. */
  readonly lines: readonly string[];
}

interface Open {
  readonly known: Gathering;
  readonly records: SessionRecord[];
  readonly lines: string[];
}

/**
 * The sessions of one file with their records, each as soon as its end is read, those without an end last. Memory is
 * that of the sessions open at one time. What is damaged goes to `report` and is passed over.
 */
export function* wholeSessions(
  file: DayFile,
  isAlive: IsAlive,
  report: (problem: ArchiveProblem) => void,
): Generator<WholeSession> {
  const open = new Map<string, Open>();
  try {
    for (const line of file.lines()) {
      const decoded = decodeLine(line);
      if (!decoded.ok) {
        report({ path: `${file.path}:${line.number}`, what: decoded.damage.what });
        continue;
      }
      const { record } = decoded;
      if (Number.isNaN(Date.parse(record.time))) {
        report({ path: `${file.path}:${line.number}`, what: "not a record of nixgate: time: no such day" });
        continue;
      }
      const session = open.get(record.session) ?? { known: gather(record), records: [], lines: [] };
      take(session.known, record);
      session.records.push(record);
      session.lines.push(Buffer.from(line.bytes).toString("utf8"));
      if (record.event === "session.end") {
        open.delete(record.session);
        yield whole(session, isAlive);
      } else open.set(record.session, session);
    }
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    report({ path: escapeText(file.path), what: error.message });
  }
  for (const session of open.values()) yield whole(session, isAlive);
}

const whole = ({ known, records, lines }: Open, isAlive: IsAlive): WholeSession => ({
  summary: conclude(known, isAlive),
  records,
  lines,
});
