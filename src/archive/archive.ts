import type { RawLine } from "../record/decode.ts";
import { HOST } from "../record/vocabulary.ts";

/** A part of a file that begins with a line and ends behind one, in bytes. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** Number of its first line. */
  readonly line: number;
}

/** `<directory>/<team>/<YYYY-MM-DD>.jsonl`: the records of all of a team's sessions that began on that day (UTC). */
export interface DayFile {
  readonly path: string;
  /** The folder's name. */
  readonly team: string;
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /** Reads afresh each time, with flat memory; all of it, or a part. @throws RecordError E_LOG_READ or E_LOG_DENIED */
  lines(part?: Span): Iterable<RawLine>;
  /** Its size in bytes now; undefined where it is not there. Absent where the records are in no file. */
  bytes?(): number | undefined;
  /**
   * The account that owns its folder: who can have written it, besides root. A file in it may be a link to another's.
   * Absent where the records are in no file.
   */
  owner?(): number | undefined;
  /** What was derived from the file at an earlier reading; absent where nothing can be kept. */
  readonly index?: DayIndex;
}

/**
 * Keeps what was derived from a day's file, in a place that only the reader can write to. Never needed: it gives back
 * only what belongs to the very bytes that the file has now, as far as can be told without reading all of them.
 */
export interface DayIndex {
  /** Undefined where nothing is kept, or the file is another one than it was. */
  open(): KeptIndex | undefined;
  /** Begins anew, before the file is read. Undefined where nothing can be written. */
  build(): IndexBuilder | undefined;
}

export interface KeptIndex {
  /** As it was given to `finish`. */
  readonly footer: string;
  /** @throws where it cannot be read */
  read(from: number, length: number): Uint8Array<ArrayBuffer>;
  close(): void;
}

export interface IndexBuilder {
  /** Appends. */
  add(bytes: Uint8Array): void;
  /** From now on it counts, unless the file has changed since `build`. */
  finish(footer: string): void;
  /** Forgets it, unless it is finished. */
  close(): void;
}

/** Something in the archive's folders that is no part of an archive, or cannot be read. */
export interface ArchiveProblem {
  readonly path: string;
  readonly what: string;
  /** Set where what follows in the file could not be read at all. */
  readonly unread?: true;
  /** Set where not all files of the team are known. */
  readonly team?: string;
  /** Set where this account may not read it; `team` is then whose folder it is or lies in. */
  readonly denied?: { readonly team: string };
}

/** The files that hold sessions: those of the host do not. */
export const sessionFiles = (files: readonly DayFile[]): readonly DayFile[] =>
  files.filter(({ team }) => team !== HOST);

/** The port through which records are read. */
export interface Archive {
  readonly directory: string;
  /** Newest day first, then by team. @throws RecordError E_LOG_READ or E_LOG_DENIED where the directory itself cannot be read */
  /**
   * The account that owns a team's folder; undefined where there is no such folder. Absent where the records are in no
   * files.
   */
  owner?(team: string): number | undefined;
  scan(): { readonly files: readonly DayFile[]; readonly problems: readonly ArchiveProblem[] };
}

/** What of a session.start says which process serves the session. */
export interface Served {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly time: string;
  /** Absent in records of before that field. */
  readonly started_ticks?: number | undefined;
  readonly machine?: string | undefined;
}

/** Whether the process that serves a session is still there. */
export type IsAlive = (start: Served) => boolean;
