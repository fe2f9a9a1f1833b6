import type { IsAlive } from "./archive.ts";
import type { RecordOf, SessionRecord } from "./schema.ts";
import type { RecordCause, RecordReason } from "./vocabulary.ts";

/** One session in one row. What its records do not say is absent. */
export interface Summary {
  readonly session: string;
  readonly team: string;
  readonly host: string;
  readonly member?: string;
  readonly client?: string;
  readonly key?: string;
  /** RFC 3339, UTC: of the first record that is there. */
  readonly start: string;
  /** Of session.end. */
  readonly end?: string;
  readonly wall_ms?: number;
  readonly commands: number;
  readonly denied: number;
  /** Why requests, or the whole session, were turned away; each once. */
  readonly reasons: readonly RecordReason[];
  /** How its commands and the session itself ended; each once. */
  readonly causes: readonly RecordCause[];
  readonly exit?: number;
  /** `lost`: no session.end, and nobody there to write it. */
  readonly state: "running" | "ended" | "lost";
  readonly requests: readonly string[];
}

/** What is known of a session while its records are read. */
export interface Gathering {
  readonly first: SessionRecord;
  start?: RecordOf<"session.start">;
  end?: RecordOf<"session.end">;
  commands: number;
  denied: number;
  readonly reasons: Set<RecordReason>;
  readonly causes: Set<RecordCause>;
  readonly requests: string[];
}

export const gather = (first: SessionRecord): Gathering => ({
  first,
  commands: 0,
  denied: 0,
  reasons: new Set(),
  causes: new Set(),
  requests: [],
});

/** Takes one more record of the session in, in the order of the file. */
export function take(known: Gathering, record: SessionRecord): void {
  switch (record.event) {
    case "session.start":
      known.start = record;
      break;
    case "session.refuse":
      known.reasons.add(record.reason);
      break;
    case "command.deny":
      known.denied += 1;
      known.reasons.add(record.reason);
      known.requests.push(record.request);
      break;
    case "command.start":
      known.commands += 1;
      known.requests.push(record.request);
      break;
    case "command.end":
      known.causes.add(record.cause);
      break;
    case "session.end":
      known.end = record;
      known.causes.add(record.cause);
  }
}

export function conclude(known: Gathering, isAlive: IsAlive): Summary {
  const { first, start, end } = known;
  const state = end ? "ended" : start && isAlive(start) ? "running" : "lost";
  return {
    session: first.session,
    team: first.team,
    host: first.host,
    ...(start?.member !== undefined && { member: start.member }),
    ...(start?.client && { client: start.client.ip }),
    ...(start?.key && { key: start.key.fingerprint }),
    start: first.time,
    ...(end && { end: end.time, wall_ms: end.wall_ms, exit: end.exit }),
    commands: end?.commands ?? known.commands,
    denied: end?.denied ?? known.denied,
    reasons: [...known.reasons],
    causes: [...known.causes],
    state,
    requests: known.requests,
  };
}
