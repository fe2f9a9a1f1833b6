import { spawnSync } from "node:child_process";
import { type Account, PATH } from "../../scope/environment.ts";
import { NAME_PATTERN } from "../../units/ids.ts";
import { clock } from "../kernel/clock.ts";

/** An account's number by its name; undefined where there is no such account. */
export const uidOf = (account: string): number | undefined => named(account)?.uid;

/** The number of an account's primary group by the account's name; undefined where there is no such account. */
export const gidOf = (account: string): number | undefined => named(account)?.gid;

function named(account: string) {
  // a name of digits would be looked up as a number
  if (!NAME_PATTERN.test(account.replace(/^nix-/, ""))) return undefined;
  const found = passwdEntry(account);
  return found?.name === account ? found : undefined;
}

/**
 * The account that serves a team, looked up now: the first of these names whose primary group the FIFO is.
 * @returns its uid; undefined where no account of these has that group
 */
export function accountOfGroup(accounts: readonly string[], gid: number): number | undefined {
  return accounts.map(named).find((found) => found?.gid === gid)?.uid;
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
function passwdEntry(key: string): (Account & { readonly gid: number; readonly shell: string }) | undefined {
  const { status, stdout } = spawnSync("getent", ["passwd", "--", key], { env: { PATH }, encoding: "utf8" });
  const [name, , uid, gid, , home, shell] = status === 0 ? (stdout.split("\n", 1)[0]?.split(":") ?? []) : [];
  if (!name || !home || uid === undefined || !/^\d+$/.test(uid)) return undefined;
  return { name, uid: Number(uid), gid: Number(gid), home, shell: shell || "/bin/sh" };
}
