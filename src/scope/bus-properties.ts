import { parseBytes } from "../units/bytes.ts";
import { parseDuration } from "../units/durations.ts";
import { type Infinite, type NotAQuantity, parseCount, parsePercent, parseWeight } from "../units/quantities.ts";
import type { Property } from "./properties.ts";

/** A property as StartTransientUnit takes it (org.freedesktop.systemd1(5)): name, D-Bus signature, value. */
export type BusProperty = readonly [name: string, signature: string, value: unknown];

/** systemd's UINT64_MAX: no bound, and no weight. */
const NO_BOUND = 0xffff_ffff_ffff_ffffn;

const whole = (value: number | Infinite | NotAQuantity, scale = 1): bigint => {
  if (typeof value === "object") throw new TypeError(`a property that the plan wrote ${value.problem}`);
  return value === "infinity" ? NO_BOUND : BigInt(Math.round(value * scale));
};
const US_PER_MS = 1000;
/** Microseconds of CPU time a second that one per cent is. */
const US_PER_PERCENT = 10_000;

const size = (name: string) => (value: string) =>
  [name, "t", whole(parseBytes(value, { infinite: true, zero: true }))] as const;
const weight = (name: string) => (value: string) =>
  [name, "t", value === "" ? NO_BOUND : whole(parseWeight(value))] as const;
const duration = (name: string) => (value: string) =>
  [name, "t", whole(parseDuration(value, true), US_PER_MS)] as const;

/** The bus knows fewer spellings than unit files: no units, and its own names for times and quotas. */
const ON_THE_BUS: Readonly<Record<string, (value: string) => BusProperty>> = {
  TasksMax: (value) => ["TasksMax", "t", whole(parseCount(value, true))],
  MemoryMax: size("MemoryMax"),
  MemoryHigh: size("MemoryHigh"),
  MemorySwapMax: size("MemorySwapMax"),
  CPUQuota: (value) => [
    "CPUQuotaPerSecUSec",
    "t",
    value === "" ? NO_BOUND : whole(parsePercent(value), US_PER_PERCENT),
  ],
  CPUWeight: weight("CPUWeight"),
  IOWeight: weight("IOWeight"),
  RuntimeMaxSec: duration("RuntimeMaxUSec"),
  TimeoutStopSec: duration("TimeoutStopUSec"),
};

/** A plan's property for the bus. The same text that `systemd-run --property=` takes is read, so the two cannot differ. */
export function busProperty({ name, value }: Property): BusProperty {
  const write = ON_THE_BUS[name];
  if (!write) throw new TypeError(`no way to put ${name} on the bus`);
  return write(value);
}
