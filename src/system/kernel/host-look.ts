import { spawnSync } from "node:child_process";
import { lstatSync, type Stats } from "node:fs";
import { totalmem } from "node:os";
import { accountsOf } from "../../policy/accounts.ts";
import { PATH } from "../../scope/environment.ts";
import type { TeamName } from "../../units/ids.ts";
import type { Bytes } from "../../units/quantities.ts";
import { loginShellOf, uidOf } from "../accounts/accounts.ts";
import { nixVersion, reachesHostDaemon, replacesHostDaemon } from "../accounts/nix-look.ts";
import { pamReadsHome } from "../accounts/pam-environment.ts";
import { controllers } from "../cgroup/cgroup.ts";
import { hostRoom } from "./host-state.ts";
import { readKernelFile } from "./kernel-files.ts";
import { showsInodes } from "./open-file.ts";
import { privilegesOf } from "./privileges.ts";
import { problemWithProgram } from "./program-look.ts";
import { findProgram } from "./programs.ts";
import { ptraceScope } from "./ptrace-scope.ts";

/** How long sshd may take to print its configuration, in milliseconds. */
const SSHD_MS = 5000;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * The facts about this host for `nixgate check`. Nothing is changed. A fact that is hidden from the caller is no
 * problem.
 */
export const hostLook = {
  memory: totalmem() as Bytes,
  uidOf,
  controllers: controllers(),
  problemWithProgram,
  privilegesOf,
  isInstalled: (name: string): boolean =>
    PATH.split(":").some((folder) => problemWithProgram(`${folder}/${name}`) === undefined),
  problemWithFolder,
  keysAreFromPolicies,
  trustsCaAlone,
  loginShellOf,
  subordinateIds: (account: string, uid: number) => rangeFileOf(account, uid),
  pamReadsHome: () => pamReadsHome(),
  ptraceScope,
  showsInodes,
  ...hostRoom,
  nixVersion,
  reachesHostDaemon,
  replacesHostDaemon,
};

/** Checks as the team's account, because root can execute more than that account. */
export function problemForTeam(path: string, team: string, confined: boolean) {
  const accounts = process.geteuid?.() === 0 ? accountsOf({ team: team as TeamName }) : [];
  const uid = accounts.map(uidOf).find((found) => found !== undefined);
  return problemWithProgram(path, uid === undefined ? undefined : { uid, confined });
}

/** Lines are `NAME:FIRST:COUNT` or `UID:FIRST:COUNT`, subuid(5) and subgid(5). */
export function rangeFileOf(
  account: string,
  uid: number,
  textOf: (path: string) => string | undefined = readKernelFile,
): "/etc/subuid" | "/etc/subgid" | undefined {
  const isOwn = (line: string) => [account, String(uid)].includes(line.split(":", 1)[0] ?? "");
  return (["/etc/subuid", "/etc/subgid"] as const).find((path) => textOf(path)?.split("\n").some(isOwn));
}

function problemWithFolder(path: string, owners: readonly number[]) {
  let stats: Stats;
  try {
    stats = lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? { missing: true, message: "does not exist" } : undefined;
  }
  const problem = (message: string) => ({ missing: false, message });
  if (!stats.isDirectory()) return problem("is a link, or no folder");
  if (!owners.includes(stats.uid)) return problem(`belongs to uid ${stats.uid}, not to uid ${owners.join(" or ")}`);
  const isOpen = (stats.mode & OTHERS_WRITE) !== 0 && (stats.mode & STICKY) === 0;
  return isOpen ? problem("is writable by others than its owner") : undefined;
}

function keysAreFromPolicies(account: string): boolean | undefined {
  const said = sshdSettings(account);
  if (said === undefined) return undefined;
  return /^authorizedkeyscommand .*\bauthorized-keys\b/im.test(said) && /^authorizedkeysfile none$/im.test(said);
}

function trustsCaAlone(account: string): boolean | undefined {
  const said = sshdSettings(account);
  if (said === undefined) return undefined;
  const isNone = (keyword: string) => !new RegExp(`^${keyword} (?!none$)`, "im").test(said);
  const bounds = ["authorizedprincipalscommand", "authorizedprincipalsfile", "forcecommand"];
  return !isNone("trustedusercakeys") && bounds.every(isNone);
}

/** The account's effective sshd_config(5), by `sshd -T`, which only root may run; undefined where it says nothing. */
function sshdSettings(account: string): string | undefined {
  const sshd = findProgram("sshd");
  if (sshd === undefined) return undefined;
  const words = ["-T", "-C", `user=${account},host=localhost,addr=127.0.0.1`];
  const { status, stdout } = spawnSync(sshd, words, { encoding: "utf8", timeout: SSHD_MS, env: { PATH } });
  return status === 0 ? stdout : undefined;
}
