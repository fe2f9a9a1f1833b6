/** The number of hits of a limit of one kind while a command ran, by the owner of the limit. */
export interface OwnedEvents {
  /** Hits of the scope's own limit; undefined where the kernel does not report whose limit it was. */
  readonly own: number | undefined;
  /** Hits of the limit of the team's slice. */
  readonly team: number;
  /** Hits of the limits of the team slice's ancestors: the account's or root's. */
  readonly ancestor: number;
}

export interface LimitEvents {
  /** memory.events.local `oom` (Linux ≥ 5.2). */
  readonly memory: OwnedEvents;
  /**
   * pids.events.local `max` (Linux ≥ 6.11). Older kernels count a refused fork in the cgroup of the fork, even where
   * the limit belongs to an ancestor.
   */
  readonly tasks: OwnedEvents;
  /** Processes that an OOM killer ended in the nearest ancestor cgroup that still exists. */
  readonly killsNearby: number;
}

const NONE: OwnedEvents = { own: undefined, team: 0, ancestor: 0 };
/** The value on a host without cgroups. */
export const NO_LIMIT_EVENTS: LimitEvents = { memory: NONE, tasks: NONE, killsNearby: 0 };

/** The owner of the limit that a command hit. `host` means no limit: the machine itself had no more. */
export type Whose = "command" | "team" | "ancestor" | "host";

/**
 * The kernel charges memory in batches, so that a peak may stay below the limit by that much. Tasks are counted one by
 * one.
 */
const NEAR = 15 / 16;

/**
 * Finds the owner of the limit that was hit, from the innermost cgroup outward. Where the kernel does not report the
 * owner, a peak far below the command's own limit excludes the command.
 * @param peak the command's highest value; undefined where the kernel does not report it
 * @param limit the command's own limit in the kernel's words; "max" is none
 */
export function whoseLimit(limitEvents: OwnedEvents, peak: number | undefined, limit: string | undefined): Whose {
  const own = limitEvents.own === undefined ? peak === undefined || peak >= Number(limit) * NEAR : limitEvents.own > 0;
  if (own && limit !== undefined && limit !== "max") return "command";
  if (limitEvents.team > 0 || limitEvents.own === undefined) return "team";
  return limitEvents.ancestor > 0 ? "ancestor" : "host";
}
