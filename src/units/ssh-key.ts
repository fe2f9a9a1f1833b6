import { digest } from "./digest.ts";

/**
 * The number of fields of a public key behind its type, by type (RFC 4253, 5656 and 8709; PROTOCOL.u2f of OpenSSH). The
 * types are PubkeyAcceptedAlgorithms of OpenSSH 9.2. ssh-dss is not among them; OpenSSH 10 removed it.
 */
const KEY_FIELDS: ReadonlyMap<string, number> = new Map([
  ["ssh-ed25519", 1],
  ["sk-ssh-ed25519@openssh.com", 2],
  ["ecdsa-sha2-nistp256", 2],
  ["ecdsa-sha2-nistp384", 2],
  ["ecdsa-sha2-nistp521", 2],
  ["sk-ecdsa-sha2-nistp256@openssh.com", 3],
  ["ssh-rsa", 2],
]);

export const KEY_TYPES: readonly string[] = [...KEY_FIELDS.keys()];

/** A fingerprint `SHA256:…` without padding, as ssh-keygen(1) -l and sshd's %f write it. */
export const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;

/** The fingerprint of a public key in its binary form (RFC 4253, section 6.6). */
export function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${digest(blob, "base64").replace(/=+$/, "")}`;
}

/** The facts of an OpenSSH certificate (PROTOCOL.certkeys of OpenSSH). */
export interface SshCertificate {
  /** The type of the certified key, without `-cert-v01`. */
  readonly type: string;
  /** The fingerprint of the certified key, as ssh-keygen(1) -l prints it. */
  readonly fingerprint: string;
  /** The free text that the CA chose. */
  readonly id: string;
  /** An unsigned number of 64 bits. */
  readonly serial: bigint;
  /** The fingerprint of the CA's key. */
  readonly ca: string;
  readonly principals: readonly string[];
  /** Seconds since 1970; 2^64-1 for a certificate that never expires. */
  readonly validBefore: bigint;
}

/** The type of the key that a certificate of this type certifies; undefined where it is no type of certificate. */
export const certifiedType = (type: string): string | undefined =>
  KEY_TYPES.find((plain) => type === `${plain.replace("@openssh.com", "")}-cert-v01@openssh.com`);

/** Reads a certificate. @returns undefined where the bytes are no whole certificate of a known type */
export function readCertificate(bytes: Uint8Array): SshCertificate | undefined {
  return unlessCut(() => certificateIn(reader(bytes)));
}

/** The strings that a key is made of (RFC 4251, section 5); undefined where they do not fill the bytes exactly. */
export const wireStrings = (bytes: Uint8Array): readonly Buffer[] | undefined => unlessCut(() => stringsIn(bytes));

function stringsIn(bytes: Uint8Array): readonly Buffer[] {
  const read = reader(bytes);
  const found: Buffer[] = [];
  while (!read.isAtEnd()) found.push(read.string());
  return found;
}

/** @returns undefined where the data ends too early */
function unlessCut<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function certificateIn(read: Reader): SshCertificate | undefined {
  const type = certifiedType(read.text());
  if (type === undefined) return undefined;
  read.string(); // the nonce
  const fields = Array.from({ length: KEY_FIELDS.get(type) ?? 0 }, () => read.string());
  const serial = read.uint64();
  read.skip(4); // user or host
  const id = read.text();
  const principals = stringsIn(read.string()).map((name) => name.toString("utf8"));
  read.uint64(); // valid after
  const validBefore = read.uint64();
  for (const _ of ["critical options", "extensions", "reserved"]) read.string();
  const ca = fingerprintOf(read.string());
  read.string(); // the signature
  if (!read.isAtEnd()) return undefined;
  const fingerprint = fingerprintOf(Buffer.concat([Buffer.from(type), ...fields].map(wireString)));
  return { type, fingerprint, id, serial, ca, principals, validBefore };
}

function wireString(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

type Reader = ReturnType<typeof reader>;

/** Reads the data types of RFC 4251, section 5, one after the other. Each function throws RangeError at the end. */
function reader(bytes: Uint8Array) {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > all.length) throw new RangeError("the data is too short");
    at += length;
    return all.subarray(at - length, at);
  };
  const string = () => take(take(4).readUInt32BE());
  return {
    string,
    text: () => string().toString("utf8"),
    uint64: () => take(8).readBigUInt64BE(),
    skip: (length: number) => void take(length),
    isAtEnd: () => at === all.length,
  };
}
