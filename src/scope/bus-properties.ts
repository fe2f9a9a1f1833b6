import { type LimitKind, type LimitRow, limitRows } from "../policy/limits.ts";
import { parseBytes } from "../units/bytes.ts";
import { parseDuration } from "../units/durations.ts";
import { type Infinite, type NotAQuantity, parseCount, parsePercent, parseWeight } from "../units/quantities.ts";
import type { Property } from "./properties.ts";

/** A property as StartTransientUnit takes it (org.freedesktop.systemd1(5)): name, D-Bus signature, value. */
export type BusProperty = readonly [name: string, signature: string, value: unknown];

/** systemd's UINT64_MAX: no limit, and no weight. */
const NO_BOUND = 0xffff_ffff_ffff_ffffn;

const whole = (value: number | Infinite | NotAQuantity, scale = 1): bigint => {
  if (typeof value === "object") throw new TypeError(`a property that the plan wrote ${value.problem}`);
  return value === "infinity" ? NO_BOUND : BigInt(Math.round(value * scale));
};
const US_PER_MS = 1000;
/** Microseconds of CPU time per second for one per cent. */
const US_PER_PERCENT = 10_000;

/** The bus value for the text of each kind. `""` removes a limit. */
const VALUES: Readonly<Record<LimitKind, (text: string) => bigint>> = {
  count: (text) => whole(parseCount(text, true)),
  size: (text) => whole(parseBytes(text, ANY_SIZE)),
  "size or 0": (text) => whole(parseBytes(text, ANY_SIZE)),
  amount: (text) => whole(parseBytes(text, ANY_SIZE)),
  percentage: (text) => (text === "" ? NO_BOUND : whole(parsePercent(text), US_PER_PERCENT)),
  weight: (text) => (text === "" ? NO_BOUND : whole(parseWeight(text))),
  duration: (text) => whole(parseDuration(text, true), US_PER_MS),
};
const ANY_SIZE = { infinite: true, zero: true } as const;

/** The bus accepts fewer spellings than unit files: no units, and its own names for times and quotas. */
const ON_THE_BUS = new Map<string, Pick<LimitRow, "kind" | "bus">>([
  ...limitRows.map((row) => [row.name, row] as const),
  ["TimeoutStopSec", { kind: "duration", bus: "TimeoutStopUSec" }],
]);

/**
 * A plan's property for the bus. It is made from the same text as `systemd-run --property=`, so the two cannot differ.
 */
export function busProperty({ name, value }: Property): BusProperty {
  const row = ON_THE_BUS.get(name);
  if (!row) throw new TypeError(`no way to put ${name} on the bus`);
  return [row.bus ?? name, "t", VALUES[row.kind](value)];
}
