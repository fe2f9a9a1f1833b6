/** Characters that could move a cursor, hide or reorder text, or end a line: C0, DEL, C1, line and paragraph
 *  separators, zero-width and bidirectional controls, the byte order mark, lone surrogates, and the tags and variation
 *  selectors of plane 14, in which a whole text can be hidden. */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\uddef]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * Text from outside, made safe for one line of a terminal, a log or a message: every unsafe character is written
 * as `\u{hex}`. Backslashes stay as they are: the result is for eyes, the record keeps a digest of the exact bytes.
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/**
 * Whether there is a control character in a text, or half a surrogate pair: Unicode's Cc and Cs, without its tables, which
 * a session would wait for.
 */
export function hasControlCharacter(text: string): boolean {
  return /[\u0000-\u001f\u007f-\u009f]/.test(text) || !text.isWellFormed();
}

/** JSON text with the same characters escaped as JSON does it: it reads back as it was, and `cat` shows it safely. */
export function escapeJson(json: string): string {
  const unit = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return json.replace(UNSAFE, (character) => character.split("").map(unit).join(""));
}

/** A word as sh takes it: as it is where nothing in it is special, otherwise in single quotes (XCU 2.2.2). */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
