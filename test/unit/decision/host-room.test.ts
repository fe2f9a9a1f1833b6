import { expect, test } from "vitest";
import { type HostRoom, shortOfRoom } from "../../../src/decision/host-room.ts";
import type { HostConfig } from "../../../src/policy/policy.ts";
import type { Bytes, Percent } from "../../../src/units/quantities.ts";

const NOTHING = { maxPressure: {}, minFreeStore: 0 as Bytes, minFreeStoreInodes: 0 };
const GIB = 2 ** 30;

const HOST: HostRoom = {
  pressure: (resource) => ({ cpu: 80.01, memory: 5, io: 0 })[resource],
  storeRoom: () => ({ bytes: { free: 9 * GIB, all: 100 * GIB }, inodes: { free: 900, all: 10_000 } }),
};
const BARE: HostRoom = { pressure: () => undefined, storeRoom: () => undefined };
const BTRFS: HostRoom = {
  ...HOST,
  storeRoom: () => ({ bytes: { free: GIB, all: GIB }, inodes: { free: 0, all: 0 } }),
};

const percent = (value: number) => value as Percent;
const told = (name: string) => `${name} needs; the administrator can tell more (nixgate check)`;

test.each<[HostRoom, Partial<HostConfig["admission"]>, string | undefined, string?]>([
  [HOST, {}, undefined],
  [HOST, { maxPressure: { cpu: percent(80.01), memory: percent(5), io: percent(1) } }, undefined],
  [
    HOST,
    { maxPressure: { cpu: percent(80), memory: percent(1) } },
    "cpu-pressure",
    "the host's cpu pressure is 80.01%, above 80%; try again later",
  ],
  [
    HOST,
    { maxPressure: { memory: percent(4) } },
    "memory-pressure",
    "the host's memory pressure is 5%, above 4%; try again later",
  ],
  [HOST, { minFreeStore: (9 * GIB) as Bytes, minFreeStoreInodes: 900 }, undefined],
  [
    HOST,
    { minFreeStore: (10 * GIB) as Bytes },
    "store-full",
    "the file system of /nix/store has less than 10G of space left; try again later",
  ],
  [
    HOST,
    { minFreeStore: "9.5%" },
    "store-full",
    "the file system of /nix/store has less than 9.5% of space left; try again later",
  ],
  [
    HOST,
    { minFreeStoreInodes: 901 },
    "store-full",
    "the file system of /nix/store has less than 901 of the inodes left; try again later",
  ],
  [BTRFS, { minFreeStoreInodes: 901 }, undefined],
  [BARE, {}, undefined],
  [
    BARE,
    { maxPressure: { io: percent(100) } },
    "host-busy",
    `the kernel does not tell the io pressure, which ${told("admission.max_io_pressure")}`,
  ],
  [
    BARE,
    { minFreeStore: "1%", minFreeStoreInodes: 1 },
    "host-busy",
    `the file system of /nix/store cannot be measured, which ${told("admission.min_free_store")}`,
  ],
  [
    BARE,
    { minFreeStoreInodes: 1 },
    "host-busy",
    `the file system of /nix/store cannot be measured, which ${told("admission.min_free_store_inodes")}`,
  ],
])("%# with %j refuses as %s: %s", (host, bounds, reason, message) => {
  expect(shortOfRoom({ ...NOTHING, ...bounds }, host)).toEqual(reason && { reason, message });
});
