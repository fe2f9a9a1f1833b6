import { BUILD_SETTINGS, type Builds } from "../builds.ts";
import type { HostConfig, Policy } from "../policy.ts";
import { errorAt, type PolicyFinding, warningAt } from "../problem.ts";
import { quoted } from "../schema/describe-value.ts";
import type { PolicyFile } from "../schema/policy-schema.ts";
import { withDefaultLimits } from "./limit-rules.ts";

/** The problems of [builds] as far as the policy's own file shows them. */
export function buildFindings({ builds = {}, limits, store }: PolicyFile): readonly PolicyFinding[] {
  const { bounded_by: bound = "host" } = builds;
  if (bound === "host") return withoutBound(builds);
  const findings: PolicyFinding[] = [];
  if (withDefaultLimits(limits).TasksMax === "infinity") {
    const message = "is infinity, and nothing would hold a build that forks without end";
    findings.push(errorAt(["limits", "TasksMax"], message, "write a number of tasks for a command with its builds"));
  }
  if (store?.mode === "dedicated")
    findings.push(
      errorAt(["builds", "bounded_by"], "is for builds in the host's store, not in a dedicated one", "remove it"),
    );
  return findings;
}

/** Under `host` the host's own daemon builds, by its own settings: each other key would have no effect. */
function withoutBound(builds: NonNullable<PolicyFile["builds"]>): readonly PolicyFinding[] {
  return Object.keys(builds)
    .filter((key) => key !== "bounded_by")
    .map((key) => {
      const message = "has no effect while the host's own daemon builds for the team";
      return errorAt(["builds", key], message, 'write bounded_by = "session" under [builds], or remove it');
    });
}

/** The problems of [builds] on a host. A policy that asks for a bound never runs without it. */
export function hostBuildFindings(
  { scope, programs }: HostConfig,
  { builds, allow }: Policy,
): readonly PolicyFinding[] {
  if (builds.boundedBy === "host") return [];
  const findings: PolicyFinding[] = [];
  if (scope.manager !== "system") {
    const message = `only root's supervisor can start a daemon for builds, and manager = "${scope.manager}" has none`;
    findings.push(errorAt(["builds", "bounded_by"], message, 'write manager = "system" in nixgate.toml'));
  }
  if (programs["nix-daemon"] === undefined)
    findings.push(
      errorAt(
        ["builds", "bounded_by"],
        "the host names no program nix-daemon",
        'add nix-daemon = "/usr/bin/nix-daemon" under [programs] of nixgate.toml',
      ),
    );
  allow.forEach((rule, index) => {
    for (const name of Object.keys(rule.environment).filter((name) => OWN.has(name)))
      findings.push(
        errorAt(["allow", index, "environment", name], "is set by nixgate itself where it bounds builds", "remove it"),
      );
  });
  return findings;
}

/** The variables that lead a command to the daemon of its builds. */
const OWN: ReadonlySet<string> = new Set(["NIX_REMOTE", "NIX_DAEMON_SOCKET_PATH", "NIX_CONF_DIR"]);

/** The warnings of `nixgate check` about a valid [builds] that grants more than it seems to. */
export function buildAdvice({ builds, allow }: Policy): readonly PolicyFinding[] {
  if (builds.boundedBy === "host") return [];
  const findings: PolicyFinding[] = [];
  if (builds.trust) {
    const message = "a trusted client of a daemon of root's can become root on this host";
    findings.push(
      warningAt(["builds", "trust"], message, "leave it out: ssh-ng:// builds without trust since Nix 2.16"),
    );
  }
  allow.forEach((rule, index) => {
    if (rule.kind !== "endpoint") return;
    rule.stores.forEach((store, n) => {
      if (!store.startsWith("unix://")) return;
      const message = `${quoted(store)} leads to another daemon, whose builds no limit of a session holds`;
      findings.push(warningAt(["allow", index, "stores", n], message, "remove it"));
    });
  });
  return findings;
}

/** [builds] with its defaults. */
export function buildsOf(written: PolicyFile["builds"] = {}): Builds {
  const settings = BUILD_SETTINGS.flatMap(({ key, name }) =>
    written[key] === undefined ? [] : [[name, written[key]] as const],
  );
  return {
    boundedBy: written.bounded_by ?? "host",
    trust: written.trust ?? false,
    ...(Object.fromEntries(settings) as Partial<Builds>),
  };
}
