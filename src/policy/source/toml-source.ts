import { parse, TomlError } from "smol-toml";
import type { Parsed } from "./source.ts";
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
    return { ok: true, data: parse(text, { unsafeKeyBehaviour: "throw", maxDepth: 16 }) };
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
