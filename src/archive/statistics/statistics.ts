import type { RecordCause, RecordReason } from "../../record/vocabulary.ts";
import type { Summary } from "../sessions/summary.ts";
import { spread } from "./spread.ts";

/** Statistics over some sessions. */
export interface Statistics {
  readonly sessions: number;
  readonly running: number;
  /** Sessions without an end, and without a process that could write it. */
  readonly lost: number;
  readonly commands: number;
  /** Refused requests and whole sessions, by reason. */
  readonly denials: Readonly<Partial<Record<RecordReason, number>>>;
  /** Refused sessions that are on record only as a number; absent where there are none. */
  readonly summed_up?: number;
  /** Sessions that ended, or had a command end, by cause. */
  readonly causes: Readonly<Partial<Record<RecordCause, number>>>;
  /** The sum over the commands for which the kernel offered the figure. */
  readonly cpu_ms: number;
  /** The highest of all; absent where none is known. */
  readonly memory_peak_bytes?: number;
  /** The duration of the ended sessions, within 0.1 %; absent where none has ended. */
  readonly wall_ms?: { readonly p50: number; readonly p95: number; readonly max: number };
}

interface Counting {
  sessions: number;
  running: number;
  lost: number;
  commands: number;
  summedUp: number;
  readonly denials: Partial<Record<RecordReason, number>>;
  readonly causes: Partial<Record<RecordCause, number>>;
  cpuMs: number;
  memoryPeak: number;
  longest: number;
  readonly walls: ReturnType<typeof spread>;
}

const begin = (): Counting => ({
  ...{ sessions: 0, running: 0, lost: 0, commands: 0, denials: {}, causes: {} },
  ...{ summedUp: 0, cpuMs: 0, memoryPeak: -1, longest: -1 },
  walls: spread(),
});

const more = <Name extends string>(counts: Partial<Record<Name, number>>, name: Name, by: number) => {
  counts[name] = (counts[name] ?? 0) + by;
};

function count(into: Counting, summary: Summary): void {
  const { state, wall_ms } = summary;
  into.sessions += 1;
  into.commands += summary.commands;
  into.summedUp += summary.summed_up ?? 0;
  if (state !== "ended") into[state] += 1;
  for (const reason of summary.denials ?? []) more(into.denials, reason, 1);
  for (const cause of summary.causes) more(into.causes, cause, 1);
  into.cpuMs += summary.cpu_ms ?? 0;
  into.memoryPeak = Math.max(into.memoryPeak, summary.memory_peak_bytes ?? -1);
  if (wall_ms === undefined) return;
  into.longest = Math.max(into.longest, wall_ms);
  into.walls.add(wall_ms);
}

function sum(parts: Iterable<Counting>): Counting {
  const all = begin();
  for (const part of parts) {
    for (const name of ["sessions", "running", "lost", "commands", "cpuMs", "summedUp"] as const)
      all[name] += part[name];
    for (const name of ["memoryPeak", "longest"] as const) all[name] = Math.max(all[name], part[name]);
    for (const [reason, by] of Object.entries(part.denials)) more(all.denials, reason as RecordReason, by);
    for (const [cause, by] of Object.entries(part.causes)) more(all.causes, cause as RecordCause, by);
    all.walls.merge(part.walls);
  }
  return all;
}

function conclude({ walls, cpuMs, memoryPeak, longest, summedUp, ...counts }: Counting): Statistics {
  const percentile = (per: number) => Math.min(longest, walls.percentile(per));
  return {
    ...counts,
    ...(summedUp > 0 && { summed_up: summedUp }),
    cpu_ms: cpuMs,
    ...(memoryPeak >= 0 && { memory_peak_bytes: memoryPeak }),
    ...(longest >= 0 && { wall_ms: { p50: percentile(50), p95: percentile(95), max: longest } }),
  };
}

export interface MemberStatistics extends Statistics {
  /** Absent for sessions whose forced command names no member. */
  readonly member?: string;
}
export interface TeamStatistics extends Statistics {
  readonly team: string;
  readonly members: readonly MemberStatistics[];
}

/**
 * The most members of a team, and the most teams, that are counted separately. An account can write any number of members
 * into its records.
 */
export const GROUPS_MAX = 1000;
/** The name of all other members or teams together. No configuration can have it. */
export const OTHERS = "(others)";

/**
 * Counts sessions for each team and member. Memory holds at most GROUPS_MAX groups of a team, however many sessions
 * there are. The rest is counted together as OTHERS.
 */
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

function entry<T>(map: Map<string, T>, wanted: string, make: () => T): T {
  const name = map.has(wanted) || map.size < GROUPS_MAX ? wanted : OTHERS;
  const known = map.get(name);
  if (known !== undefined) return known;
  const made = make();
  map.set(name, made);
  return made;
}

const inOrder = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
