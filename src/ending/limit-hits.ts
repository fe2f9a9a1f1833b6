/** How often a limit of one kind was hit while a command ran, by whose limit it was. */
export interface Hits {
  /** The scope's own; undefined where the kernel does not say whose limit it was. */
  readonly own: number | undefined;
  /** The team's slice's. */
  readonly team: number;
  /** Of whatever is around that: the account's, root's. */
  readonly around: number;
}

export interface LimitHits {
  /** memory.events.local `oom` (Linux ≥ 5.2). */
  readonly memory: Hits;
  /** pids.events.local `max` (Linux ≥ 6.11; before, a refused fork is counted where it was tried, whosever the limit). */
  readonly tasks: Hits;
  /** Processes that an OOM killer ended in the nearest cgroup around the scope that is still there. */
  readonly killsNearby: number;
}

const NONE: Hits = { own: undefined, team: 0, around: 0 };
/** Where there are no cgroups. */
export const NO_HITS: LimitHits = { memory: NONE, tasks: NONE, killsNearby: 0 };

/** Whose limit a command ran into. `host`: nobody's, the machine itself had no more. */
export type Whose = "command" | "team" | "around" | "host";

/** The kernel charges memory in batches, so that a peak may stay below the limit by that much; tasks it counts one by one. */
const NEAR = 15 / 16;

/**
 * Whose limit it was, the innermost first. Where the kernel does not say, a peak far below the command's own limit does.
 * @param peak the most that the command ever had, undefined where the kernel does not say
 * @param limit the command's own as the kernel has it; "max" is none
 */
export function whoseLimit(hits: Hits, peak: number | undefined, limit: string | undefined): Whose {
  const own = hits.own === undefined ? peak === undefined || peak >= Number(limit) * NEAR : hits.own > 0;
  if (own && limit !== undefined && limit !== "max") return "command";
  if (hits.team > 0 || hits.own === undefined) return "team";
  return hits.around > 0 ? "around" : "host";
}
