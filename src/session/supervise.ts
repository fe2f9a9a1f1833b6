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

/** A shim that asked for its first answer. */
export interface Visit {
  readonly named: Named;
  readonly visitor: Visitor;
  /** Whether there is room for its answers: without it the shim says by itself that nobody answers, with status 75. */
  readonly hasRoom: boolean;
  readonly standing: Standing;
  /** The shim says what is left to be said and ends with this status. */
  end(status: number): Promise<void>;
}

export interface SupervisePorts {
  /** What a new session goes by. */
  configure(team: string, member: string | undefined): Promise<Configuration>;
  /** What a session goes by that runs already. */
  configureRunning(team: string, member: string | undefined): Promise<Configuration>;
  /**
   * Calls back for each visit until the service is stopped; the promise settles then. Sessions whose shim has outlived
   * an earlier supervisor come first.
   */
  visits(serve: Serve): Promise<void>;
}

/** What is done with whoever comes. */
export interface Serve {
  visit(visit: Visit): Promise<void>;
  return(back: Return): Promise<void>;
}

/** A shim whose command runs on although its supervisor is gone. */
export interface Return {
  readonly resumed: Resumed;
  /** The scope that it is in, and the ports to go on with, once it is known what the policy says. */
  open(plan: Plan, clientGoneGrace: Milliseconds): { readonly scope: OpenScope; readonly ports: ResumePorts };
  end(status: number): Promise<void>;
}

/** Serves all sessions of the host, each as if it were the only one. */
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

/** Where sshd did not start a shim, its member and the client's address and request are made up: none is on record. */
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
 * A policy that is gone, or can no longer be read, keeps no command from running on: it has the limits that it began
 * with, and by the defaults it is watched and put on record to its end.
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

/** Whatever the policy says: the record has what the shim tells its client by itself (bin/nixgate-shim). */
function unanswered(configuration: Configuration): Configuration {
  const message = "the supervisor does not answer; try again later";
  return { ...configuration, ok: false, refusal: { reason: "host-busy", message, status: ExitStatus.busy } };
}

/** A shim is for one manager only: under another one its session would have no scope of root's. */
function forShims(configuration: Configuration): Configuration {
  if (!configuration.ok || configuration.host.scope.manager === "system") return configuration;
  const message = 'this session came by nixgate-shim, but scope.manager of nixgate.toml is not "system"';
  return { ...configuration, ok: false, refusal: { reason: "policy-invalid", message, status: ExitStatus.config } };
}
