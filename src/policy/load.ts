import { basename } from "node:path";
import type { TeamName } from "../units/ids.ts";
import { ConfigError, type ConfigErrorCode } from "./config-error.ts";
import type { ConfigFile, ConfigFiles } from "./config-files.ts";
import type { Checked, HostConfig, Policy, Problem } from "./policy.ts";
import { isError } from "./problem.ts";
import { againstHost } from "./rules/cross-check.ts";
import { PARSERS, type Parse, type Parsers } from "./schema/parsers.ts";
import { checked } from "./source/source.ts";

/** The file of a policy, for the session's record. */
export interface PolicySource {
  readonly path: string;
  readonly sha256: string;
}

/**
 * The configuration of a session, or the reason why it cannot be served. The host's configuration also tells where the
 * refusal is recorded.
 */
export type TeamConfig =
  | { readonly ok: true; readonly host: HostConfig; readonly policy: Policy; readonly source: PolicySource }
  | {
      readonly ok: false;
      readonly reason: "unknown-team" | "policy-invalid";
      readonly host: HostConfig | undefined;
      readonly source: PolicySource | undefined;
      readonly error: ConfigError;
    };

/**
 * Reads nixgate.toml and one team's policy, no other file of the folder, and checks the two against each other. The
 * function looks for no warnings, because a session waits for it. `nixgate check` looks for them.
 */
export async function loadTeam(
  files: ConfigFiles,
  directory: string,
  team: TeamName,
  parsers: Parsers = PARSERS,
): Promise<TeamConfig> {
  const hostRead = await loadHost(files, directory, parsers.host);
  const host = hostRead.checked.ok ? hostRead.checked.value : undefined;
  const refuse = (part: LoadedFile<unknown>, source?: PolicySource): TeamConfig => {
    const reason = part.code === "E_CONFIG_UNKNOWN_TEAM" ? "unknown-team" : "policy-invalid";
    return { ok: false, reason, host, source, error: new ConfigError(part.code, part.checked.problems) };
  };
  if (!host) return refuse(hostRead);
  const policyRead = await loadPolicy(files, `${directory}/policies`, team, parsers.policy);
  const { file, checked: result } = policyRead;
  const source = file && { path: file.path, sha256: file.sha256 };
  if (!result.ok || !file || !source) return refuse(policyRead, source);
  const both = await checked(file, againstHost(host, result.value).filter(isError), () => result.value);
  if (!both.ok) return refuse({ ...policyRead, checked: both }, source);
  return { ok: true, host, policy: result.value, source };
}

/** One file of the configuration: its checked value, and its text where it could be read. */
export interface LoadedFile<T> {
  readonly checked: Checked<T>;
  readonly file: ConfigFile | undefined;
  /** The code of a ConfigError about the file. */
  readonly code: ConfigErrorCode;
}

/** nixgate.toml, or nixgate.json. */
export async function loadHost(
  files: ConfigFiles,
  directory: string,
  parse = PARSERS.host,
): Promise<LoadedFile<HostConfig>> {
  const fix = `write ${directory}/nixgate.toml; the least it needs is: schema = 1, and under [programs] nix-store and nix-daemon as absolute paths`;
  return loadEither(files, `${directory}/nixgate`, parse, { code: "E_CONFIG_MISSING", fix });
}

/** A team's policy, by the name of its file. */
export async function loadPolicy(
  files: ConfigFiles,
  directory: string,
  team: string,
  parse = PARSERS.policy,
): Promise<LoadedFile<Policy>> {
  const fix = `write ${directory}/${team}.toml, or correct --team; policies/ of nixgate has examples`;
  return loadEither(files, `${directory}/${team}`, parse, { code: "E_CONFIG_UNKNOWN_TEAM", fix });
}

async function loadEither<T>(
  files: ConfigFiles,
  stem: string,
  parse: Parse<T>,
  missing: { readonly code: ConfigErrorCode; readonly fix: string },
): Promise<LoadedFile<T>> {
  const fail = (code: ConfigErrorCode, problem: Problem): LoadedFile<T> => ({
    checked: { ok: false, problems: [problem] },
    file: undefined,
    code,
  });
  const toml = files.read(`${stem}.toml`);
  const json = files.read(`${stem}.json`);
  for (const read of [toml, json]) if (read.kind === "refused") return fail("E_CONFIG_REFUSED", read.problem);
  if (toml.kind === "found" && json.kind === "found") {
    const message = `exists beside ${basename(stem)}.toml, and only one of the two files may exist`;
    const problem = {
      severity: "error",
      path: json.found.path,
      line: undefined,
      message,
      fix: "remove one of the two",
    } as const;
    return fail("E_CONFIG_INVALID", problem);
  }
  const read = toml.kind === "found" ? toml : json;
  if (read.kind === "missing" && toml.kind === "missing")
    return fail(missing.code, { ...toml.problem, fix: missing.fix });
  if (read.kind !== "found") return fail("E_CONFIG_REFUSED", read.problem);
  const file = read.found;
  return { checked: await parse(file.text, file.path), file, code: "E_CONFIG_INVALID" };
}
