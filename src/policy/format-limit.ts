import { formatBytes } from "../units/bytes.ts";
import { formatDuration } from "../units/durations.ts";
import { type Bytes, formatPercent, type Milliseconds, type Percent } from "../units/quantities.ts";
import type { LimitKind, LimitValue } from "./limits.ts";

const size = (value: LimitValue) => formatBytes(value as Bytes);

const PRINT: Readonly<Record<LimitKind, (value: LimitValue) => string>> = {
  count: String,
  size,
  "size or 0": size,
  amount: size,
  percentage: (value) => formatPercent(value as Percent),
  weight: String,
  duration: (value) => formatDuration(value as Milliseconds),
};

/** A limit in the spelling of a policy and of systemd's unit files: `256`, `2G`, `150%`, `1min 30s`, `infinity`. */
export const formatLimit = (kind: LimitKind, value: LimitValue): string => PRINT[kind](value);
