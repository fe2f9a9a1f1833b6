import type { Arguments } from "../../cli/command.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { caSerial, type Lock, locksPath, readLocks } from "../../policy/locks.ts";
import { readAddress } from "../../policy/schema/address.ts";
import { NixgateError } from "../../units/error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { memberName, teamName } from "../../units/ids.ts";
import { LOCK_KINDS, type LockKind } from "../../units/lock-kinds.ts";
import { FINGERPRINT } from "../../units/ssh-key.ts";
import { escapeText } from "../../units/text.ts";
import type { LockingPorts } from "./locking-ports.ts";

/** Whom a lock is on. */
export type LockSubject = Pick<Lock, "kind" | "value">;

const EXAMPLES: Readonly<Record<LockKind, string>> = {
  team: "alpha",
  member: "alpha/ci",
  key: "SHA256:…, as ssh-keygen -l prints it",
  address: "192.0.2.7 or 192.0.2.0/24",
  "ca-serial": "17, or SHA256:…:17 for one CA's key",
};

export const KINDS_HELP = `KIND and VALUE:
  team alpha         all of a team
  member alpha/ci    one member of a team
  key SHA256:…       one key, by its fingerprint, as ssh-keygen -l prints it; also a certificate's key
  address 192.0.2.7  an address or a network (192.0.2.0/24)
  ca-serial 17       a certificate by the serial of whatever CA; SHA256:…:17 names the CA's key, too`;

/**
 * The kind and the value of a lock, as the records and the file have them.
 * @throws UsageError
 */
export function lockSubject(command: string, [kind, value, more]: Arguments["positionals"]): LockSubject {
  const known = LOCK_KINDS.find((word) => word === kind);
  if (known === undefined)
    throw new UsageError(`${command} takes a kind and a value`, { hint: `the kinds are ${LOCK_KINDS.join(", ")}` });
  if (value === undefined || more !== undefined)
    throw new UsageError(`${command} ${known} takes one value`, { hint: `such as ${EXAMPLES[known]}` });
  const read = VALUES[known](value);
  if (read === undefined)
    throw new UsageError(`${escapeText(value)}: no ${known}`, { hint: `write ${EXAMPLES[known]}` });
  return { kind: known, value: read };
}

const VALUES: Readonly<Record<LockKind, (text: string) => string | undefined>> = {
  team: teamName,
  member(text) {
    const [team = "", member = "", ...more] = text.split("/");
    return teamName(team) && memberName(member) && more.length === 0 ? text : undefined;
  },
  key: (text) => (FINGERPRINT.test(text) ? text : undefined),
  address(text) {
    const read = readAddress(text);
    return typeof read === "string" ? read : undefined;
  },
  "ca-serial": caSerial,
};

/** Whether two locks are on the same. The case of an IPv6 address does not matter. */
export const isSame = (one: LockSubject, other: LockSubject): boolean =>
  one.kind === other.kind &&
  (one.kind === "address" ? one.value.toLowerCase() === other.value.toLowerCase() : one.value === other.value);

/** @throws NixgateError E_LOCKS where the file of locks cannot be read */
export function locksIn({ files }: Pick<LockingPorts, "files">, directory: string): readonly Lock[] {
  const read = readLocks(files, directory);
  if (read.ok) return read.locks;
  const path = escapeText(locksPath(directory));
  throw new NixgateError("E_LOCKS", ExitStatus.config, `${path}: ${read.problem}; until then everybody is locked`, {
    hint: "correct it, or remove it and set the locks again",
  });
}

/** The team of a lock's record: that of the team, or of the member. */
export const forTeam = ({ kind, value }: LockSubject): { readonly for_team?: string } =>
  kind === "team" || kind === "member" ? { for_team: value.split("/")[0] ?? "" } : {};
