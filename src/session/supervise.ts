import { ExitStatus } from "../units/exit-status.ts";
import { asItStands, type Standing } from "./command/standing.ts";
import type { Configuration } from "./configuration.ts";
import type { ForcedCommand } from "./forced-command.ts";
import type { IncomingSession } from "./incoming-session.ts";
import { orDefaults, type ReopenPorts, type Resumed, resumeSession } from "./resume-session.ts";
import { type OpenPorts, serveSession } from "./serve-session.ts";

/** The session of a shim that has asked for its first answer. */
export interface ShimSession {
  readonly incoming: IncomingSession;
  /**
   * Whether there is room for its answers. Without room the shim itself reports that there is no answer, with status
   * 75.
   */
  readonly hasRoom: boolean;
  readonly standing: Standing;
  readonly openPorts: OpenPorts;
  /** Makes the shim write its remaining lines and exit with this status. */
  end(status: number): Promise<void>;
}

/** The session of a shim whose command still runs although its supervisor has died. */
export interface ResumableSession {
  readonly resumed: Resumed;
  readonly reopen: ReopenPorts;
  end(status: number): Promise<void>;
}

/** The handlers for new and for resumed sessions. */
export interface SessionHandlers {
  serve(session: ShimSession): Promise<void>;
  resume(session: ResumableSession): Promise<void>;
}

export interface SupervisePorts {
  /** The configuration for a new session. */
  configure(forced: ForcedCommand): Promise<Configuration>;
  /** The configuration for a session that already runs. */
  configureRunning(forced: ForcedCommand): Promise<Configuration>;
  /**
   * Calls back for each session until the service stops; then the promise settles. Sessions whose shim has outlived an
   * earlier supervisor come first.
   */
  sessions(handlers: SessionHandlers): Promise<void>;
}

/** Serves all sessions of the host, each independently of the others. */
export async function superviseSessions({ configure, configureRunning, sessions }: SupervisePorts): Promise<void> {
  await sessions({
    async serve({ incoming: told, standing, hasRoom, openPorts, end }) {
      const incoming = believed(told, standing);
      const known = asItStands(forShims(await configure(incoming.forced)), standing);
      await end(await serveSession(incoming, hasRoom ? known : unanswered(known), openPorts));
    },
    async resume({ resumed, reopen, end }) {
      const found = await configureRunning({ team: resumed.lost.start.team, member: undefined });
      await end(await resumeSession(resumed, orDefaults(found, resumed), reopen));
    },
  });
}

/**
 * Where sshd did not start the shim, its member, client address and request may be forged, so they are not recorded.
 */
function believed(incoming: IncomingSession, { notBySshd }: Standing): IncomingSession {
  if (notBySshd === undefined) return incoming;
  const { forced } = incoming;
  return { ...incoming, forced: { team: forced.team, member: undefined }, connection: {}, request: { mode: "loop" } };
}

/**
 * The refusal, whatever the policy says. The record holds the text that the shim itself tells its client
 * (bin/nixgate-shim).
 */
function unanswered(configuration: Configuration): Configuration {
  const message = "the supervisor does not answer; try again later";
  return { ...configuration, ok: false, refusal: { reason: "host-busy", message, status: ExitStatus.busy } };
}

/** A shim works with one manager only. Under another manager its session would have no scope of root's. */
function forShims(configuration: Configuration): Configuration {
  if (!configuration.ok || configuration.host.scope.manager === "system") return configuration;
  const message = 'this session came by nixgate-shim, but scope.manager of nixgate.toml is not "system"';
  return { ...configuration, ok: false, refusal: { reason: "policy-invalid", message, status: ExitStatus.config } };
}
