import type { Bytes, Milliseconds } from "../units/quantities.ts";

/** The value of each kind of a setting of Nix in a parsed policy. */
interface Values {
  readonly count: number;
  readonly duration: Milliseconds;
  readonly size: Bytes;
  readonly sandbox: Sandbox;
  readonly words: readonly string[];
}
export type SettingKind = keyof Values;

/** The values of `sandbox` in nix.conf(5). */
export const SANDBOXES = ["true", "false", "relaxed"] as const;
export type Sandbox = (typeof SANDBOXES)[number];

/** One setting of Nix that a policy may make for the daemon of its team. */
export interface BuildSetting {
  /** The key in a policy, under [builds]. */
  readonly key: string;
  /** The name in a parsed policy. */
  readonly name: string;
  /** The name in nix.conf(5). */
  readonly nix: string;
  readonly kind: SettingKind;
}

/** The settings, in the order in which nix.conf gets them. Nix knows all of them since 2.0. */
export const BUILD_SETTINGS = [
  { key: "max_jobs", name: "maxJobs", nix: "max-jobs", kind: "count" },
  { key: "cores", name: "cores", nix: "cores", kind: "count" },
  { key: "timeout", name: "timeout", nix: "timeout", kind: "duration" },
  { key: "max_silent_time", name: "maxSilentTime", nix: "max-silent-time", kind: "duration" },
  { key: "max_log", name: "maxLog", nix: "max-build-log-size", kind: "size" },
  { key: "sandbox", name: "sandbox", nix: "sandbox", kind: "sandbox" },
  { key: "substituters", name: "substituters", nix: "substituters", kind: "words" },
  { key: "trusted_public_keys", name: "trustedPublicKeys", nix: "trusted-public-keys", kind: "words" },
  { key: "system_features", name: "systemFeatures", nix: "system-features", kind: "words" },
  { key: "extra_platforms", name: "extraPlatforms", nix: "extra-platforms", kind: "words" },
] as const satisfies readonly BuildSetting[];

type Row = (typeof BUILD_SETTINGS)[number];

/** What holds the builds of a team: its sessions' own limits, or the host's nix-daemon outside of every limit. */
export const BUILD_BOUNDS = ["session", "host"] as const;
export type BuildBound = (typeof BUILD_BOUNDS)[number];

/** The settings of Nix's that a policy makes. An absent one is the host's. */
export type BuildSettings = { readonly [Each in Row as Each["name"]]?: Values[Each["kind"]] };

/** [builds] of a policy. */
export interface Builds extends BuildSettings {
  readonly boundedBy: BuildBound;
  /** Whether the account is a trusted user of the daemon of its sessions (trusted-users of nix.conf(5)). */
  readonly trust: boolean;
}

/** The same settings by the keys of a policy. */
export type BuildKeys = { readonly [Each in Row as Each["key"]]?: Values[Each["kind"]] };
