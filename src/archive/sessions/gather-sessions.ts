import type { RawLine } from "../../record/decode.ts";
import { RecordError } from "../../record/error.ts";
import type { SessionRecord } from "../../record/schema.ts";
import { isHostEvent } from "../../record/vocabulary.ts";
import { escapeText } from "../../units/text.ts";
import type { ArchiveProblem, DayFile } from "../archive.ts";
import { damageCount, openBytes } from "../bounds.ts";
import { decodeIn } from "../misplaced.ts";
import { type Gathering, gather, take } from "./summary.ts";

/** A session while its records are read, with the data that the reader collects. */
export interface OpenGathering {
  readonly known: Gathering;
  /** Adds a record, including the first one. */
  take(record: SessionRecord, line: RawLine): void;
}

/**
 * The sessions of one file. Each is yielded when its end is read; those without an end come last. Memory holds the
 * sessions that are open at one time, whatever the file's size. Damage goes to `report` and is skipped. A
 * record of another team than its folder's is damage.
 */
export function* gatherSessions<T extends OpenGathering>(
  file: DayFile,
  report: (problem: ArchiveProblem) => void,
  begin: (known: Gathering, line: RawLine) => T,
): Generator<T> {
  const open = new Map<string, { readonly session: T; bytes: number }>();
  const held = openBytes(file.path);
  const damage = damageCount(file.path);
  try {
    for (const line of file.lines()) {
      const decoded = decodeIn(file, line);
      if (!decoded.ok) {
        report({ path: `${file.path}:${line.number}`, what: decoded.damage.what });
        damage.add();
        continue;
      }
      const { record } = decoded;
      let known = open.get(record.session);
      if (known === undefined) {
        known = { session: begin(gather(record), line), bytes: 0 };
        open.set(record.session, known);
      }
      const { session } = known;
      take(session.known, record);
      session.take(record, line);
      known.bytes += line.bytes.length;
      held.add(line.bytes.length);
      if (record.event === "session.end" || isHostEvent(record.event)) {
        open.delete(record.session);
        held.remove(known.bytes);
        yield session;
      }
    }
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    const denied = error.code === "E_LOG_DENIED" && { denied: { team: file.team } };
    report({ path: escapeText(file.path), what: error.message, unread: true, ...denied });
  }
  for (const { session } of open.values()) yield session;
}
