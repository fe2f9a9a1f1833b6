import type { Arguments } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import type { Criteria } from "../record/filter.ts";
import { CAUSES } from "../record/vocabulary.ts";
import { parseWhen, WHEN_FORMS } from "../record/when.ts";
import { escapeText } from "../units/text.ts";
import { textOption } from "./sessions-ports.ts";

type Options = Arguments["options"];

const bool = { type: "boolean" } as const;
const text = { type: "string" } as const;

/** Which sessions: the options that every reading command takes alike. */
export const filterOptions = {
  team: text,
  member: text,
  since: text,
  until: text,
  denied: bool,
  cause: text,
  request: text,
  running: bool,
  limit: text,
} as const;

export const FILTER_USAGE =
  "[--team T] [--member M] [--since WHEN] [--until WHEN] [--denied] [--cause C] [--request TEXT] [--running] [--limit N]";

export const FILTER_HELP = `  --team T           of this team
  --member M         of this member
  --since WHEN       that were there at WHEN or later
  --until WHEN       that began at WHEN or before; --since and --until alike: who was there at that time
  --denied           that were refused, or had a request turned away
  --cause C          where a command, or the session, ended by: ${CAUSES.join(", ")}
  --request TEXT     with a request that holds TEXT, in any case
  --running          that are still there
  --limit N          the newest N`;

export const WHEN_HELP = `WHEN, in local time: ${WHEN_FORMS}.`;

/** @throws UsageError for a value that names nothing */
export function criteriaFrom(options: Options, now: number): Criteria {
  const given = (name: string) => textOption(options, name);
  const cause = given("cause");
  if (cause !== undefined && !CAUSES.some((known) => known === cause))
    throw new UsageError(`--cause ${escapeText(cause)}: no such cause`, {
      hint: `one of ${CAUSES.join(", ")}`,
    });
  const when = (name: string) => {
    const words = given(name);
    const time = words === undefined ? undefined : parseWhen(words, now);
    if (words !== undefined && time === undefined)
      throw new UsageError(`--${name} ${escapeText(words)}: no point in time`, { hint: `write ${WHEN_FORMS}` });
    return time;
  };
  const all = {
    team: given("team"),
    member: given("member"),
    since: when("since"),
    until: when("until"),
    denied: options["denied"] === true ? true : undefined,
    cause,
    request: given("request"),
    running: options["running"] === true ? true : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, wanted]) => wanted !== undefined));
}

/** How many sessions at most; infinite where nothing is asked for. @throws UsageError */
export function limitFrom(options: Options): number {
  const limit = textOption(options, "limit");
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  if (!/^[1-9]\d{0,8}$/.test(limit))
    throw new UsageError(`--limit ${escapeText(limit)}: no count`, { hint: "a whole number from 1" });
  return Number(limit);
}
