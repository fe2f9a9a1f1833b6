import { spawnSync } from "node:child_process";
import { type Account, PATH } from "../../scope/environment.ts";
import { NAME_PATTERN } from "../../units/ids.ts";
import { clock } from "../kernel/clock.ts";

/** The uid of an account name; undefined where there is no such account. */
export function uidOf(account: string): number | undefined {
  // getent would look up a name of digits as a uid
  if (!NAME_PATTERN.test(account.replace(/^nix-/, ""))) return undefined;
  const found = passwdEntry(account);
  return found?.name === account ? found.uid : undefined;
}

/** How long a login shell is cached, in milliseconds. A change of the shell then needs no restart of the supervisor. */
const SHELL_KEEPS_MS = 60_000;
const shells = new Map<number, { readonly shell: string; readonly at: number }>();

/** The login shell of a uid's account, cached for a minute; undefined where there is no such account. */
export function loginShellOf(uid: number): string | undefined {
  const seen = shells.get(uid);
  const now = clock.monotonic();
  if (seen && now - seen.at < SHELL_KEEPS_MS) return seen.shell;
  const shell = passwdEntry(String(uid))?.shell;
  if (shell !== undefined) shells.set(uid, { shell, at: now });
  return shell;
}

const known = new Map<number, Account>();

/** The account of a uid, looked up once; undefined where there is none. */
export function accountOf(uid: number): Account | undefined {
  const found = known.get(uid) ?? passwdEntry(String(uid));
  if (found) known.set(uid, { name: found.name, uid, home: found.home });
  return known.get(uid);
}

/**
 * A line of passwd(5) from any of the host's sources (getent(1), nsswitch.conf(5)). Node has neither getpwnam(3) nor
 * getpwuid(3).
 */
function passwdEntry(key: string): (Account & { readonly shell: string }) | undefined {
  const { status, stdout } = spawnSync("getent", ["passwd", "--", key], { env: { PATH }, encoding: "utf8" });
  const [name, , uid, , , home, shell] = status === 0 ? (stdout.split("\n", 1)[0]?.split(":") ?? []) : [];
  if (!name || !home || uid === undefined || !/^\d+$/.test(uid)) return undefined;
  return { name, uid: Number(uid), home, shell: shell || "/bin/sh" };
}
