import { ExitStatus } from "../units/exit-status.ts";
import { memberName, teamName } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import type { Arrival, Configuration } from "./arrival.ts";
import type { SessionPorts } from "./ports.ts";
import { askedBy, connectionOf, type RawEnvironment } from "./requests/ssh-environment.ts";
import { runSession } from "./run-session.ts";

/** Somebody whom sshd let in, before anything about them is known but what the forced command and the kernel say. */
export interface Visitor {
  /** When they came. */
  readonly arrived: Pick<Arrival, "startedAt" | "arrivedAt">;
  readonly machine: Arrival["machine"];
  readonly process: Arrival["process"];
  readonly account: Arrival["account"];
  readonly holder: string;
  readonly environment: RawEnvironment;
  readonly terminal: boolean;
  readonly key: Arrival["connection"]["key"];
  /** How long it waited for others of its team, in milliseconds; undefined where nobody counts. */
  readonly delayed?: number;
  /** The session's ports, once it is known how long a lost client may stay unnoticed. */
  open(clientGoneGrace: Milliseconds): SessionPorts;
}

/** The forced command's words, not yet known to be names. */
export interface Named {
  readonly team: string;
  readonly member: string | undefined;
}

/** For sessions that end before a policy could say. */
const DEFAULT_GRACE = 2000 as Milliseconds;

/** Serves one SSH session from its arrival to its end. @returns the exit status */
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
    configuration: onTerminal(visitor) ? refuseTerminal(configuration) : configuration,
  };
  return runSession(arrival, ports);
}

function onTerminal({ terminal, environment }: Visitor): boolean {
  return terminal || (environment.get("SSH_TTY")?.length ?? 0) > 0;
}

function refuseTerminal(configuration: Configuration): Configuration {
  if (!configuration.ok) return configuration;
  const message = "no terminal is given here: leave out ssh's -t";
  return { ...configuration, ok: false, refusal: { reason: "terminal", message, status: ExitStatus.denied } };
}
