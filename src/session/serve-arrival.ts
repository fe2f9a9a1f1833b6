import { ExitStatus } from "../units/exit-status.ts";
import { memberName, teamName } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import type { Arrival, Configuration } from "./arrival.ts";
import { untilExpiry } from "./expiry.ts";
import type { SessionPorts } from "./ports.ts";
import { askedBy, connectionOf, type RawEnvironment } from "./requests/ssh-environment.ts";
import { runSession } from "./run-session.ts";

/** A client that sshd has authenticated. Only the forced command and the kernel's facts are known. */
export interface Visitor {
  /** The time of arrival. */
  readonly arrived: Pick<Arrival, "startedAt" | "arrivedAt">;
  readonly machine: Arrival["machine"];
  readonly process: Arrival["process"];
  readonly account: Arrival["account"];
  readonly holder: string;
  readonly environment: RawEnvironment;
  readonly terminal: boolean;
  readonly key: Arrival["connection"]["key"];
  /**
   * How long the session waited for other sessions of its team, in milliseconds; undefined where nothing measures it.
   */
  readonly delayed?: number;
  /** Opens the session's ports. They need to know how long a lost client may stay unnoticed. */
  open(clientGoneGrace: Milliseconds): SessionPorts;
}

/** The words of the forced command, not yet validated as names. */
export interface Named {
  readonly team: string;
  readonly member: string | undefined;
}

/** For sessions that end before a policy is read. */
const DEFAULT_GRACE = 2000 as Milliseconds;

/**
 * Serves one SSH session from its arrival to its end.
 * @returns the exit status
 */
export async function serveArrival(
  { team, member }: Named,
  visitor: Visitor,
  configuration: Configuration,
): Promise<number> {
  const ports = visitor.open(configuration.ok ? configuration.policy.session.clientGoneGrace : DEFAULT_GRACE);
  const { account, environment, holder, key, machine, process, delayed = 0 } = visitor;
  const arrival: Arrival = {
    session: ports.newSessionId(visitor.arrived.startedAt),
    ...visitor.arrived,
    team: teamName(team),
    member: member === undefined ? undefined : memberName(member),
    ...{ account, machine, process, holder, delayed },
    connection: { ...connectionOf(environment), ...(key && { key }) },
    request: askedBy(environment),
    configuration: judged(visitor, member, configuration),
  };
  return runSession(arrival, ports);
}

/** The configuration, or the refusal of this visitor before anything else is judged. */
function judged(visitor: Visitor, member: string | undefined, configuration: Configuration): Configuration {
  const current = untilExpiry(configuration, member, visitor.arrived.startedAt);
  return onTerminal(visitor) ? refuseTerminal(current) : current;
}

function onTerminal({ terminal, environment }: Visitor): boolean {
  return terminal || (environment.get("SSH_TTY")?.length ?? 0) > 0;
}

function refuseTerminal(configuration: Configuration): Configuration {
  if (!configuration.ok) return configuration;
  const message = "no terminal is given here: leave out ssh's -t";
  return { ...configuration, ok: false, refusal: { reason: "terminal", message, status: ExitStatus.denied } };
}
