import { ExitStatus } from "../units/exit-status.ts";
import type { Configuration, SessionRefusal } from "./arrival.ts";

const EXPIRED: SessionRefusal = {
  reason: "member-expired",
  message: "this member's access has ended",
  status: ExitStatus.denied,
};

/**
 * Refuses a member whose access has ended. `until` itself is the first moment without access. The wall clock decides,
 * because `until` is a date. A session that runs at that moment goes on, as sshd's own connections do.
 * @param at the session's arrival, in milliseconds since 1970
 */
export function untilExpiry(configuration: Configuration, member: string | undefined, at: number): Configuration {
  if (!configuration.ok) return configuration;
  const until = configuration.policy.members.find(({ name }) => name === member)?.until;
  if (until === undefined || at < until) return configuration;
  return { ...configuration, ok: false, refusal: EXPIRED };
}
