import type * as z from "zod/mini";
import { quoted } from "./describe-value.ts";
import { field, list, table, type Wrong, wrongType } from "./field.ts";
import { publicKeyField } from "./public-key.ts";

/** One `[[ca]]` as written: the public keys that sign certificates. */
export const CaEntry = table({
  keys: list(publicKeyField, 'write a list such as ["ssh-ed25519 AAAA… ca"]'),
});
export type CaEntry = z.output<typeof CaEntry>;

/** The keys of all entries. */
export const caKeys = (entries: readonly CaEntry[] = []): readonly string[] => entries.flatMap(({ keys }) => keys);

const PRINCIPAL_FIX = 'write a name that the CA signs for, such as "ci-alpha"';

/**
 * A name in a certificate. sshd compares it letter by letter: it takes no pattern, a comma separates two names in an
 * authorized_keys line, and a space ends one in a line of principals (sshd(8)).
 */
export const principal = field("principal", (value): string | Wrong => {
  if (typeof value !== "string") return wrongType(value, "a principal", PRINCIPAL_FIX);
  if (/^[A-Za-z0-9][A-Za-z0-9._@+:/-]{0,255}$/.test(value)) return value;
  if (/[*?!]/.test(value))
    return {
      problem: `${quoted(value)} is a pattern, and sshd compares principals letter by letter`,
      fix: PRINCIPAL_FIX,
    };
  if (/\s/.test(value)) return { problem: `${quoted(value)} has a space`, fix: PRINCIPAL_FIX };
  return { problem: `${quoted(value)} is not a principal of letters, digits and . _ @ + : / -`, fix: PRINCIPAL_FIX };
});
