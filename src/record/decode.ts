import { escapeText } from "../units/text.ts";
import { LINE_MAX_BYTES } from "./chain.ts";
import { SessionRecord } from "./schema.ts";

/** One line of a file, undecoded. */
export interface RawLine {
  /** 1-based. */
  readonly number: number;
  /** The line without its LF, valid until the next line is read. Empty when `tooLong`. */
  readonly bytes: Uint8Array;
  readonly tooLong: boolean;
  /** The position of the line's first byte in the file; absent where there is no file. */
  readonly offset?: number;
}

/**
 * `torn`: the writer died within the line. `foreign`: a whole line that is no record. `too-long`: longer than writers
 * make.
 */
export type Damage = { readonly kind: "torn" | "foreign" | "too-long"; readonly what: string };
export type Decoded =
  | { readonly ok: true; readonly record: SessionRecord }
  | { readonly ok: false; readonly damage: Damage };

const damaged = (kind: Damage["kind"], what: string): Decoded => ({ ok: false, damage: { kind, what } });
const NO_SUCH_DAY = "not a record of nixgate: time: no such day";
/**
 * The deepest nesting of a record that a reader takes; a writer's have four levels. JSON.stringify of a value with some
 * thousand levels overflows the stack, while JSON.parse takes any number of them.
 */
const DEPTH_MAX = 1000;
const TOO_DEEP = `not a record of nixgate: nested deeper than ${DEPTH_MAX} levels`;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Decodes one line of the archive; the record keeps unknown fields. The function never throws: damage is a value too.
 */
export function decodeLine(line: RawLine): Decoded {
  if (line.tooLong) return damaged("too-long", `longer than ${LINE_MAX_BYTES} bytes`);
  if (isTooDeep(line.bytes)) return damaged("foreign", TOO_DEEP);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(line.bytes));
  } catch {
    return damaged("torn", "torn: not a whole JSON object; a crash or a full disk can cause this");
  }
  const checked = SessionRecord.safeParse(value);
  if (checked.success) {
    const record = value as SessionRecord;
    // A forged record may have a date that does not exist, such as February 30.
    return Number.isNaN(Date.parse(record.time)) ? damaged("foreign", NO_SUCH_DAY) : { ok: true, record };
  }
  const [issue] = checked.error.issues;
  const where = issue?.path.join(".") || "event";
  return damaged(
    "foreign",
    `not a record of nixgate: ${escapeText(where)}: ${escapeText(issue?.message ?? "invalid")}`,
  );
}

const [QUOTE, BACKSLASH, BRACKET, BRACE, END_BRACKET, END_BRACE] = [0x22, 0x5c, 0x5b, 0x7b, 0x5d, 0x7d];

/** Whether a line of JSON has too many levels. Most lines are too short for that and are not looked at. */
function isTooDeep(bytes: Uint8Array): boolean {
  if (bytes.length <= DEPTH_MAX) return false;
  let depth = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (isText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === BRACKET || byte === BRACE) {
      depth += 1;
      if (depth > DEPTH_MAX) return true;
    } else if (byte === END_BRACKET || byte === END_BRACE) depth -= 1;
  }
  return false;
}
