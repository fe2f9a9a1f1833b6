import { type HostConfig, leastOf, PRESSURES, type Pressure } from "../policy/policy.ts";
import { formatBytes } from "../units/bytes.ts";
import type { Objection } from "./admit.ts";

/** The free part of something, and all of it. */
export interface Room {
  readonly free: number;
  readonly all: number;
}

/** The room in the file system of /nix/store. */
export interface StoreRoom {
  readonly bytes: Room;
  /** All is 0 where the file system makes inodes as it needs them, as btrfs does. Then no inode can be short. */
  readonly inodes: Room;
}

/** What the rules measure. Each call reads from the kernel, so a rule that is not set makes no call. */
export interface HostRoom {
  /**
   * The share of the last ten seconds in which some task waited for the resource, in per cent: `some avg10` of
   * /proc/pressure (Linux 4.20, Documentation/accounting/psi.rst). Undefined where the kernel does not tell it.
   */
  pressure(resource: Pressure): number | undefined;
  /** Undefined where /nix/store cannot be measured. */
  storeRoom(): StoreRoom | undefined;
}

type Bounds = Pick<HostConfig["admission"], "maxPressure" | "minFreeStore" | "minFreeStoreInodes">;

/** The key of a pressure's bound in nixgate.toml. */
export const pressureKey = (resource: Pressure) => `max_${resource}_pressure`;

/**
 * The first rule that the host does not keep. A rule whose fact the kernel does not tell refuses as well: the
 * administrator asked for it, and without the fact the host may be overloaded.
 */
export function shortOfRoom(bounds: Bounds, host: HostRoom): Objection | undefined {
  return underPressure(bounds, host) ?? storeFull(bounds, host);
}

function underPressure({ maxPressure }: Bounds, host: HostRoom): Objection | undefined {
  for (const resource of PRESSURES) {
    const most = maxPressure[resource];
    if (most === undefined) continue;
    const now = host.pressure(resource);
    if (now === undefined)
      return unknown(`the kernel does not tell the ${resource} pressure`, `admission.${pressureKey(resource)}`);
    if (now <= most) continue;
    const message = `the host's ${resource} pressure is ${now}%, above ${most}%; try again later`;
    return { reason: `${resource}-pressure`, message };
  }
  return undefined;
}

function storeFull({ minFreeStore, minFreeStoreInodes }: Bounds, host: HostRoom): Objection | undefined {
  if (minFreeStore === 0 && minFreeStoreInodes === 0) return undefined;
  const room = host.storeRoom();
  if (!room) {
    const key = minFreeStore === 0 ? "admission.min_free_store_inodes" : "admission.min_free_store";
    return unknown("the file system of /nix/store cannot be measured", key);
  }
  const { bytes, inodes } = room;
  if (bytes.free < leastOf(minFreeStore, bytes.all)) {
    const least = typeof minFreeStore === "number" ? formatBytes(minFreeStore) : minFreeStore;
    return full(`less than ${least} of space`);
  }
  if (inodes.all > 0 && inodes.free < leastOf(minFreeStoreInodes, inodes.all))
    return full(`less than ${minFreeStoreInodes} of the inodes`);
  return undefined;
}

const full = (what: string): Objection => ({
  reason: "store-full",
  message: `the file system of /nix/store has ${what} left; try again later`,
});

const unknown = (problem: string, key: string): Objection => ({
  reason: "host-busy",
  message: `${problem}, which ${key} needs; the administrator can tell more (nixgate check)`,
});
