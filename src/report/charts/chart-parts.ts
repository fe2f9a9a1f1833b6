import { durationInWords, localTime } from "../../record/wording.ts";
import { OUTCOMES } from "../exports/outcome.ts";
import { type Html, html } from "../page/html.ts";
import { anchorOf } from "../page/session-part.ts";
import { counted, grouped } from "../page/time-words.ts";
import { type ReportTotals, whoOf } from "../report-totals.ts";
import { amountsSpec, concurrencySpec, memorySpec, timelineSpec } from "./charts.ts";
import { type Concurrency, concurrencyOf } from "./concurrency.ts";
import { draw } from "./draw.ts";
import type { Range } from "./time-axis.ts";
import { barsOf } from "./timeline.ts";

/** The most rows of a picture, and the most teams with a picture of their own. */
const ROWS_MAX = 16;
const TEAMS_MAX = 8;
/** Widths of a chart in pixels: on a desktop; on a tablet and on paper; on a phone. */
interface Widths {
  readonly wide: number;
  readonly medium: number;
  readonly narrow: number;
}
const WHOLE: Widths = { wide: 1072, medium: 700, narrow: 343 };
const HALF: Widths = { wide: 516, medium: 343, narrow: 343 };

type Spec = (width: number) => Parameters<typeof draw>[0];

/** A chart in each of its widths. The style shows one of them. */
async function figure(spec: Spec, { wide, medium, narrow }: Widths, label: string, caption?: Html): Promise<Html> {
  const drawn = new Map<number, string[]>();
  for (const [name, width] of Object.entries({ wide, medium, narrow }))
    drawn.set(width, [...(drawn.get(width) ?? []), name]);
  const charts: Html[] = [];
  for (const [width, names] of drawn)
    charts.push(html`<div class="${names.join(" ")}">${await draw(spec(width), label)}</div>
`);
  return html`<figure>${charts}${caption && html`<figcaption>${caption}</figcaption>`}</figure>
`;
}

/** The timeline: one row for each of the members with most sessions, and a last row for all others together. */
export async function timelinePart({ spans, members }: ReportTotals, range: Range): Promise<Html> {
  const order = members.map((member, row) => ({ row, member })).sort((a, b) => b.member.sessions - a.member.sessions);
  const named = order.slice(0, order.length > ROWS_MAX ? ROWS_MAX - 1 : ROWS_MAX);
  const rest = order.slice(named.length);
  const others = `${grouped(rest.length)} others`;
  const names = new Map(order.map(({ row, member }, rank) => [row, rank < named.length ? whoOf(member) : others]));
  const shown = [...new Set(named.map(({ member }) => whoOf(member))), ...(rest.length > 0 ? [others] : [])];
  const spec = (width: number) => {
    const bars = barsOf(spans, new Set(names.keys()), range, width);
    return timelineSpec(
      bars.map((bar) => ({ ...bar, name: names.get(bar.row) ?? "" })),
      shown,
      range,
      width,
    );
  };
  const label = `Timeline of ${counted(spans.count, "session")}, one row a member`;
  return html`<ul class="legend">${Object.entries(OUTCOMES).map(([name, words]) => html`<li class="is-${name}">${words}</li>`)}</ul>
${await figure(spec, WHOLE, label, html`Sessions closer than a pixel are one bar.`)}`;
}

export interface Cap {
  readonly sessions: number;
  /** SHA-256 of the policy file that sets this cap. */
  readonly sha256: string;
}

/** A team's concurrency, for its picture and its text. */
export interface TeamLoad extends Concurrency {
  readonly team: string;
  readonly cap: Cap | undefined;
}

export function teamLoads({ spans, members }: ReportTotals, range: Range, caps: ReadonlyMap<string, Cap>): TeamLoad[] {
  const teams = [...new Set(members.map(({ team }) => team))];
  const loads = teams.map((team) => {
    const rows = new Set(members.flatMap((member, row) => (member.team === team ? [row] : [])));
    return { team, cap: caps.get(team), ...concurrencyOf(spans, rows, range, 360) };
  });
  return loads.sort((a, b) => b.peak - a.peak || (a.team < b.team ? -1 : 1));
}

export async function concurrencyPart(loads: readonly TeamLoad[], tally: ReportTotals, range: Range): Promise<Html> {
  const shown = loads.slice(0, TEAMS_MAX);
  const left = loads.length - shown.length;
  const parts = shown.map(async (load) => {
    const { team, cap, peak, peakAt } = load;
    const words = `${team}: at most ${grouped(peak)} at one time, at ${localTime(peakAt)}`;
    const spec = (width: number) => concurrencySpec(load, cap?.sessions, range, width);
    return html`<h3>${team}</h3>
<p class="soft">At most <strong>${grouped(peak)}</strong> at one time, at ${localTime(peakAt)}; ${capWords(cap, tally.policies.get(team)?.sha256)}.</p>
${await figure(spec, WHOLE, words)}`;
  });
  return html`${await Promise.all(parts)}${left > 0 && html`<p class="soft">${counted(left, "further team")} with lower peaks not drawn.</p>`}`;
}

function capWords(cap: Cap | undefined, served: string | undefined): string {
  if (cap === undefined) return "the cap is not known here, since the team's policy could not be read";
  const words = `the cap, max_concurrent, is ${grouped(cap.sessions)} (dashed)`;
  return served === undefined || served === cap.sha256 ? words : `${words} now; the policy was another one then`;
}

/** Counts by name as bars, the highest first. */
export async function countsPart(counts: ReadonlyMap<string, number>, label: string, colour: string): Promise<Html> {
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const amounts = sorted.map(([name, value]) => ({ name, value, words: grouped(value), colour }));
  return figure((width) => amountsSpec(amounts, width), HALF, label);
}

/** Members by the CPU time that they used. */
export async function consumersPart({ members }: ReportTotals): Promise<Html> {
  const used = members.filter(({ cpu_ms }) => cpu_ms > 0).sort((a, b) => b.cpu_ms - a.cpu_ms);
  if (used.length === 0) return html`<p class="soft">No CPU time is on record here.</p>`;
  const amounts = used.slice(0, 10).map((member) => ({
    name: whoOf(member),
    value: member.cpu_ms,
    words: durationInWords(member.cpu_ms),
    colour: "accent",
  }));
  return figure((width) => amountsSpec(amounts, width), HALF, "CPU time by member");
}

export async function memoryPart(tally: ReportTotals, range: Range, parts: ReadonlySet<string>): Promise<Html> {
  const { count } = tally.memory;
  if (count === 0)
    return html`<p class="soft">No command here had both a memory limit in force and a peak on record.</p>`;
  const points = tally.memory.points().map(({ session, time, peak, limit }) => ({
    start: time,
    share: Math.min(peak / limit, 1.05),
    ...(parts.has(session) && { href: `#${anchorOf(session)}` }),
  }));
  const some =
    points.length < count ? `${grouped(points.length)} dots for ${counted(count, "session")}` : "Each dot is a session";
  return figure(
    (width) => memorySpec(points, range, width),
    WHOLE,
    `Memory peaks of ${counted(count, "session")} as a share of their limits`,
    html`${some}: the highest peak of its commands as a share of MemoryMax (dashed). A dot leads to its session.`,
  );
}
