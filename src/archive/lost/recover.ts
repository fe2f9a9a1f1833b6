import { ofFile, type RecordError } from "../../record/error.ts";
import type { SessionRecord } from "../../record/schema.ts";
import type { DayFile, IsAlive } from "../archive.ts";
import { type Continuation, closing, continued, type Unended, unendedIn } from "./unended.ts";

/** What ending a lost session's records needs of the world. */
export interface RecoverPorts {
  /** For certain, and on this host: whoever might still write is not gone. */
  isGone: IsAlive;
  /** Ends what is left of the session's open commands. */
  endLeftoverScopes(lost: Unended): Promise<LeftoverScopes>;
  /**
   * The file, for this process alone among all that recover. Freed by `close`, or by the process's death.
   * @throws RecordError
   */
  openAlone(file: DayFile): Promise<ClosingFile>;
  copyToJournal(record: SessionRecord, line: string): void;
  /** The copies that the journal has of a session, of those accounts alone that may write its file; none where it has none. */
  copies(lost: Unended): Promise<readonly Continuation[]>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds of CLOCK_MONOTONIC; undefined where the session is of another boot. */
  monotonic(start: Unended["start"]): number | undefined;
}

export interface ClosingFile {
  append(line: string, options: { readonly durable: boolean }): void;
  close(): void;
}

export interface LeftoverScopes {
  /** Scopes that were still there and were stopped. */
  readonly stopped: readonly string[];
  /** For each command that had a scope left: processes that were in it. */
  readonly leftovers: ReadonlyMap<number, number>;
}

/** A session whose records were ended. */
export interface Recovered {
  readonly session: string;
  readonly team: string;
  readonly member?: string;
  readonly start: string;
  /** Commands that had no end on record. */
  readonly commands: number;
  readonly stopped: readonly string[];
  /** Where the journal had the records that the file lacked: how it had ended. */
  readonly ended?: { readonly cause: string; readonly exit: number };
}

/**
 * Ends the records of a file's sessions whose supervisor is gone. The file is read twice: a supervisor may write its
 * last record and go between the look at the file and the look at the process, and another recovery may have been
 * quicker. Only what is still without an end when the file is ours is ended. Records that only the journal has, because the
 * disk was full, are put into the file as they are: they say how it ended.
 * @throws RecordError where the file cannot be read or written
 */
export async function recoverFile(file: DayFile, ports: RecoverPorts): Promise<readonly Recovered[]> {
  const lost = unendedIn(file).filter(({ start }) => ports.isGone(start));
  if (lost.length === 0) return [];
  const remains = new Map<string, LeftoverScopes>();
  const copies = new Map<string, readonly Continuation[]>();
  for (const one of lost) {
    remains.set(one.start.session, await ports.endLeftoverScopes(one));
    copies.set(one.start.session, await ports.copies(one));
  }
  const alone = await ports.openAlone(file);
  try {
    const still = unendedIn(file).filter(({ start }) => remains.has(start.session));
    return still.map((one) => {
      const { session, team, member, time } = one.start;
      const { stopped, leftovers } = remains.get(session) as LeftoverScopes;
      const { more, rest } = continued(one, copies.get(session) ?? []);
      for (const { line, record } of more) alone.append(`${line}\n`, { durable: record.event === "session.end" });
      const records = rest ? closing(rest, ports.now(), leftovers, ports.monotonic(one.start)) : [];
      for (const { line, record } of records) {
        alone.append(line, { durable: record.event === "session.end" });
        ports.copyToJournal(record, line);
      }
      const end = more.at(-1)?.record;
      return {
        ...{ session, team, start: time, commands: rest?.open.size ?? 0, stopped },
        ...(member !== undefined && { member }),
        ...(end?.event === "session.end" && { ended: { cause: end.cause, exit: end.exit } }),
      };
    });
  } finally {
    alone.close();
  }
}

/** The same over many files: one that cannot be recovered, for whatever reason, does not keep the others from it. */
export async function recoverFiles(files: readonly DayFile[], ports: RecoverPorts) {
  const recovered: Recovered[] = [];
  const failed: RecordError[] = [];
  for (const file of files) {
    try {
      recovered.push(...(await recoverFile(file, ports)));
    } catch (error) {
      failed.push(ofFile(file, error));
    }
  }
  return { recovered, failed };
}
