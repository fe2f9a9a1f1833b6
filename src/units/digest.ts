import { sha256 } from "@noble/hashes/sha2.js";

/**
 * The SHA-256 digest of the data; a text is encoded as UTF-8. The digest is computed in JavaScript, because loading
 * node:crypto takes longer than all the digests of a session. archive/verify checks whole archives and uses OpenSSL's
 * digest.
 */
export function digest(data: string | Uint8Array, encoding: "hex" | "base64"): string {
  return Buffer.from(sha256(typeof data === "string" ? Buffer.from(data) : data)).toString(encoding);
}
