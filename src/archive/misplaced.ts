import { type Decoded, decodeLine, type RawLine } from "../record/decode.ts";
import type { SessionRecord } from "../record/schema.ts";
import { HOST, isHostEvent } from "../record/vocabulary.ts";
import { escapeText } from "../units/text.ts";
import type { AddedLine, DayFile } from "./archive.ts";

type Folder = Pick<DayFile, "team">;

/** Says that a record does not belong to the folder of its file; undefined where it does. */
export function misplacedIn({ team }: Folder, record: SessionRecord): string | undefined {
  if (record.team !== team) return `a session of team ${escapeText(record.team)} in the folder of ${team}`;
  if (isHostEvent(record.event) !== (team === HOST)) return `${record.event} in the folder of ${team}`;
  return undefined;
}

/**
 * Decodes one line of a team's file. A record that does not belong to the file's folder is damage: the account that owns
 * the folder can write another team's name into a record.
 */
export function decodeIn(file: Folder, line: RawLine): Decoded {
  const decoded = decodeLine(line);
  const what = decoded.ok ? misplacedIn(file, decoded.record) : undefined;
  return what === undefined ? decoded : { ok: false, damage: { kind: "foreign", what: `misplaced: ${what}` } };
}

/** The same for a line that is a text. */
export const decodeAdded = ({ team, text }: AddedLine): Decoded =>
  decodeIn({ team }, { number: 0, bytes: Buffer.from(text), tooLong: false });
