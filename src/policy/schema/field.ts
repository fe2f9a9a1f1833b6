import * as z from "zod/mini";
import { type BytesRange, parseBytes } from "../../units/bytes.ts";
import { parseDuration } from "../../units/durations.ts";
import { nearest } from "../../units/nearest.ts";
import {
  type Bytes,
  type Infinite,
  type Milliseconds,
  type NotAQuantity,
  type Percent,
  parseCount,
  parsePercent,
  parseWeight,
} from "../../units/quantities.ts";
import { hasControlCharacter } from "../../units/text.ts";
import { describeValue, quoted } from "./describe-value.ts";

/** The problem of an invalid value; `problem` continues "key: ". */
export type Wrong = NotAQuantity;

/** The type of each key in docs/configuration.md. A test compares the two. */
export const keyTypes = z.registry<{ readonly type: string }>();

/** A key whose value one function parses from any value in the file. */
export function field<T>(type: string, read: (value: unknown) => T | Wrong): z.ZodMiniType<T, unknown> {
  const schema = z.transform((value: unknown, context): T => {
    const result = value === undefined ? { problem: "is missing", fix: `add it: ${type}` } : read(value);
    if (!isWrong(result)) return result;
    context.issues.push({ code: "custom", input: value, message: result.problem, params: { fix: result.fix } });
    return z.NEVER;
  });
  keyTypes.add(schema, { type });
  return schema;
}

function isWrong(value: unknown): value is Wrong {
  return typeof value === "object" && value !== null && "problem" in value && "fix" in value;
}

const isTable = (value: unknown) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
const plainTable = field("table", (value): unknown =>
  isTable(value) ? value : wrongType(value, "a table", "write its keys under [name] or in { }"),
);

/** A table with exactly these keys. */
export function table<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.pipe(plainTable, z.strictObject(shape));
}

/** A table with any keys. */
export function dictionary<Value extends z.core.SomeType>(value: Value) {
  const named = z.transform((input: unknown, context) => {
    // z.record drops this key without an error
    if (Object.hasOwn(Object(input), "__proto__"))
      context.issues.push({
        code: "custom",
        input,
        path: ["__proto__"],
        message: "cannot be used as a name",
        params: { fix: "remove it" },
      });
    return input;
  });
  return z.pipe(z.pipe(plainTable, named), z.record(z.string(), value));
}

/** A list of items of one type, as `[[name]]` or `[…]`. */
export function list<Item extends z.core.SomeType>(item: Item, fix: string) {
  const array = field("list", (value): unknown[] | Wrong =>
    Array.isArray(value) ? value : wrongType(value, "a list", fix),
  );
  return z.pipe(array, z.array(item));
}

export const wrongType = (value: unknown, wanted: string, fix: string): Wrong => ({
  problem: `${describeValue(value)} is not ${wanted}`,
  fix,
});

/** A text that is not empty, has no control characters, and has at most `most` characters. */
export const text = (example: string, most = Number.POSITIVE_INFINITY) =>
  field("text", (value) => {
    if (typeof value !== "string") return wrongType(value, "text", `write text in quotes, such as "${example}"`);
    if (value.length > most) return { problem: `is longer than ${most} characters`, fix: "shorten it" };
    if (value === "") return { problem: "is empty", fix: `write text such as "${example}"` };
    return hasControlCharacter(value)
      ? { problem: `${quoted(value)} has a control character`, fix: "remove it" }
      : value;
  });

export const flag = field("true or false", (value) =>
  typeof value === "boolean" ? value : wrongType(value, "true or false", "write true or false, without quotes"),
);

/** One of several words. */
export function oneOf<const Word extends string>(words: readonly Word[]): z.ZodMiniType<Word, unknown> {
  const type = words.map((word) => `"${word}"`).join(" or ");
  return field(type, (value) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    const near = typeof value === "string" ? nearest(value, words) : undefined;
    return wrongType(value, "known here", near ? `write "${near}"` : `write ${type}`);
  });
}

/** The version of the file's layout. Only 1 exists so far. */
export const schemaVersion = field("1", (value) =>
  value === 1 ? value : wrongType(value, "a version of this file that nixgate knows", "write schema = 1"),
);

const quantity = <T>(type: string, parse: (value: string | number) => T | Wrong) =>
  field(type, (value) =>
    typeof value === "string" || typeof value === "number"
      ? parse(value)
      : wrongType(value, type.startsWith("size") ? "a size" : `a ${type}`, `write a ${type} in quotes`),
  );

export const bytes = (range?: Omit<BytesRange, "infinite">) =>
  quantity<Bytes>("size", (value) => parseBytes(value, range));
export const bytesOrInfinity = (range?: Omit<BytesRange, "infinite">) =>
  quantity<Bytes | Infinite>("size or infinity", (value) => parseBytes(value, { ...range, infinite: true }));
export const duration = quantity<Milliseconds>("duration", (value) => parseDuration(value));
export const durationOrInfinity = quantity<Milliseconds | Infinite>("duration or infinity", (value) =>
  parseDuration(value, true),
);
export const count = quantity<number>("count", (value) => parseCount(value));
export const countOrInfinity = quantity<number | Infinite>("count or infinity", (value) => parseCount(value, true));
export const weight = quantity<number>("weight", parseWeight);
export const percent = quantity("percentage", parsePercent);

/** A part of a whole: `"60%"`, at most 100%. */
export const part = quantity<Percent>("percentage", (value) => parsePart(value));

/** A size, or a part of a whole: `"5%"`. 0 disables the check. */
export const bytesOrPercent = quantity<Bytes | `${number}%`>("size or percentage", (value) =>
  String(value).includes("%") ? asText(parsePart(value)) : parseBytes(value, { zero: true }),
);

/** A number of things, or a part of all of them. 0 disables the check. */
export const countOrPercent = quantity<number | `${number}%`>("count or percentage", (value) => {
  if (String(value).includes("%")) return asText(parsePart(value));
  return String(value) === "0" ? 0 : parseCount(value);
});

function parsePart(value: string | number): Percent | Wrong {
  const share = parsePercent(value);
  const fix = 'write a part such as "5%"';
  if (typeof share === "object") return { problem: share.problem, fix };
  return share > 100 ? { problem: `"${share}%" is above 100%`, fix } : share;
}

/** The form in which a policy holds it beside sizes and counts. */
const asText = (share: Percent | Wrong) => (typeof share === "object" ? share : (`${share}%` as const));

/** A number above zero; fractions are allowed. */
export const load = field("number", (value) =>
  typeof value === "number" && value > 0 && Number.isFinite(value)
    ? value
    : wrongType(value, "a number above zero", "write a number such as 8.0, without quotes"),
);

/**
 * Whether a path is absolute, without empty, `.` or `..` parts and without control characters. Every reader takes such
 * a path for the same place.
 */
export const isPlainPath = (path: string): boolean =>
  /^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/.test(path) && !hasControlCharacter(path) && path.length < 4096;

export const plainPath = (example: string) =>
  field("path", (value) => {
    const fix = `write an absolute path without "." or ".." in it, such as "${example}"`;
    if (typeof value !== "string") return wrongType(value, "a path", fix);
    return isPlainPath(value) ? value : { problem: `${quoted(value)} is not a plain absolute path`, fix };
  });
