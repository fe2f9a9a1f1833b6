import type { SessionRecord } from "../../record/schema.ts";
import { HOST } from "../../record/vocabulary.ts";
import { plural } from "../../record/wording.ts";
import { dayOfSession } from "../../units/ids.ts";
import type { DayFile } from "../archive.ts";
import type { Finding } from "../finding.ts";
import { copiedRecords } from "./copied-records.ts";
import type { JournalCopy } from "./journal-copy.ts";

/** Records of this time before the check may be in one place and not yet in the other: logger(1) gets 2 s. */
const SETTLE_MS = 5000;
/**
 * Accounts up to this uid share the system's journal; each other account has its own (SplitMode=, journald.conf(5)).
 */
const SYSTEM_UID_MAX = 999;
/** The journal of an account. journald vacuums each journal as a whole. */
const journalOf = (uid: number) => (uid <= SYSTEM_UID_MAX ? "system" : uid);

/**
 * A session is in the file of the day it started on. Its id may be of a moment before midnight, or before the clock was
 * set back. So the days before and after are searched too.
 */
const DAYS_OF_A_SESSION = [0, 1, -1].map((days) => days * 86_400_000);

export interface JournalCheckOptions {
  readonly files: readonly DayFile[];
  /** Reads a file once more. @param visit as in `verifyFile` */
  read(file: DayFile, visit: (record: SessionRecord, digest: string, line: number) => void): void;
  /** The start of the check, in milliseconds since 1970. */
  readonly now: number;
  /** Whether a seal records that root removed that day of the team. */
  isPruned(file: { readonly team: string; readonly day: string }): boolean;
  /**
   * The hosts whose copies are compared: undefined for all, `files` for the hosts that the files name. An account that
   * writes the files could name another host. So `files` is only for journals of many hosts.
   */
  readonly hosts: ReadonlySet<string> | "files" | undefined;
  /** The account that owns a team's folder; undefined where the folder does not exist. */
  ownerOf(team: string): number | undefined;
  /** Whether the time was over before the file was read to its end: then it lacks nothing. */
  isCutShort(file: DayFile): boolean;
  /** The path of the file of a team's day. */
  pathOf(file: { readonly team: string; readonly day: string }): string;
}

/**
 * Compares records with their copies in the journal. The caller passes all records to `seen`, then all copies to
 * `copied`. Then `removed` and `uncopied` yield the differences. Records that are written into the files meanwhile are
 * ignored. Only copies from root and from the account that owns the team's folder count, because any other account
 * could have forged them. A team without a folder has no account.
 */
