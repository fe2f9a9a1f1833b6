import type { Summary } from "../../archive/sessions/summary.ts";
import { fieldsOf } from "../../record/flatten.ts";
import type { SessionRecord } from "../../record/schema.ts";
import { sentence } from "../../record/sentence.ts";
import { isHostEvent } from "../../record/vocabulary.ts";
import { durationInWords, formatOffset, localTime, plural } from "../../record/wording.ts";
import { escapeText } from "../../units/text.ts";
import { alignedTable } from "../shared/table.ts";

/** A session for a person: one headline, then the events with their time since the start. */
export function story(summary: Summary, records: readonly SessionRecord[]): string {
  const { member, client, wall_ms } = summary;
  const facts = [
    `team ${summary.team}`,
    member !== undefined && `member ${member}`,
    `on ${summary.host}`,
    client !== undefined && `from ${client}`,
    localTime(summary.start),
    wall_ms !== undefined && durationInWords(wall_ms),
    plural(summary.commands, "command"),
    summary.denied > 0 && `${summary.denied} denied`,
    summary.state === "ended" ? `status ${summary.exit}` : summary.state,
  ].filter((fact) => fact !== false);
  const [first] = records;
  if (first !== undefined && isHostEvent(first.event)) return hostStory(summary, first);
  const began = Date.parse(summary.start);
  const times = records.map((record) => formatOffset(Date.parse(record.time) - began));
  const width = Math.max(0, ...times.map((time) => time.length));
  const lines = records.map((record, index) => `  ${times[index]?.padStart(width)}  ${sentence(record)}\n`);
  return `session ${escapeText(summary.session)}\n${escapeText(facts.join(", "))}\n\n${lines.join("")}`;
}

/** A record of the host is shown as one line. */
const hostStory = ({ session, host, start }: Summary, record: SessionRecord) =>
  `record ${escapeText(session)}\n${escapeText(`on ${host}, ${localTime(start)}`)}\n\n  ${sentence(record)}\n`;

/** Every field of every record, with dotted names, in the recorded order. */
export function allFields(records: readonly SessionRecord[]): string {
  return records
    .map((record) => alignedTable([record.event, record.time], fieldsOf(record)).replace(/\n(?=.)/g, "\n  "))
    .join("\n");
}
