import type { ArchiveProblem, DayFile, IsAlive } from "../record/archive.ts";
import { type Criteria, keepMatching } from "../record/filter.ts";
import { glanceThrough } from "../record/summarise.ts";
import type { Summary } from "../record/summary.ts";
import type { SessionsPorts } from "./sessions-ports.ts";

/** How often it is said how far a reading is, in sessions. */
const SAY_EVERY = 1024;

/**
 * The sessions of some files that match, file by file. A summary is valid until the next one is asked for: keep what
 * `summaryOf` makes of it.
 */
export function everySession(
  criteria: Criteria,
  isAlive: IsAlive,
  report: (problem: ArchiveProblem) => void,
  { progress }: Pick<SessionsPorts, "progress">,
) {
  const keep = keepMatching(criteria);
  let seen = 0;
  return function* (files: readonly DayFile[]): Generator<Summary> {
    for (const file of files) {
      for (const summary of glanceThrough(file, isAlive, report, criteria)) {
        seen += 1;
        if (seen % SAY_EVERY === 0)
          progress?.(() => `reading ${file.team} ${file.day}: ${seen.toLocaleString("en")} sessions so far`);
        if (keep(summary)) yield summary;
      }
    }
  };
}
