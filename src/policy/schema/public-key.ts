import { fingerprintOf, KEY_TYPES, wireStrings } from "../../units/ssh-key.ts";
import { hasControlCharacter } from "../../units/text.ts";
import { quoted } from "./describe-value.ts";
import { field, type Wrong, wrongType } from "./field.ts";

const FIX = 'write one line of a .pub file, such as "ssh-ed25519 AAAA… ci@alpha"';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** One OpenSSH public key, as in a line of a .pub file. */
export interface PublicKey {
  readonly type: string;
  /** The key of RFC 4253, section 6.6, in base64. */
  readonly blob: string;
  readonly comment: string;
}

/**
 * Parses exactly one key. Text before the key is refused, because authorized_keys options would undo `restrict`. A
 * second line is refused too.
 */
export function readPublicKey(line: string): PublicKey | Wrong {
  if (hasControlCharacter(line))
    return { problem: `${quoted(line)} has a line break or another control character`, fix: FIX };
  const [, type = "", blob = "", comment = ""] = /^(\S+) +(\S+)(?: +(.*\S))? *$/.exec(line) ?? [];
  if (type === "") return { problem: `${quoted(line)} is not a public key`, fix: FIX };
  if (type.includes("-cert-")) return { problem: `${quoted(type)} is a certificate, not a key`, fix: FIX };
  if (!KEY_TYPES.includes(type)) {
    const options = KEY_TYPES.some((known) => line.includes(` ${known} `));
    return options
      ? { problem: "has options before the key", fix: "remove them; nixgate writes its own" }
      : { problem: `${quoted(type)} is not a key type that sshd accepts`, fix: FIX };
  }
  const parts = BASE64.test(blob) ? wireStrings(Buffer.from(blob, "base64")) : undefined;
  if (!parts || parts.length < 2) return { problem: `${quoted(blob)} is not a whole key`, fix: "copy the line again" };
  const inside = parts[0]?.toString("latin1") ?? "";
  if (inside !== type)
    return { problem: `says ${quoted(type)} and holds ${quoted(inside)}`, fix: "copy the line again" };
  return { type, blob, comment };
}

export const publicKeyField = field("public key", (value): string | Wrong => {
  if (typeof value !== "string") return wrongType(value, "a public key", FIX);
  const key = readPublicKey(value);
  return "problem" in key ? key : value;
});

/** The fingerprint of a key, as ssh-keygen(1) -l and sshd's %f write it. */
export const fingerprint = (key: PublicKey): string => fingerprintOf(Buffer.from(key.blob, "base64"));
