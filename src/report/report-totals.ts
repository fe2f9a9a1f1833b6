import { newest } from "../archive/sessions/newest.ts";
import { type SessionUsage, sessionUsageOf } from "../archive/sessions/session-usage.ts";
import type { WholeSession } from "../archive/sessions/whole-sessions.ts";
import { Spans } from "./charts/spans.ts";
import { type OutcomeName, outcomeOf } from "./exports/outcome.ts";
import { recordOf } from "./exports/record-of.ts";
import { MemoryGrid } from "./page/memory-grid.ts";

/**
 * The most members that are counted individually. It is more than any configuration has, so that records cannot fill
 * the memory.
 */
const MEMBERS_MAX = 5000;
const OTHERS = "others";

/** The counters of a team's member, or of the team's sessions that named no member. */
export interface MemberTally {
  readonly team: string;
  readonly member: string | undefined;
  sessions: number;
  commands: number;
  /** Sessions that were refused, or had a request denied. */
  denied: number;
  cpu_ms: number;
  wall_ms: number;
  memory_peak_bytes: number;
}

/** The number of sessions in the list of highest usage. */
const HEAVIEST_MAX = 8;

/** A session in the list of highest usage. */
export interface Heavy {
  readonly session: string;
  readonly who: string;
  readonly usage: SessionUsage;
}

/** The totals of all sessions on the page. */
export class ReportTotals {
  readonly spans = new Spans();
  readonly members: MemberTally[] = [];
  readonly outcomes = new Map<OutcomeName, number>();
  readonly reasons = new Map<string, number>();
  readonly causes = new Map<string, number>();
  readonly hosts = new Set<string>();
  /** Digests of the policies of the teams' newest sessions. */
  readonly policies = new Map<string, { readonly time: string; readonly sha256: string }>();
  readonly memory = new MemoryGrid();
  readonly heaviest = newest<Heavy>(HEAVIEST_MAX, (a, b) => (b.usage.cpu_ms ?? 0) - (a.usage.cpu_ms ?? 0));
  commands = 0;
  denials = 0;
  refused = 0;
  cpu_ms = 0;
  memory_peak_bytes = 0;
  readonly #rows = new Map<string, number>();

  /** @param now the end of a running session, in milliseconds since 1970 */
  add(session: WholeSession, now: number): SessionUsage {
    const { summary, records } = session;
    const usage = sessionUsageOf(records);
    const outcome = outcomeOf(summary);
    const row = this.#row(summary.team, summary.member);
    const start = Date.parse(summary.start);
    const last = Date.parse(records.at(-1)?.time ?? summary.start);
    // The monotonic clock gives the end where the wall clock was set. It is bounded, since a forged record can claim
    // any duration.
    const end = summary.state === "running" ? now : Math.max(last, Math.min(start + (summary.wall_ms ?? 0), now));
    const isRefused = recordOf(session, "session.refuse") !== undefined;
    this.spans.add({ start, end, row, outcome, admitted: !isRefused });
    add(this.outcomes, outcome);
    for (const cause of endCauses(session)) add(this.causes, cause);
    for (const record of records)
      if (record.event === "session.refuse" || record.event === "command.deny") add(this.reasons, record.reason);
    if (this.hosts.size < 100) this.hosts.add(summary.host);
    this.commands += summary.commands;
    this.denials += records.filter(({ event }) => event === "command.deny").length;
    this.refused += isRefused ? 1 : 0;
    this.cpu_ms += usage.cpu_ms ?? 0;
    this.memory_peak_bytes = Math.max(this.memory_peak_bytes, usage.memory_peak_bytes ?? 0);
    if (usage.memory) this.memory.add({ time: start, session: summary.session, ...usage.memory });
    if (usage.cpu_ms !== undefined) this.heaviest.offer({ session: summary.session, who: whoOf(summary), usage });
    this.#policy(session);
    const member = this.members[row];
    if (member) addTo(member, session, usage, end - start);
    return usage;
  }

  #row(team: string, member: string | undefined): number {
    const name = JSON.stringify([team, member]);
    const known = this.#rows.get(name);
    if (known !== undefined) return known;
    const last = this.members.length >= MEMBERS_MAX;
    if (last && this.members.length > MEMBERS_MAX) return MEMBERS_MAX;
    if (!last) this.#rows.set(name, this.members.length);
    const empty = { sessions: 0, commands: 0, denied: 0, cpu_ms: 0, wall_ms: 0, memory_peak_bytes: 0 };
    return this.members.push({ ...(last ? { team: OTHERS, member: undefined } : { team, member }), ...empty }) - 1;
  }

  #policy(session: WholeSession): void {
    const start = recordOf(session, "session.start");
    const known = this.policies.get(session.summary.team);
    if (start?.policy && (known === undefined || start.time > known.time) && this.policies.size < MEMBERS_MAX)
      this.policies.set(session.summary.team, { time: start.time, sha256: start.policy.sha256 });
  }
}

/** `alpha/ci`, or the team alone where the session named no member. */
export const whoOf = ({ team, member }: { readonly team: string; readonly member?: string | undefined }): string =>
  member === undefined ? team : `${team}/${member}`;

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function addTo(member: MemberTally, { summary }: WholeSession, usage: SessionUsage, wallMs: number): void {
  member.sessions += 1;
  member.commands += summary.commands;
  member.denied += summary.reasons.length > 0 ? 1 : 0;
  member.cpu_ms += usage.cpu_ms ?? 0;
  member.wall_ms += wallMs;
  member.memory_peak_bytes = Math.max(member.memory_peak_bytes, usage.memory_peak_bytes ?? 0);
}

/**
 * A session counts under each of its causes other than `exit`, and under `exit` where it has no other. The filter
 * `sessions list --cause` counts in the same way.
 */
function endCauses({ summary }: WholeSession): readonly string[] {
  if (summary.state !== "ended") return [summary.state];
  const notable = summary.causes.filter((cause) => cause !== "exit");
  return notable.length > 0 ? notable : ["exit"];
}
