import { UNASSIGNED } from "../record/vocabulary.ts";
import type { SessionId } from "../units/ids.ts";
import { teamName } from "../units/ids.ts";
import { type Configuration, isOfNoTeam, type ReadyConfiguration } from "./configuration.ts";
import type { IncomingSession } from "./incoming-session.ts";
import { type Lockable, presenceOf } from "./locked.ts";
import type { SessionPorts } from "./ports.ts";
import { openSessionLog, type SessionLog } from "./session-log.ts";

/** A session that is served. Each step of its story takes it. */
export interface Session extends Lockable {
  readonly id: SessionId;
  readonly incoming: IncomingSession;
  readonly configuration: ReadyConfiguration;
  readonly log: SessionLog;
  readonly ports: SessionPorts;
}

/** A session whose configuration may refuse it. */
export type OpenedSession = Omit<Session, "configuration"> & { readonly configuration: Configuration };

/** Gives a session its id and its log. Nothing is on record yet. */
export function openSession(
  incoming: IncomingSession,
  configuration: Configuration,
  ports: SessionPorts,
): OpenedSession {
  const { arrived, forced, machine } = incoming;
  const id = ports.newSessionId(arrived.startedAt);
  // A team without a policy is not recorded as a team: a forced command can hold any name.
  const team = isOfNoTeam(configuration) ? UNASSIGNED : (teamName(forced.team) ?? UNASSIGNED);
  const log = openSessionLog({ session: id, team, machine, arrived, settings: configuration.host?.log }, ports);
  const lockNow = () => configuration.lockOn(presenceOf(incoming), ports.clock.now());
  return { id, incoming, configuration, log, ports, lockNow };
}
