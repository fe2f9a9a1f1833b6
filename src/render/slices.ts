import type { Policy, TeamLimits } from "../policy/policy.ts";
import { limitProperties } from "../scope/properties.ts";
import type { Bytes, Infinite } from "../units/quantities.ts";

/** A file for the administrator to install. */
export interface RenderedFile {
  /** The file's absolute path. */
  readonly path: string;
  readonly text: string;
}

/** Something that could not be rendered, with the remedy. Both are words for a comment. */
export interface Omission {
  readonly about: string;
  readonly fix: string;
}

export interface Rendered {
  readonly files: readonly RenderedFile[];
  readonly omitted: readonly Omission[];
}

/** A team for which this host has no account. */
export const withoutAccount = (team: string, accounts: readonly string[]): Omission => ({
  about: `team ${team}: there is no account ${accounts.join(" or ")} on this host`,
  fix: `useradd --system --create-home --shell /bin/sh ${accounts.at(-1)}, then render again`,
});

/** An account's uid, or undefined where no account has that name. */
export type UidOf = (account: string) => number | undefined;

const MIB = 1_048_576;
/**
 * The tasks and memory of an account's slice besides its commands. Each session has nixgate itself, the holder and
 * sshd's process. The account has one systemd with its bus. Measured for nixgate itself (Node 24): 56 MiB and 11
 * threads. The rest of the values is for the other processes.
 */
const PER_SESSION = { tasks: 24, memory: 96 * MIB };
const PER_ACCOUNT = { tasks: 32, memory: 64 * MIB };

/**
 * Drop-ins for the slices of the accounts that serve teams (user-UID.slice, systemd.special(7)), from [team_limits].
 * @param accountsOf the accounts that may serve a policy's team
 */
export function renderSlices(
  policies: readonly Policy[],
  accountsOf: (policy: Policy) => readonly string[],
  uidOf: UidOf,
): Rendered {
  const files: RenderedFile[] = [];
  const omitted: Omission[] = [];
  for (const policy of policies) {
    const { team, teamLimits } = policy;
    if (Object.keys(teamLimits).length === 0) {
      const about = `team ${team} has no [team_limits]: nothing bounds it as a whole`;
      omitted.push({ about, fix: `write [team_limits] into the policy of ${team}` });
      continue;
    }
    const accounts = accountsOf(policy);
    const known = accounts.flatMap((account) => {
      const uid = uidOf(account);
      return uid === undefined ? [] : [{ account, uid }];
    });
    if (known.length === 0) omitted.push(withoutAccount(team, accounts));
    for (const { account, uid } of known) {
      if (uid === 0) {
        const about = `team ${team}: the account ${account} is root, whose slice is not to be limited`;
        omitted.push({ about, fix: "give the team an account of its own" });
      } else files.push({ path: pathOf(uid), text: dropIn(policy, account, uid) });
    }
  }
  return { files, omitted };
}

const pathOf = (uid: number) => `/etc/systemd/system/user-${uid}.slice.d/50-nixgate.conf`;

function dropIn(policy: Policy, account: string, uid: number): string {
  const { team, session } = policy;
  const properties = limitProperties(withHeadroom(policy.teamLimits, session.maxConcurrent));
  return `# nixgate: the outer limits of team ${team}, made by nixgate render slices from [team_limits] of its policy.
#
# These limits apply to all processes of the account ${account} (uid ${uid}) together: all sessions of the team, nixgate's own
# processes, and the account's systemd. They belong to root: the account can raise the limits of its own scopes and slices
# (systemctl --user set-property), but not these. MemoryMax, MemoryHigh and TasksMax are higher than in the policy, by the
# needs of ${session.maxConcurrent} sessions for nixgate itself (${PER_SESSION.memory / MIB}M and ${PER_SESSION.tasks} tasks each) and the account's systemd (${PER_ACCOUNT.memory / MIB}M, ${PER_ACCOUNT.tasks} tasks).
#
# They do not apply to nix-daemon's work for the team: builds run in nix-daemon.service as other accounts. They do not bound disk
# space, network or open files. At a limit the kernel may end any process of the account, also nixgate's.
[Slice]
${properties.map(({ name, value }) => `${name}=${value}\n`).join("")}`;
}

function withHeadroom(limits: TeamLimits, sessions: number): TeamLimits {
  const more = (memory: Bytes | Infinite) =>
    memory === "infinity" ? memory : ((memory + sessions * PER_SESSION.memory + PER_ACCOUNT.memory) as Bytes);
  const { TasksMax: tasks, MemoryMax: max, MemoryHigh: high } = limits;
  return {
    ...limits,
    ...(typeof tasks === "number" && { TasksMax: tasks + sessions * PER_SESSION.tasks + PER_ACCOUNT.tasks }),
    ...(max !== undefined && { MemoryMax: more(max) }),
    ...(high !== undefined && { MemoryHigh: more(high) }),
  };
}
