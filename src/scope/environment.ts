import type { Environment, Manager } from "../policy/policy.ts";

/** The account that the session runs as, from passwd(5). */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

/** The program directories of NixOS, Debian and the Nix installer. No account can write to any of them. */
export const PATH = "/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/local/bin:/usr/bin:/bin";

/**
 * The command's environment, which nixgate builds from nothing; no variable comes from the client. `XDG_RUNTIME_DIR`
 * and the bus are systemd's paths for the account (pam_systemd(8)), not those of nixgate's environment.
 */
export function commandEnvironment(
  account: Account,
  policy: Environment,
  manager: Manager,
  builds: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const runtime = `/run/user/${account.uid}`;
  const systemd = { XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus` };
  return {
    ...policy,
    HOME: account.home,
    USER: account.name,
    LOGNAME: account.name,
    PATH,
    SHELL: "/bin/sh",
    LANG: "C.UTF-8",
    ...(manager === "user" ? systemd : {}),
    ...builds,
  };
}
