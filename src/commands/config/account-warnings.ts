import type { HostConfig } from "../../policy/policy.ts";
import { type PolicyFinding, warningAt } from "../../policy/problem.ts";
import { isPlainShell } from "../../session/command/standing.ts";
import type { HostLook } from "./host-look.ts";

interface TeamAccount {
  readonly name: string;
  readonly uid: number;
}

/** How a team's account is to be set up, above all for root's supervisor. */
export function accountWarnings(account: TeamAccount, { scope }: HostConfig, look: HostLook): readonly PolicyFinding[] {
  const daemon = daemonWarning(account, scope, look);
  if (scope.manager !== "system") return daemon;
  return [...daemon, ...shellWarning(account, look), ...subordinateWarning(account, look)];
}

/** Debian gives the folder of the daemon's socket to a group that may write to it. */
function daemonWarning(
  { name }: TeamAccount,
  { manager }: HostConfig["scope"],
  look: HostLook,
): readonly PolicyFinding[] {
  if (look.replacesHostDaemon?.(name) !== true) return [];
  const folder = "/nix/var/nix/daemon-socket";
  const message = `${name} may write to ${folder}, and so take the place of the host's nix-daemon for all its users`;
  const listed = "nixgate apply --yes; systemd-tmpfiles --create /etc/tmpfiles.d/nixgate.conf";
  const own = "/etc/tmpfiles.d/nix-daemon-socket.conf";
  const fix = `echo 'a+ ${folder} - - - - m::r-x' >${own}; systemd-tmpfiles --create ${own}`;
  return [warningAt(["team"], message, manager === "system" ? listed : fix)];
}

function shellWarning({ name, uid }: TeamAccount, look: HostLook): readonly PolicyFinding[] {
  const shell = look.loginShellOf(uid);
  if (shell === undefined || isPlainShell(shell)) return [];
  const message = `${name} has the login shell ${shell}, which reads the account's files first, so its sessions are refused with 78`;
  return [warningAt(["team"], message, `usermod --shell /bin/sh ${name}`)];
}

/** Its processes can then have a uid of that range, and the search outside of sessions does not find them. */
function subordinateWarning({ name, uid }: TeamAccount, look: HostLook): readonly PolicyFinding[] {
  const file = look.subordinateIds(name, uid);
  if (file === undefined) return [];
  const message = `${name} has a range in ${file}, so processes with those ids outside of its sessions are not found`;
  const key = `-e '/^${name}:/d' -e '/^${uid}:/d'`;
  return [warningAt(["team"], message, `sed -i ${key} /etc/subuid /etc/subgid`)];
}
