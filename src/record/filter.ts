import type { Summary } from "./summary.ts";

export type Keep = (summary: Summary) => boolean;

/** What `sessions list` can be asked for; what is absent keeps everything. */
export interface Criteria {
  readonly team?: string;
  readonly member?: string;
  /** Milliseconds since 1970. A session counts when any part of it lies between since and until, both included. */
  readonly since?: number;
  readonly until?: number;
  /** Sessions that were refused or had a request turned away. */
  readonly denied?: boolean;
  readonly cause?: string;
  /** Part of a request, as records show it; case does not matter. */
  readonly request?: string;
  readonly running?: boolean;
  readonly host?: string;
}

const FILTERS: { readonly [K in keyof Criteria]-?: (wanted: NonNullable<Criteria[K]>) => Keep } = {
  team: (team) => (summary) => summary.team === team,
  member: (member) => (summary) => summary.member === member,
  since: (since) => (summary) => summary.state === "running" || Date.parse(summary.end ?? summary.start) >= since,
  until: (until) => (summary) => Date.parse(summary.start) <= until,
  denied: (wanted) => (summary) => summary.reasons.length > 0 === wanted,
  cause: (cause) => (summary) => summary.causes.some((known) => known === cause),
  request: (text) => (summary) => summary.requests.some((known) => known.toLowerCase().includes(text.toLowerCase())),
  running: (wanted) => (summary) => (summary.state === "running") === wanted,
  host: (host) => (summary) => summary.host === host,
};

/** All criteria at once, each on its own. */
export function keepMatching(criteria: Criteria): Keep {
  const keeps = (Object.keys(FILTERS) as (keyof Criteria)[])
    .filter((name) => criteria[name] !== undefined)
    .map((name) => (FILTERS[name] as (wanted: unknown) => Keep)(criteria[name]));
  return (summary) => keeps.every((keep) => keep(summary));
}
