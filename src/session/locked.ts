import type { Cause, StopReason } from "../ending/ending.ts";
import { type LimitWords, stopWords } from "../ending/words.ts";
import type { LockInForce, Presence } from "../policy/locks.ts";
import type { RecordOf } from "../record/schema.ts";
import { ExitStatus } from "../units/exit-status.ts";
import type { IncomingSession } from "./incoming-session.ts";
import type { SessionRefusal } from "./refusal.ts";

/** A session that can ask whether a lock is on it now. */
export interface Lockable {
  readonly lockNow: () => LockInForce | undefined;
}

/** The client is not told why, because a leaked key's holder reads it. */
const LOCKED = "locked: ask the administrator";

/** The refusal of a client that a lock is on, or that nobody can tell of at the moment. */
export function lockedOut(lock: LockInForce): SessionRefusal {
  if (lock.temporary) return { reason: "host-busy", message: lock.reason ?? "", status: ExitStatus.busy };
  return { reason: "locked", message: LOCKED, status: ExitStatus.denied, lock };
}

/** The lock that ends a session or a command; undefined where none does, or none can be told. */
export function lockBehind({ lockNow }: Lockable, cause: Cause): LockInForce | undefined {
  const lock = cause === "killed-by-admin" ? lockNow() : undefined;
  return lock?.temporary ? undefined : lock;
}

/** What is known of a new client. The forced command's words are sshd's; the others may be missing. */
export function presenceOf({ forced, connection }: Pick<IncomingSession, "forced" | "connection">): Presence {
  const { key, client } = connection;
  return {
    ...{ team: forced.team, member: forced.member, address: client?.ip },
    keys: [key?.fingerprint ?? [], forced.key ?? []].flat(),
    certificates: [key?.certificate ?? [], forced.certificate ?? []].flat(),
  };
}

/** The same of a session that is on record. */
export function presenceOnRecord({ team, member, key, client }: RecordOf<"session.start">): Presence {
  return {
    ...{ team, member, address: client?.ip },
    keys: key ? [key.fingerprint] : [],
    certificates: key?.certificate ? [key.certificate] : [],
  };
}

/** The message to the client before nixgate ends its session or command. */
export const wordsOfStop = (session: Lockable, why: StopReason, limits: LimitWords): string =>
  lockBehind(session, why) ? LOCKED : stopWords(why, limits);
