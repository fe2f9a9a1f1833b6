import { isUtf8 } from "node:buffer";
import { digest } from "../units/digest.ts";
import { escapeText } from "../units/text.ts";

/** The longest request that a record holds, in bytes of UTF-8. */
export const REQUEST_MAX_BYTES = 4096;

export interface RequestText {
  readonly request: string;
  readonly request_sha256: string;
}

/**
 * A request as records hold it. Unsafe characters are written as `\u{hex}`, bytes that are not UTF-8 as `\x{hex}`. The
 * text is cut after the last whole character or escape that fits. The digest is of the exact bytes, before escaping and
 * cutting.
 */
export function requestText(bytes: Uint8Array): RequestText {
  return { request: escapedPrefix(bytes), request_sha256: digest(bytes, "hex") };
}

function escapedPrefix(bytes: Uint8Array): string {
  let escaped = "";
  let room = REQUEST_MAX_BYTES;
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    const unit =
      length === 0
        ? `\\x{${bytes[at]?.toString(16).padStart(2, "0")}}`
        : escapeText(Buffer.from(bytes.subarray(at, at + length)).toString("utf8"));
    room -= Buffer.byteLength(unit);
    if (room < 0) break;
    escaped += unit;
    at += Math.max(length, 1);
  }
  return escaped;
}

/** The length in bytes of the character at this position; 0 where no valid character begins. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const character = bytes.subarray(at, at + length);
  return character.length === length && isUtf8(character) ? length : 0;
}
