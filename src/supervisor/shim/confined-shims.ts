import { cgroupOf, MOUNT } from "../../system/cgroup/cgroup.ts";
import { within } from "../../system/kernel/clock.ts";
import type { Pid } from "../../units/ids.ts";
import type { Fifo } from "../fifos.ts";
import { type Ask, FIRST_ASK, openShimChannel, type ShimChannel } from "./shim-channel.ts";
import { shimProcessOf } from "./shim-process.ts";

/** The timeout for the first line of the shim in a new service, in milliseconds. */
const COMES_WITHIN_MS = 20_000;

/** A process that may be the shim inside a service. */
export interface ConfinedShim {
  readonly pid: Pid;
  readonly fifo: Fifo;
  /** The folder in which it finds its answers. */
  readonly answers: string;
  /** Below the mount of cgroup v2. */
  readonly cgroup: string;
}

/**
 * The shims inside services that this supervisor made. Each runs the one command that its service confines. Before the
 * command runs, only processes that root started can be in such a cgroup.
 */
export interface ConfinedShims {
  /** The shim in the cgroup, when it is stopped; undefined if none came in time. */
  comes(cgroup: string): Promise<ShimChannel | undefined>;
  /** A shim that another supervisor accepted, and whose command runs. @returns undefined if it has ended */
  isIn(shim: ConfinedShim): Promise<ShimChannel | undefined>;
  /**
   * Takes a line of a process that is no shim outside of a service. @returns whether the line was a confined shim's
   */
  take(shim: Omit<ConfinedShim, "cgroup">, ask: Ask): Promise<boolean>;
  left(talk: ShimChannel): void;
}

export function confinedShims(): ConfinedShims {
  const awaited = new Map<string, (talk: ShimChannel) => void>();
  const inside = new Map<Pid, { readonly talk: ShimChannel; readonly fifo: Fifo }>();
  const enter = async ({ pid, fifo, answers, cgroup }: ConfinedShim, ask: Ask | undefined) => {
    const shim = await shimProcessOf(pid, fifo.name, fifo.uid, (now) => now === cgroup);
    if (typeof shim === "string") return undefined;
    const talk = openShimChannel(shim, answers, ask);
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
    isIn: (shim) => enter(shim, undefined),
    async take(shim, ask) {
      const { pid, fifo } = shim;
      const known = inside.get(pid);
      if (known?.fifo === fifo && known.talk.shim.isThere()) {
        known.talk.take(ask);
        return true;
      }
      if (awaited.size === 0) return false;
      // a new shim asks for its first answer; with another number it would wait for ever
      if (ask.number !== FIRST_ASK) return false;
      const cgroup = cgroupOf(pid)?.slice(MOUNT.length);
      const come = cgroup === undefined ? undefined : awaited.get(cgroup);
      const talk = come && cgroup !== undefined ? await enter({ ...shim, cgroup }, ask) : undefined;
      if (talk === undefined || cgroup === undefined) return false;
      if (awaited.get(cgroup) === come) come?.(talk);
      else {
        inside.delete(pid); // it came too late
        void talk.end();
      }
      return true;
    },
    left: ({ shim }) => void inside.delete(shim.pid),
  };
}
