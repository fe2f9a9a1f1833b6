import { BUILD_SETTINGS, type BuildSetting, type Builds, type SettingKind } from "../policy/builds.ts";
import type { Milliseconds } from "../units/quantities.ts";

const MS_PER_SECOND = 1000;

/** The text of each kind of value in nix.conf(5). */
const TEXT: Readonly<Record<SettingKind, (value: never) => string>> = {
  count: (value: number) => String(value),
  // Nix counts whole seconds, and takes 0 for no limit
  duration: (value: Milliseconds) => String(Math.ceil(value / MS_PER_SECOND)),
  size: (value: number) => String(value),
  sandbox: (value: string) => value,
  words: (value: readonly string[]) => value.join(" "),
};

/**
 * The nix.conf of a daemon that builds for one account alone. The host's own settings hold where neither the policy nor
 * nixgate says otherwise. A later line of nix.conf(5) replaces an earlier one, so nixgate's own lines come last.
 */
export function nixConf(builds: Builds, account: string): string {
  const settings = (BUILD_SETTINGS as readonly BuildSetting[]).flatMap(({ name, nix, kind }) => {
    const value = builds[name as keyof Builds];
    return value === undefined ? [] : [`${nix} = ${TEXT[kind](value as never)}`];
  });
  return `# Made by nixgate for the builds of ${account}, from [builds] of its team's policy.
# Nix looks for this file beside its nix.conf, and the host's is meant.
netrc-file = /etc/nix/netrc
!include /etc/nix/nix.conf
${settings.map((line) => `${line}\n`).join("")}# The builds stay in the limits of their session: not on another builder, and not in a cgroup of Nix's own.
builders =
use-cgroups = false
allowed-users = ${account}
trusted-users =${builds.trust ? ` ${account}` : ""}
`;
}
