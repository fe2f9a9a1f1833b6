import { bytesInWords, durationInWords, localTime } from "../../record/wording.ts";
import { digest } from "../../units/digest.ts";
import {
  concurrencyPart,
  consumersPart,
  countsPart,
  memoryPart,
  type TeamLoad,
  teamLoads,
  timelinePart,
} from "../charts/chart-parts.ts";
import type { Range } from "../charts/time-axis.ts";
import type { ReportData, ReportFacts } from "../report.ts";
import type { ReportTotals } from "../report-totals.ts";
import { Html, html } from "./html.ts";
import { notable } from "./notable.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { sessionPart } from "./session-part.ts";
import { sessionRow, sessionTable } from "./session-table.ts";
import { counted, grouped, timeZone } from "./time-words.ts";
import { heaviest, memberTable } from "./use-tables.ts";

/** The policy allows nothing from other origins, and of the page itself only its exact style and script. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${digest(PAGE_STYLE, "base64")}'`,
  `script-src 'sha256-${digest(PAGE_SCRIPT, "base64")}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/**
 * Yields the page of `sessions report` in pieces. The page is one file and is complete without a network and without
 * its script.
 */
export async function* reportPage(gathered: ReportData, facts: ReportFacts): AsyncGenerator<string> {
  yield head(gathered, facts).markup;
  if (gathered.tally.spans.count === 0) yield nothing(facts).markup;
  else yield* something(gathered, facts);
  yield foot(facts).markup;
}

