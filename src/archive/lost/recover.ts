import type { SessionRecord } from "../../record/schema.ts";
import type { DayFile, IsAlive } from "../archive.ts";
import { type Continuation, closing, continued, type Unended, unendedIn } from "./unended.ts";

/** The ports for ending a lost session's records. */
export interface RecoverPorts {
  /** Whether the session's process is certainly gone from this host. A process that might still write is not gone. */
  isGone: IsAlive;
  /** Ends the leftover processes of the session's open commands. */
  endLeftoverScopes(lost: Unended): Promise<LeftoverScopes>;
  /**
   * Opens the file with a lock against all other recoveries. `close`, or the process's end, releases the lock.
   * @param waits whether a lock that another process holds is waited for
   * @throws RecordError E_LOG_WRITE where another process holds the lock
   */
  openAlone(file: DayFile, waits: boolean): Promise<ClosingFile>;
  copyToJournal(record: SessionRecord, line: string): void;
  /**
   * The journal's copies of the records of at most `AT_ONCE` sessions of one team, by session, only from accounts that
   * may write their file.
   */
  copies(lost: readonly Unended[]): Promise<ReadonlyMap<string, readonly Continuation[]>>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds of a clock that nobody sets. */
  elapsed(): number;
  /** Milliseconds of CLOCK_MONOTONIC; undefined where the session is of another boot. */
  monotonic(start: Unended["start"]): number | undefined;
}

export interface ClosingFile {
  append(line: string, options: { readonly durable: boolean }): void;
  close(): void;
}

export interface LeftoverScopes {
  /** Scopes that still existed and were stopped. */
  readonly stopped: readonly string[];
  /** The number of processes in each leftover scope, by the command's number. */
  readonly leftovers: ReadonlyMap<number, number>;
}

/** A session whose records were ended. */
export interface Recovered {
  readonly session: string;
  readonly team: string;
  readonly member?: string;
  readonly start: string;
  /** Commands without an end on record. */
  readonly commands: number;
  readonly stopped: readonly string[];
  /** The session's real end, where the journal had the records that the file lacked. */
  readonly ended?: { readonly cause: string; readonly exit: number };
}

/** The number of sessions for which the journal is read once. */
const AT_ONCE = 100;

interface Turn {
  /** Whether the time for this team is over. */
  isOver(): boolean;
  /** Whether a lock that another process holds is waited for. */
  readonly waits: boolean;
}

interface RecoveredFile {
  readonly recovered: readonly Recovered[];
  readonly left: number;
}

/**
 * Ends the records of a file's sessions whose supervisor is gone. The file is read twice, for two reasons. A supervisor
 * may write its last record and exit between the first reading and the check of its process. Another recovery may also
 * have been faster. Only sessions that are still without an end under the lock are ended. Records that only the journal
 * has, because the disk was full, are copied into the file unchanged: they tell the real end.
 * @returns with the number of sessions that are left because the time was over
 * @throws RecordError where the file cannot be read or written
 */
export async function recoverFile(file: DayFile, ports: RecoverPorts, { isOver, waits }: Turn): Promise<RecoveredFile> {
  const lost = unendedIn(file).filter(({ start }) => ports.isGone(start));
  if (lost.length === 0) return { recovered: [], left: 0 };
  const remains = new Map<string, LeftoverScopes>();
  const copies = new Map<string, readonly Continuation[]>();
  while (remains.size < lost.length && !isOver()) {
    const some: Unended[] = [];
    for (const one of lost.slice(remains.size, remains.size + AT_ONCE)) {
      if (some.length > 0 && isOver()) break;
      some.push(one);
      remains.set(one.start.session, await ports.endLeftoverScopes(one));
    }
    for (const [session, found] of await ports.copies(some)) copies.set(session, found);
  }
  if (remains.size === 0) return { recovered: [], left: lost.length };
  const alone = await ports.openAlone(file, waits);
  try {
    const still = unendedIn(file).filter(({ start }) => remains.has(start.session));
    const recovered = still.map((one) => {
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
    return { recovered, left: lost.length - remains.size };
  } finally {
    alone.close();
  }
}
