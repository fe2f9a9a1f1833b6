import { parse, TomlError } from "smol-toml";
import { isInCalendar } from "../../units/day.ts";
import type { Parsed } from "./parsed.ts";
import { slipOf } from "./toml-slips.ts";

/** The message and fix for each message of the parser. For any other message the parser's own words are shown. */
const REMEDIES: readonly (readonly [complaint: RegExp, message: string, fix: string])[] = [
  [/unsafe property/, "a key has a name that no setting has (__proto__ or constructor)", "remove it"],
  [/losslessly/, "a number is too large", "write a size such as 2G in quotes"],
];

/**
 * Parses TOML 1.0 with the additions of 1.1, by smol-toml. Dates stay objects of their own, which no key accepts. The
 * parser refuses unsafe keys.
 */
export function parseToml(text: string): Parsed {
  try {
    const data = parse(text, { unsafeKeyBehaviour: "throw", maxDepth: 16 });
    return noSuchDay(text) ?? { ok: true, data };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const complaint = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
    const [, message, fix] = REMEDIES.find(([pattern]) => pattern.test(complaint)) ?? [];
    const slip = slipOf(text, error.line, error.column, complaint);
    if (slip) return { ok: false, line: error.line, ...slip };
    return {
      ok: false,
      line: error.line,
      message: message ?? `not TOML: ${complaint}`,
      fix: fix ?? "correct the line; texts stand in quotes, and a table begins with [name]",
    };
  }
}

/** smol-toml takes a day that is not in the calendar for a later one, and access would last longer than was written. */
function noSuchDay(text: string): Parsed | undefined {
  const lines = text.split("\n");
  const line = lines.findIndex((row) => /^[^"'#]*=\s*\d{4}-\d\d-\d\d/.test(row) && !isInCalendar(dayIn(row))) + 1;
  if (line === 0) return undefined;
  const message = `${dayIn(lines[line - 1] ?? "")} is not in the calendar`;
  return { ok: false, line, message, fix: "write a day that the month has" };
}

const dayIn = (row: string) => /=\s*(\d{4}-\d\d-\d\d)/.exec(row)?.[1] ?? "";
