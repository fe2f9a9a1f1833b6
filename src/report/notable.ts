import type { TeamLoad } from "./chart-parts.ts";
import type { Tally } from "./tally.ts";
import { counted, grouped } from "./time-words.ts";

/** What an ending that is not the usual one means, and what to look at. */
const MEANINGS: Readonly<Record<string, string>> = {
  oom: "reached a memory limit and lost a process to the OOM killer: see MemoryMax, and the memory peaks below",
  "tasks-limit": "failed where a limit refused it a process: see TasksMax",
  timeout: "reached RuntimeMaxSec",
  "scope-failed": "had no scope, or a limit that was not in force: see nixgate check and systemctl --user status",
  internal: "ended by a failure of nixgate itself",
  "supervisor-lost": "lost its nixgate, which was killed",
  lost: "has no end on record and nobody serves it: see nixgate recover",
  "killed-by-admin": "was ended by the administrator",
};

/** What a team lead should know first, the gravest first; empty where there is nothing. */
export function notable({ causes, reasons, spans }: Tally, loads: readonly TeamLoad[]): readonly string[] {
  const full = loads.filter(({ peak, cap }) => cap !== undefined && peak >= cap.sessions);
  const capped = full.map(
    ({ team, cap }) => `The cap of ${team}, ${counted(cap?.sessions ?? 0, "session")} at one time, was reached.`,
  );
  const ends = Object.entries(MEANINGS).flatMap(([cause, meaning]) => {
    const count = causes.get(cause);
    return count === undefined
      ? []
      : [
          `${counted(count, "session")} ${cause === "lost" ? "" : `(${cause}) `}${count === 1 ? meaning : plural(meaning)}.`,
        ];
  });
  const denials = [...reasons].sort((a, b) => b[1] - a[1]);
  const [most] = denials;
  const total = denials.reduce((sum, [, count]) => sum + count, 0);
  const turned =
    most === undefined
      ? []
      : [
          `${grouped(total)} turned away in ${counted(spans.count, "session")}, most often as ${most[0]} (${grouped(most[1])}).`,
        ];
  return [...capped, ...ends, ...turned];
}

const plural = (meaning: string) =>
  meaning
    .replace(/^lost its nixgate, which was/, "lost their nixgate, which was")
    .replace(/^was /, "were ")
    .replace(/^has no end/, "have no end")
    .replace("serves it:", "serves them:")
    .replace("refused it a", "refused them a");
