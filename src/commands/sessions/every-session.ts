import { type ArchiveProblem, type DayFile, type IsAlive, sessionFiles } from "../../archive/archive.ts";
import { type Criteria, keepMatching } from "../../archive/filter.ts";
import { glanceThrough } from "../../archive/sessions/summarise.ts";
import type { Summary } from "../../archive/sessions/summary.ts";
import type { Arguments } from "../../cli/command.ts";
import { textOption } from "../../cli/options.ts";
import { openFiles } from "../shared/archive-options.ts";
import { criteriaFrom } from "./sessions-filters.ts";
import { problemList, progressCounter, readingSessions, type SessionsPorts } from "./sessions-ports.ts";

/**
 * The matching sessions of some files, file by file. A summary is valid until the next one is requested: keep only the
 * result of `summaryOf`.
 */
function everySession(
  criteria: Criteria,
  isAlive: IsAlive,
  report: (problem: ArchiveProblem) => void,
  ports: Pick<SessionsPorts, "progress">,
) {
  const keep = keepMatching(criteria);
  const say = progressCounter(ports);
  return function* (files: readonly DayFile[]): Generator<Summary> {
    for (const file of sessionFiles(files)) {
      const words = readingSessions(file);
      for (const summary of glanceThrough(file, isAlive, report, criteria)) {
        say(words);
        if (keep(summary)) yield summary;
      }
    }
  };
}

/**
 * Opens the archive that the options name, to summarise the sessions that match them.
 * @throws UsageError for an invalid option
 */
export async function openSummaries(options: Arguments["options"], ports: SessionsPorts) {
  const problems = problemList(textOption(options, "team"));
  const matching = everySession(criteriaFrom(options, ports.now()), ports.liveness(), problems.report, ports);
  const { files } = await openFiles(options, ports, problems.report);
  return { files, matching, problems };
}
