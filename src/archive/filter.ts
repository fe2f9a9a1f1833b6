import { clientRange } from "./client-range.ts";
import type { Summary } from "./sessions/summary.ts";

export type Keep = (summary: Summary) => boolean;

/** The filters of `sessions list`. An absent filter keeps every session. */
export interface Criteria {
  readonly team?: string;
  readonly member?: string;
  /** An address or a network, as `clientRange` parses it. */
  readonly client?: string;
  /** The key's fingerprint or its first characters, with or without `SHA256:`. */
  readonly key?: string;
  readonly host?: string;
  /** Milliseconds since 1970. A session matches when any part of it lies between since and until, both included. */
  readonly since?: number;
  readonly until?: number;
  /** Sessions that were refused or had a request denied. */
  readonly denied?: boolean;
  readonly cause?: string;
  /** Part of a request, as records show it. The case of letters is ignored. */
  readonly request?: string;
  readonly running?: boolean;
}

const FILTERS: { readonly [K in keyof Criteria]-?: (wanted: NonNullable<Criteria[K]>) => Keep } = {
  team: (team) => (summary) => summary.team === team,
  member: (member) => (summary) => summary.member === member,
  client: (client) => {
    const matches = clientRange(client) ?? (() => false);
    return (summary) => summary.client !== undefined && matches(summary.client);
  },
  key: (key) => {
    const wanted = key.startsWith("SHA256:") ? key : `SHA256:${key}`;
    return (summary) => summary.key?.startsWith(wanted) === true;
  },
  host: (host) => (summary) => summary.host === host,
  since: (since) => (summary) => summary.state === "running" || isThereFrom(summary, since),
  until: (until) => (summary) => Date.parse(summary.start) <= until,
  denied: (wanted) => (summary) => summary.reasons.length > 0 === wanted,
  cause: (cause) => (summary) => summary.causes.some((known) => known === cause),
  request: (text) => (summary) => summary.requests.some((known) => known.toLowerCase().includes(text.toLowerCase())),
  running: (wanted) => (summary) => (summary.state === "running") === wanted,
};

/**
 * Where the clock was set back, the end lies before the start. Each access to a field of a summary costs time, so the
 * start is read again only where the end is not enough.
 */
const isThereFrom = (summary: Summary, since: number) =>
  Date.parse(summary.end ?? summary.start) >= since || Date.parse(summary.start) >= since;

/** Keeps the sessions that match all criteria. */
export function keepMatching(criteria: Criteria): Keep {
  const keeps = (Object.keys(FILTERS) as (keyof Criteria)[])
    .filter((name) => criteria[name] !== undefined)
    .map((name) => (FILTERS[name] as (wanted: unknown) => Keep)(criteria[name]));
  return (summary) => keeps.every((keep) => keep(summary));
}
