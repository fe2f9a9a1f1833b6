import * as z from "zod/mini";
import type { TeamName } from "../units/ids.ts";
import type { Member } from "./policy.ts";
import { CaEntry, caKeys } from "./schema/ca.ts";
import { MemberEntry, memberOf } from "./schema/policy-schema.ts";
import { parseSource, type Source } from "./source/source.ts";

/** The CA keys of such a policy; entries with an error are left out. */
export async function readableCa(source: Source): Promise<readonly string[]> {
  const parsed = await parseSource(source);
  const head = z.safeParse(z.object({ ca: z.array(z.unknown()) }), parsed.ok ? parsed.data : undefined);
  if (!head.success) return [];
  return head.data.ca.flatMap((entry) => {
    const read = z.safeParse(CaEntry, entry);
    return read.success ? caKeys([read.data]) : [];
  });
}

/**
 * The members of a policy that has errors elsewhere, for `authorized-keys`. Their keys start a session, which is then
 * refused with 78 and an id. A member counts only where its whole entry is valid, including `from`, and its name is
 * unique. So no key is printed with fewer restrictions than the policy sets.
 * @param team the name from the file's name; where the file names another team, no key counts
 * @returns none where the text is not valid TOML or JSON
 */
export async function readableMembers(source: Source, team: TeamName): Promise<readonly Member[]> {
  const parsed = await parseSource(source);
  if (!parsed.ok) return [];
  const head = z.safeParse(z.object({ team: z.literal(team), member: z.array(z.unknown()) }), parsed.data);
  if (!head.success) return [];
  const members = head.data.member.flatMap((entry): Member[] => {
    const read = z.safeParse(MemberEntry, entry);
    return read.success ? [memberOf(read.data)] : [];
  });
  const names = head.data.member.map((entry) => (entry as { readonly name?: unknown } | null)?.name);
  return members.filter(({ name }) => names.filter((other) => other === name).length === 1);
}
