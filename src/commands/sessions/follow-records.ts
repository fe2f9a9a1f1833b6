import type { Archive } from "../../archive/archive.ts";
import type { Keep } from "../../archive/filter.ts";
import { findSessions } from "../../archive/find.ts";
import { conclude, type Gathering, gather, take } from "../../archive/sessions/summary.ts";
import type { Decoded } from "../../record/decode.ts";
import type { SessionRecord } from "../../record/schema.ts";
import { sentence } from "../../record/sentence.ts";
import { localTime } from "../../record/wording.ts";
import { escapeJson, escapeText } from "../../units/text.ts";
import { recordsOf } from "./sessions-show.ts";

/** Formats a new line for a person; undefined where the line is not shown. */
export type Tell = (decoded: Decoded) => string | undefined;

/** Formats the records of matching sessions. The archive supplies records from before the first line. */
export function tellRecords(archive: Archive, keep: Keep, json: boolean): Tell {
  const open = new Map<string, Gathering>();
  return (decoded) => {
    if (!decoded.ok) return json ? undefined : `(damaged) ${escapeText(decoded.damage.what)}\n`;
    const { record } = decoded;
    const key = `${record.team}/${record.session}`; // two teams' files can name one id
    const known = open.get(key) ?? begun(archive, record);
    take(known, record);
    if (record.event === "session.end") open.delete(key);
    else open.set(key, known);
    if (!keep(conclude(known, () => true))) return undefined;
    return json ? `${escapeJson(JSON.stringify(record))}\n` : asLine(record, known.start?.member);
  };
}

/** The session's state in its file up to a record. */
function begun(archive: Archive, record: SessionRecord): Gathering {
  if (record.seq === 0) return gather(record);
  const files = archive.scan().files.filter(({ team }) => team === record.team);
  const [located] = findSessions(files, record.session, () => undefined);
  const before = located ? recordsOf(located).filter(({ seq }) => seq < record.seq) : [];
  const known = gather(before[0] ?? record);
  for (const one of before) take(known, one);
  return known;
}

const asLine = (record: SessionRecord, member: string | undefined) => {
  const who = member === undefined ? record.team : `${record.team}/${member}`;
  return `${localTime(record.time)}  ${escapeText(who)}  ${record.session.slice(-12)}  ${sentence(record)}\n`;
};
