import type { SessionRecord } from "./schema.ts";

const HEADLINE = new Set(["event", "time"]);

/** Every field of a record except its event and its time, with dotted names, in the order of writing. */
export const fieldsOf = (record: SessionRecord): readonly (readonly [name: string, value: string])[] =>
  flatten(record, "");

function flatten(value: object, prefix: string): (readonly [string, string])[] {
  return Object.entries(value).flatMap(([name, inner]) => {
    const key = prefix + name;
    if (HEADLINE.has(key)) return [];
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) return flatten(inner, `${key}.`);
    return [[key, typeof inner === "string" ? inner : JSON.stringify(inner)] as const];
  });
}