export function checkJournal(options: JournalCheckOptions) {
  const { now, hosts: wanted, files, read, isPruned, ownerOf, isCutShort, pathOf } = options;
  const inFiles = copiedRecords((from, visit) => read(from, (_, digest) => visit(digest)));
  const fileOf = new Map(files.map((one) => [`${one.team}/${one.day}`, one]));
  const lines = new Map<DayFile, number>();
  const owners = new Map<string, number | undefined>();
  const seenHosts = hostsOfTeams();
  const hosts = wanted === "files" ? seenHosts.all : wanted;
  const oldest = new Map<string | number, number>();
  const missing = new Map<string, Missing>();
  let copies = 0;

  const someFileOf = (team: string, session: string, is: (file: DayFile) => boolean) =>
    DAYS_OF_A_SESSION.some((later) => {
      const file = fileOf.get(`${team}/${dayOfSession(session, later)}`);
      return file !== undefined && is(file);
    });
  const isInFiles = ({ team, session }: SessionRecord, digest: string) =>
    someFileOf(team, session, (from) => inFiles.mark(from, digest));
  const isOwner = (uid: number, team: string) => {
    if (!owners.has(team)) owners.set(team, ownerOf(team));
    return owners.get(team) === uid;
  };
  const mayWrite = (uid: number, team: string) => uid === 0 || (team !== HOST && isOwner(uid, team));
  const isCompared = (host: string, team: string) =>
    wanted === "files" ? seenHosts.isOf(host, team) : wanted === undefined || wanted.size === 0 || wanted.has(host);

  return {
    seen(from: DayFile, record: SessionRecord, line: number): void {
      lines.set(from, line);
      seenHosts.add(record.host, from.team);
    },

    copied({ record, digest, uid, received }: JournalCopy): void {
      const { team, session, host, seq } = record;
      if (!mayWrite(uid, team) || !isCompared(host, team)) return;
      copies += 1;
      const journal = journalOf(uid);
      // journald's own time: an account can write any time into the record.
      oldest.set(journal, Math.min(received, oldest.get(journal) ?? received));
      if (isInFiles(record, digest) || received >= now - SETTLE_MS) return;
      const file = { team, day: dayOfSession(session) };
      // The id is made a moment before the day is determined. At midnight the two may differ.
      if (isPruned(file) || isPruned({ team, day: dayOfSession(session, 1000) })) return;
      const key = `${team}/${session}`; // an account can use the id of another team's session
      const known = missing.get(key) ?? { file, session, uid, seqs: [], unwritten: false };
      known.seqs.push(seq);
      known.unwritten ||= record.event === "session.refuse" && record.reason === "log-unavailable";
      missing.set(key, known);
    },

    /** The records that the journal has and the files lack. */
    *removed(): Generator<Finding> {
      for (const { file, session, uid, seqs, unwritten } of missing.values()) {
        if (someFileOf(file.team, session, isCutShort)) continue;
        const which = `${plural(seqs.length, "record")} (seq ${seqs.sort((a, b) => a - b).join(", ")})`;
        const why = unwritten ? "never written: the session was refused because of it" : "removed, or never written";
        const what = `${which} of this session, in the journal by ${uid === 0 ? "root" : `uid ${uid}`}, not in the files: ${why}`;
        yield { layer: "journal", kind: "removed", path: pathOf(file), session, what };
      }
    },

    /** The records that a file has and the journal lacks, from the journal's oldest copy on. */
    *uncopied(from: DayFile): Generator<Finding> {
      const since = this.since(from);
      if (since === undefined || inFiles.areAllMarked(from)) return;
      const end = lines.get(from) ?? 0;
      const lacking = new Map<string, Lacking>();
      const copied = new Set<string>();
      const older = new Set<string>();
      read(from, (record, digest, line) => {
        if (line > end) return; // written while the copies were read
        const { session, time } = record;
        if (record.seq === 0 && time < since) older.add(session);
        const known = lacking.get(session);
        if (known) known.end = record;
        if (inFiles.isMarked(from, digest)) {
          copied.add(session);
          if (known && !isOfLost(record)) known.inBetween = true;
        } else if (Math.abs(Date.parse(time) - now) > SETTLE_MS && !older.has(session)) {
          if (known) known.count += 1;
          else lacking.set(session, { line, first: record, end: record, count: 1, inBetween: false });
        }
      });
      for (const [session, { line, first, end, count, inBetween }] of lacking) {
        const has = copied.has(session);
        // A supervisor that was killed may not have sent its last copies. The recovery that ended its records sent its
        // own.
        if (has && !inBetween && (end.event !== "session.end" || isOfLost(end))) continue;
        const which = has ? `${plural(count, "record")} of this session, from seq ${first.seq} on,` : "this session";
        const what = `${which} not in the journal: forged, or the copy was lost`;
        yield { layer: "journal", kind: "uncopied", path: from.path, line, session, what };
      }
    },

    /**
     * RFC 3339: a file's records should have copies from this time on. Undefined where the journal has none of its
     * owner.
     */
    since(from: DayFile): string | undefined {
      const uid = from.owner?.();
      const time = uid === undefined ? undefined : oldest.get(journalOf(uid));
      return time === undefined ? undefined : new Date(time).toISOString();
    },
    /** The hosts that are compared; undefined where all are. */
    hosts,
    get copies(): number {
      return copies;
    },
  };
}
export type JournalCheck = ReturnType<typeof checkJournal>;

/**
 * The hosts that each team's files name. An account that writes a team's files can name any host there, so these names
 * count for that team only. A team without files gets the hosts that more than half of the teams name.
 */
function hostsOfTeams() {
  const teams = new Map<string, Set<string>>();
  const all = new Set<string>();
  const isOfMost = (host: string) =>
    2 * [...teams.values()].filter((hosts) => hosts.has(host)).length > teams.size || teams.size === 0;
  return {
    all: all as ReadonlySet<string>,
    add(host: string, team: string): void {
      teams.set(team, (teams.get(team) ?? new Set()).add(host));
      all.add(host);
    },
    isOf: (host: string, team: string): boolean => teams.get(team)?.has(host) ?? isOfMost(host),
  };
}

/** A session with records that the files lack. */
interface Missing {
  readonly file: { readonly team: string; readonly day: string };
  readonly session: string;
  readonly uid: number;
  readonly seqs: number[];
  unwritten: boolean;
}

/** A session with records that the journal lacks. */
interface Lacking {
  readonly line: number;
  readonly first: SessionRecord;
  end: SessionRecord;
  count: number;
  /** Whether a record with a copy follows one without. */
  inBetween: boolean;
}

const isOfLost = (record: SessionRecord) =>
  (record.event === "session.end" || record.event === "command.end") && record.cause === "supervisor-lost";
