import type { Member } from "../../policy/policy.ts";
import { certificateText, type ForcedCommand, shimWords } from "../../session/forced-command.ts";
import { NixgateError } from "../../units/error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { CONFIG_DIRECTORY } from "../shared/config-options.ts";

/** The absolute paths of nixgate and of nixgate-shim, as sshd should start them. */
export interface KeyPrograms {
  readonly programPath: string;
  readonly shimPath: string;
}

/** A forced command as text for an authorized_keys option. */
export type Program = (forced: ForcedCommand) => string;

/** A word that needs no quoting in an authorized_keys option or in a shell's command line. */
const PLAIN_WORD = /^\/[A-Za-z0-9_./+-]*$/;

/**
 * The forced command of this host's sessions. `exec`, so that no shell remains between sshd and nixgate (dash -c
 * otherwise keeps a process of its own). Under manager = "system" the supervisor has the configuration.
 */
export function programFor(supervised: boolean, directory: string, { programPath, shimPath }: KeyPrograms): Program {
  if (supervised) return (forced) => ["exec", plain(shimPath), ...shimWords(forced)].join(" ");
  const where = directory === CONFIG_DIRECTORY ? [] : ["--config-dir", plain(directory)];
  return ({ team, member = "", key, certificate }) =>
    [
      ...["exec", plain(programPath), "session", "--team", team, "--member", member],
      ...(key === undefined ? [] : ["--key", key]),
      ...(certificate ? ["--certificate", certificateText(certificate)] : []),
      ...where,
    ].join(" ");
}

/**
 * The path, where it needs no quoting.
 * @param place the file of sshd's that gets it
 * @throws NixgateError E_USAGE
 */
export function plain(word: string, file = "an authorized_keys line"): string {
  if (PLAIN_WORD.test(word)) return word;
  throw new NixgateError("E_USAGE", ExitStatus.usage, `cannot be written into ${file}: ${word}`, {
    hint: "use an absolute path of letters, digits and . _ + -",
  });
}

/**
 * sshd still takes the key in the second of `expiry-time` (auth_authorise_keyopts of OpenSSH), so this is the second
 * before `until`. The Z for UTC is known since OpenSSH 9.1; without it a time is in the host's own zone.
 */
function expiry({ until }: Member): string {
  if (until === undefined) return "";
  const last = new Date(Math.max(until - 1000, FIRST_EXPIRY)).toISOString();
  return `expiry-time="${last.slice(0, 19).replace(/[-:T]/g, "")}Z",`;
}

/** sshd takes 0 for no expiry, and refuses a line with a time before 1970 with a message that names no reason. */
const FIRST_EXPIRY = 1000;

/** The options that bound when and from where a member may come, each with its comma. */
export function restrictions(member: Member): string {
  const from = member.from.length === 0 ? "" : `from="${member.from.join(",")}",`;
  return expiry(member) + from;
}
