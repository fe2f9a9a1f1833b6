import { accountsOf } from "../../policy/accounts.ts";
import { ConfigError } from "../../policy/config-error.ts";
import type { ConfigFiles } from "../../policy/config-files.ts";
import { loadAll } from "../../policy/load-all.ts";
import { isError } from "../../policy/problem.ts";
import { type ApplyPlan, type ApplyStep, type Observed, planApply } from "../../render/apply-plan.ts";
import { hostFiles } from "../../render/host-files.ts";
import { madeBy, named } from "../../render/made-by.ts";
import type { Omission, RenderedFile, UidOf } from "../../render/slices.ts";

export interface ApplyPorts {
  readonly files: ConfigFiles;
  readonly uidOf: UidOf;
  /** The primary group of an account. */
  readonly gidOf: (account: string) => number | undefined;
  readonly program: string;
  readonly version: string;
  /** The absolute configuration folder. */
  directory(configDirectory: string | undefined): string;
  /**
   * The files of this host that nixgate has generated, recognised by their first lines, and the files at these paths.
   */
  filesOnHost(paths: readonly string[]): ReadonlyMap<string, string>;
  /** The state of everything but the files. */
  observe(files: readonly RenderedFile[], logDirectory: string): Promise<Omit<Observed, "files">>;
  /** @throws NixgateError E_APPLY, status 69 or 73 */
  perform(step: ApplyStep): void;
  readonly isRoot: boolean;
}

export interface Planned extends ApplyPlan {
  readonly omitted: readonly Omission[];
}

/** @throws ConfigError where the configuration has an error: a part of it is never applied */
export async function planFor(directory: string, ports: ApplyPorts): Promise<Planned> {
  const { host, policies, problems } = await loadAll(ports.files, directory);
  const errors = problems.filter(isError);
  if (errors.length > 0 || !host.checked.ok) throw new ConfigError("E_CONFIG_INVALID", errors);
  const sound = policies.flatMap(({ checked }) => (checked.ok ? [checked.value] : []));
  const before = ports.filesOnHost([]);
  const { program, version, uidOf, gidOf } = ports;
  const paths = { program, version, uidOf, gidOf, accountsOf, configDirectory: directory };
  const withSlices = [...before].some(
    ([path, text]) => /\/user-\d+\.slice\.d\//.test(path) && madeBy(text)?.configDirectory === named(directory),
  );
  const { files, omitted } = hostFiles(host.checked.value, sound, { ...paths, withSlices });
  const found = ports.filesOnHost(files.map(({ path }) => path));
  const observed = await ports.observe(files, host.checked.value.log.directory);
  return { ...planApply(files, directory, { ...observed, files: found }), omitted };
}
