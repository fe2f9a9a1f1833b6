import { ExitStatus } from "../units/exit-status.ts";
import type { Configuration } from "./configuration.ts";
import type { IncomingSession } from "./incoming-session.ts";
import type { SessionRefusal } from "./refusal.ts";

const EXPIRED: SessionRefusal = {
  reason: "member-expired",
  message: "this member's access has ended",
  status: ExitStatus.denied,
};

/**
 * Refuses a member whose access has ended. `until` itself is the first moment without access. The wall clock decides,
 * because `until` is a date. A session that runs at that moment goes on, as sshd's own connections do.
 */
export function untilExpiry(
  configuration: Configuration,
  { forced: { member }, arrived: { startedAt } }: Pick<IncomingSession, "forced" | "arrived">,
): Configuration {
  if (!configuration.ok) return configuration;
  const until = configuration.policy.members.find(({ name }) => name === member)?.until;
  if (until === undefined || startedAt < until) return configuration;
  return { ...configuration, ok: false, refusal: EXPIRED };
}
