import type { Allow } from "../decision/decision.ts";
import type { HostConfig, Manager, Policy } from "../policy/policy.ts";
import type { SessionId } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { commandLine } from "./command-line.ts";
import { confinement } from "./confinement.ts";
import { type Account, commandEnvironment } from "./environment.ts";
import { sliceName, unitName } from "./names.ts";
import {
  type Expectation,
  expectations,
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
}

/** The complete plan for one allowed request, as plain text. explain prints it, and a session obeys it. */
export interface Plan extends CommandTerms {
  readonly manager: Manager;
  readonly unit: string;
  readonly slice: string;
  readonly description: string;
  /** The command's whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The properties as systemd gets them. */
  readonly unitProperties: readonly Property[];
  /** The sandbox of a service, systemd.exec(5); undefined for a command that runs in a plain scope. */
  readonly confinement: ReturnType<typeof confinement> | undefined;
  readonly expectations: readonly Expectation[];
  /** The limits of the team's slice, for all of its sessions together. */
  readonly team: { readonly properties: readonly Property[]; readonly expectations: readonly Expectation[] };
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
  const named = {
    manager,
    unit: unitName(policy.team, session, n, confined ? "service" : "scope"),
    slice: sliceName(policy.team),
    description: `nixgate session ${session} of team ${policy.team}, command ${n}`,
    argv: decision.argv,
    properties,
    environment: commandEnvironment(where.account, decision.rule.environment, manager),
  };
  return {
    ...named,
    confinement: confined ? confinement(decision.rule) : undefined,
    expectations: manager === "none" ? rlimitExpectations(limits) : expectations(limits),
    team: sliceLimits(policy.teamLimits),
    unitProperties: given,
    commandLine: commandLine({ ...named, properties: given }, limits, where.holder),
    runtimeMax,
    stopTimeout: policy.session.stopTimeout,
  };
}
