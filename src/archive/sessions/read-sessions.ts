import type { RawLine } from "../../record/decode.ts";
import type { SessionRecord } from "../../record/schema.ts";
import type { ArchiveProblem, DayFile, Span } from "../archive.ts";
import { gatherSessions } from "./gather-sessions.ts";
import type { Gathering } from "./summary.ts";

/** A session as its file shows it. */
export interface ReadSession {
  readonly known: Gathering;
  /**
   * The span from its first line to its last, with lines of other sessions in between. Absent where there is no file.
   */
  readonly span?: Span;
}

/** The sessions of one file in the order of `gatherSessions`, with the span of each. */
export function* readSessions(file: DayFile, report: (problem: ArchiveProblem) => void): Generator<ReadSession> {
  for (const session of gatherSessions(file, report, (known, line) => new Placed(known, line))) yield session.asRead();
}

class Placed {
  readonly known: Gathering;
  readonly #from: number | undefined;
  readonly #line: number;
  #to = 0;
  constructor(known: Gathering, { offset, number }: RawLine) {
    this.known = known;
    this.#from = offset;
    this.#line = number;
  }
  take(_: SessionRecord, { offset = 0, bytes }: RawLine): void {
    this.#to = offset + bytes.length + 1;
  }
  asRead(): ReadSession {
    if (this.#from === undefined) return { known: this.known };
    return { known: this.known, span: { from: this.#from, to: this.#to, line: this.#line } };
  }
}
