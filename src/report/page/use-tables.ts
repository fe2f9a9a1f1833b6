import { bytesInWords, durationInWords } from "../../record/wording.ts";
import { type ReportTotals, whoOf } from "../report-totals.ts";
import { type Html, html } from "./html.ts";
import { anchorOf } from "./session-part.ts";
import { counted, grouped } from "./time-words.ts";

const MEMBERS_MAX = 25;

/** The sessions with most CPU time. @param parts the sessions that have a part of their own on the page */
export function heaviest({ heaviest }: ReportTotals, parts: ReadonlySet<string>): Html {
  const rows = heaviest.result().map(({ session, who, usage }) => {
    const name = html`<span class="id">…${session.slice(-12)}</span>`;
    return html`<tr><td>${parts.has(session) ? html`<a href="#${anchorOf(session)}">${name}</a>` : name}</td><td class="who">${who}</td><td class="num">${durationInWords(usage.cpu_ms ?? 0)}</td></tr>\n`;
  });
  if (rows.length === 0) return html`<p class="soft">No CPU time is on record here.</p>`;
  return html`<table><thead><tr><th scope="col">Session</th><th scope="col">Who</th><th scope="col" class="num">CPU</th></tr></thead><tbody>
${rows}</tbody></table>`;
}

/** The counters and figures of each member, most CPU time first. */
export function memberTable({ members }: ReportTotals): Html {
  const sorted = [...members].sort((a, b) => b.cpu_ms - a.cpu_ms || b.sessions - a.sessions);
  const rows = sorted.slice(0, MEMBERS_MAX).map(
    (member) => html`<tr><th scope="row">${whoOf(member)}</th>
<td class="num">${grouped(member.sessions)}</td><td class="num">${grouped(member.commands)}</td><td class="num">${grouped(member.denied)}</td>
<td class="num">${durationInWords(member.wall_ms)}</td><td class="num">${durationInWords(member.cpu_ms)}</td>
<td class="num">${member.memory_peak_bytes > 0 ? bytesInWords(member.memory_peak_bytes) : "–"}</td></tr>
`,
  );
  const left = members.length - rows.length;
  const titles = ["Sessions", "Commands", "Refused", "Connected", "CPU", "Memory peak"];
  return html`<div class="table" role="region" aria-label="Members" tabindex="0"><table class="members">
<thead><tr><th scope="col">Who</th>${titles.map((title) => html`<th scope="col" class="num">${title}</th>`)}</tr></thead>
<tbody>
${rows}</tbody></table></div>
${left > 0 && html`<p class="soft">${counted(left, "member")} with less left out here.</p>`}`;
}
