import { hostConfig, SESSION } from "../policy/schema/defaults.ts";
import type { Plan } from "../scope/plan.ts";
import { ExitStatus } from "../units/exit-status.ts";
import type { TeamName } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import type { Configuration } from "./arrival.ts";
import { asItStands, type Standing } from "./command/standing.ts";
import type { OpenScope } from "./ports.ts";
import { planOfRecord, type Resumed, type ResumePorts, resumeSession } from "./resume-session.ts";
import { type Named, serveArrival, type Visitor } from "./serve-arrival.ts";

/** A shim that has asked for its first answer. */
export interface Visit {
  readonly named: Named;
  readonly visitor: Visitor;
  /**
   * Whether there is room for its answers. Without room the shim itself reports that there is no answer, with status
   * 75.
   */
  readonly hasRoom: boolean;
  readonly standing: Standing;
  /** Makes the shim write its remaining lines and exit with this status. */
  end(status: number): Promise<void>;
}

export interface SupervisePorts {
  /** The configuration for a new session. */
  configure(team: string, member: string | undefined): Promise<Configuration>;
  /** The configuration for a session that already runs. */
  configureRunning(team: string, member: string | undefined): Promise<Configuration>;
  /**
   * Calls back for each visit until the service stops; then the promise settles. Sessions whose shim has outlived an
   * earlier supervisor come first.
   */
  visits(serve: Serve): Promise<void>;
}

/** The handlers for new and for resumed sessions. */
export interface Serve {
  visit(visit: Visit): Promise<void>;
  return(back: Return): Promise<void>;
}

/** A shim whose command still runs although its supervisor has died. */
export interface Return {
  readonly resumed: Resumed;
  /** Opens the shim's scope and ports. The policy must be known before. */
  open(plan: Plan, clientGoneGrace: Milliseconds): { readonly scope: OpenScope; readonly ports: ResumePorts };
  end(status: number): Promise<void>;
}

/** Serves all sessions of the host, each independently of the others. */
export async function supervise({ configure, configureRunning, visits }: SupervisePorts): Promise<void> {
  await visits({
    async visit(visit) {
      const { named, visitor, standing, hasRoom, end } = believed(visit);
      const known = asItStands(forShims(await configure(named.team, named.member)), standing);
      const configuration = hasRoom ? known : unanswered(known);
      await end(await serveArrival(named, visitor, configuration));
    },
    async return({ resumed, open, end }) {
      const configuration = byDefaults(await configureRunning(resumed.lost.start.team, undefined), resumed);
      const plan = planOfRecord(resumed, configuration);
      const { scope, ports } = open(plan, configuration.policy.session.clientGoneGrace);
      await end(await resumeSession(resumed, configuration, plan, scope, ports));
    },
  });
}

/**
 * Where sshd did not start the shim, its member, client address and request may be forged, so they are not recorded.
 */
function believed(visit: Visit): Visit {
  if (visit.standing.notBySshd === undefined) return visit;
  const { named, visitor } = visit;
  return {
    ...visit,
    named: { ...named, member: undefined },
    visitor: { ...visitor, environment: new Map(), key: undefined },
  };
}

/**
 * A command keeps running where its policy is gone or unreadable. It keeps the limits that it started with, and the
 * default settings apply to its watching and its records.
 */
function byDefaults(configuration: Configuration, { lost }: Resumed): Extract<Configuration, { ok: true }> {
  if (configuration.ok) return configuration;
  const { directory, host = hostConfig({ schema: 1 }) } = configuration;
  const nothing = { description: "", allow: [], limits: {}, teamLimits: {}, members: [] };
  const policy = {
    ...nothing,
    team: lost.start.team as TeamName,
    session: SESSION,
    store: { mode: "daemon" },
  } as const;
  return { ok: true, directory, host, policy, source: { path: "", sha256: "" } };
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
