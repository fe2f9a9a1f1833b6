import type { RawLine } from "../record/decode.ts";
import { dayOfSession } from "../units/ids.ts";
import type { DayFile, Span } from "./archive.ts";
import { locateIn } from "./index/decode-block.ts";
import { openKept } from "./index/kept-index.ts";

const KEY = Buffer.from('"session":"');
const ID_BYTES = 36;
const FULL_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export interface Located {
  readonly session: string;
  readonly file: DayFile;
  /** The part of the file that holds all the session's lines; absent where it is not known. */
  readonly part?: Span;
}

/** The session's id in a line, found without parsing the line as JSON; undefined where there is none. */
export function sessionOf(line: RawLine): string | undefined {
  const bytes = Buffer.from(line.bytes.buffer, line.bytes.byteOffset, line.bytes.byteLength);
  const at = bytes.indexOf(KEY);
  return at < 0 ? undefined : bytes.toString("latin1", at + KEY.length, at + KEY.length + ID_BYTES);
}

/**
 * Finds the sessions whose id equals, begins with or ends with `part`. Each session is listed once for each team, with
 * the first file that holds it. A whole id is searched in the files of its day first; the search stops where it is
 * found. Two teams with the same id are two sessions, because an account can write another session's id into its team's
 * files. `TEAM/` before the id selects the team.
 */
export function findSessions(files: readonly DayFile[], part: string, report: (file: DayFile, error: unknown) => void) {
  const [, team, wanted = ""] = /^(?:([^/]*)\/)?(.*)$/s.exec(part.toLowerCase()) ?? [];
  const whole = FULL_ID.test(wanted);
  const day = whole ? dayOfSession(wanted) : undefined;
  const found = new Map<string, Located>();
  const own = files.filter((file) => team === undefined || file.team === team);
  for (const file of [...own.filter((f) => f.day === day), ...own.filter((f) => f.day !== day)]) {
    if (whole && found.size > 0 && file.day !== day) break;
    try {
      for (const { session, ...where } of sessionsLike(file, wanted)) {
        const key = `${file.team}/${session}`;
        const known = found.get(key);
        if (known === undefined) found.set(key, { session, file, ...where });
        else if (known.file === file) found.set(key, { session, file, ...both(known.part, where.part) });
      }
    } catch (error) {
      report(file, error);
    }
  }
  return [...found.values()];
}

/** The lines of one session. @throws RecordError E_LOG_READ */
export function linesOf({ file, session, part }: Located): readonly RawLine[] {
  const own: RawLine[] = [];
  for (const line of file.lines(part)) {
    if (sessionOf(line) === session) own.push({ ...line, bytes: Uint8Array.from(line.bytes) });
  }
  return own;
}

/**
 * Ids that begin or end with `wanted`. An id from the index is yielded once for each of its parts, any other once for
 * each of its lines.
 */
function* sessionsLike(file: DayFile, wanted: string): Generator<{ session: string; part?: Span }> {
  const kept = openKept(file);
  try {
    if (kept) {
      const located = kept.entries.map((entry) => [...locateIn(kept.block(entry), wanted)]);
      yield* located.flat();
      if (kept.problems.length === 0) return;
    }
  } catch {
    // the index is damaged: read the file itself
  } finally {
    kept?.close();
  }
  for (const line of file.lines()) {
    const session = sessionOf(line);
    if (session !== undefined && (session.startsWith(wanted) || session.endsWith(wanted))) yield { session };
  }
}

/** The smallest span that holds both parts; the whole file where one of them is not known. */
function both(a: Span | undefined, b: Span | undefined): { part?: Span } {
  if (a === undefined || b === undefined) return {};
  return { part: { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to), line: Math.min(a.line, b.line) } };
}
