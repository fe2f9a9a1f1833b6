import type { Configuration } from "./configuration.ts";
import { untilExpiry } from "./expiry.ts";
import type { IncomingSession } from "./incoming-session.ts";
import { lockedOut, presenceOf } from "./locked.ts";

/** The configuration, or the refusal of a client that a lock is on or whose member's access has ended. */
export function withAccess(
  configuration: Configuration,
  incoming: Pick<IncomingSession, "forced" | "connection" | "arrived">,
): Configuration {
  const lock = configuration.lockOn(presenceOf(incoming), incoming.arrived.startedAt);
  // a session of no team stays one: its records are in no team's folder
  const isUnknown = !configuration.ok && configuration.refusal.reason === "unknown-team";
  if (lock && !isUnknown) return { ...configuration, ok: false, refusal: lockedOut(lock) };
  return untilExpiry(configuration, incoming);
}
