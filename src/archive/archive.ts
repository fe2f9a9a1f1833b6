import type { RawLine } from "../record/decode.ts";
import { HOST } from "../record/vocabulary.ts";

/** A part of a file in whole lines, in bytes. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** The number of its first line. */
  readonly line: number;
}

/** `<directory>/<team>/<YYYY-MM-DD>.jsonl`: the records of all sessions of a team that began on that day (UTC). */
export interface DayFile {
  readonly path: string;
  /** The folder's name. */
  readonly team: string;
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /**
   * Reads the whole file or a part of it again at each call. Memory does not depend on the file's size.
   * @throws RecordError E_LOG_READ or E_LOG_DENIED
   */
  lines(part?: Span): Iterable<RawLine>;
  /** The file's size in bytes now; undefined where the file does not exist. Absent where the records are in no file. */
  bytes?(): number | undefined;
  /**
   * The account that owns the file's folder. Besides root, only that account can have written the file. A file in the
   * folder may be a link to another account's file. Absent where the records are in no file.
   */
  owner?(): number | undefined;
  /** The cached index of the file; absent where no cache is possible. */
  readonly index?: DayIndex;
}

/**
 * A cache of what an earlier reading derived from a day's file. Only the reader can write to its place. A reader works
 * without the cache too. The cache returns only data that belongs to the file's present bytes, as far as that can be
 * told without reading all of them.
 */
export interface DayIndex {
  /** Undefined where nothing is cached, or the file has changed. */
  open(): KeptIndex | undefined;
  /** Starts a new index before the file is read. Undefined where the cache cannot be written. */
  build(): IndexBuilder | undefined;
}

export interface KeptIndex {
  /** The footer that `finish` got. */
  readonly footer: string;
  /** @throws where the index cannot be read */
  read(from: number, length: number): Uint8Array<ArrayBuffer>;
  close(): void;
}

export interface IndexBuilder {
  /** Appends bytes. */
  add(bytes: Uint8Array): void;
  /** Makes the index valid, unless the file has changed since `build`. */
  finish(footer: string): void;
  /** Discards the index, unless it is finished. */
  close(): void;
}

/** A line that was added to a team's file, without its LF. */
export interface AddedLine {
  /** The folder's name: an account can write another team's name into the record itself. */
  readonly team: string;
  readonly text: string;
}

/** A file in the archive's folders that does not belong there, or cannot be read. */
export interface ArchiveProblem {
  readonly path: string;
  readonly what: string;
  /** Set where records may be there that were not read: the rest of a file, or files of a folder. */
  readonly unread?: true;
  /** Set where not all files of the team are known. `unread` is set too. */
  readonly team?: string;
  /**
   * Set where this account has no permission to read the path. `team` then names the team's folder at or above the
   * path.
   */
  readonly denied?: { readonly team: string };
}

/** The files that hold sessions. The files of the host hold none. */
export const sessionFiles = (files: readonly DayFile[]): readonly DayFile[] =>
  files.filter(({ team }) => team !== HOST);

/** The port for reading records. */
export interface Archive {
  readonly directory: string;
  /**
   * Newest day first, then by team.
   * @throws RecordError E_LOG_READ or E_LOG_DENIED where the directory itself cannot be read
   */
  /**
   * The account that owns a team's folder; undefined where the folder does not exist. Absent where the records are in
   * no files.
   */
  owner?(team: string): number | undefined;
  scan(): { readonly files: readonly DayFile[]; readonly problems: readonly ArchiveProblem[] };
}

/** The fields of a session.start that identify the process of the session. */
export interface Served {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly time: string;
  /** Absent in records older than this field. */
  readonly started_ticks?: number | undefined;
  readonly machine?: string | undefined;
}

/** Whether the process of a session is still running. */
export type IsAlive = (start: Served) => boolean;

/** The team of the folder with a record, and the account that owns that folder. */
export interface FolderOwner {
  readonly team: string;
  readonly uid: number | undefined;
}
