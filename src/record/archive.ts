/** One line as it lies in a file. */
export interface RawLine {
  /** 1-based. */
  readonly number: number;
  /** Without its LF; valid until the next line is asked for. Empty when `tooLong`. */
  readonly bytes: Uint8Array;
  readonly tooLong: boolean;
}

/** `<directory>/<team>/<YYYY-MM-DD>.jsonl`: the records of all of a team's sessions that began on that day (UTC). */
export interface DayFile {
  readonly path: string;
  /** The folder's name. */
  readonly team: string;
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /** Reads afresh each time, with flat memory. @throws RecordError E_LOG_READ */
  lines(): Iterable<RawLine>;
  /** Its size in bytes now; undefined where it is not there. Absent where the records are in no file. */
  bytes?(): number | undefined;
  /**
   * The account that owns its folder: who can have written it, besides root. A file in it may be a link to another's.
   * Absent where the records are in no file.
   */
  owner?(): number | undefined;
}

/** Something in the archive's folders that is no part of an archive, or cannot be read. */
export interface ArchiveProblem {
  readonly path: string;
  readonly what: string;
}

/** The port through which records are read. */
export interface Archive {
  readonly directory: string;
  /** Newest day first, then by team. @throws RecordError E_LOG_READ where the directory itself cannot be read */
  scan(): { readonly files: readonly DayFile[]; readonly problems: readonly ArchiveProblem[] };
}

/** Whether the process that serves a session is still there. */
export type IsAlive = (start: {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly time: string;
}) => boolean;
