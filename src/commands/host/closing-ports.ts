import { UsageError } from "../../cli/usage-error.ts";
import type { ConfigFiles } from "../../policy/config-files.ts";
import type { HostConfig } from "../../policy/policy.ts";
import type { HostBody } from "../../record/schema.ts";
import { teamName } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";

/** The system operations for closing and opening. */
export interface ClosingPorts {
  readonly files: ConfigFiles;
  /** The absolute configuration folder. */
  directory(configDirectory: string | undefined): string;
  /** @throws ConfigError where nixgate.toml has an error */
  log(configDirectory: string | undefined): Promise<HostConfig["log"]>;
  /** @throws NixgateError E_CLOSING */
  put(path: string, text: string): void;
  /** @throws NixgateError E_CLOSING */
  take(path: string): void;
  /** This process's account, and the account that had logged in. */
  doer(): Pick<HostBody, "user" | "uid" | "login">;
  /** @throws RecordError */
  record(log: HostConfig["log"], body: HostBody): Promise<void>;
}

/**
 * The named team; undefined for all teams.
 * @throws UsageError where the word is no team name
 */
export function closedTeam(team: string | undefined): string | undefined {
  if (team !== undefined && teamName(team) === undefined)
    throw new UsageError(`--team ${escapeText(team)}: not the name of a team`);
  return team;
}
