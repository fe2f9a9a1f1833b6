import { type ArchiveProblem, type DayFile, type IsAlive, sessionFiles } from "../record/archive.ts";
import { type Criteria, keepMatching } from "../record/filter.ts";
import { glanceThrough } from "../record/summarise.ts";
import type { Summary } from "../record/summary.ts";
import { counting, readingSessions, type SessionsPorts } from "./sessions-ports.ts";

/**
 * The sessions of some files that match, file by file. A summary is valid until the next one is asked for: keep what
 * `summaryOf` makes of it.
 */
export function everySession(
  criteria: Criteria,
  isAlive: IsAlive,
  report: (problem: ArchiveProblem) => void,
  ports: Pick<SessionsPorts, "progress">,
) {
  const keep = keepMatching(criteria);
  const say = counting(ports);
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
