import { programOf } from "../../request/endpoints.ts";
import { limitRows } from "../limits.ts";
import type { HostConfig, Policy, Problem } from "../policy.ts";
import { errorAt, formatKeyPath, type PolicyFinding } from "../problem.ts";
import { placeFindings } from "../source/source.ts";
import { adviceFindings } from "./advice.ts";
import { betweenTeams, type Sourced } from "./between-teams.ts";
import { hostBuildFindings } from "./build-rules.ts";
import { principalFindings } from "./certificates.ts";

/** The problems of a policy together with the host's configuration. */
export function againstHost(host: HostConfig, policy: Policy): readonly PolicyFinding[] {
  return [
    ...programFindings(host, policy),
    ...managerFindings(host, policy),
    ...storeFindings(policy),
    ...hostBuildFindings(host, policy),
  ];
}

/** The default answer is deny: a team that must not use the host's store gets no access to it. */
function storeFindings({ store }: Policy): readonly PolicyFinding[] {
  if (store.mode === "daemon") return [];
  const message = "this version serves no store of a team's own, and its commands would use the host's";
  return [errorAt(["store", "mode"], message, "remove [store], or wait for a version that serves one")];
}

/**
 * The problems that appear only across files: each policy against the host, and all policies against each other. The
 * problems name the policies' files and the lines to change.
 */
export async function crossCheck(host: HostConfig, policies: readonly Sourced[]): Promise<readonly Problem[]> {
  const between = betweenTeams(policies, host);
  return placeEach(policies, ({ policy }, index) => [
    ...againstHost(host, policy),
    ...principalFindings(policy, host),
    ...(between[index] ?? []),
    ...adviceFindings(policy),
  ]);
}

/** The conflicts between policies, and advice on each. The host's configuration is not needed. */
export async function betweenPolicies(policies: readonly Sourced[]): Promise<readonly Problem[]> {
  const between = betweenTeams(policies);
  return placeEach(policies, ({ policy }, index) => [...(between[index] ?? []), ...adviceFindings(policy)]);
}

/** The problems that `findings` finds in each policy, with their places in its file. */
export async function placeEach(
  policies: readonly Sourced[],
  findings: (policy: Sourced, index: number) => readonly PolicyFinding[],
): Promise<readonly Problem[]> {
  const placed = policies.map((policy, index) => placeFindings(policy.source, findings(policy, index)));
  return (await Promise.all(placed)).flat();
}

function programFindings(host: HostConfig, policy: Policy): readonly PolicyFinding[] {
  return policy.allow.flatMap((rule, index) => {
    if (rule.kind !== "endpoint") return [];
    const program = programOf(rule.endpoint);
    if (host.programs[program] !== undefined) return [];
    const fix = `add ${program} = "/usr/bin/${program}" under [programs] of nixgate.toml`;
    return [errorAt(["allow", index, "endpoint"], `the host names no program ${program}`, fix)];
  });
}

/** Limits of the io controller. */
const NEVER_DELEGATED = limitRows.filter(({ file }) => file?.startsWith("io."));
/** The limits that hold without a cgroup: those with an rlimit, and those that nixgate itself enforces. */
const WITHOUT_CGROUP: ReadonlySet<string> = new Set(
  limitRows.filter(({ file, rlimit }) => rlimit !== undefined || file === undefined).map(({ name }) => name),
);

function managerFindings({ scope }: HostConfig, policy: Policy): readonly PolicyFinding[] {
  if (scope.manager === "user")
    return (["limits", "teamLimits"] as const).flatMap((part) =>
      NEVER_DELEGATED.flatMap(({ name }) =>
        !(name in policy[part])
          ? []
          : [
              errorAt(
                [part === "limits" ? "limits" : "team_limits", name],
                // systemd 252 to 262: user@.service delegates pids, memory and cpu (systemd.resource-control(5), Delegate=)
                'systemd never delegates io to a user manager, so it has no effect under manager = "user"',
                'remove it, or write manager = "system" in nixgate.toml',
              ),
            ],
      ),
    );
  return scope.manager === "none" ? [withoutScopes(policy)] : [];
}

/** Without systemd only the rlimits of setrlimit(2) exist. */
function withoutScopes(policy: Policy): PolicyFinding {
  const lost = (at: string, limits: object) => Object.keys(limits).map((key) => formatKeyPath([at, key]));
  const own = Object.fromEntries(Object.entries(policy.limits).filter(([key]) => !WITHOUT_CGROUP.has(key)));
  const names = [...lost("limits", own), ...lost("team_limits", policy.teamLimits)];
  const none = names.length === 0 ? "" : `; not applied at all: ${names.join(", ")}`;
  return {
    severity: "warning",
    at: ["limits"],
    message: `under manager = "none" limits hold for each process alone, and tasks for the whole account${none}`,
    fix: 'write manager = "user" in nixgate.toml where systemd runs',
  };
}
