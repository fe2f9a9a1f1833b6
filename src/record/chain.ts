import { digest } from "../units/digest.ts";
import type { SessionId } from "../units/ids.ts";
import { escapeJson } from "../units/text.ts";
import { RecordError } from "./error.ts";
import type { RecordBody, RecordOf, SessionRecord } from "./schema.ts";

/** The longest line that writers make and readers take, in bytes with its LF. */
export const LINE_MAX_BYTES = 1_048_576;
export const FIRST_PREV = "0".repeat(64);

/** The fields that all records of one session share. */
export interface Identity {
  readonly session: SessionId;
  readonly team: string;
  readonly host: string;
  readonly boot: string;
}

/** The state of a session's chain. It is a value: `append` returns the next one. */
export interface Chain {
  readonly identity: Identity;
  /** The sequence number of the next record. */
  readonly seq: number;
  /** The last record's hash; 64 zeros before the first. */
  readonly prev: string;
}

export interface Appended<Event extends RecordBody["event"]> {
  readonly chain: Chain;
  /** One line with its LF, for one write(2). */
  readonly line: string;
  readonly record: RecordOf<Event>;
}

export const openChain = (identity: Identity): Chain => ({ identity, seq: 0, prev: FIRST_PREV });

/** The chain after the last record. The records of a session whose supervisor died are ended from there. */
export const resumeChain = (last: SessionRecord): Chain => ({
  identity: { session: last.session as SessionId, team: last.team, host: last.host, boot: last.boot },
  seq: last.seq + 1,
  prev: last.hash,
});

/**
 * Makes the session's next record. The line is safe on a terminal: characters that could move a cursor, or hide,
 * reorder or break text, are written as `\uXXXX`, and JSON parses them to the same text. `hash` is SHA-256 over the
 * line's bytes before `,"hash":`.
 * @param time the wall clock's time; `seq` orders the records, so a clock set back changes no order
 * @throws RecordError E_RECORD_LENGTH above LINE_MAX_BYTES
 */
export function append<Body extends RecordBody>(
  chain: Chain,
  time: Date | number,
  body: Body,
): Appended<Body["event"]> {
  const { event, ...fields } = body;
  const { session, team, host, boot } = chain.identity;
  const said = { v: 1, time: new Date(time).toISOString(), event, session, seq: chain.seq, team, host, boot };
  const covered = escapeJson(JSON.stringify({ ...said, ...fields, prev: chain.prev })).slice(0, -1);
  const hash = digest(covered, "hex");
  const line = `${covered},"hash":"${hash}"}\n`;
  const bytes = Buffer.byteLength(line);
  if (bytes > LINE_MAX_BYTES) {
    throw new RecordError(
      "E_RECORD_LENGTH",
      `${event}: a record of ${bytes} bytes, at most ${LINE_MAX_BYTES} are read`,
    );
  }
  return {
    chain: { identity: chain.identity, seq: chain.seq + 1, prev: hash },
    line,
    record: JSON.parse(line) as RecordOf<Body["event"]>,
  };
}
