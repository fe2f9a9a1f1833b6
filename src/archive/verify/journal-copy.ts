import { decodeLine } from "../../record/decode.ts";
import type { SessionRecord } from "../../record/schema.ts";
import { linksOf } from "./links.ts";

/** The fields that are asked for beside the address fields, which always come (journalctl(1), --output-fields). */
export const COPY_FIELDS = ["NIXGATE_RECORD", "_UID", "_HOSTNAME"] as const;

/** A record as the journal holds it, with what journald itself put to it (systemd.journal-fields(7)). */
export interface JournalCopy {
  readonly record: SessionRecord;
  /** The line as it lies in a file, without its LF. */
  readonly bytes: Uint8Array;
  /** SHA-256 of the record's bytes, which is what its `hash` says where nobody changed it. */
  readonly digest: string;
  /** The account that sent it: journald asks the kernel, so nobody can lie about it. */
  readonly uid: number;
  /** When journald took it, milliseconds since 1970. */
  readonly received: number;
}

/** One entry of `journalctl --output=json --all`; undefined where it is no copy of a record with a sound hash. */
export function journalCopy(json: string): JournalCopy | undefined {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(json);
  } catch {
    return undefined;
  }
  const bytes = bytesOf(entry["NIXGATE_RECORD"]);
  const uid = Number(entry["_UID"]);
  const received = Number(entry["__REALTIME_TIMESTAMP"]) / 1000;
  const links = bytes && linksOf(bytes);
  if (!bytes || !links || links.hash !== links.computed || !Number.isInteger(uid) || Number.isNaN(received))
    return undefined;
  const decoded = decodeLine({ number: 1, bytes, tooLong: false });
  return decoded.ok ? { record: decoded.record, bytes, digest: links.computed, uid, received } : undefined;
}

/** A field that is not printable UTF-8 comes as a list of bytes, one that was sent twice as a list of values. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value === "string") return Buffer.from(value);
  const isBytes = Array.isArray(value) && value.every((one) => Number.isInteger(one) && one >= 0 && one < 256);
  return isBytes ? Uint8Array.from(value) : undefined;
}
