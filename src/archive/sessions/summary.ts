import type { RecordOf, SessionRecord } from "../../record/schema.ts";
import { isHostEvent, type LimitOf, type RecordCause, type RecordReason } from "../../record/vocabulary.ts";
import type { IsAlive } from "../archive.ts";

/** One session in one row. A fact that its records do not hold is absent. */
export interface Summary {
  readonly session: string;
  readonly team: string;
  readonly host: string;
  readonly member?: string;
  readonly client?: string;
  readonly key?: string;
  /** RFC 3339, UTC: the time of the first record in the file. */
  readonly start: string;
  /** The time of session.end. */
  readonly end?: string;
  readonly wall_ms?: number;
  readonly commands: number;
  readonly denied: number;
  /** The number of refused sessions before this one that have no record of their own; absent where there were none. */
  readonly summed_up?: number;
  /** Why requests, or the whole session, were refused; each reason once. */
  readonly reasons: readonly RecordReason[];
  /** Why its commands and the session itself ended; each cause once. */
  readonly causes: readonly RecordCause[];
  /** The owners of the limits that its commands hit; each once. Absent where there were none, or no record tells it. */
  readonly limits_of?: readonly LimitOf[];
  readonly exit?: number;
  /** Every refusal, in order; `reasons` has each reason only once. Absent where there is none. */
  readonly denials?: readonly RecordReason[];
  /** The CPU time of all its commands. */
  readonly cpu_ms?: number;
  /** The highest memory peak of its commands. */
  readonly memory_peak_bytes?: number;
  /** `lost`: the session has no session.end, and no process runs that could write it. */
  readonly state: "running" | "ended" | "lost";
  readonly requests: readonly string[];
}

/** The state of a session while its records are read. */
export interface Gathering {
  readonly first: SessionRecord;
  start?: RecordOf<"session.start">;
  end?: RecordOf<"session.end">;
  commands: number;
  denied: number;
  readonly denials: RecordReason[];
  readonly causes: Set<RecordCause>;
  readonly limitsOf: Set<LimitOf>;
  readonly requests: string[];
  cpuMs?: number;
  memoryPeak?: number;
}

export const gather = (first: SessionRecord): Gathering => ({
  first,
  commands: 0,
  denied: 0,
  denials: [],
  causes: new Set(),
  limitsOf: new Set(),
  requests: [],
});

/** Adds the next record of the session, in the order of the file. */
export function take(known: Gathering, record: SessionRecord): void {
  switch (record.event) {
    case "session.start":
      known.start = record;
      break;
    case "session.refuse":
      known.denials.push(record.reason);
      break;
    case "command.deny":
      known.denied += 1;
      known.denials.push(record.reason);
      known.requests.push(record.request);
      break;
    case "command.start":
      known.commands += 1;
      known.requests.push(record.request);
      break;
    case "command.end":
      known.causes.add(record.cause);
      if (record.limit_of !== undefined) known.limitsOf.add(record.limit_of);
      takeUsage(known, record.usage);
      break;
    case "session.end":
      known.end = record;
      known.causes.add(record.cause);
  }
}

function takeUsage(known: Gathering, usage: RecordOf<"command.end">["usage"]): void {
  const { cpu_ms, memory_peak_bytes } = usage;
  if (cpu_ms !== undefined) known.cpuMs = (known.cpuMs ?? 0) + cpu_ms;
  if (memory_peak_bytes !== undefined) known.memoryPeak = Math.max(known.memoryPeak ?? 0, memory_peak_bytes);
}

/** The fields of a summary, undefined where not known. */
export type Facts = OrUndefined<Omit<Summary, "reasons">>;
type OrUndefined<T> = { readonly [Name in keyof T]: T extends Record<Name, T[Name]> ? T[Name] : T[Name] | undefined };

export function conclude(known: Gathering, isAlive: IsAlive): Summary {
  const { first, start, end } = known;
  return summaryOf({
    session: first.session,
    team: first.team,
    host: first.host,
    member: start?.member,
    client: start?.client?.ip,
    key: start?.key?.fingerprint,
    start: first.time,
    end: end?.time,
    wall_ms: end?.wall_ms,
    exit: end?.exit,
    commands: end?.commands ?? known.commands,
    denied: end?.denied ?? known.denied,
    summed_up: end?.summed_up,
    denials: known.denials,
    causes: [...known.causes],
    limits_of: [...known.limitsOf],
    cpu_ms: known.cpuMs,
    memory_peak_bytes: known.memoryPeak,
    state: end || isHostEvent(first.event) ? "ended" : start && isAlive(start) ? "running" : "lost",
    requests: known.requests,
  });
}

export function summaryOf(facts: Facts): Summary {
  const { member, client, key, end, wall_ms, exit, denials = [], limits_of = [], cpu_ms, memory_peak_bytes } = facts;
  return {
    session: facts.session,
    team: facts.team,
    host: facts.host,
    ...(member !== undefined && { member }),
    ...(client !== undefined && { client }),
    ...(key !== undefined && { key }),
    start: facts.start,
    ...(end !== undefined && wall_ms !== undefined && exit !== undefined && { end, wall_ms, exit }),
    commands: facts.commands,
    denied: facts.denied,
    ...(facts.summed_up !== undefined && { summed_up: facts.summed_up }),
    reasons: [...new Set(denials)],
    causes: facts.causes,
    ...(limits_of.length > 0 && { limits_of }),
    ...(denials.length > 0 && { denials }),
    ...(cpu_ms !== undefined && { cpu_ms }),
    ...(memory_peak_bytes !== undefined && { memory_peak_bytes }),
    state: facts.state,
    requests: facts.requests,
  };
}