function head({ tally, range }: ReportData, facts: ReportFacts): Html {
  const title = titleOf(tally);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${new Html(PAGE_STYLE)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="soft">${rangeWords(range, facts)}${facts.question.filters.length > 0 && html`<br>Only sessions that match <code>${facts.question.filters.join(" ")}</code>.`}</p>
</header>
`;
}

const foot = (facts: ReportFacts): Html => html`
<footer>
<p>Made by nixgate ${facts.version} at ${localTime(facts.now)} from the records below <code>${facts.archive}</code>. Times are local: ${timeZone()}.
The page shows what the records say; whether they were changed says <code>nixgate sessions verify</code>.</p>
${problemWords(facts)}
</footer>
<script>${new Html(PAGE_SCRIPT)}</script>
</body>
</html>
`;

function titleOf({ hosts }: ReportTotals): string {
  const names = [...hosts].sort();
  if (names.length === 0) return "Sessions";
  return names.length <= 3 ? `Sessions on ${names.join(", ")}` : `Sessions on ${names.length} hosts`;
}

const rangeWords = ({ from, to }: Range, { question }: ReportFacts): Html => {
  const { since, until } = question;
  const time = (at: number) => html`<time datetime="${new Date(at).toISOString()}">${localTime(at)}</time>`;
  if (since === undefined && until === undefined) return html`All that is on record, ${time(from)} to ${time(to)}`;
  return html`${time(since ?? from)} to ${time(until ?? to)}`;
};

function problemWords({ problems }: ReportFacts): Html | false {
  if (problems.count === 0) return false;
  const more = problems.count - problems.shown.length;
  return html`<p>Not everything could be read, and what could not is missing here:</p>
<ul>${problems.shown.map((words) => html`<li><code>${words}</code></li>`)}${more > 0 && html`<li>and ${grouped(more)} more</li>`}</ul>
`;
}

const nothing = ({ question }: ReportFacts) => html`<main>
<div class="empty">
<h2>No sessions</h2>
<p>${question.filters.length > 0 || question.since !== undefined || question.until !== undefined ? "No session on record matches. A wider --since, or fewer filters, may show more." : "There is no session on record yet."}</p>
</div>
</main>`;

async function* something({ tally, detailed, range }: ReportData, facts: ReportFacts): AsyncGenerator<string> {
  const loads = teamLoads(tally, range, facts.caps);
  const parts = new Set(detailed.map(({ session }) => session.summary.session));
  const teams = [...new Set(detailed.map(({ session }) => session.summary.team))].sort();
  const left = tally.spans.count - detailed.length;
  const only =
    left > 0 &&
    html`<p class="soft">The newest ${grouped(detailed.length)} of ${counted(tally.spans.count, "session")}; figures and charts above are of all. <code>nixgate sessions list</code> and <code>show</code> know the others.</p>`;
  yield html`<main>
<nav aria-label="Parts of this page"><ul>
<li><a href="#timeline">Timeline</a></li><li><a href="#concurrency">Concurrency</a></li><li><a href="#ends">Denials and ends</a></li>
<li><a href="#use">Use</a></li><li><a href="#memory">Memory</a></li><li><a href="#table">All sessions</a></li><li><a href="#each">Each session</a></li>
</ul></nav>
${figures(tally, loads)}
${notableWords(tally, loads)}
<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
${await timelinePart(tally, range)}</section>
<section aria-labelledby="concurrency"><h2 id="concurrency">Concurrency against the cap</h2>
${await concurrencyPart(loads, tally, range)}</section>
<section aria-labelledby="ends"><h2 id="ends">Denials and ends</h2>
<div class="pair"><div><h3>Refused requests and sessions, by reason</h3>
${tally.reasons.size === 0 ? html`<p class="soft">None was.</p>` : await countsPart(tally.reasons, "Denials by reason", "denied")}</div>
<div><h3>How sessions ended</h3>
${await countsPart(tally.causes, "Sessions by cause of their end", "accent")}</div></div></section>
<section aria-labelledby="use"><h2 id="use">Who used most</h2>
<div class="pair"><div><h3>CPU time by member</h3>
${await consumersPart(tally)}</div>
<div><h3>Sessions with most CPU time</h3>
${heaviest(tally, parts)}</div></div>
<h3>Members</h3>
${memberTable(tally)}</section>
<section aria-labelledby="memory"><h2 id="memory">Memory peaks against limits</h2>
${await memoryPart(tally, range, parts)}</section>
`.markup;
  yield html`<section aria-labelledby="table"><h2 id="table">All sessions</h2>
${only}
${sessionTable(
  detailed.map(({ session, usage }) => sessionRow(session.summary, usage)),
  teams,
)}</section>
<section aria-labelledby="each"><h2 id="each">Each session</h2>
${only}
`.markup;
  for (const { session } of detailed) yield sessionPart(session).markup;
  yield "</section>\n</main>";
}

function figures(tally: ReportTotals, loads: readonly TeamLoad[]): Html {
  const { spans, members, commands, denials, refused, cpu_ms, memory_peak_bytes, outcomes } = tally;
  const limit = outcomes.get("limit") ?? 0;
  const running = outcomes.get("running") ?? 0;
  const [busiest] = loads;
  const tiles: readonly (readonly [string, string, string | false])[] = [
    ["Sessions", grouped(spans.count), `${counted(commands, "command")}, ${counted(members.length, "member")}`],
    ...(running > 0 ? ([["Running", grouped(running), false]] as const) : []),
    ["Refused", grouped(denials + refused), `${counted(denials, "request")}, ${counted(refused, "session")}`],
    ["Stopped by a limit", grouped(limit), limit > 0 && `${((100 * limit) / spans.count).toFixed(1)}% of sessions`],
    [
      "At one time",
      grouped(busiest?.peak ?? 0),
      busiest !== undefined && loads.length > 1 && `most, of ${busiest.team}`,
    ],
    ["CPU time", durationInWords(cpu_ms), false],
    ["Memory peak", memory_peak_bytes > 0 ? bytesInWords(memory_peak_bytes) : "–", false],
  ];
  return html`<dl class="figures">${tiles.map(([name, value, more]) => html`<div><dt>${name}</dt><dd>${value}${more && html`<small class="soft">${more}</small>`}</dd></div>`)}</dl>`;
}

function notableWords(tally: ReportTotals, loads: readonly TeamLoad[]): Html {
  const said = notable(tally, loads);
  return html`<section aria-labelledby="notable"><h2 id="notable">What deserves a look</h2>
${said.length === 0 ? html`<p>Nothing: no limit was reached, nothing failed, and no request or session was refused.</p>` : html`<ul class="notable">${said.map((words) => html`<li>${words}</li>`)}</ul>`}</section>`;
}
