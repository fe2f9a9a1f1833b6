import type { HostConfig, Pressure, SessionRules } from "../policy/policy.ts";
import { formatBytes } from "../units/bytes.ts";
import type { Bytes } from "../units/quantities.ts";

/** Why a whole session is refused for now; `reason` is the record's word. */
export interface Objection {
  readonly reason: "team-busy" | "rate" | "host-busy" | "log-full" | `${Pressure}-pressure` | "store-full";
  /** Plain words in lower case, with the remedy. */
  readonly message: string;
}

/** The host's load, apart from its sessions. */
export interface HostState {
  /** Memory that is available without swapping: MemAvailable of proc_meminfo(5). */
  readonly availableMemory: Bytes;
  /**
   * The load average of the last minute, or the number of tasks that can run now where that is smaller
   * (proc_loadavg(5)), divided by the CPUs that are online.
   */
  readonly loadPerCpu: number;
}

export function teamBusy({ maxConcurrent }: Pick<SessionRules, "maxConcurrent">): Objection {
  return { reason: "team-busy", message: allTaken(maxConcurrent, "the team") };
}

/**
 * Whether a start is beyond the first ones of its minute. The answer follows from the list's order alone, so all
 * sessions agree, however many start at once.
 * @param starts the starts of this minute, in the list's order
 * @param own the start to check; a start that is not on the list counts as too many
 */
export function tooManyStarts(
  starts: readonly string[],
  own: string,
  { maxStartsPerMinute }: Pick<SessionRules, "maxStartsPerMinute">,
): Objection | undefined {
  const index = starts.indexOf(own);
  if (index >= 0 && index < maxStartsPerMinute) return undefined;
  const count = maxStartsPerMinute === 1 ? "the one start" : `all ${maxStartsPerMinute} starts`;
  return {
    reason: "rate",
    message: `${count} of this minute ${are(maxStartsPerMinute)} used up; try again in a minute`,
  };
}

export function hostBusy(
  state: HostState,
  bounds: Pick<HostConfig["admission"], "minAvailableMemory" | "maxLoadPerCpu">,
): Objection | undefined {
  const { minAvailableMemory, maxLoadPerCpu } = bounds;
  if (state.availableMemory < minAvailableMemory) {
    const least = formatBytes(minAvailableMemory);
    return { reason: "host-busy", message: `the host has less than ${least} of memory available; try again later` };
  }
  if (state.loadPerCpu > maxLoadPerCpu) {
    return { reason: "host-busy", message: `the host's load is above ${maxLoadPerCpu} per CPU; try again later` };
  }
  return undefined;
}

export function hostFull({ maxSessions }: Pick<HostConfig["admission"], "maxSessions">): Objection {
  return { reason: "host-busy", message: allTaken(maxSessions, "the host") };
}

/** The records have too little room, and this team wrote the most of them. */
export const logFull: Objection = {
  reason: "log-full",
  message: "the host has little space left for records, and this team wrote the most of them; try again later",
};

function allTaken(count: number, whose: string): string {
  const places = count === 1 ? "the one place" : `all ${count} places`;
  return `${places} of ${whose} ${are(count)} taken; try again later`;
}

const are = (count: number) => (count === 1 ? "is" : "are");
