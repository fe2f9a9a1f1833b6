import type { EndpointName, ProgramName } from "../request/endpoints.ts";
import { accountsOf } from "./accounts.ts";
import { quoted } from "./describe-value.ts";
import type { HostConfig, Limits, Policy, Problem } from "./policy.ts";
import { errorAt, type Finding, formatKeyPath, type KeyPath } from "./problem.ts";
import { fingerprint, readPublicKey } from "./public-key.ts";
import { placeFindings, type Source } from "./source.ts";

/** A policy with the text it came from, which knows the lines. */
export interface Sourced {
  readonly policy: Policy;
  readonly source: Source;
}

const PROGRAM_OF: Readonly<Record<EndpointName, ProgramName>> = {
  "store-serve": "nix-store",
  "store-serve-write": "nix-store",
  "daemon-stdio": "nix-daemon",
};

/** What only shows when a policy meets the host's configuration. */
export function hostFindings(host: HostConfig, policy: Policy): readonly Finding[] {
  return [...programFindings(host, policy), ...managerFindings(host, policy)];
}

/**
 * What only shows when files are seen together: each policy against the host, and all policies against each other.
 * The problems stand in the policies' files, in the lines to change.
 */
export async function crossCheck(host: HostConfig, policies: readonly Sourced[]): Promise<readonly Problem[]> {
  const between = betweenTeams(policies);
  const placed = policies.map(({ policy, source }, index) =>
    placeFindings(source, [...hostFindings(host, policy), ...(between[index] ?? [])]),
  );
  return (await Promise.all(placed)).flat();
}

function programFindings(host: HostConfig, policy: Policy): readonly Finding[] {
  return policy.allow.flatMap((rule, index) => {
    if (rule.kind !== "endpoint") return [];
    const program = PROGRAM_OF[rule.endpoint];
    if (host.programs[program] !== undefined) return [];
    const fix = `add ${program} = "/usr/bin/${program}" under [programs] of nixgate.toml`;
    return [errorAt(["allow", index, "endpoint"], `the host names no program ${program}`, fix)];
  });
}

function managerFindings({ scope }: HostConfig, policy: Policy): readonly Finding[] {
  if (scope.manager === "user")
    return (["limits", "teamLimits"] as const).flatMap((part) =>
      policy[part].IOWeight === undefined
        ? []
        : [
            errorAt(
              [part === "limits" ? "limits" : "team_limits", "IOWeight"],
              // systemd 252 to 262: user@.service delegates pids, memory and cpu (systemd.resource-control(5), Delegate=)
              'systemd never delegates io to a user manager, so it has no effect under manager = "user"',
              'remove it, or write manager = "system" in nixgate.toml',
            ),
          ],
    );
  return scope.manager === "none" ? [withoutScopes(policy)] : [];
}

/** Without systemd there are the rlimits of setrlimit(2), and no more. */
function withoutScopes(policy: Policy): Finding {
  const lost = (at: string, limits: object) => Object.keys(limits).map((key) => formatKeyPath([at, key]));
  const kept: readonly (keyof Limits)[] = ["TasksMax", "MemoryMax", "RuntimeMaxSec"];
  const own = Object.fromEntries(Object.entries(policy.limits).filter(([key]) => !kept.includes(key as keyof Limits)));
  const names = [...lost("limits", own), ...lost("team_limits", policy.teamLimits)];
  const none = names.length === 0 ? "" : `; not applied at all: ${names.join(", ")}`;
  return {
    severity: "warning",
    at: ["limits"],
    message: `under manager = "none" limits hold for each process alone, and tasks for the whole account${none}`,
    fix: 'write manager = "user" in nixgate.toml where systemd runs',
  };
}

/** For each policy, what collides with a policy before it. */
function betweenTeams(policies: readonly Sourced[]): readonly (readonly Finding[])[] {
  const accounts = new Map<string, string>();
  const keys = new Map<string, string>();
  return policies.map(({ policy, source }) => [
    ...accountsOf(policy)
      .filter((account) => claim(accounts, account, source.path) !== source.path)
      .slice(0, 1)
      .map((account) => {
        const message = `the account ${quoted(account)} already serves the team of ${accounts.get(account)}`;
        return errorAt(["team"], message, "give one of the two teams another name");
      }),
    ...keysOf(policy).flatMap(({ at, print, member }) => {
      const [owner, place] = [`"${member}" of ${source.path}`, formatKeyPath(at)];
      const other = claim(keys, print, `${owner}, ${place}`);
      if (other === `${owner}, ${place}`) return [];
      return [errorAt(at, `the key ${print} is already that of ${other}`, "give each member a key of its own")];
    }),
  ]);
}

/** Who has it: the first to ask for it. */
function claim(owners: Map<string, string>, what: string, owner: string): string {
  const first = owners.get(what) ?? owner;
  owners.set(what, first);
  return first;
}

function keysOf(policy: Policy): readonly { at: KeyPath; print: string; member: string }[] {
  return policy.members.flatMap(({ name, keys }, index) =>
    keys.flatMap((line, keyIndex) => {
      const key = readPublicKey(line);
      const at = ["member", index, "keys", keyIndex];
      return "problem" in key ? [] : [{ at, print: fingerprint(key), member: name }];
    }),
  );
}
