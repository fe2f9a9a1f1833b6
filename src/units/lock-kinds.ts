/** Whom a lock of the administrator refuses: a team, a member, a key, an address or network, a certificate. */
export const LOCK_KINDS = ["team", "member", "key", "address", "ca-serial"] as const;
export type LockKind = (typeof LOCK_KINDS)[number];
