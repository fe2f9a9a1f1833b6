import { accountsOf } from "../accounts.ts";
import type { HostConfig, Policy } from "../policy.ts";
import { errorAt, formatKeyPath, type KeyPath, type PolicyFinding } from "../problem.ts";
import { quoted } from "../schema/describe-value.ts";
import type { Source } from "../source/source.ts";
import { caFindings, fingerprintsOf } from "./certificates.ts";

/** A policy with its source text, from which lines are found. */
export interface Sourced {
  readonly policy: Policy;
  readonly source: Source;
}

/**
 * The conflicts of each policy with the policies before it, and with every CA.
 * @param host absent where only policies are checked
 */
export function betweenTeams(
  policies: readonly Sourced[],
  host?: Pick<HostConfig, "ca">,
): readonly (readonly PolicyFinding[])[] {
  const cas = new Map(fingerprintsOf(host?.ca ?? []).map((print) => [print, "nixgate.toml"]));
  for (const { policy, source } of policies) for (const print of fingerprintsOf(policy.ca)) cas.set(print, source.path);
  const accounts = new Map<string, string>();
  const keys = new Map<string, string>();
  return policies.map(({ policy, source }) => [
    ...caFindings(policy, cas),
    ...accountsOf(policy)
      .filter((account) => claim(accounts, account, source.path) !== source.path)
      .slice(0, 1)
      .map((account) => {
        const message = `the account ${quoted(account)} already serves the team of ${accounts.get(account)}`;
        return errorAt(["team"], message, "give one of the two teams another name");
      }),
    ...keysOf(policy).flatMap(({ at, print, member }) => {
      const [owner, location] = [`"${member}" of ${source.path}`, formatKeyPath(at)];
      const other = claim(keys, print, `${owner}, ${location}`);
      if (other === `${owner}, ${location}`) return [];
      return [errorAt(at, `the key ${print} already belongs to ${other}`, "give each member a key of its own")];
    }),
  ]);
}

/** The owner of a value: the first policy that claimed it. */
function claim(owners: Map<string, string>, what: string, owner: string): string {
  const first = owners.get(what) ?? owner;
  owners.set(what, first);
  return first;
}

function keysOf(policy: Policy): readonly { at: KeyPath; print: string; member: string }[] {
  return policy.members.flatMap(({ name, keys }, index) =>
    keys.flatMap((line, keyIndex) =>
      fingerprintsOf([line]).map((print) => ({ at: ["member", index, "keys", keyIndex], print, member: name })),
    ),
  );
}
