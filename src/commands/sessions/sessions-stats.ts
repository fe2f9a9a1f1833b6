import { GROUPS_MAX, OTHERS, statistics } from "../../archive/statistics/statistics.ts";
import type { Command } from "../../cli/command.ts";
import { optionsOnly } from "../../cli/options.ts";
import { SUMMARIES } from "../shared/archive-options.ts";
import { jsonDocument } from "../shared/json-document.ts";
import { openSummaries } from "./every-session.ts";
import { WHEN_HELP, WHICH_HELP, WHICH_USAGE, whichOptions } from "./sessions-filters.ts";
import { DENIED_HELP, type SessionsPorts } from "./sessions-ports.ts";
import { statisticsTables } from "./statistics-tables.ts";

export const sessionsStats: Command<SessionsPorts> = {
  name: "sessions stats",
  summary: "count sessions and their use for each team and member",
  usage: `${WHICH_USAGE} [--json] ${SUMMARIES.usage}`,
  help: `Counts for each team and member: sessions, denials with their reasons, causes of the ends, CPU hours, the highest memory
peak, and durations (half of the sessions took up to P50, 95 of 100 up to P95). The options select sessions as those of
\`nixgate sessions list\` do. Up to ${GROUPS_MAX} members of a team are counted separately, and all others together as ${OTHERS}. The same
holds for teams.

${WHICH_HELP}
  --json             one JSON document
${SUMMARIES.help}

${WHEN_HELP}
A session counts as a whole, also if only a part of it is between --since and --until.
Exit status: 0, 64 for a wrong option, ${DENIED_HELP}, 74 where the records cannot be read.
`,
  options: { ...SUMMARIES.options, ...whichOptions, json: { type: "boolean" } },
  async run({ options, positionals }, ports) {
    optionsOnly("sessions stats", positionals, "for one team: --team NAME");
    const { files, matching, problems } = await openSummaries(options, ports);
    const counted = statistics();
    for (const summary of matching(files)) counted.take(summary);
    const result = counted.result();
    const stdout = options["json"] === true ? jsonDocument(result) : statisticsTables(result);
    return { status: problems.status(), stdout, stderr: problems.text() };
  },
};
