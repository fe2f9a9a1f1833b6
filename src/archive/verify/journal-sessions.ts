import { HOST, isHostEvent, UNASSIGNED } from "../../record/vocabulary.ts";
import { dayOfSession, NAME_PATTERN } from "../../units/ids.ts";
import type { JournalCopy } from "./journal-copy.ts";

/** The copies of a session that is not complete yet. */
interface Open {
  /** The facts of its session.start. Until it arrives, the account whose copies count is not known. */
  start?: { readonly team: string; readonly day: string; readonly uid: number };
  next: number;
  /** The digests of the lines that were written last. */
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

/** The number of ended sessions whose last copies are remembered, and the number of copies for each. */
const REMEMBERED = 1000;
const RECENT = 8;

/**
 * Puts copies back into the order of their sessions. A process of its own sent each copy, so two may be out of order.
 * Copies from an account that is neither root nor the session's own are dropped, because any account can send such
 * entries.
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
      // A supervisor whose predecessor was killed right after it sent this copy has sent it again.
      if ((open.get(session)?.recent ?? ended.get(session))?.includes(digest)) return;
      const known: Open = open.get(session) ?? { next: 0, recent: [], held: new Map() };
      open.set(session, known);
      // Any account may have sent this session.start. The account that it names is compared with the sender of each
      // copy, including this one.
      if (event === "session.start") known.start ??= { team, day: time.slice(0, 10), uid: record.uid };
      if (isOfHost) known.start ??= { team, day: time.slice(0, 10), uid };
      const one = { line, digest, team, uid, isLast: event === "session.end" || isOfHost };
      // Any other duplicate is written twice, at its position; verify reports it.
      if (seq < known.next && known.start && (uid === 0 || uid === known.start.uid)) {
        write(known.start.team, known.start.day, line);
        return;
      }
      known.held.set(seq, [...(known.held.get(seq) ?? []), one]);
      release(session, known);
    },
    /** Writes the copies that still wait for copies that never came. */
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
