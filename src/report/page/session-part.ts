import type { WholeSession } from "../../archive/sessions/whole-sessions.ts";
import { fieldsOf } from "../../record/flatten.ts";
import type { SessionRecord } from "../../record/schema.ts";
import { sentence } from "../../record/sentence.ts";
import { durationInWords, formatOffset, localTime } from "../../record/wording.ts";
import { endMark } from "../exports/outcome.ts";
import { whoOf } from "../report-totals.ts";
import { type Html, html } from "./html.ts";
import { counted } from "./time-words.ts";

/** The most records of one session that its part shows: the first ones and the last ones. */
const RECORDS_MAX = 80;

/** The anchor of a session's part on the page. */
export const anchorOf = (session: string): string => `s-${session}`;

/**
 * A session's part of the page: headline, story, every field. Its lines were decoded before, so parsing cannot fail.
 */
export function sessionPart({ summary, lines }: Omit<WholeSession, "records">): Html {
  const records = lines.map((line): SessionRecord => JSON.parse(line));
  const { session, host, client, wall_ms, commands, denied } = summary;
  const began = Date.parse(summary.start);
  const facts = [
    `on ${host}`,
    client !== undefined && `from ${client}`,
    localTime(began),
    wall_ms !== undefined && durationInWords(wall_ms),
    counted(commands, "command"),
    denied > 0 && `${denied} denied`,
  ].filter((fact) => fact !== false);
  const { first, left, last } = halves(records);
  const told = (record: SessionRecord) =>
    html`<li><time datetime="${record.time}">${formatOffset(Date.parse(record.time) - began)}</time><span>${sentence(record)}</span></li>\n`;
  const gap =
    left > 0 &&
    html`<li><span></span><span class="soft">${counted(left, "record")} left out here: nixgate sessions show ${session}</span></li>\n`;
  return html`<article id="${anchorOf(session)}" aria-labelledby="h-${session}">
<h3 id="h-${session}">${whoOf(summary)} <span class="id soft">${session}</span></h3>
<p class="soft">${endMark(summary)} · ${facts.join(" · ")}</p>
<ol class="story">
${first.map(told)}${gap}${last.map(told)}</ol>
<details><summary>Every field</summary>
${[...first, ...last].map(fieldTable)}</details>
</article>
`;
}

function halves(records: readonly SessionRecord[]) {
  if (records.length <= RECORDS_MAX) return { first: records, left: 0, last: [] };
  const half = RECORDS_MAX / 2;
  return { first: records.slice(0, half), left: records.length - RECORDS_MAX, last: records.slice(-half) };
}

const fieldTable = (
  record: SessionRecord,
) => html`<table><caption>${record.event} <span class="soft">${record.time}</span></caption><tbody>
${fieldsOf(record).map(([name, value]) => html`<tr><th scope="row">${name}</th><td><code>${value}</code></td></tr>\n`)}</tbody></table>
`;
