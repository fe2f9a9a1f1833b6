import { type Configuration, isOfNoTeam } from "./configuration.ts";
import { untilExpiry } from "./expiry.ts";
import type { IncomingSession } from "./incoming-session.ts";
import { lockedOut, presenceOf } from "./locked.ts";

/** The configuration, or the refusal of a client that a lock is on or whose member's access has ended. */
export function withAccess(
  configuration: Configuration,
  incoming: Pick<IncomingSession, "forced" | "connection" | "arrived">,
): Configuration {
  if (isOfNoTeam(configuration)) return configuration; // it stays one, whatever the locks say
  const lock = configuration.lockOn(presenceOf(incoming), incoming.arrived.startedAt);
  return lock ? { ...configuration, ok: false, refusal: lockedOut(lock) } : untilExpiry(configuration, incoming);
}
