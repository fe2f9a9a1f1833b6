import type { Command } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import { statistics } from "../record/statistics.ts";
import { escapeText } from "../units/text.ts";
import { everySession } from "./every-session.ts";
import { jsonDocument } from "./json-document.ts";
import { criteriaFrom, WHEN_HELP, WHICH_HELP, WHICH_USAGE, whichOptions } from "./sessions-filters.ts";
import {
  DENIED_HELP,
  INDEX_HELP,
  INDEX_OPTIONS,
  JOURNAL_HELP,
  JOURNAL_OPTIONS,
  openPlace,
  PLACE_HELP,
  PLACE_OPTIONS,
  problemList,
  type SessionsPorts,
  textOption,
} from "./sessions-ports.ts";
import { statisticsTables } from "./statistics-tables.ts";

export const sessionsStats: Command<SessionsPorts> = {
  name: "sessions stats",
  summary: "count sessions and their use for each team and member",
  usage: `${WHICH_USAGE} [--json] [--no-index] [--log-dir DIR | --config-dir DIR | --journal DIR | --merge]`,
  help: `Counts sessions for each team and member: how many, how often they were turned away and why, how they ended, CPU
hours, the highest memory peak, and how long they took: half of them up to P50, 95 of 100 up to P95. The options choose
the sessions as those of \`nixgate sessions list\` do.

${WHICH_HELP}
  --json             one JSON document
${INDEX_HELP}
${PLACE_HELP}
${JOURNAL_HELP}

${WHEN_HELP}
A session counts as a whole, also where only a part of it lies between --since and --until.
Exit status: 0, 64 for a wrong option, ${DENIED_HELP}, 74 where the records cannot be read.
`,
  options: { ...PLACE_OPTIONS, ...INDEX_OPTIONS, ...JOURNAL_OPTIONS, ...whichOptions, json: { type: "boolean" } },
  async run({ options, positionals }, ports) {
    if (positionals[0] !== undefined)
      throw new UsageError(`${escapeText(positionals[0])}: sessions stats takes options only`, {
        hint: "for one team: --team NAME",
      });
    const problems = problemList(textOption(options, "team"));
    const matching = everySession(criteriaFrom(options, ports.now()), ports.liveness(), problems.report, ports);
    const { files, problems: strange } = (await openPlace(options, ports)).scan();
    strange.forEach(problems.report);
    const counted = statistics();
    for (const summary of matching(files)) counted.take(summary);
    const result = counted.result();
    const stdout = options["json"] === true ? jsonDocument(result) : statisticsTables(result);
    return { status: problems.status(), stdout, stderr: problems.text() };
  },
};
