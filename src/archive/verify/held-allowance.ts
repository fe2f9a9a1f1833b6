/** The maximum number of bytes that are held for one account, root aside. */
const MOST_BYTES = 16 * 1_048_576;

/**
 * Counts the bytes that a reader of the journal holds for each account, because any account can send copies that wait for
 * earlier copies which never come. Root has no bound: its copies are the supervisor's own.
 */
export function heldAllowance(most = MOST_BYTES) {
  const held = new Map<number, number>();
  const refused = new Map<number, number>();
  return {
    /** Takes bytes of the account's allowance. False where it is used up; the copy then counts as left out. */
    take(uid: number, bytes: number): boolean {
      const all = (held.get(uid) ?? 0) + bytes;
      if (uid !== 0 && all > most) {
        refused.set(uid, (refused.get(uid) ?? 0) + 1);
        return false;
      }
      held.set(uid, all);
      return true;
    },
    give(uid: number, bytes: number): void {
      const left = (held.get(uid) ?? 0) - bytes;
      if (left > 0) held.set(uid, left);
      else held.delete(uid);
    },
    /** The number of copies that were left out, by account. */
    refused: (): ReadonlyMap<number, number> => refused,
  };
}
