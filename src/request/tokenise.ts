/** The words as sh splits and quotes them, or the reason why the text cannot be split. */
export type Tokens =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/** In double quotes a backslash quotes only these (POSIX.1-2024, Shell & Utilities 2.2.3). */
const ESCAPED_IN_DOUBLE_QUOTES = new Set(["$", "`", '"', "\\"]);

/**
 * Splits a request into words with the quoting rules of POSIX sh (2.2), and no other rule of sh. Characters that sh
 * would expand, redirect or run are ordinary characters. Only the space separates words, since the parser refuses
 * control characters earlier.
 */
export function tokenise(text: string): Tokens {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === " ") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'" || character === '"') {
      const quoted = character === "'" ? singleQuoted(text, at + 1) : doubleQuoted(text, at + 1);
      if (quoted === undefined) return { ok: false, problem: `a ${character} is not closed` };
      word = (word ?? "") + quoted.text;
      at = quoted.end;
    } else if (character === "\\") {
      at += 1;
      if (at === text.length) return { ok: false, problem: "a backslash is at the end" };
      word = (word ?? "") + text[at];
    } else {
      word = (word ?? "") + character;
    }
  }
  if (word !== undefined) words.push(word);
  return { ok: true, words };
}

interface Quoted {
  readonly text: string;
  /** The index of the closing quote. */
  readonly end: number;
}

function singleQuoted(text: string, start: number): Quoted | undefined {
  const end = text.indexOf("'", start);
  return end < 0 ? undefined : { text: text.slice(start, end), end };
}

function doubleQuoted(text: string, start: number): Quoted | undefined {
  let inside = "";
  for (let at = start; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '"') return { text: inside, end: at };
    if (character === "\\" && ESCAPED_IN_DOUBLE_QUOTES.has(text[at + 1] ?? "")) at += 1;
    inside += text[at];
  }
  return undefined;
}
