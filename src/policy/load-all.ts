import type { ConfigFiles } from "./config-files.ts";
import { type LoadedFile, loadHost, loadPolicy } from "./load.ts";
import type { HostConfig, Policy, Problem } from "./policy.ts";
import type { Sourced } from "./rules/between-teams.ts";
import { betweenPolicies, crossCheck } from "./rules/cross-check.ts";

/** A team's policy, named by its file. */
export interface LoadedPolicy extends LoadedFile<Policy> {
  readonly name: string;
}

/** All files of a configuration folder. `problems` holds the problems of every file, and those between files. */
export interface WholeConfig {
  readonly host: LoadedFile<HostConfig>;
  readonly policies: readonly LoadedPolicy[];
  readonly problems: readonly Problem[];
}

/** Reads a whole configuration folder: nixgate.toml, every policy, and the checks across files. */
export async function loadAll(files: ConfigFiles, directory: string): Promise<WholeConfig> {
  const host = await loadHost(files, directory);
  const { policies, problems } = await loadPolicies(files, `${directory}/policies`);
  const sourced = sources(policies);
  const crossed = host.checked.ok ? await crossCheck(host.checked.value, sourced) : await betweenPolicies(sourced);
  return { host, policies, problems: [...host.checked.problems, ...problems, ...crossed] };
}

/** Every policy of a folder. `problems` holds those of the folder and of each file. */
export async function loadPolicies(
  files: ConfigFiles,
  directory: string,
): Promise<{ readonly policies: readonly LoadedPolicy[]; readonly problems: readonly Problem[] }> {
  const names = files.list(directory);
  if (names.kind === "missing")
    return {
      policies: [],
      problems: [{ ...names.problem, fix: `create ${directory}, with one file for each team in it` }],
    };
  if (names.kind === "refused") return { policies: [], problems: [names.problem] };
  const visible = names.found.filter((name) => !name.startsWith("."));
  const teams = new Set(visible.flatMap((name) => /^(.+)\.(?:toml|json)$/.exec(name)?.[1] ?? []));
  const strays = visible.filter((name) => !/.\.(?:toml|json)$/.test(name));
  const policies = await Promise.all(
    [...teams].map(async (name) => ({ name, ...(await loadPolicy(files, directory, name)) })),
  );
  const own = policies.flatMap(({ checked }) => checked.problems);
  return { policies, problems: [...strays.map((name) => notRead(`${directory}/${name}`)), ...own] };
}

/** The policies that could be read, with their texts. */
export function sources(policies: readonly LoadedPolicy[]): readonly Sourced[] {
  return policies.flatMap(({ checked, file }) => (checked.ok && file ? [{ policy: checked.value, source: file }] : []));
}

/** The readable policies of a folder, with their digests. The others are left out without a message. */
export async function soundPolicies(
  files: ConfigFiles,
  directory: string,
): Promise<readonly { readonly policy: Policy; readonly sha256: string }[]> {
  const { policies } = await loadPolicies(files, directory);
  return policies.flatMap(({ checked, file }) =>
    checked.ok && file ? [{ policy: checked.value, sha256: file.sha256 }] : [],
  );
}

function notRead(path: string): Problem {
  const fix = "end a policy's name in .toml or .json, and keep other files elsewhere";
  return { severity: "warning", path, line: undefined, message: "is not read", fix };
}
