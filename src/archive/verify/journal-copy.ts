import { decodeLine } from "../../record/decode.ts";
import type { SessionRecord } from "../../record/schema.ts";
import { linksOf } from "./links.ts";

/** The journal to read: this host's own, all journals on this host (`merge`), or the files in a folder. */
export interface JournalSource {
  readonly directory?: string | undefined;
  readonly merge?: boolean | undefined;
}

/** The requested fields, beside the address fields, which are always present (journalctl(1), --output-fields). */
export const COPY_FIELDS = ["NIXGATE_RECORD", "_UID", "_HOSTNAME"] as const;

/** A record in the journal, with the fields that journald itself added (systemd.journal-fields(7)). */
export interface JournalCopy {
  readonly record: SessionRecord;
  /** The record's line as in a file, without its LF. */
  readonly bytes: Uint8Array;
  /** SHA-256 of the record's bytes. It equals the record's `hash` where the bytes are unchanged. */
  readonly digest: string;
  /** The account that sent the entry. journald gets it from the kernel, so no account can forge it. */
  readonly uid: number;
  /** The time at which journald received the entry, in milliseconds since 1970. */
  readonly received: number;
}

/**
 * Parses one entry of `journalctl --output=json --all`; undefined where it is no copy of a record with a sound hash.
 */
export function journalCopy(json: string): JournalCopy | undefined {
  const entry = objectIn(json);
  if (entry === undefined) return undefined;
  const bytes = bytesOf(entry["NIXGATE_RECORD"]);
  const uid = Number(entry["_UID"]);
  const received = Number(entry["__REALTIME_TIMESTAMP"]) / 1000;
  const links = bytes && linksOf(bytes);
  // In a collector's journal the sending host has set the time. A time beyond the range of Date is ignored.
  const isTime = !Number.isNaN(new Date(received).getTime());
  if (!bytes || !links || links.hash !== links.computed || !Number.isInteger(uid) || !isTime) return undefined;
  const decoded = decodeLine({ number: 1, bytes, tooLong: false });
  return decoded.ok ? { record: decoded.record, bytes, digest: links.computed, uid, received } : undefined;
}

function objectIn(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * journalctl prints a field that is not printable UTF-8 as a list of bytes, and a repeated field as a list of values.
 */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value === "string") return Buffer.from(value);
  const isBytes = Array.isArray(value) && value.every((one) => Number.isInteger(one) && one >= 0 && one < 256);
  return isBytes ? Uint8Array.from(value) : undefined;
}
