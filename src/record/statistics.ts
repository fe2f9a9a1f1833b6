import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Summary } from "./summary.ts";
import type { RecordCause, RecordReason } from "./vocabulary.ts";

/** What some sessions come to. */
export interface Statistics {
  readonly sessions: number;
  readonly running: number;
  /** Without an end, and nobody there to write it. */
  readonly lost: number;
  readonly commands: number;
  /** Requests and whole sessions that were turned away, by reason. */
  readonly denials: Readonly<Partial<Record<RecordReason, number>>>;
  /** Sessions that ended, or had a command end, by each cause. */
  readonly causes: Readonly<Partial<Record<RecordCause, number>>>;
  /** Over the commands whose figures the kernel offered. */
  readonly cpu_ms: number;
  /** The highest of all; absent where none is known. */
  readonly memory_peak_bytes?: number;
  /** Of the sessions that have ended, within 0.1 %; absent where none has. */
  readonly wall_ms?: { readonly p50: number; readonly p95: number; readonly max: number };
}

/** 49 days in milliseconds: longer sessions count as this long in p50 and p95. */
const LONGEST_MS = 2 ** 32;

interface Counting {
  sessions: number;
  running: number;
  lost: number;
  commands: number;
  readonly denials: Partial<Record<RecordReason, number>>;
  readonly causes: Partial<Record<RecordCause, number>>;
  cpuMs: number;
  memoryPeak: number;
  longest: number;
  /** HDR histogram: its size does not depend on how many sessions there are. */
  readonly walls: RecordableHistogram;
}

const begin = (): Counting => ({
  ...{ sessions: 0, running: 0, lost: 0, commands: 0, denials: {}, causes: {} },
  ...{ cpuMs: 0, memoryPeak: -1, longest: -1 },
  walls: createHistogram({ lowest: 1, highest: LONGEST_MS, figures: 3 }),
});

const more = <Name extends string>(counts: Partial<Record<Name, number>>, name: Name, by: number) => {
  counts[name] = (counts[name] ?? 0) + by;
};

function count(into: Counting, summary: Summary): void {
  into.sessions += 1;
  into.commands += summary.commands;
  if (summary.state !== "ended") into[summary.state] += 1;
  for (const reason of summary.denials ?? []) more(into.denials, reason, 1);
  for (const cause of summary.causes) more(into.causes, cause, 1);
  into.cpuMs += summary.cpu_ms ?? 0;
  into.memoryPeak = Math.max(into.memoryPeak, summary.memory_peak_bytes ?? -1);
  if (summary.wall_ms === undefined) return;
  into.longest = Math.max(into.longest, summary.wall_ms);
  into.walls.record(Math.min(LONGEST_MS, Math.max(1, Math.round(summary.wall_ms))));
}

function sum(parts: Iterable<Counting>): Counting {
  const all = begin();
  for (const part of parts) {
    for (const name of ["sessions", "running", "lost", "commands", "cpuMs"] as const) all[name] += part[name];
    for (const name of ["memoryPeak", "longest"] as const) all[name] = Math.max(all[name], part[name]);
    for (const [reason, by] of Object.entries(part.denials)) more(all.denials, reason as RecordReason, by);
    for (const [cause, by] of Object.entries(part.causes)) more(all.causes, cause as RecordCause, by);
    if (part.walls.count > 0) all.walls.add(part.walls);
  }
  return all;
}

function conclude({ walls, cpuMs, memoryPeak, longest, ...counts }: Counting): Statistics {
  const percentile = (per: number) => Math.min(longest, walls.percentile(per));
  return {
    ...counts,
    cpu_ms: cpuMs,
    ...(memoryPeak >= 0 && { memory_peak_bytes: memoryPeak }),
    ...(longest >= 0 && { wall_ms: { p50: percentile(50), p95: percentile(95), max: longest } }),
  };
}

export interface MemberStatistics extends Statistics {
  /** Absent for sessions whose forced command names none. */
  readonly member?: string;
}
export interface TeamStatistics extends Statistics {
  readonly team: string;
  readonly members: readonly MemberStatistics[];
}

/** Counts sessions for each team and member: memory is that of the groups, whatever the number of sessions. */
export function statistics() {
  const teams = new Map<string, Map<string, Counting>>();
  return {
    take(summary: Summary): void {
      const members = entry(teams, summary.team, () => new Map<string, Counting>());
      count(entry(members, summary.member ?? "", begin), summary);
    },
    result(): { readonly total: Statistics; readonly teams: readonly TeamStatistics[] } {
      const sums = inOrder(teams).map(([team, members]) => ({ team, members, all: sum(members.values()) }));
      return {
        total: conclude(sum(sums.map(({ all }) => all))),
        teams: sums.map(({ team, members, all }) => ({
          team,
          ...conclude(all),
          members: inOrder(members).map(([member, own]) => ({ ...(member !== "" && { member }), ...conclude(own) })),
        })),
      };
    },
  };
}

function entry<T>(map: Map<string, T>, name: string, make: () => T): T {
  const known = map.get(name);
  if (known !== undefined) return known;
  const made = make();
  map.set(name, made);
  return made;
}

const inOrder = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
