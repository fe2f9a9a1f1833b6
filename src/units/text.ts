/**
 * Characters that can move a cursor, hide or reorder text, or end a line: C0, DEL, C1, line and paragraph separators,
 * zero-width and bidirectional controls, the byte order mark, and lone surrogates. The tags and variation selectors of
 * plane 14 are included, because they can hide a whole text.
 */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\uddef]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * Makes text from outside safe for one line of a terminal, a log or a message: every unsafe character is written as
 * `\u{hex}`. Backslashes stay as they are: the result is for people, and the record keeps a digest of the exact bytes.
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/**
 * Whether a text has a control character (Unicode's Cc) or half a surrogate pair (Cs). The check does without Unicode's
 * tables, because loading them would delay every session.
 */
export function hasControlCharacter(text: string): boolean {
  return /[\u0000-\u001f\u007f-\u009f]/.test(text) || !text.isWellFormed();
}

/**
 * Escapes the same characters in JSON text as JSON does. The text parses to the same value, and `cat` shows it safely.
 */
export function escapeJson(json: string): string {
  const unit = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return json.replace(UNSAFE, (character) => character.split("").map(unit).join(""));
}

/** A word as sh takes it: unquoted where no character is special, otherwise in single quotes (XCU 2.2.2). */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
