import type { Allow } from "../decision/decision.ts";
import type { BuildBound } from "../policy/builds.ts";
import type { HostConfig, Manager, Policy } from "../policy/policy.ts";
import type { SessionId } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { type BuildDaemon, buildsEnvironment, planBuildDaemon } from "./builds.ts";
import { commandLine } from "./command-line.ts";
import { confinement } from "./confinement.ts";
import { type Account, commandEnvironment } from "./environment.ts";
import { commandSliceName, sliceName, unitName } from "./names.ts";
import {
  type Expectation,
  expectations,
  isOfCgroup,
  limitProperties,
  type Property,
  rlimitExpectations,
  sliceLimits,
  stopProperties,
  unitProperties,
} from "./properties.ts";

/**
 * The facts that a running command is watched by. A plan holds them, and so does the record of a command that runs.
 */
export interface CommandTerms {
  /** The pinned program and its arguments. */
  readonly argv: readonly [string, ...string[]];
  /** The properties as the policy gives them. */
  readonly properties: readonly Property[];
  /** The values of the limits in the kernel. */
  readonly expectations: readonly Pick<Expectation, "property" | "value">[];
  /** Undefined where there is no limit. */
  readonly runtimeMax: Milliseconds | undefined;
  readonly stopTimeout: Milliseconds;
  /** What holds the builds that the command asks Nix's daemon for. */
  readonly buildsBoundedBy: BuildBound;
}

/** The complete plan for one allowed request, as plain text. explain prints it, and a session obeys it. */
export interface Plan extends CommandTerms {
  readonly manager: Manager;
  readonly unit: string;
  /** The slice that the unit is in: the team's, or the command's own where its builds share its limits. */
  readonly slice: string;
  readonly description: string;
  /** The command's whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The properties as systemd gets them. */
  readonly unitProperties: readonly Property[];
  /** The limits of the command's own slice; empty where the unit itself has them. */
  readonly sliceProperties: readonly Property[];
  /** The sandbox of a service, systemd.exec(5); undefined for a command that runs in a plain scope. */
  readonly confinement: ReturnType<typeof confinement> | undefined;
  readonly expectations: readonly Expectation[];
  /** The limits of the team's slice, for all of its sessions together. */
  readonly team: {
    readonly slice: string;
    readonly properties: readonly Property[];
    readonly expectations: readonly Expectation[];
  };
  /** The daemon that builds for this command alone; undefined where another one does. */
  readonly buildDaemon: BuildDaemon | undefined;
  /** systemd-run (or prlimit), the holder and the command; under the system manager the shim's command line. */
  readonly commandLine: readonly [string, ...string[]];
}

export interface Where {
  readonly host: HostConfig;
  readonly policy: Policy;
  readonly session: SessionId;
  /** The number of the command in its session, from 1. */
  readonly n: number;
  readonly account: Account;
  /** The absolute path of bin/nixgate-holder. */
  readonly holder: string;
}

/** Makes the plan from the policy's decision. */
export function planScope(decision: Allow, where: Where): Plan {
  const { host, policy, session, n } = where;
  const { limits } = policy;
  const manager = host.scope.manager;
  const confined = host.scope.confine && manager === "system";
  const properties = [...limitProperties(limits), ...stopProperties(policy.session.stopTimeout, manager)];
  const runtimeMax = typeof limits.RuntimeMaxSec === "number" ? limits.RuntimeMaxSec : undefined;
  const given = unitProperties(properties, runtimeMax);
  const buildDaemon = planBuildDaemon(policy, host, { session, n, account: where.account.name });
  const named = {
    manager,
    unit: unitName(policy.team, session, n, confined ? "service" : "scope"),
    slice: buildDaemon ? commandSliceName(policy.team, session, n) : sliceName(policy.team),
    description: `nixgate session ${session} of team ${policy.team}, command ${n}`,
    argv: decision.argv,
    properties,
    environment: commandEnvironment(where.account, decision.rule.environment, manager, buildsEnvironment(buildDaemon)),
  };
  return {
    ...named,
    confinement: confined ? confinement(decision.rule, buildDaemon !== undefined) : undefined,
    expectations: manager === "none" ? rlimitExpectations(limits) : expectations(limits),
    team: { slice: sliceName(policy.team), ...sliceLimits(policy.teamLimits) },
    buildsBoundedBy: buildDaemon ? policy.builds.boundedBy : "host",
    buildDaemon,
    unitProperties: buildDaemon ? given.filter(({ name }) => !isOfCgroup(name)) : given,
    sliceProperties: buildDaemon ? given.filter(({ name }) => isOfCgroup(name)) : [],
    commandLine: commandLine({ ...named, properties: given }, limits, where.holder),
    runtimeMax,
    stopTimeout: policy.session.stopTimeout,
  };
}
