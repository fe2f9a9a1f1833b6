/**
 * The format of a block: many sessions, stored by column, so that a filter reads only the columns that it needs.
 * - The header is JSON.
 * - Numbers are float64, NaN where absent.
 * - Ids are 16 bytes each.
 * - Texts are indexes into the header's dictionary, 0 where absent; lists of texts come last.
 *
 * The byte order is this machine's, because a block never leaves it.
 */
export const NUMBERS = [
  ...["start", "end", "wall_ms", "exit", "commands", "denied", "cpu_ms", "memory_peak_bytes"],
  ...["summed_up", "pid", "started_ticks", "from", "to", "line"],
] as const;
export const TEXTS = ["team", "host", "member", "client", "key", "boot", "machine"] as const;
export const LISTS = ["denials", "causes", "limits_of", "requests"] as const;
/** Distinguishes blocks with other columns or other sessions. Format 2 had sessions of another team than its folder's. */
export const BLOCK_FORMAT = [3, NUMBERS, TEXTS, LISTS].join();
export const ID_BYTES = 16;

export interface Header {
  readonly rows: number;
  readonly dictionary: readonly string[];
  /** The number of texts in each list column. */
  readonly listed: readonly number[];
}

/** A session's id as its 16 bytes. */
export const idBytes = (session: string) => Buffer.from(session.replaceAll("-", ""), "hex");
