import type { SessionUsage } from "../../archive/sessions/session-usage.ts";
import type { Summary } from "../../archive/sessions/summary.ts";
import { bytesInWords, durationInWords, localTime } from "../../record/wording.ts";
import { endMark, OUTCOMES, outcomeOf } from "../exports/outcome.ts";
import { whoOf } from "../report-totals.ts";
import { type Html, html } from "./html.ts";
import { anchorOf } from "./session-part.ts";

/** A session's row in the table, with the keys by which the page's script sorts and filters. */
export function sessionRow(summary: Summary, usage: SessionUsage): Html {
  const { session, team, wall_ms, commands, denied, client } = summary;
  const start = Date.parse(summary.start);
  const outcome = outcomeOf(summary);
  const peak = usage.memory_peak_bytes;
  const limit = usage.memory?.limit;
  return html`<tr data-outcome="${outcome}" data-team="${team}">
<td class="when" data-key="${start}"><a href="#${anchorOf(session)}"><time datetime="${summary.start}">${localTime(start)}</time></a></td>
<td class="who">${whoOf(summary)}</td>
<td>${endMark(summary)}</td>
<td class="num" data-key="${wall_ms ?? -1}">${wall_ms === undefined ? "–" : durationInWords(wall_ms)}</td>
<td class="num" data-key="${commands}">${commands}</td>
<td class="num" data-key="${denied}">${denied}</td>
<td class="num" data-key="${usage.cpu_ms ?? -1}">${usage.cpu_ms === undefined ? "–" : durationInWords(usage.cpu_ms)}</td>
<td class="num" data-key="${peak ?? -1}">${peak === undefined ? "–" : bytesInWords(peak)}${limit !== undefined && html` <span class="soft">of ${bytesInWords(limit)}</span>`}</td>
<td class="from">${client ?? "–"}</td>
</tr>
`;
}

const TITLES = ["Start", "Who", "End", "Duration", "Commands", "Denied", "CPU", "Memory peak", "Client"];
const NUMBERS = new Set(["Duration", "Commands", "Denied", "CPU", "Memory peak"]);

/** The table with its controls, newest session first. */
export function sessionTable(rows: readonly Html[], teams: readonly string[]): Html {
  const heading = (title: string) =>
    html`<th scope="col"${NUMBERS.has(title) && html` class="num"`}${title === "Start" && html` aria-sort="descending"`}>${title}</th>`;
  return html`<form id="controls" class="controls" hidden>
<label>Search <input id="filter-text" type="search" placeholder="member, client, cause …" autocomplete="off"></label>
<label>End <select name="outcome"><option value="">any</option>${Object.entries(OUTCOMES).map(([name, words]) => html`<option value="${name}">${words}</option>`)}</select></label>
${teams.length > 1 && html`<label>Team <select name="team"><option value="">any</option>${teams.map((team) => html`<option>${team}</option>`)}</select></label>`}
<output id="shown" aria-live="polite"></output>
</form>
<div class="table" role="region" aria-labelledby="table" tabindex="0"><table id="sessions">
<thead><tr>${TITLES.map(heading)}</tr></thead>
<tbody>
${rows}</tbody></table></div>
`;
}
