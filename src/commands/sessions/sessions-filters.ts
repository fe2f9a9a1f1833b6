import { clientRange } from "../../archive/client-range.ts";
import type { Criteria } from "../../archive/filter.ts";
import { parseWhen, WHEN_FORMS } from "../../archive/when.ts";
import type { Arguments } from "../../cli/command.ts";
import { textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { CAUSES } from "../../record/vocabulary.ts";
import { escapeText } from "../../units/text.ts";

type Options = Arguments["options"];

const bool = { type: "boolean" } as const;
const text = { type: "string" } as const;

/** The options that select sessions. All reading commands share them. */
export const whichOptions = {
  team: text,
  member: text,
  client: text,
  key: text,
  host: text,
  at: text,
  since: text,
  until: text,
  denied: bool,
  cause: text,
  request: text,
  running: bool,
} as const;
/** The same options with a limit of the number of sessions. */
export const filterOptions = { ...whichOptions, limit: text } as const;

export const WHICH_USAGE =
  "[--team T] [--member M] [--client IP|NET] [--key FP] [--host H] [--at WHEN] [--since WHEN] [--until WHEN] [--denied] [--cause C] [--request TEXT] [--running]";
export const FILTER_USAGE = `${WHICH_USAGE} [--limit N]`;

const HELP: Readonly<Record<keyof typeof whichOptions, string>> = {
  team: "--team T           sessions of this team",
  member: "--member M         sessions of this member",
  client: "--client IP|NET    sessions from this address or network: 192.0.2.7, 10.0.0.0/8, fe80::1%eth0",
  key: "--key FINGERPRINT  sessions with this key, as ssh-keygen -l prints it, or its first characters",
  host: "--host H           sessions on this host",
  at: "--at WHEN          sessions that ran at WHEN",
  since: "--since WHEN       sessions that ran at WHEN or later",
  until: "--until WHEN       sessions that began at WHEN or before",
  denied: "--denied           sessions that were refused, or had a request denied",
  cause: `--cause C          sessions in which a command, or the session itself, ended by: ${CAUSES.join(", ")}`,
  request: "--request TEXT     sessions with a request that contains TEXT, in any case, such as --request=--write",
  running: "--running          sessions that still run",
};

/** The part of `--help` about some of these options. */
export const helpFor = (options: Partial<typeof whichOptions>): string =>
  (Object.keys(options) as (keyof typeof whichOptions)[]).map((name) => `  ${HELP[name]}`).join("\n");

export const WHICH_HELP = helpFor(whichOptions);

export const FILTER_HELP = `${WHICH_HELP}
  --limit N          the first N sessions`;

export const WHEN_HELP = `WHEN, in local time: ${WHEN_FORMS}.
A time that the clock shows twice, in the night when it is set back, means the first of the two. Write Z or +01:00 for an
exact time.`;

/** @throws UsageError for an invalid value */
export function criteriaFrom(options: Options, now: number): Criteria {
  const given = (name: string) => textOption(options, name);
  const cause = given("cause");
  if (cause !== undefined && !CAUSES.some((known) => known === cause))
    throw new UsageError(`--cause ${escapeText(cause)}: no such cause`, {
      hint: `one of ${CAUSES.join(", ")}`,
    });
  const client = given("client");
  if (client !== undefined && clientRange(client) === undefined)
    throw new UsageError(`--client ${escapeText(client)}: not an address or network`, {
      hint: "write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32",
    });
  const when = (name: string) => {
    const words = given(name);
    const time = words === undefined ? undefined : parseWhen(words, now);
    if (words !== undefined && time === undefined)
      throw new UsageError(`--${name} ${escapeText(words)}: not a time`, { hint: `write ${WHEN_FORMS}` });
    return time;
  };
  const at = when("at");
  if (at !== undefined && (given("since") !== undefined || given("until") !== undefined))
    throw new UsageError("--at cannot be combined with --since or --until", {
      hint: "leave out --at, or the other two",
    });
  const all = {
    team: given("team"),
    member: given("member"),
    client,
    key: given("key"),
    host: given("host"),
    since: at ?? when("since"),
    until: at ?? when("until"),
    denied: options["denied"] === true ? true : undefined,
    cause,
    request: given("request"),
    running: options["running"] === true ? true : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, wanted]) => wanted !== undefined));
}

/**
 * The maximum number of sessions; infinite where no limit is given.
 * @throws UsageError
 */
export function limitFrom(options: Options): number {
  const limit = textOption(options, "limit");
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  if (!/^[1-9]\d{0,8}$/.test(limit))
    throw new UsageError(`--limit ${escapeText(limit)}: not a count`, { hint: "a whole number from 1" });
  return Number(limit);
}
