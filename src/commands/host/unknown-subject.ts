import type { ConfigFiles } from "../../policy/config-files.ts";
import { type LoadedPolicy, loadPolicies } from "../../policy/load-all.ts";
import { fingerprintsOf } from "../../policy/rules/certificates.ts";
import type { LockSubject } from "./lock-words.ts";

/** Why a lock is on nothing that the policies know, in one line without a full stop, and the remedy. */
export interface Unknown {
  readonly message: string;
  readonly fix: string;
}

/** Reads the policies for `unknownIn`. */
export async function unknownSubject(
  subject: LockSubject,
  files: ConfigFiles,
  directory: string,
): Promise<Unknown | undefined> {
  return unknownIn(subject, (await loadPolicies(files, `${directory}/policies`)).policies);
}

/**
 * Whether a lock is on a team, member or key that no policy has. A policy with an error may have any member and any key.
 * An address and a certificate are in no policy.
 */
export function unknownIn({ kind, value }: LockSubject, policies: readonly LoadedPolicy[]): Unknown | undefined {
  const [team = "", member] = value.split("/");
  const policy = policies.find(({ name }) => name === team);
  switch (kind) {
    case "team":
    case "member":
      if (policy === undefined)
        return { message: `no policy is that of team ${team}`, fix: "nixgate check lists them" };
      if (kind === "team" || !policy.checked.ok) return undefined;
      if (policy.checked.value.members.some(({ name }) => name === member)) return undefined;
      return {
        message: `the policy of team ${team} has no member ${member}`,
        fix: "write TEAM/MEMBER as a policy does",
      };
    case "key":
      if (
        policies.some(
          ({ checked }) =>
            !checked.ok || checked.value.members.some(({ keys }) => fingerprintsOf(keys).includes(value)),
        )
      )
        return undefined;
      return { message: `no policy lists the key ${value}`, fix: "compare it with nixgate sessions keys" };
    default:
      return undefined;
  }
}
