import type { DayFile, RawLine } from "./archive.ts";

const KEY = Buffer.from('"session":"');
const ID_BYTES = 36;
const FULL_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export interface Located {
  readonly session: string;
  readonly file: DayFile;
}

/** The session's id as the line has it, found without reading the line as JSON; undefined where it has none. */
export function sessionOf(line: RawLine): string | undefined {
  const bytes = Buffer.from(line.bytes.buffer, line.bytes.byteOffset, line.bytes.byteLength);
  const at = bytes.indexOf(KEY);
  return at < 0 ? undefined : bytes.toString("latin1", at + KEY.length, at + KEY.length + ID_BYTES);
}

/** The UTC day in a UUIDv7's first 48 bits (RFC 9562): where a session's file is, unless the clock was moved. */
const dayOf = (id: string) =>
  new Date(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toISOString().slice(0, 10);

/**
 * The sessions whose id is, begins or ends with `part`, each once, with the file it was first seen in. A whole id is
 * looked for in the file of its day first, and nowhere else once it is found.
 */
export function findSessions(files: readonly DayFile[], part: string, report: (file: DayFile, error: unknown) => void) {
  const wanted = part.toLowerCase();
  const whole = FULL_ID.test(wanted);
  const day = whole ? dayOf(wanted) : undefined;
  const found = new Map<string, Located>();
  for (const file of [...files.filter((f) => f.day === day), ...files.filter((f) => f.day !== day)]) {
    if (whole && found.size > 0 && file.day !== day) break;
    try {
      for (const line of file.lines()) {
        const session = sessionOf(line);
        if (session === undefined || found.has(session)) continue;
        if (session.startsWith(wanted) || session.endsWith(wanted)) found.set(session, { session, file });
      }
    } catch (error) {
      report(file, error);
    }
  }
  return [...found.values()];
}
