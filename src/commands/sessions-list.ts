import type { Command } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import { keepMatching } from "../record/filter.ts";
import { newest } from "../record/newest.ts";
import { summariseFile } from "../record/summarise.ts";
import type { Summary } from "../record/summary.ts";
import { formatDuration } from "../record/wording.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { escapeText } from "../units/text.ts";
import { jsonDocument } from "./json-document.ts";
import { criteriaFrom, FILTER_HELP, FILTER_USAGE, filterOptions, limitFrom, WHEN_HELP } from "./sessions-filters.ts";
import { openPlace, PLACE_HELP, PLACE_OPTIONS, problemList, type SessionsPorts } from "./sessions-ports.ts";
import { localTime, table } from "./table.ts";

export const sessionsList: Command<SessionsPorts> = {
  name: "sessions list",
  summary: "recorded and running sessions, newest first",
  usage: `${FILTER_USAGE} [--json] [--log-dir DIR | --config-dir DIR]`,
  help: `Lists sessions, newest first; every option leaves only those that match, all options together.

${FILTER_HELP}
  --json             one JSON document
${PLACE_HELP}

${WHEN_HELP}
A session without an end whose process is gone is "lost": nixgate or the machine died under it.
What is damaged in the files is said on stderr and passed over; \`nixgate sessions verify\` looks at all of it.
Exit status: 0, 64 for a wrong option, 74 where the records cannot be read.
`,
  options: { ...PLACE_OPTIONS, ...filterOptions, json: { type: "boolean" } },
  async run({ options, positionals }, ports) {
    if (positionals[0] !== undefined)
      throw new UsageError(`${escapeText(positionals[0])}: sessions list takes options only`, {
        hint: "for one session: nixgate sessions show ID",
      });
    const keep = keepMatching(criteriaFrom(options, ports.now()));
    const kept = newest<Summary>(
      limitFrom(options),
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
