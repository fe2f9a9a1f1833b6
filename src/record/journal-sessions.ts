import { NAME_PATTERN } from "../units/ids.ts";
import type { JournalCopy } from "./journal-copy.ts";
import type { SessionRecord } from "./schema.ts";
import { UNASSIGNED } from "./vocabulary.ts";

/** A session whose copies are being put in order. */
interface Open {
  readonly team: string;
  readonly day: string;
  /** Whose copies are believed, besides root's. */
  readonly uid: number;
  next: number;
  readonly held: Map<number, string>;
}

/** A session's day: of its start, or else what its id says (UUIDv7, RFC 9562). */
const dayOf = ({ event, time, session }: SessionRecord) =>
  event === "session.start"
    ? time.slice(0, 10)
    : new Date(Number.parseInt(session.slice(0, 8) + session.slice(9, 13), 16)).toISOString().slice(0, 10);

/**
 * Puts copies back into the order of their sessions: each was sent by a process of its own, so two may have changed
 * places. Copies of an account that is neither root nor the one that the session began with are left out: any account
 * can send such entries.
 */
export function journalSessions(write: (team: string, day: string, line: string) => void) {
  const open = new Map<string, Open>();
  let strangers = 0;

  function release(session: string, known: Open): void {
    for (let line = known.held.get(known.next); line !== undefined; line = known.held.get(known.next)) {
      write(known.team, known.day, line);
      known.held.delete(known.next);
      known.next += 1;
      if (line.includes('"event":"session.end"') && known.held.size === 0) open.delete(session);
    }
  }

  return {
    take({ record, bytes, uid }: JournalCopy): void {
      const { session, seq, team } = record;
      const isStart = record.event === "session.start";
      const known = open.get(session);
      const expected = isStart ? record.uid : known?.uid;
      const isOwn = uid === 0 || expected === undefined || uid === expected;
      if (!isOwn || !(team === UNASSIGNED || NAME_PATTERN.test(team))) {
        strangers += 1;
        return;
      }
      const line = Buffer.from(bytes).toString();
      const one: Open = known ?? { team, day: dayOf(record), uid, next: 0, held: new Map() };
      if (!known) open.set(session, one);
      // What stands there twice is not put in order: it is for verify to say.
      if (seq < one.next || one.held.has(seq)) write(one.team, one.day, line);
      else one.held.set(seq, line);
      release(session, one);
    },
    /** Lets go what waits for copies that never came. */
    end(): void {
      for (const { team, day, held } of open.values())
        for (const seq of [...held.keys()].sort((a, b) => a - b)) write(team, day, held.get(seq) as string);
      open.clear();
    },
    strangers: () => strangers,
  };
}
