import type { HostConfig } from "../../policy/policy.ts";
import { type PolicyFinding, warningAt } from "../../policy/problem.ts";
import { isPlainShell } from "../../session/command/standing.ts";
import type { HostLook } from "./host-look.ts";

interface TeamAccount {
  readonly name: string;
  readonly uid: number;
}

/** How a team's account is to be set up for root's supervisor. */
export function accountWarnings(account: TeamAccount, { scope }: HostConfig, look: HostLook): readonly PolicyFinding[] {
  if (scope.manager !== "system") return [];
  return [...shellWarning(account, look), ...subordinateWarning(account, look)];
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
