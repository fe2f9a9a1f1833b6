import type { HostConfig, Policy } from "../policy.ts";
import { errorAt, type PolicyFinding, warningAt } from "../problem.ts";
import { fingerprint, readPublicKey } from "../schema/public-key.ts";

/** The fingerprints of keys. A line that is none is left out. */
export const fingerprintsOf = (lines: readonly string[]): readonly string[] =>
  lines.flatMap((line) => {
    const key = readPublicKey(line);
    return "problem" in key ? [] : [fingerprint(key)];
  });

/**
 * A member's key that is also a CA's: who signs for others would come in as the member.
 * @param cas fingerprints of every CA, and where it is
 */
export function caFindings({ members }: Policy, cas: ReadonlyMap<string, string>): readonly PolicyFinding[] {
  if (cas.size === 0) return [];
  return members.flatMap(({ name, keys }, index) =>
    keys.flatMap((line, position) => {
      const print = fingerprintsOf([line])[0] ?? "";
      const where = cas.get(print);
      if (where === undefined) return [];
      const message = `the key of "${name}" is the CA's key of ${where}`;
      return [errorAt(["member", index, "keys", position], message, "give the member a key of its own")];
    }),
  );
}

/** Principals for which no CA is listed: no certificate is accepted for them. */
export function principalFindings({ ca, members }: Policy, host: Pick<HostConfig, "ca">): readonly PolicyFinding[] {
  if (ca.length + host.ca.length > 0) return [];
  return members.flatMap(({ principals }, index) => {
    if (principals.length === 0) return [];
    const fix = "add [[ca]] with its keys, here for the team or in nixgate.toml for all";
    return [warningAt(["member", index, "principals"], "no [[ca]] is listed, so no certificate is accepted", fix)];
  });
}
