import { sha256 } from "@noble/hashes/sha2.js";

/**
 * SHA-256; a text is taken as UTF-8. In JavaScript because loading node:crypto takes longer than all the digests of a
 * session; where a whole archive is checked, record/links.ts takes OpenSSL's.
 */
export function digest(data: string | Uint8Array, encoding: "hex" | "base64"): string {
  return Buffer.from(sha256(typeof data === "string" ? Buffer.from(data) : data)).toString(encoding);
}
