import * as z from "zod/mini";
import { type LimitKind, type Limits, limitRows, type TeamLimits, teamLimitRows } from "./limits.ts";
import { bytes, bytesOrInfinity, countOrInfinity, durationOrInfinity, percent, weight } from "./schema/field.ts";

const FIELDS = {
  count: countOrInfinity,
  size: bytesOrInfinity(),
  "size or 0": bytesOrInfinity({ zero: true }),
  amount: bytes(),
  percentage: percent,
  weight,
  duration: durationOrInfinity,
} satisfies Record<LimitKind, z.ZodMiniType>;

/** One optional key for each limit. */
type Fields<Of> = { [Name in keyof Of]-?: z.ZodMiniExactOptional<z.ZodMiniType<NonNullable<Of[Name]>, unknown>> };

const fieldsOf = (rows: typeof limitRows) =>
  Object.fromEntries(rows.map(({ name, kind }) => [name, z.exactOptional(FIELDS[kind] as z.ZodMiniType)]));

/** The keys of [limits]. The table of limits gives each key its kind, and the types follow from the table. */
export const limitFields = fieldsOf(limitRows) as Fields<Limits>;
/** The keys of [team_limits]. */
export const teamLimitFields = fieldsOf(teamLimitRows) as Fields<TeamLimits>;
