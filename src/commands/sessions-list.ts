import type { Arguments, Command } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import { type Criteria, keepMatching } from "../record/filter.ts";
import { newest } from "../record/newest.ts";
import { summariseFile } from "../record/summarise.ts";
import type { Summary } from "../record/summary.ts";
import { CAUSES } from "../record/vocabulary.ts";
import { parseWhen, WHEN_FORMS } from "../record/when.ts";
import { formatDuration } from "../record/wording.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { escapeText } from "../units/text.ts";
import { jsonDocument } from "./json-document.ts";
import {
  JOURNAL_HELP,
  JOURNAL_OPTIONS,
  openPlace,
  PLACE_HELP,
  PLACE_OPTIONS,
  problemList,
  type SessionsPorts,
  textOption,
} from "./sessions-ports.ts";
import { localTime, table } from "./table.ts";

const bool = { type: "boolean" } as const;
const text = { type: "string" } as const;

export const sessionsList: Command<SessionsPorts> = {
  name: "sessions list",
  summary: "recorded and running sessions, newest first",
  usage:
    "[--team T] [--member M] [--since WHEN] [--until WHEN] [--denied] [--cause C] [--request TEXT] [--running] [--host H] [--limit N] [--json] [--log-dir DIR | --config-dir DIR | --journal DIR | --merge]",
  help: `Lists sessions, newest first; every option leaves only those that match, all options together.

  --team T           of this team
  --member M         of this member
  --since WHEN       that were there at WHEN or later
  --until WHEN       that began at WHEN or before; --since and --until alike: who was there at that time
  --denied           that were refused, or had a request turned away
  --cause C          where a command, or the session, ended by: ${CAUSES.join(", ")}
  --request TEXT     with a request that holds TEXT, in any case
  --running          that are still there
  --host H           of this host
  --limit N          the newest N
  --json             one JSON document
${PLACE_HELP}
${JOURNAL_HELP}

WHEN, in local time: ${WHEN_FORMS}.
A session without an end whose process is gone is "lost": nixgate or the machine died under it.
What is damaged in the files is said on stderr and passed over; \`nixgate sessions verify\` looks at all of it.
Exit status: 0, 64 for a wrong option, 74 where the records cannot be read.
`,
  options: {
    ...PLACE_OPTIONS,
    team: text,
    member: text,
    since: text,
    until: text,
    denied: bool,
    cause: text,
    request: text,
    running: bool,
    host: text,
    ...JOURNAL_OPTIONS,
    limit: text,
    json: bool,
  },
  async run({ options, positionals }, ports) {
    if (positionals[0] !== undefined)
      throw new UsageError(`${escapeText(positionals[0])}: sessions list takes options only`, {
        hint: "for one session: nixgate sessions show ID",
      });
    const keep = keepMatching(criteriaOf(options, ports.now()));
    const kept = newest<Summary>(
      limitOf(options),
      (a, b) => compare(b.start, a.start) || compare(b.session, a.session),
    );
    const problems = problemList();
    const archive = await openPlace(options, ports);
    const isAlive = ports.liveness();
    const { files, problems: strange } = archive.scan();
    strange.forEach(problems.report);
    let day = files[0]?.day;
    for (const file of files) {
      // Days come newest first, so a full list cannot change any more once its last day is read.
      if (file.day !== day && kept.full) break;
      day = file.day;
      for (const summary of summariseFile(file, isAlive, problems.report)) if (keep(summary)) kept.offer(summary);
    }
    const sessions = kept.result();
    const stdout = options["json"] === true ? jsonDocument(sessions) : asTable(sessions);
    return { status: ExitStatus.ok, stdout, stderr: problems.text() };
  },
};

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function criteriaOf(options: Arguments["options"], now: number): Criteria {
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
    host: given("host"),
    running: options["running"] === true ? true : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, wanted]) => wanted !== undefined));
}

function limitOf(options: Arguments["options"]): number {
  const limit = textOption(options, "limit");
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  if (!/^[1-9]\d{0,8}$/.test(limit))
    throw new UsageError(`--limit ${escapeText(limit)}: no count`, { hint: "a whole number from 1" });
  return Number(limit);
}

function asTable(sessions: readonly Summary[]): string {
  if (sessions.length === 0) return "no sessions match\n";
  const titles = ["SESSION", "TEAM", "MEMBER", "START", "DURATION", "COMMANDS", "DENIED", "END", "CLIENT"];
  return table(
    titles,
    sessions.map((s) => [
      s.session,
      s.team,
      s.member ?? "-",
      localTime(s.start),
      s.wall_ms === undefined ? "-" : formatDuration(s.wall_ms),
      String(s.commands),
      s.reasons.length > 0 ? s.reasons.join(",") : "-",
      s.state === "ended" ? `${s.causes.filter((cause) => cause !== "exit").join(",") || "exit"} ${s.exit}` : s.state,
      s.client ?? "-",
    ]),
  );
}
