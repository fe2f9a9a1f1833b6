import * as z from "zod/mini";

export interface FieldNotes {
  /** One sentence without its full stop. */
  readonly description: string;
  /** `ms`, `bytes`, …; undefined where the value has no unit. */
  readonly unit?: string;
  /** The meaning of the field's absence; undefined where the field is always present. */
  readonly absent?: string;
}

/** The unit and meaning of every field, beside its type. The table of docs/records.md and the JSON Schema are made from it. */
export const fieldNotes = z.registry<FieldNotes>();

const noted = <T extends z.ZodMiniType>(type: T, notes: FieldNotes): T => {
  fieldNotes.add(type, notes);
  return type;
};

/** A field that every record of its event has. */
export const recordField = <T extends z.ZodMiniType>(type: T, description: string, unit?: string): T =>
  noted(type, unit === undefined ? { description } : { description, unit });

/** A field that may be absent; `absent` tells the meaning of that. */
export const maybe = <T extends z.ZodMiniType>(type: T, description: string, absent: string, unit?: string) =>
  noted(z.optional(type), unit === undefined ? { description, absent } : { description, absent, unit });

const natural = () => z.int().check(z.gte(0));

/** A count, from 0. */
export const countField = (description: string) => recordField(natural(), description);
/** A figure of the kernel. It is absent where the kernel does not offer it, never 0. */
export const figure = (description: string, unit?: string) =>
  maybe(natural(), description, "the kernel does not offer it, or it could not be read", unit);
/** A duration in whole milliseconds of the monotonic clock. */
export const durationField = (description: string) => recordField(natural(), description, "ms");
export const textField = (description: string) => recordField(z.string(), description);
/** A text that only some hosts or sessions have. */
export const maybeText = (description: string, absent: string) => maybe(z.string(), description, absent);
