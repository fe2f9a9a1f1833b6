import { cgroupOf, MOUNT } from "../../system/cgroup/cgroup.ts";
import { within } from "../../system/kernel/clock.ts";
import type { Fifo } from "../fifos.ts";
import { type Ask, FIRST_ASK, openShimChannel, type ShimChannel } from "./shim-channel.ts";
import { shimProcessOf } from "./shim-process.ts";

/** How long the shim in a new service may take to its first line, in milliseconds. */
const COMES_WITHIN_MS = 20_000;

/**
 * Shims inside services that this supervisor made: each runs the one command that its service confines. Only what root
 * starts is in such a cgroup before the command is.
 */
export interface ConfinedShims {
  /** The shim in the cgroup, once it stands still; undefined where none came in time. */
  comes(cgroup: string): Promise<ShimChannel | undefined>;
  /** One that another supervisor let in, and whose command runs. @returns undefined where it is gone */
  isIn(pid: number, fifo: Fifo, folder: string, cgroup: string): ShimChannel | undefined;
  /** A line from a process that is no shim outside. @returns whether it was an confinedShim's */
  take(fifo: Fifo, folder: string, pid: number, ask: Ask): boolean;
  left(talk: ShimChannel): void;
}

export function confinedShims(): ConfinedShims {
  const awaited = new Map<string, (talk: ShimChannel) => void>();
  const inside = new Map<number, { readonly talk: ShimChannel; readonly fifo: Fifo }>();
  const enter = (pid: number, fifo: Fifo, folder: string, cgroup: string, ask: Ask | undefined) => {
    const shim = shimProcessOf(pid, fifo.name, fifo.uid, (now) => now === cgroup);
    if (typeof shim === "string") return undefined;
    const talk = openShimChannel(shim, folder, ask);
    if (ask && !talk.hasRoom) {
      shim.close();
      return undefined;
    }
    inside.set(pid, { talk, fifo });
    return talk;
  };
  return {
    async comes(cgroup) {
      const come = new Promise<ShimChannel>((resolve) => awaited.set(cgroup, resolve));
      const talk = await within(COMES_WITHIN_MS, come, undefined);
      awaited.delete(cgroup);
      return talk;
    },
    isIn: (pid, fifo, folder, cgroup) => enter(pid, fifo, folder, cgroup, undefined),
    take(fifo, folder, pid, ask) {
      const known = inside.get(pid);
      if (known?.fifo === fifo && known.talk.shim.isThere()) {
        known.talk.take(ask);
        return true;
      }
      if (awaited.size === 0) return false;
      // one that begins asks for its first answer: with another number it would wait for one that never comes
      if (ask.number !== FIRST_ASK) return false;
      const cgroup = cgroupOf(pid)?.slice(MOUNT.length);
      const come = cgroup === undefined ? undefined : awaited.get(cgroup);
      const talk = come && cgroup !== undefined ? enter(pid, fifo, folder, cgroup, ask) : undefined;
      if (talk) come?.(talk);
      return talk !== undefined;
    },
    left: ({ shim }) => void inside.delete(shim.pid),
  };
}
