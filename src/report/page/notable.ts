import type { TeamLoad } from "../charts/chart-parts.ts";
import type { ReportTotals } from "../report-totals.ts";
import { counted, grouped } from "./time-words.ts";

const same = (words: string) => [words, words] as const;

/** The meaning of each unusual ending, and what to check. */
const MEANINGS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  oom: same("reached a memory limit and lost a process to the OOM killer: see MemoryMax, and the memory peaks below"),
  "tasks-limit": same("failed where TasksMax refused a process"),
  timeout: same("reached RuntimeMaxSec"),
  "scope-failed": same("had no scope, or a limit that was not in force: see nixgate check and systemctl --user status"),
  "exec-failed": same("had a program that could not be executed: see nixgate check"),
  internal: same("ended by a failure of nixgate itself"),
  "supervisor-lost": ["lost its nixgate, which was killed", "lost their nixgate, which was killed"],
  lost: [
    "has no end on record and nobody serves it: see nixgate recover",
    "have no end on record and nobody serves them: see nixgate recover",
  ],
  "killed-by-admin": ["was ended by the administrator", "were ended by the administrator"],
};

/** The sentences that a team lead should read first, the most serious first; empty where there are none. */
export function notable({ causes, reasons, spans }: ReportTotals, loads: readonly TeamLoad[]): readonly string[] {
  const full = loads.filter(({ peak, cap }) => cap !== undefined && peak >= cap.sessions);
  const capped = full.map(
    ({ team, cap }) => `The cap of ${team}, ${counted(cap?.sessions ?? 0, "session")} at one time, was reached.`,
  );
  const ends = Object.entries(MEANINGS).flatMap(([cause, [one, many]]) => {
    const count = causes.get(cause);
    if (count === undefined) return [];
    const name = cause === "lost" ? "" : ` (${cause})`;
    return [`${counted(count, "session")}${name} ${count === 1 ? one : many}.`];
  });
  const denials = [...reasons].sort((a, b) => b[1] - a[1]);
  const [most] = denials;
  const total = denials.reduce((sum, [, count]) => sum + count, 0);
  const turned =
    most === undefined
      ? []
      : [
          `${counted(total, "refusal")} in ${counted(spans.count, "session")}, most often ${most[0]} (${grouped(most[1])}).`,
        ];
  return [...capped, ...ends, ...turned];
}
