import { escapeText } from "../units/text.ts";
import type { ArchiveProblem, DayFile, RawLine } from "./archive.ts";
import { decodeLine } from "./decode.ts";
import { RecordError } from "./error.ts";
import type { SessionRecord } from "./schema.ts";
import { type Gathering, gather, take } from "./summary.ts";
import { isHostEvent } from "./vocabulary.ts";

/** A session while its records are read, with what else is wanted of them. */
export interface Gathered {
  readonly known: Gathering;
  /** Takes one more record in, the first one too. */
  take(record: SessionRecord, line: RawLine): void;
}

/**
 * The sessions of one file, each as soon as its end is read, those without an end last. Memory is that of the
 * sessions open at one time, whatever the file's size. What is damaged goes to `report` and is passed over.
 */
export function* gatherSessions<T extends Gathered>(
  file: DayFile,
  report: (problem: ArchiveProblem) => void,
  begin: (known: Gathering, line: RawLine) => T,
): Generator<T> {
  const open = new Map<string, T>();
  try {
    for (const line of file.lines()) {
      const decoded = decodeLine(line);
      const what = decoded.ok ? strangeTime(decoded.record) : decoded.damage.what;
      if (!decoded.ok || what !== undefined) {
        report({ path: `${file.path}:${line.number}`, what: what ?? "" });
        continue;
      }
      const { record } = decoded;
      let session = open.get(record.session);
      if (session === undefined) {
        session = begin(gather(record), line);
        open.set(record.session, session);
      }
      take(session.known, record);
      session.take(record, line);
      if (record.event === "session.end" || isHostEvent(record.event)) {
        open.delete(record.session);
        yield session;
      }
    }
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    report({ path: escapeText(file.path), what: error.message, unread: true });
  }
  yield* open.values();
}

/** A forged record may be of a day that never was, such as February 30. */
const strangeTime = ({ time }: SessionRecord) =>
  Number.isNaN(Date.parse(time)) ? "not a record of nixgate: time: no such day" : undefined;
