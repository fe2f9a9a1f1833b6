import type { SessionRecord } from "../../record/schema.ts";

/** A record's fields without those that have a place of their own in another schema. */
export const rest = (record: SessionRecord, mapped: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !mapped.includes(name)));
