import { HOST, isHostEvent, UNASSIGNED } from "../../record/vocabulary.ts";
import { dayOfSession, NAME_PATTERN } from "../../units/ids.ts";
import { heldAllowance } from "./held-allowance.ts";
import type { JournalCopy } from "./journal-copy.ts";

/** The copies of a session that is not complete yet. */
interface Open {
  /** The account whose copy was the first. The session counts in its allowance. */
  readonly opener: number;
  /** The facts of its session.start. Until it arrives, the account whose copies count is not known. */
  start?: { readonly team: string; readonly day: string; readonly uid: number };
  next: number;
  /** The digests of the lines that were written last. */
  recent: readonly string[];
  readonly held: Map<number, Held[]>;
  /** The number of copies in `held`. */
  count: number;
}
interface Held {
  readonly line: string;
  readonly digest: string;
  readonly team: string;
  readonly uid: number;
  readonly isLast: boolean;
  readonly bytes: number;
}

/** The number of ended sessions whose last copies are remembered, and the number of copies for each. */
const REMEMBERED = 1000;
const RECENT = 8;
/** The maximum number of copies of one session that wait for earlier ones. Few are ever out of order. */
const MOST_HELD = 1000;
/** The most memory of a session, and of a held copy without its line, in bytes. */
const SESSION_BYTES = 2048;
const COPY_BYTES = 512;

/**
 * Puts copies back into the order of their sessions. A process of its own sent each copy, so two may be out of order.
 * Copies from an account that is neither root nor the session's own are dropped, because any account can send such
 * entries. Without a session.start no account is the session's own. Memory is bounded for each account but root.
 */
export function journalSessions(
  write: (team: string, day: string, line: string) => void,
  allowance: ReturnType<typeof heldAllowance> = heldAllowance(),
) {
  const open = new Map<string, Open>();
  const ended = new Map<string, readonly string[]>();
  let strangers = 0;

  function opened(session: string, uid: number): Open | undefined {
    const before = open.get(session);
    if (before) return before;
    if (!allowance.take(uid, SESSION_BYTES)) return undefined;
    const known: Open = { opener: uid, next: 0, recent: [], held: new Map(), count: 0 };
    open.set(session, known);
    return known;
  }

  function close(session: string, { recent, opener }: Open): void {
    open.delete(session);
    allowance.give(opener, SESSION_BYTES);
    ended.set(session, recent);
    const [oldest] = ended.keys();
    if (ended.size > REMEMBERED && oldest !== undefined) ended.delete(oldest);
  }

  /** Takes the copies at one position out of the held ones. */
  function takeHeld(known: Open, seq: number): readonly Held[] {
    const copies = known.held.get(seq) ?? [];
    known.held.delete(seq);
    known.count -= copies.length;
    for (const { uid, bytes } of copies) allowance.give(uid, bytes);
    return copies;
  }

  function hold(known: Open, seq: number, one: Held): boolean {
    if (!allowance.take(one.uid, one.bytes)) return false;
    const same = known.held.get(seq);
    if (same) same.push(one);
    else known.held.set(seq, [one]);
    known.count += 1;
    return true;
  }

  function release(session: string, known: Open): void {
    const { start, held } = known;
    if (!start) return;
    while (held.has(known.next)) {
      const own = takeHeld(known, known.next).filter(({ uid }) => isOwn(known, uid));
      if (own.length === 0) return;
      known.next += 1;
      for (const { line } of own) write(start.team, start.day, line);
      known.recent = [...known.recent, ...own.slice(-RECENT).map(({ digest }) => digest)].slice(-RECENT);
      if (own.some(({ isLast }) => isLast) && held.size === 0) close(session, known);
    }
  }

  /** Writes the held copies although earlier ones are missing; verify reports the gap. */
  function writeHeld(session: string, known: Open): void {
    for (const seq of [...known.held.keys()].sort((a, b) => a - b)) {
      for (const { line, team, uid } of takeHeld(known, seq)) {
        if (!isOwn(known, uid)) strangers += 1;
        else {
          write(known.start?.team ?? team, known.start?.day ?? dayOfSession(session), line);
          known.next = Math.max(known.next, seq + 1);
        }
      }
    }
  }

  /** Drops what another account sent before the session.start told whose copies count. */
  function dropStrangers(known: Open): void {
    for (const seq of [...known.held.keys()]) {
      const copies = takeHeld(known, seq);
      const own = copies.filter(({ uid }) => isOwn(known, uid));
      strangers += copies.length - own.length;
      for (const one of own) hold(known, seq, one);
    }
  }

  return {
    take({ record, bytes, digest, uid }: JournalCopy): void {
      const { session, seq, team, event, time } = record;
      const isOfHost = team === HOST && isHostEvent(event);
      const isForged = event === "session.start" && uid !== 0 && uid !== record.uid;
      if (isForged || (isOfHost ? uid !== 0 : team !== UNASSIGNED && !NAME_PATTERN.test(team))) {
        strangers += 1;
        return;
      }
      // A supervisor whose predecessor was killed right after it sent this copy has sent it again.
      if ((open.get(session)?.recent ?? ended.get(session))?.includes(digest)) return;
      const known = opened(session, uid);
      if (!known) return;
      const isFirst = known.start === undefined;
      if (event === "session.start") known.start ??= { team, day: time.slice(0, 10), uid: record.uid };
      if (isOfHost) known.start ??= { team, day: time.slice(0, 10), uid };
      if (isFirst && known.start) dropStrangers(known);
      if (known.start && !isOwn(known, uid)) {
        strangers += 1;
        return;
      }
      const line = Buffer.from(bytes).toString();
      // Any other duplicate is written twice, at its position; verify reports it.
      if (seq < known.next && known.start) {
        write(known.start.team, known.start.day, line);
        return;
      }
      const isLast = event === "session.end" || isOfHost;
      if (!hold(known, seq, { line, digest, team, uid, isLast, bytes: bytes.length + COPY_BYTES })) return;
      release(session, known);
      if (known.count > MOST_HELD) writeHeld(session, known);
    },
    /** Writes the copies that still wait for copies that never came. */
    end(): void {
      for (const [session, known] of open) writeHeld(session, known);
      open.clear();
    },
    strangers: () => strangers,
    /** The number of copies that were left out because their account had too many held, by account. */
    beyond: () => allowance.refused(),
  };
}

const isOwn = ({ start }: Open, uid: number) => uid === 0 || uid === start?.uid;
