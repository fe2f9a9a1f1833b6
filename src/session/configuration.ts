import { closedWords, closingOf } from "../policy/closed.ts";
import type { ConfigFiles } from "../policy/config-files.ts";
import { loadHost, loadTeam } from "../policy/load.ts";
import type { Parsers } from "../policy/schema/parsers.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { memberName, teamName } from "../units/ids.ts";
import type { Configuration, SessionRefusal } from "./arrival.ts";

/** The policy and the host configuration for a new session of this team and member, or the refusal. */
export async function configure(
  files: ConfigFiles,
  directory: string,
  team: string,
  member: string | undefined,
  parsers?: Parsers,
): Promise<Configuration> {
  const closing = closingOf(files, directory, teamName(team));
  if (closing === undefined) return configureRunning(files, directory, team, member, parsers);
  const { checked } = await loadHost(files, directory, parsers?.host);
  const refusal = { reason: "closed", message: closedWords(closing), status: ExitStatus.busy } as const;
  return { ok: false, directory, host: checked.ok ? checked.value : undefined, refusal };
}

/** The same for a session that already runs: closing the builder does not affect it. */
export async function configureRunning(
  files: ConfigFiles,
  directory: string,
  team: string,
  member: string | undefined,
  parsers?: Parsers,
): Promise<Configuration> {
  const name = teamName(team);
  if (name === undefined) {
    const { checked } = await loadHost(files, directory, parsers?.host);
    return { ok: false, directory, host: checked.ok ? checked.value : undefined, refusal: UNKNOWN_TEAM };
  }
  const loaded = await loadTeam(files, directory, name, parsers);
  if (!loaded.ok) {
    const { host, source, reason, error } = loaded;
    const refusal = reason === "unknown-team" ? UNKNOWN_TEAM : { ...INVALID, message: error.message };
    return { ok: false, directory, host, ...(source && { source }), refusal };
  }
  const { host, policy, source } = loaded;
  const known = memberName(member ?? "");
  if (member !== undefined && !policy.members.some((listed) => listed.name === known)) {
    return { ok: false, directory, host, source, refusal: UNKNOWN_MEMBER };
  }
  return { ok: true, directory, host, policy, source };
}

const INVALID = { reason: "policy-invalid", status: ExitStatus.config } as const;

const UNKNOWN_TEAM: SessionRefusal = {
  reason: "unknown-team",
  message: "there is no policy for this team",
  status: ExitStatus.config,
};

const UNKNOWN_MEMBER: SessionRefusal = {
  reason: "unknown-member",
  message: "the team's policy knows no such member",
  status: ExitStatus.denied,
};
