import { spawnSync } from "node:child_process";
import { PATH } from "../scope/environment.ts";
import { NAME_PATTERN } from "../units/ids.ts";

/**
 * An account's number by its name, from every source that the host knows accounts of (getent(1), nsswitch.conf(5)):
 * Node has no getpwnam(3). Undefined where there is no such account.
 */
export function uidOf(account: string): number | undefined {
  // a name of digits would be looked up as a number
  if (!NAME_PATTERN.test(account.replace(/^nix-/, ""))) return undefined;
  const { status, stdout } = spawnSync("getent", ["passwd", "--", account], { env: { PATH }, encoding: "utf8" });
  const [name, , uid] = status === 0 ? (stdout.split("\n", 1)[0]?.split(":") ?? []) : [];
  return name === account && uid !== undefined && /^\d+$/.test(uid) ? Number(uid) : undefined;
}
