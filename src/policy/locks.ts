import * as z from "zod/mini";
import { LOCK_KINDS, type LockKind } from "../units/lock-kinds.ts";
import { FINGERPRINT } from "../units/ssh-key.ts";
import type { ConfigFiles } from "./config-files.ts";
import { isInRange } from "./schema/address.ts";

/** The file that holds all locks. Without a lock there is no file. Only root can write it. */
export const locksPath = (directory: string): string => `${directory}/locks/locks.json`;

/** The most locks that are in force at one time. Each session reads all of them while there are any. */
export const MOST_LOCKS = 1000;

const LockEntry = z.object({
  kind: z.enum(LOCK_KINDS),
  /** `alpha` · `alpha/ci` · `SHA256:…` · `192.0.2.7` or `192.0.2.0/24` · `17` or `SHA256:…:17`, the CA's key first. */
  value: z.string(),
  reason: z.optional(z.string()),
  /** RFC 3339, UTC. */
  since: z.string(),
  /** RFC 3339, UTC: the first moment without the lock; absent where it has to be lifted. */
  until: z.optional(z.string()),
  /** The account that set it. */
  by: z.string(),
});
/** A lock: who is refused from now on. */
export type Lock = z.output<typeof LockEntry>;
const LocksFile = z.object({ locks: z.array(LockEntry) });

/** What is known of a client when it comes. */
export interface Presence {
  readonly team: string;
  readonly member?: string | undefined;
  /** Fingerprints. */
  readonly keys: readonly string[];
  readonly address?: string | undefined;
  readonly certificates: readonly CertificateNumber[];
}

/** The number that a CA gave a certificate. */
export interface CertificateNumber {
  /** The fingerprint of the CA's key. */
  readonly ca: string;
  /** Decimal. */
  readonly serial: string;
}

/** All locks of the file, or why it cannot be read. */
export type LocksRead =
  | { readonly ok: true; readonly locks: readonly Lock[] }
  | { readonly ok: false; readonly problem: string; readonly temporary?: true };

const NO_LOCKS: LocksRead = { ok: true, locks: [] };

/** Reads the locks. Without a lock this takes one system call. */
export function readLocks(files: ConfigFiles, directory: string): LocksRead {
  const path = locksPath(directory);
  if (!files.isThere(path)) return NO_LOCKS;
  const read = files.read(path);
  if (read.kind === "missing") return NO_LOCKS; // the file was removed after the first check
  if (read.kind === "refused") {
    const { message, temporary } = read.problem;
    return { ok: false, problem: message, ...(temporary && { temporary }) };
  }
  const parsed = z.safeParse(LocksFile, jsonOf(read.found.text));
  return parsed.success
    ? { ok: true, locks: parsed.data.locks }
    : { ok: false, problem: "is not as nixgate lock writes it" };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The lock that refuses a client. `kind` and `value` are absent where the locks cannot be read: then all are refused. */
export interface LockInForce {
  readonly kind?: LockKind;
  readonly value?: string;
  readonly reason?: string;
  /** Set where the host cannot read the locks at the moment: then nobody comes in, and may try again. */
  readonly temporary?: true;
}

/**
 * The lock that refuses this client now; undefined where none does. A file that cannot be trusted or read refuses
 * everybody, because nobody knows any more who is locked.
 * @param now milliseconds since 1970
 */
export function lockOn(files: ConfigFiles, directory: string, who: Presence, now: number): LockInForce | undefined {
  const read = readLocks(files, directory);
  if (!read.ok) {
    const reason = `${locksPath(directory)} ${read.problem}`;
    return { reason, ...(read.temporary && { temporary: read.temporary }) };
  }
  const lock = read.locks.find((one) => isLockInForce(one, now) && isOn(one, who));
  return lock && { kind: lock.kind, value: lock.value, ...(lock.reason !== undefined && { reason: lock.reason }) };
}

/** Whether a lock has not run out. The wall clock decides. A time that is none never runs out. */
export const isLockInForce = ({ until }: Pick<Lock, "until">, now: number): boolean =>
  until === undefined || !(Date.parse(until) <= now);

/** Whether a lock is on this client. */
export function isOn({ kind, value }: Pick<Lock, "kind" | "value">, who: Presence): boolean {
  switch (kind) {
    case "team":
      return who.team === value;
    case "member":
      return `${who.team}/${who.member ?? ""}` === value;
    case "key":
      return who.keys.includes(value);
    case "address":
      return who.address !== undefined && isInRange(who.address, value);
    case "ca-serial":
      return who.certificates.some(({ ca, serial }) => value === serial || value === `${ca}:${serial}`);
  }
}

/** `SERIAL` for every CA, or `SHA256:…:SERIAL` for one. @returns undefined where the text is neither */
export function caSerial(text: string): string | undefined {
  const [, ca, serial] = /^(?:(SHA256:[^:]*):)?(0|[1-9]\d{0,19})$/.exec(text) ?? [];
  if (serial === undefined || (ca !== undefined && !FINGERPRINT.test(ca))) return undefined;
  return BigInt(serial) < 2n ** 64n ? text : undefined;
}
