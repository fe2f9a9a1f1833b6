import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { PATH } from "../../scope/environment.ts";
import { gidOf } from "./accounts.ts";

/** How long a look may take, in milliseconds. */
const LOOK_MS = 5000;
/** Where the host's own nix-daemon listens. */
const HOST_SOCKET = "/nix/var/nix/daemon-socket/socket";

/** `nix-daemon (Nix) 2.26.3`, `nix-daemon (Lix, like Nix) 2.93.0`. */
export function versionIn(text: string): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = /\) (\d+)\.(\d+)/.exec(text) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

/** The version of a program of Nix, which nixgate.toml names and which root alone can have put there. */
export function nixVersion(program: string): ReturnType<typeof versionIn> {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8", env: { PATH }, timeout: LOOK_MS });
  return versionIn(stdout ?? "");
}

/** Whether the account, with all of its groups, may connect to the host's own nix-daemon. */
export const reachesHostDaemon = (account: string): boolean | undefined => mayWrite(account, HOST_SOCKET);

/** Whether the account, with all of its groups, may put a socket of its own in the place of the host's nix-daemon's. */
export const replacesHostDaemon = (account: string): boolean | undefined => mayWrite(account, dirname(HOST_SOCKET));

/** @returns undefined where only root could find out */
function mayWrite(account: string, path: string): boolean | undefined {
  const gid = gidOf(account);
  if (process.geteuid?.() !== 0 || gid === undefined) return undefined;
  const words = ["--reuid", account, "--regid", String(gid), "--init-groups", "--", "test", "-w", path];
  const { status } = spawnSync("setpriv", words, { env: { PATH }, stdio: "ignore", timeout: LOOK_MS });
  return status === 0 ? true : status === 1 ? false : undefined;
}
