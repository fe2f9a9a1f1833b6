import type { Policy } from "../policy.ts";
import { type PolicyFinding, warningAt } from "../problem.ts";

const DAY_MS = 86_400_000;
/** The number of days before the end of a member's access from which `nixgate check` warns. */
export const WARNED_DAYS = 14;

/**
 * The members whose access has ended or ends soon. They are warnings: a file that is right stays right when a date
 * passes.
 * @param now milliseconds since 1970
 */
export function expiryFindings({ members }: Pick<Policy, "members">, now: number): readonly PolicyFinding[] {
  return members.flatMap(({ name, until }, index) => {
    if (until === undefined || until - now > WARNED_DAYS * DAY_MS) return [];
    const at = ["member", index, "until"];
    const end = new Date(until).toISOString().replace(".000Z", "Z");
    if (until <= now)
      return [warningAt(at, `access of "${name}" ended at ${end}`, "write a later date, or remove the member")];
    const message = `access of "${name}" ends in ${inWords(until - now)}, at ${end}`;
    return [warningAt(at, message, "write a later date if it is still needed")];
  });
}

function inWords(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  if (days < 1) return "less than a day";
  return days === 1 ? "1 day" : `${days} days`;
}
