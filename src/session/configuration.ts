import { closedWords, closingOf } from "../policy/closed.ts";
import type { ConfigError } from "../policy/config-error.ts";
import type { ConfigFiles } from "../policy/config-files.ts";
import { loadHost, loadPolicy, loadTeam, type PolicySource } from "../policy/load.ts";
import { type LockInForce, lockOn, type Presence } from "../policy/locks.ts";
import type { HostConfig, Policy } from "../policy/policy.ts";
import { SESSION } from "../policy/schema/defaults.ts";
import type { Parsers } from "../policy/schema/parsers.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { memberName, teamName } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import type { ForcedCommand } from "./forced-command.ts";
import type { SessionRefusal } from "./refusal.ts";

/** The administrator's locks, which are read anew each time. */
export interface Locks {
  /** The lock that is on a client at this moment (milliseconds since 1970); undefined where none is. */
  readonly lockOn: (who: Presence, now: number) => LockInForce | undefined;
}

/** The policy that the session is judged by, or the reason why there is none. */
export type Configuration = ReadyConfiguration | RefusedConfiguration;

/** Whether the session belongs to no team. A forced command can hold any name, so its records are in no team's folder. */
export const isOfNoTeam = (configuration: Configuration): boolean =>
  !configuration.ok && configuration.refusal.reason === "unknown-team";

export interface ReadyConfiguration extends Locks {
  readonly ok: true;
  /** The absolute path of the configuration folder. */
  readonly directory: string;
  readonly host: HostConfig;
  readonly policy: Policy;
  readonly source: PolicySource;
}

export interface RefusedConfiguration extends Locks {
  readonly ok: false;
  readonly directory: string;
  /** Set where nixgate.toml could be read: the refusal is then recorded in its log folder. */
  readonly host: HostConfig | undefined;
  readonly source?: PolicySource;
  readonly refusal: SessionRefusal;
}

/** The configuration folder, and the way to read it. */
export interface ConfigSource {
  readonly files: ConfigFiles;
  readonly directory: string;
  readonly parsers?: Parsers | undefined;
}

/** The policy and the host configuration for a new session of this team and member, or the refusal. */
export async function configure(source: ConfigSource, forced: ForcedCommand): Promise<Configuration> {
  const { files, directory } = source;
  const closing = closingOf(files, directory, teamName(forced.team));
  if (closing === undefined) return configureRunning(source, forced);
  return refused(source, { reason: "closed", message: closedWords(closing), status: ExitStatus.busy });
}

/** The same for a session that already runs: closing the builder does not affect it. */
export async function configureRunning(source: ConfigSource, { team, member }: ForcedCommand): Promise<Configuration> {
  const { files, directory, parsers } = source;
  const locks = locksIn(source);
  const name = teamName(team);
  if (name === undefined) return refused(source, UNKNOWN_TEAM);
  const loaded = await loadTeam(files, directory, name, parsers);
  if (!loaded.ok) {
    const { host, source, reason, error } = loaded;
    const refusal = reason === "unknown-team" ? UNKNOWN_TEAM : { ...invalid(error), message: error.message };
    return { ok: false, directory, host, ...(source && { source }), refusal, ...locks };
  }
  const { host, policy, source: read } = loaded;
  const known = memberName(member ?? "");
  if (member !== undefined && !policy.members.some((listed) => listed.name === known)) {
    return { ok: false, directory, host, source: read, refusal: UNKNOWN_MEMBER, ...locks };
  }
  return { ok: true, directory, host, policy, source: read, ...locks };
}

/** A refusal for which no policy is read. */
async function refused(source: ConfigSource, refusal: SessionRefusal) {
  const { files, directory, parsers } = source;
  const { checked } = await loadHost(files, directory, parsers?.host);
  return {
    ok: false,
    ...{ directory, host: checked.ok ? checked.value : undefined, refusal },
    ...locksIn(source),
  } as const;
}

const locksIn = ({ files, directory }: ConfigSource): Locks => ({
  lockOn: (who, now) => lockOn(files, directory, who, now),
});

/** The time for the last records and the journal after all processes have ended, in milliseconds. */
const LAST_WORDS_MS = 3000;

/**
 * The longest time that a session of this team takes to end after SIGTERM. The command may use all of `stop_timeout`,
 * and its leftover processes may use it again. The defaults apply where the policy cannot be read.
 */
export async function timeoutFor(files: ConfigFiles, directory: string, team: string): Promise<Milliseconds> {
  const { checked } = await loadPolicy(files, `${directory}/policies`, team);
  const { stopTimeout, clientGoneGrace } = checked.ok ? checked.value.session : SESSION;
  return (2 * stopTimeout + clientGoneGrace + LAST_WORDS_MS) as Milliseconds;
}

/** A file that the host cannot read at this moment is no invalid policy: the client may try again. */
const invalid = ({ exitStatus }: ConfigError) =>
  exitStatus === ExitStatus.busy
    ? ({ reason: "host-busy", status: exitStatus } as const)
    : ({ reason: "policy-invalid", status: ExitStatus.config } as const);

const UNKNOWN_TEAM: SessionRefusal = {
  reason: "unknown-team",
  message: "there is no policy for this team",
  status: ExitStatus.config,
};

const UNKNOWN_MEMBER: SessionRefusal = {
  reason: "unknown-member",
  message: "the team's policy has no such member",
  status: ExitStatus.denied,
};
