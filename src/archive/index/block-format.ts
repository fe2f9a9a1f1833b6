/**
 * Many sessions in few bytes, column by column, so that a filter looks at the columns that it asks for and at no
 * other: a header in JSON, then numbers (float64, NaN where absent), ids (16 bytes each), texts (index into the
 * header's dictionary, 0 where absent) and lists of texts. In this machine's byte order: it never leaves it.
 */
export const NUMBERS = [
  ...["start", "end", "wall_ms", "exit", "commands", "denied", "cpu_ms", "memory_peak_bytes"],
  ...["summed_up", "pid", "started_ticks", "from", "to", "line"],
] as const;
export const TEXTS = ["team", "host", "member", "client", "key", "boot", "machine"] as const;
export const LISTS = ["denials", "causes", "limits_of", "requests"] as const;
/** Tells blocks of other columns apart. */
export const BLOCK_FORMAT = [2, NUMBERS, TEXTS, LISTS].join();
export const ID_BYTES = 16;

export interface Header {
  readonly rows: number;
  readonly dictionary: readonly string[];
  /** How many texts each list column has in all. */
  readonly listed: readonly number[];
}

/** A session's id as its 16 bytes. */
export const idBytes = (session: string) => Buffer.from(session.replaceAll("-", ""), "hex");
