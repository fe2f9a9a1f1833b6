import { cgroupOf, MOUNT } from "../cgroup.ts";
import { within } from "../clock.ts";
import type { Fifo } from "./fifos.ts";
import { frontOf } from "./front.ts";
import { type Ask, type Talk, talkWith } from "./talk.ts";

/** How long the front in a new service may take to its first line, in milliseconds. */
const COMES_WITHIN_MS = 20_000;

/**
 * Fronts inside services that this supervisor made: each runs the one command that its service confines. Only what root
 * starts is in such a cgroup before the command is.
 */
export interface Insiders {
  /** The front in the cgroup, once it stands still; undefined where none came in time. */
  comes(cgroup: string): Promise<Talk | undefined>;
  /** One that another supervisor let in, and whose command runs. @returns undefined where it is gone */
  isIn(pid: number, fifo: Fifo, folder: string, cgroup: string): Talk | undefined;
  /** A line from a process that is no front outside. @returns whether it was an insider's */
  take(fifo: Fifo, folder: string, pid: number, ask: Ask): boolean;
  left(talk: Talk): void;
}

export function insiders(): Insiders {
  const awaited = new Map<string, (talk: Talk) => void>();
  const inside = new Map<number, { readonly talk: Talk; readonly fifo: Fifo }>();
  const enter = (pid: number, fifo: Fifo, folder: string, cgroup: string, ask: Ask | undefined) => {
    const front = frontOf(pid, fifo.name, fifo.uid, (now) => now === cgroup);
    if (typeof front === "string") return undefined;
    const talk = talkWith(front, folder, ask);
    if (ask && !talk.hasRoom) {
      front.close();
      return undefined;
    }
    inside.set(pid, { talk, fifo });
    return talk;
  };
  return {
    async comes(cgroup) {
      const come = new Promise<Talk>((resolve) => awaited.set(cgroup, resolve));
      const talk = await within(COMES_WITHIN_MS, come, undefined);
      awaited.delete(cgroup);
      return talk;
    },
    isIn: (pid, fifo, folder, cgroup) => enter(pid, fifo, folder, cgroup, undefined),
    take(fifo, folder, pid, ask) {
      const known = inside.get(pid);
      if (known?.fifo === fifo && known.talk.front.isThere()) {
        known.talk.take(ask);
        return true;
      }
      if (awaited.size === 0) return false;
      const cgroup = cgroupOf(pid)?.slice(MOUNT.length);
      const come = cgroup === undefined ? undefined : awaited.get(cgroup);
      const talk = come && cgroup !== undefined ? enter(pid, fifo, folder, cgroup, ask) : undefined;
      if (talk) come?.(talk);
      return talk !== undefined;
    },
    left: ({ front }) => void inside.delete(front.pid),
  };
}
