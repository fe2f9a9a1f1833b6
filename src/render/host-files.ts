import type { HostConfig, Policy } from "../policy/policy.ts";
import { headed } from "./made-by.ts";
import { type Rendered, renderSlices, type UidOf } from "./slices.ts";
import { renderUnits } from "./units.ts";

/** The host's paths and accounts that the rendered files depend on. */
export interface HostPaths {
  readonly program: string;
  readonly version: string;
  /** An absolute path. */
  readonly configDirectory: string;
  readonly accountsOf: (policy: Policy) => readonly string[];
  readonly uidOf: UidOf;
  /** The primary group of an account. */
  readonly gidOf: (account: string) => number | undefined;
  /** Whether this host uses the slices around accounts (render slices). */
  readonly withSlices: boolean;
}

/** All files that the configuration needs on this host, with their first lines. */
export function hostFiles(host: HostConfig, policies: readonly Policy[], paths: HostPaths): Rendered {
  const { accountsOf, uidOf, configDirectory } = paths;
  const units =
    host.scope.manager === "system"
      ? renderUnits(policies, accountsOf, uidOf, { ...paths, logDirectory: host.log.directory })
      : { files: [], omitted: [] };
  const slices = paths.withSlices ? renderSlices(policies, accountsOf, uidOf) : { files: [], omitted: [] };
  return {
    files: [...units.files, ...slices.files].map((file) => headed(file, configDirectory)),
    omitted: [...units.omitted, ...slices.omitted],
  };
}
