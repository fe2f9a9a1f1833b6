import { HOST, isHostEvent, UNASSIGNED } from "../../record/vocabulary.ts";
import { dayOfSession, NAME_PATTERN } from "../../units/ids.ts";
import type { JournalCopy } from "./journal-copy.ts";

/** Copies of a session that wait for their turn. */
interface Open {
  /** Of its session.start; until that is seen it is not known whose copies to believe. */
  start?: { readonly team: string; readonly day: string; readonly uid: number };
  next: number;
  /** Digests of what was written last. */
  recent: readonly string[];
  readonly held: Map<number, readonly Held[]>;
}
interface Held {
  readonly line: string;
  readonly digest: string;
  readonly team: string;
  readonly uid: number;
  readonly isLast: boolean;
}

/** Sessions whose end has come of which the last copies are remembered, and how many of each. */
const REMEMBERED = 1000;
const RECENT = 8;

/**
 * Puts copies back into the order of their sessions: each was sent by a process of its own, so two may have changed
 * places. Copies of an account that is neither root nor the one that the session began with are left out: any account
 * can send such entries.
 */
export function journalSessions(write: (team: string, day: string, line: string) => void) {
  const open = new Map<string, Open>();
  const ended = new Map<string, readonly string[]>();
  let strangers = 0;

  function close(session: string, { recent }: Open): void {
    open.delete(session);
    ended.set(session, recent);
    const [oldest] = ended.keys();
    if (ended.size > REMEMBERED && oldest !== undefined) ended.delete(oldest);
  }

  function release(session: string, known: Open): void {
    const { start, held } = known;
    if (!start) return;
    for (let copies = held.get(known.next); copies; copies = held.get(known.next)) {
      const own = copies.filter(({ uid }) => uid === 0 || uid === start.uid);
      strangers += copies.length - own.length;
      held.delete(known.next);
      if (own.length === 0) return;
      known.next += 1;
      for (const { line } of own) write(start.team, start.day, line);
      known.recent = [...known.recent, ...own.map(({ digest }) => digest)].slice(-RECENT);
      if (own.some(({ isLast }) => isLast) && held.size === 0) close(session, known);
    }
  }

  return {
    take({ record, bytes, digest, uid }: JournalCopy): void {
      const { session, seq, team, event, time } = record;
      const isOfHost = team === HOST && isHostEvent(event);
      if (isOfHost ? uid !== 0 : team !== UNASSIGNED && !NAME_PATTERN.test(team)) {
        strangers += 1;
        return;
      }
      const line = Buffer.from(bytes).toString();
      // Sent again by a supervisor whose predecessor was killed when it had just sent it.
      if ((open.get(session)?.recent ?? ended.get(session))?.includes(digest)) return;
      const known: Open = open.get(session) ?? { next: 0, recent: [], held: new Map() };
      open.set(session, known);
      // Whoever sent it: what it says of the account is held against the sender of each copy, its own too.
      if (event === "session.start") known.start ??= { team, day: time.slice(0, 10), uid: record.uid };
      if (isOfHost) known.start ??= { team, day: time.slice(0, 10), uid };
      const one = { line, digest, team, uid, isLast: event === "session.end" || isOfHost };
      // What else stands there twice is written twice, where it came: it is for verify to say so.
      if (seq < known.next && known.start && (uid === 0 || uid === known.start.uid)) {
        write(known.start.team, known.start.day, line);
        return;
      }
      known.held.set(seq, [...(known.held.get(seq) ?? []), one]);
      release(session, known);
    },
    /** Lets go what waits for copies that never came. */
    end(): void {
      for (const [session, { start, held }] of open) {
        for (const seq of [...held.keys()].sort((a, b) => a - b)) {
          for (const { line, team, uid } of held.get(seq) ?? []) {
            const isOwn = start === undefined || uid === 0 || uid === start.uid;
            if (isOwn) write(start?.team ?? team, start?.day ?? dayOfSession(session), line);
            else strangers += 1;
          }
        }
      }
      open.clear();
    },
    strangers: () => strangers,
  };
}
