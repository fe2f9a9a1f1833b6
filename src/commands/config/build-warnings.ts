import type { HostConfig, Policy } from "../../policy/policy.ts";
import { type PolicyFinding, warningAt } from "../../policy/problem.ts";
import type { HostLook } from "./host-look.ts";

/** From this Nix on a client without trust builds through the build hook over ssh-ng:// (NixOS/nix#3921). */
const BUILDS_UNTRUSTED = 2.16;
/** From this Nix on a garbage collector makes a socket before it deletes anything. */
const COLLECTS_WITH_SOCKET = 2.05;

/** What a team whose builds are bounded cannot have on this host, and what does not hold here. */
export function buildWarnings(
  { builds }: Policy,
  account: { readonly name: string; readonly uid: number },
  { programs }: HostConfig,
  look: HostLook,
): readonly PolicyFinding[] {
  const program = programs["nix-daemon"];
  if (builds.boundedBy === "host" || program === undefined) return [];
  const at = ["builds", "bounded_by"];
  const findings: PolicyFinding[] = [];
  if (look.reachesHostDaemon(account.name) === true)
    findings.push(
      warningAt(
        at,
        `${account.name} reaches the socket of the host's own nix-daemon, whose builds no session bounds`,
        `gpasswd --delete ${account.name} nix-users, or keep it from /nix/var/nix/daemon-socket in another way`,
      ),
    );
  const version = look.nixVersion(program);
  if (version === undefined) return findings;
  const number = version.major + version.minor / 100;
  const name = `Nix ${version.major}.${version.minor}`;
  if (!builds.trust && number < BUILDS_UNTRUSTED) {
    const message = `the build hook of a client needs trust of ${name}; without it nix build --store ssh-ng:// builds`;
    findings.push(warningAt(["builds", "trust"], message, "install Nix 2.16 or newer"));
  }
  if (number < COLLECTS_WITH_SOCKET) {
    const message = `${name} makes no socket for a garbage collection, so nothing keeps a client from one`;
    findings.push(warningAt(at, message, "install Nix 2.5 or newer"));
  }
  return findings;
}
