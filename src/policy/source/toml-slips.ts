import { hasControlCharacter } from "../../units/text.ts";
import { quoted } from "../schema/describe-value.ts";

/** A mistake in a TOML file, in words for its writer. */
export interface Slip {
  readonly message: string;
  readonly fix: string;
  /** 1-based; undefined where the parser's line is right. */
  readonly line?: number;
}

/** The parser's message, and the text around the position where it stopped. */
interface Stop {
  readonly complaint: string;
  readonly lines: readonly string[];
  /** 1-based. */
  readonly line: number;
  /** The whole line, and its rest from the position where the parser stopped. */
  readonly row: string;
  readonly rest: string;
}

/** Characters that word processors and chat programs put in place of quotes and spaces. */
const TYPOGRAPHIC = /[\u2018-\u201f\u00ab\u00bb\u2032\u2033]/;
const INVISIBLE = /[\u00a0\u200b-\u200d\u2007\u2060\u202f\ufeff]/;
/** A line that begins a new statement, so that any open bracket or quote above it lacks its end. */
const STATEMENT = /^\s*(?:[\w.-]+\s*=|\[{1,2}[\w.-]+\]|$)/;
const HEADER = /^\s*\[{1,2}\s*([\w.-]+)/;
/** Lists of tables, which are often written with one pair of brackets by mistake. */
const LISTS = ["allow", "member", "ca"];

/**
 * Finds the mistake behind a message of smol-toml. The parser reports the position where it stopped; the mistake is in
 * the text before it.
 * @returns undefined where no better message than the parser's is known
 */
export function slipOf(text: string, line: number, column: number, complaint: string): Slip | undefined {
  const lines = text.split("\n").map((row) => row.replace(/\r$/, ""));
  const row = lines[line - 1] ?? "";
  const stop = { complaint, lines, line, row, rest: row.slice(column - 1) };
  return strangeCharacter(stop) ?? SLIPS.find(([pattern]) => pattern.test(complaint))?.[1](stop);
}

const SLIPS: readonly (readonly [complaint: RegExp, slip: (stop: Stop) => Slip | undefined])[] = [
  [/control characters are not allowed in strings|unfinished string/, openText],
  [/expected comma or end of structure/, openList],
  [/expected end of table array declaration/, () => openHeader],
  [/illegal character in key/, strangeKey],
  [/must be followed by an end-of-line/, behindValue],
  [/invalid value|illegal character in numeric literal|illegal leading zero/, strangeValue],
  [/unrecognised escape sequence/, () => BACKSLASH],
  [/redefine/, twice],
];

const openHeader: Slip = {
  message: "a closing bracket is missing",
  fix: "write [name], or [[name]] for one more entry of a list",
};
const BACKSLASH: Slip = {
  message: "a backslash begins a sequence that TOML does not know",
  fix: "write two of them, or put the text in single quotes",
};

function strangeCharacter({ complaint, row }: Stop): Slip | undefined {
  if (/redefine|escape/.test(complaint)) return undefined;
  const unquoted = row.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, "").replace(/#.*/, "");
  const mark = TYPOGRAPHIC.exec(unquoted)?.[0];
  if (mark !== undefined)
    return {
      message: `${mark} is a typographic quotation mark, not a quote`,
      fix: 'write " instead, and turn smart quotes off',
    };
  const blank = INVISIBLE.exec(unquoted)?.[0];
  if (blank === undefined) return undefined;
  return { message: `there is an invisible character, ${codePoint(blank)}`, fix: "remove it, or write a plain space" };
}

const codePoint = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

function openText({ complaint, row, rest }: Stop): Slip {
  const kind = /"""|'''/.exec(row)?.[0];
  if (complaint.includes("unfinished") && kind !== undefined)
    return { message: `a text that begins with ${kind} has no end`, fix: `write ${kind} at its end` };
  if (rest !== "" && !complaint.includes("unfinished"))
    return { message: `a text holds a control character, ${codePoint(rest)}`, fix: "remove it" };
  const quote = row.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, "").includes('"') ? '"' : "'";
  return {
    message: "a closing quote is missing: the text has no end on this line",
    fix: `write ${quote} after the text`,
  };
}

function openList({ lines, line, row, rest }: Stop): Slip {
  const isNextStatement = row.length - rest.length <= row.search(/\S|$/) && STATEMENT.test(row);
  const begins = lines.slice(0, isNextStatement ? line - 1 : line).findLastIndex((other) => /=\s*[[{]/.test(other)) + 1;
  const [what, end] = /=\s*\{/.test(lines[begins - 1] ?? "") ? ["inline table", "}"] : ["list", "]"];
  if (!isNextStatement)
    return { message: `a comma is missing between two entries of the ${what}`, fix: "write one after each entry" };
  return {
    ...(begins > 0 && { line: begins }),
    message: `a closing ${end} is missing: the ${what} has no end`,
    fix: `write ${end} after its last entry`,
  };
}

function strangeKey({ row, rest }: Stop): Slip | undefined {
  if (hasControlCharacter(rest)) return undefined;
  if (/^\s*(?:\/\/|;|--)/.test(row)) return { message: "a comment begins with #", fix: "write # in front of it" };
  if (HEADER.test(row)) return openHeader;
  if (/^\s*:/.test(rest)) return { message: "there is a colon instead of =", fix: "write key = value" };
  const key = /^\s*([\w.-]+(?:\s+[\w.-]+)+)\s*=/.exec(row)?.[1];
  if (key !== undefined)
    return {
      message: `${quoted(key)} is a key with a space in it`,
      fix: `write ${key.replace(/\s+/g, "_")}, or two lines`,
    };
  return { message: "= is missing", fix: "write key = value; a table begins with [name], a comment with #" };
}

function behindValue({ rest }: Stop): Slip {
  if (rest.includes('"') || rest.includes("'"))
    return { message: "a quote ends the text before its end", fix: 'write \\" for a quote within a text' };
  if (/^\s*[;,]/.test(rest)) return { message: `${rest.trim().slice(0, 1)} follows a value`, fix: "remove it" };
  return {
    message: "a value has more text after it on its line",
    fix: "write each key on a line of its own; a comment begins with #",
  };
}

function strangeValue({ row, rest, complaint }: Stop): Slip | undefined {
  const value = /=\s*([^\s,\]}#]+)[^=]*$/.exec(row)?.[1] ?? "";
  const word = complaint === "invalid value" ? (/^[^\s,\]}#]*/.exec(rest)?.[0] ?? "") : value;
  if (word === "") return { message: "a value is missing", fix: "write one after =, a text in quotes" };
  if (word.startsWith("=")) return { message: "= occurs twice", fix: "remove one of the two" };
  if (word.startsWith("(")) return { message: "a list is in round brackets", fix: 'write ["one", "two"]' };
  if (word.endsWith(";")) return { message: "; follows a value", fix: "remove it" };
  if (/^(?:true|false|yes|no|on|off)$/i.test(word)) {
    const means = /^(?:true|yes|on)$/i.test(word);
    return {
      message: `${quoted(word)} is neither true nor false`,
      fix: `write ${means}, in small letters and without quotes`,
    };
  }
  if (/^[+-]?0\d/.test(word))
    return { message: `${quoted(word)} is a number that begins with 0`, fix: "remove the zero" };
  const plain = word.replace(/^[`"']+|[`"',;]+$/g, "");
  return { message: `${quoted(word)} is a text without quotes around it`, fix: `write ${JSON.stringify(plain)}` };
}

function twice({ lines, line, row }: Stop): Slip {
  const table = HEADER.exec(row)?.[1];
  if (table !== undefined && LISTS.includes(table)) {
    const single = lines.slice(0, line).findIndex((other) => new RegExp(`^\\s*\\[\\s*${table}\\s*\\]`).test(other)) + 1;
    const message = `[${table}] defines one table, and here is another of this name`;
    return { ...(single > 0 && { line: single }), message, fix: `write [[${table}]] for each of them` };
  }
  if (table !== undefined)
    return { message: `the table [${table}] occurs twice`, fix: "write all of its keys under one of the two" };
  const key = /^\s*([\w.-]+)\s*=/.exec(row)?.[1];
  return {
    message: key === undefined ? "a key or table occurs twice" : `the key ${key} occurs twice`,
    fix: "keep one of the two; [[name]] begins one more entry of a list",
  };
}
