import * as z from "zod/mini";
import { ENDPOINT_NAMES } from "../../request/endpoints.ts";
import { memberName, teamName } from "../../units/ids.ts";
import { BUILD_BOUNDS } from "../builds.ts";
import { limitFields, teamLimitFields } from "../limit-fields.ts";
import type { Member } from "../policy.ts";
import { sourceAddress } from "./address.ts";
import { buildFields } from "./build-fields.ts";
import { CaEntry, principal } from "./ca.ts";
import {
  bytes,
  count,
  dictionary,
  duration,
  field,
  flag,
  list,
  oneOf,
  plainPath,
  schemaVersion,
  table,
  text,
  wrongType,
} from "./field.ts";
import { moment } from "./moment.ts";
import { publicKeyField } from "./public-key.ts";

const NAME_FIX =
  "write a name of small letters, digits and dashes that begins with a letter, at most 32 characters long";
const named = <Name>(read: (text: string) => Name | undefined) =>
  field("name", (value) => (typeof value === "string" && read(value)) || wrongType(value, "a name", NAME_FIX));

const WORDS_FIX = 'write a list of words, such as ["nix-store", "-r"]';

/** `[[allow]]` in either of its two forms. allow-rules.ts tells them apart. */
const AllowEntry = table({
  endpoint: z.exactOptional(oneOf(ENDPOINT_NAMES)),
  stores: z.exactOptional(
    list(text("local?root=/srv/nixgate/alpha"), 'write a list such as ["local?root=/srv/nixgate/alpha"]'),
  ),
  process_ops: z.exactOptional(flag),
  read_only: z.exactOptional(flag),
  request: z.exactOptional(list(text("nix-store"), WORDS_FIX)),
  run: z.exactOptional(list(text("/usr/bin/nix-store"), WORDS_FIX)),
  environment: z.exactOptional(dictionary(text("value"))),
});
export type AllowEntry = z.output<typeof AllowEntry>;

/** One `[[member]]` as written. */
export const MemberEntry = table({
  name: named(memberName),
  keys: z.exactOptional(list(publicKeyField, 'write a list such as ["ssh-ed25519 AAAA… ci@alpha"]')),
  from: z.exactOptional(list(sourceAddress, 'write a list such as ["10.0.0.0/8"]')),
  principals: z.exactOptional(list(principal, 'write a list such as ["ci-alpha"]')),
  until: z.exactOptional(moment),
});

export type MemberEntry = z.output<typeof MemberEntry>;

/** The member of an entry, with every default. */
export const memberOf = ({ name, keys = [], from = [], principals = [], until }: MemberEntry): Member => ({
  ...{ name, keys, from, principals },
  ...(until !== undefined && { until }),
});

/** policies/<team>.toml as written: every key that it may have, without defaults. */
export const PolicyFile = table({
  schema: schemaVersion,
  team: named(teamName),
  description: z.exactOptional(text("platform team: CI and workstations")),
  allow: z.exactOptional(list(AllowEntry, "write each entry under [[allow]]")),
  limits: z.exactOptional(table(limitFields)),
  team_limits: z.exactOptional(table(teamLimitFields)),
  session: z.exactOptional(
    table({
      max_concurrent: z.exactOptional(count),
      max_starts_per_minute: z.exactOptional(count),
      max_commands: z.exactOptional(count),
      line_max_bytes: z.exactOptional(bytes()),
      read_timeout: z.exactOptional(duration),
      client_gone_grace: z.exactOptional(duration),
      stop_timeout: z.exactOptional(duration),
    }),
  ),
  store: z.exactOptional(
    table({
      mode: z.exactOptional(oneOf(["daemon", "dedicated"])),
      root: z.exactOptional(plainPath("/srv/nixgate/alpha")),
    }),
  ),
  builds: z.exactOptional(
    table({ bounded_by: z.exactOptional(oneOf(BUILD_BOUNDS)), trust: z.exactOptional(flag), ...buildFields }),
  ),
  ca: z.exactOptional(list(CaEntry, "write each CA under [[ca]]")),
  member: z.exactOptional(list(MemberEntry, "write each member under [[member]]")),
});
export type PolicyFile = z.output<typeof PolicyFile>;
