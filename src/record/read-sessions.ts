import { escapeText } from "../units/text.ts";
import type { ArchiveProblem, DayFile, Span } from "./archive.ts";
import { decodeLine } from "./decode.ts";
import { RecordError } from "./error.ts";
import { type Gathering, gather, take } from "./summary.ts";

/** A session as far as its file tells of it. */
export interface ReadSession {
  readonly known: Gathering;
  /** From its first line to its last; other sessions' lines lie in between. Absent where there is no file. */
  readonly span?: Span;
}

interface Open {
  readonly known: Gathering;
  readonly line: number;
  readonly from: number | undefined;
  to: number;
}

/**
 * The sessions of one file, each as soon as its end is read, those without an end last. Memory is that of the
 * sessions open at one time, whatever the file's size. What is damaged goes to `report` and is passed over.
 */
export function* readSessions(file: DayFile, report: (problem: ArchiveProblem) => void): Generator<ReadSession> {
  const open = new Map<string, Open>();
  try {
    for (const line of file.lines()) {
      const decoded = decodeLine(line);
      if (!decoded.ok) {
        report({ path: `${file.path}:${line.number}`, what: decoded.damage.what });
        continue;
      }
      const { record } = decoded;
      let session = open.get(record.session);
      if (session === undefined) {
        session = { known: gather(record), line: line.number, from: line.offset, to: 0 };
        open.set(record.session, session);
      }
      take(session.known, record);
      session.to = (line.offset ?? 0) + line.bytes.length + 1;
      if (record.event === "session.end") {
        open.delete(record.session);
        yield asRead(session);
      }
    }
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    report({ path: escapeText(file.path), what: error.message, unread: true });
  }
  for (const session of open.values()) yield asRead(session);
}

const asRead = ({ known, line, from, to }: Open): ReadSession =>
  from === undefined ? { known } : { known, span: { from, to, line } };
