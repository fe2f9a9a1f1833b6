import type { LockInForce } from "../policy/locks.ts";
import type { ExitStatus } from "../units/exit-status.ts";

export type RefuseReason =
  | "closed"
  | "terminal"
  | "policy-invalid"
  | "unknown-team"
  | "unknown-member"
  | "member-expired"
  | "locked"
  | "not-by-sshd"
  | "team-busy"
  | "host-busy"
  | "rate"
  | "log-full"
  | "cpu-pressure"
  | "memory-pressure"
  | "io-pressure"
  | "store-full"
  | "scope-unavailable"
  | "log-unavailable";

/** The refusal of a whole session before its first request. */
export interface SessionRefusal {
  readonly reason: RefuseReason;
  /** Plain words in lower case. It holds no text from the client. */
  readonly message: string;
  readonly status: ExitStatus;
  /** The lock that refuses it. The client is not told of it. */
  readonly lock?: LockInForce;
}
