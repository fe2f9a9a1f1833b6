import type { Summary } from "../../archive/sessions/summary.ts";
import type { Policy } from "../../policy/policy.ts";
import { fingerprintsOf } from "../../policy/rules/certificates.ts";

/**
 * `listed`: a policy has the key. `certificate`: a policy has no such key, and the member comes by certificates.
 * `unlisted`: only records have the key.
 */
export type KeyState = "listed" | "certificate" | "unlisted";

/** A key of a team, with what the records tell of it. */
export interface KnownKey {
  readonly team: string;
  readonly member: string | undefined;
  /** The fingerprint. */
  readonly key: string;
  readonly state: KeyState;
  /** The first moment without access, RFC 3339. */
  readonly until: string | undefined;
  /** When its first and its last session came, RFC 3339; undefined where it was never seen. */
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly sessions: number;
  /** The addresses that it came from, 100 at most, in the order in which they were first seen. */
  readonly addresses: readonly string[];
}

interface Tally {
  known: KnownKey;
  readonly addresses: Set<string>;
}

/** An account can write any key into its records: at most this many that no policy lists are told apart. */
const MOST_UNLISTED = 10_000;
const MOST_ADDRESSES = 100;

/** Collects the keys of the policies and of the records. */
export function knownKeys(policies: readonly Policy[]) {
  const tallies = new Map<string, Tally>();
  const byCertificate = new Set<string>();
  const idOf = (team: string, key: string) => `${team}/${key}`;
  for (const { team, members } of policies)
    for (const { name: member, keys, principals, until } of members) {
      if (principals.length > 0) byCertificate.add(`${team}/${member}`);
      const end = until === undefined ? undefined : new Date(until).toISOString();
      for (const key of fingerprintsOf(keys))
        tallies.set(idOf(team, key), {
          known: unseen({ team, member, key, until: end, state: "listed" }),
          addresses: new Set(),
        });
    }
  const listed = tallies.size;
  let more = 0;
  return {
    /** Takes a session into account. It may have no key. */
    add({ team, member, key, client, start }: Pick<Summary, "team" | "member" | "key" | "client" | "start">): void {
      if (key === undefined) return;
      const id = idOf(team, key);
      if (!tallies.has(id) && tallies.size - listed >= MOST_UNLISTED) {
        more += 1;
        return;
      }
      const state = member !== undefined && byCertificate.has(`${team}/${member}`) ? "certificate" : "unlisted";
      const tally = tallies.get(id) ?? {
        known: unseen({ team, member, key, until: undefined, state }),
        addresses: new Set<string>(),
      };
      const { first = start, last = start, sessions } = tally.known;
      if (client !== undefined && tally.addresses.size < MOST_ADDRESSES) tally.addresses.add(client);
      tally.known = {
        ...tally.known,
        ...{ first: first < start ? first : start, last: last > start ? last : start, sessions: sessions + 1 },
      };
      tallies.set(id, tally);
    },
    /** All keys, those of the policies first; and the sessions with further keys that are not told apart. */
    result(): { readonly keys: readonly KnownKey[]; readonly more: number } {
      const keys = [...tallies.values()].map(({ known, addresses }) => ({ ...known, addresses: [...addresses] }));
      return { keys, more };
    },
  };
}

const unseen = (key: Pick<KnownKey, "team" | "member" | "key" | "until" | "state">): KnownKey => ({
  ...key,
  ...{ first: undefined, last: undefined, sessions: 0, addresses: [] },
});
