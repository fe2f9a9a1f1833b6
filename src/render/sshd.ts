import type { HostConfig, Policy } from "../policy/policy.ts";
import { type Omission, type Rendered, type UidOf, withoutAccount } from "./slices.ts";

/** The host's facts in sshd's block. The words need no quotes in sshd_config(5). */
export interface SshdPaths {
  /** The absolute path of nixgate, as sshd should start it. */
  readonly program: string;
  /** The configuration folder, where it is not the default one. */
  readonly configDirectory: string | undefined;
  readonly accountsOf: (policy: Policy) => readonly string[];
  readonly uidOf: UidOf;
}

export const SSHD_FILE = "/etc/ssh/sshd_config.d/10-nixgate.conf";

/**
 * The block of sshd_config(5) for the accounts of all teams.
 *
 * It has `nix-*` instead of a list: the account of a team that was removed, or is not configured yet, stays closed too.
 * An account with the team's own name is added only where the host has no `nix-TEAM`. Otherwise a team named like a
 * system account would take that account over.
 */
export function renderSshd(host: HostConfig, policies: readonly Policy[], paths: SshdPaths): Rendered {
  const { accountsOf, uidOf } = paths;
  const own: string[] = [];
  const omitted: Omission[] = [];
  for (const policy of policies) {
    const { team } = policy;
    const accounts = accountsOf(policy);
    const known = accounts.filter((account) => uidOf(account) !== undefined);
    if (known.length === 0) {
      omitted.push(withoutAccount(team, accounts));
    } else if (!known.includes(`nix-${team}`)) {
      if (uidOf(team) === 0) {
        const about = `team ${team}: the account ${team} is root, whose keys this block does not replace`;
        omitted.push({ about, fix: "give the team an account of its own" });
      } else own.push(team);
    }
  }
  return { files: [{ path: SSHD_FILE, text: block(["nix-*", ...own.sort()], host, paths) }], omitted };
}

function block(users: readonly string[], { admission }: HostConfig, { program, configDirectory }: SshdPaths): string {
  const where = configDirectory === undefined ? "" : ` --config-dir ${configDirectory}`;
  const { maxSessions } = admission;
  return `# sshd_config(5): the key decides the team and the member; policies list the keys
# For the whole sshd, so not in this block: MaxStartups ${Math.ceil(maxSessions / 2)}:30:${maxSessions}
Match User ${users.join(",")}
  AuthorizedKeysCommand ${program} authorized-keys --user %u --fingerprint %f${where}
  AuthorizedKeysCommandUser nobody
  AuthorizedKeysFile none
  AuthenticationMethods publickey
  TrustedUserCAKeys none
  PasswordAuthentication no
  KbdInteractiveAuthentication no
  HostbasedAuthentication no
  GSSAPIAuthentication no
  ForceCommand none
  DisableForwarding yes
  PermitTunnel no
  PermitTTY no
  PermitUserRC no
  AcceptEnv none
  ExposeAuthInfo yes
  ClientAliveInterval 30
  ClientAliveCountMax 3
  MaxSessions 10
  LogLevel VERBOSE
`;
}
