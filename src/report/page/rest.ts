import type { SessionRecord } from "../../record/schema.ts";

/** The fields of a record that have no counterpart in another schema. */
export const rest = (record: SessionRecord, mapped: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !mapped.includes(name)));
