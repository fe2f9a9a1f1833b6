import * as z from "zod/mini";
import { type FieldNotes, fieldNotes } from "./field.ts";
import { bodies, commonFields, SessionRecord } from "./schema.ts";
import type { RecordEvent } from "./vocabulary.ts";

export interface FieldDescription extends FieldNotes {
  /** The event of the field; `*` for every record. */
  readonly event: RecordEvent | "*";
  /** The dotted name: `client.ip`. */
  readonly field: string;
  readonly type: string;
}

interface Def {
  readonly type: string;
  readonly innerType?: z.ZodMiniType;
  readonly entries?: Readonly<Record<string, string>>;
}
const defOf = (type: z.ZodMiniType) => type._zod.def as Def;
const unwrap = (type: z.ZodMiniType): z.ZodMiniType => {
  const { type: kind, innerType } = defOf(type);
  return innerType !== undefined && (kind === "optional" || kind === "nullable") ? unwrap(innerType) : type;
};

function typeName(type: z.ZodMiniType): string {
  const def = defOf(type);
  if (def.type === "nullable" && def.innerType) return `${typeName(def.innerType)} or null`;
  if (def.type === "optional" && def.innerType) return typeName(def.innerType);
  if (def.type === "enum") return Object.values(def.entries ?? {}).join(", ");
  if (def.type === "literal") return String((type as z.ZodMiniLiteral).def.values[0]);
  return { int: "integer", number: "integer", record: "object", array: "list" }[def.type] ?? def.type;
}

function describe(event: FieldDescription["event"], shape: object, prefix = ""): FieldDescription[] {
  return Object.entries(shape as Record<string, z.ZodMiniType>).flatMap(([name, type]) => {
    const notes = fieldNotes.get(type);
    const inner = unwrap(type);
    const children = inner instanceof z.ZodMiniObject ? describe(event, inner.shape, `${prefix}${name}.`) : [];
    return notes === undefined
      ? children
      : [{ event, field: prefix + name, type: typeName(type), ...notes }, ...children];
  });
}

/** Every field of every record with its type, unit and the meaning of its absence, in the order of writing. */
export function describeFields(): readonly FieldDescription[] {
  const { v, time, ...identity } = commonFields.head;
  return [
    ...describe("*", { v, time }),
    { event: "*", field: "event", type: "string", description: "what the record is about" },
    ...describe("*", identity),
    ...Object.entries(bodies).flatMap(([event, body]) => describe(event as RecordEvent, body.shape)),
    ...describe("*", commonFields.tail),
  ];
}

/** The JSON Schema (2020-12) of one record, made from the same definition. docs/record.schema.json holds it. */
export const jsonSchema = () => ({
  title: "A record of nixgate: one line of <log.directory>/<team>/<YYYY-MM-DD>.jsonl",
  description:
    "`unit` is a value's unit, `absent` what follows where a field does not exist. Further fields are allowed.",
  ...z.toJSONSchema(SessionRecord, { metadata: fieldNotes, io: "input" }),
});
