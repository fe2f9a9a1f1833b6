import { clock } from "../../system/kernel/clock.ts";

/** A part of an account's budget: what comes back each second, and the most that is there at once. */
interface Part {
  readonly perSecond: number;
  readonly most: number;
}

/** Looks at processes of the account: reads of a command line, of an environment, or of the file that sshd names. */
const LOOKS: Part = { perSecond: 100, most: 1000 };
/** The bytes of these reads. A shim has at most 512 KiB of environment, and usually some KiB. */
const BYTES: Part = { perSecond: 2 ** 21, most: 2 ** 24 };

export interface AccountBudgets {
  /** Charges one look and its bytes. A look may cost more than is left. The account then waits longer. */
  spend(uid: number, bytes: number): void;
  /** Whether the account has some looks and some bytes left. Else its lines and its sessions wait. */
  isLeft(uid: number): boolean;
}

/**
 * The budget of each account for looks and for bytes that the supervisor reads of its processes. The budget of time is
 * separate: see `readInTurn`.
 */
export function accountBudgets(now: () => number = clock.monotonic): AccountBudgets {
  const accounts = new Map<number, { looks: number; bytes: number; at: number }>();
  const refilled = (uid: number) => {
    const at = now();
    const left = accounts.get(uid) ?? { looks: LOOKS.most, bytes: BYTES.most, at };
    accounts.set(uid, left);
    const seconds = (at - left.at) / 1000;
    left.looks = Math.min(LOOKS.most, left.looks + seconds * LOOKS.perSecond);
    left.bytes = Math.min(BYTES.most, left.bytes + seconds * BYTES.perSecond);
    left.at = at;
    return left;
  };
  return {
    spend(uid, bytes) {
      const left = refilled(uid);
      left.looks -= 1;
      left.bytes -= bytes;
    },
    isLeft(uid) {
      const { looks, bytes } = refilled(uid);
      return looks > 0 && bytes > 0;
    },
  };
}

/** The budgets of this process. `readOfAccount` charges them. */
export const budgets: AccountBudgets = accountBudgets();
