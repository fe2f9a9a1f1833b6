import type { DayFile } from "../../archive/archive.ts";
import { newest, newestFirst } from "../../archive/sessions/newest.ts";
import { type Summary, summaryOf } from "../../archive/sessions/summary.ts";
import type { Arguments, Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { escapeText } from "../../units/text.ts";
import { SUMMARIES } from "../shared/archive-options.ts";
import { openListing } from "../shared/listing.ts";
import { openSummaries } from "./every-session.ts";
import { FILTER_HELP, FILTER_USAGE, filterOptions, limitFrom, WHEN_HELP } from "./sessions-filters.ts";
import { DENIED_HELP, type PrintingPorts } from "./sessions-ports.ts";

type Order = (a: Summary, b: Summary) => number;

/** Sorts in descending order. Unknown values come last. */
const by =
  (name: "wall_ms" | "cpu_ms" | "memory_peak_bytes"): Order =>
  (a, b) =>
    (b[name] ?? -1) - (a[name] ?? -1) || newestFirst(a, b);

const ORDERS = { start: newestFirst, wall: by("wall_ms"), cpu: by("cpu_ms"), memory: by("memory_peak_bytes") };
type OrderName = keyof typeof ORDERS;

/** The number of sessions that are sorted by usage where `--limit` is not given. */
const SORTED_MAX = 1000;

export const sessionsList: Command<PrintingPorts> = {
  name: "sessions list",
  summary: "list recorded and running sessions, newest first",
  usage: `${FILTER_USAGE} [--sort start|wall|cpu|memory] [--json] ${SUMMARIES.usage}`,
  help: `Lists sessions, newest first. Each option selects sessions, and options are combined.

${FILTER_HELP}
  --sort ORDER       start: the newest first; wall, cpu, memory: the highest value first, ${SORTED_MAX} without --limit
  --json             one JSON document
${SUMMARIES.help}

${WHEN_HELP}
A session without an end whose process has ended is "lost": nixgate or the machine died.
Damaged records are named on stderr and left out; \`nixgate sessions verify\` checks all of them.
Exit status: 0, 64 for a wrong option, ${DENIED_HELP}, 74 where the records cannot be read.
`,
  options: {
    ...SUMMARIES.options,
    ...filterOptions,
    sort: { type: "string" },
    json: { type: "boolean" },
  },
  async run({ options, positionals }, ports) {
    optionsOnly("sessions list", positionals, "for one session: nixgate sessions show ID");
    const order = orderFrom(options);
    const limit = limitFrom(options);
    const { files, matching, problems } = await openSummaries(options, ports);
    const list = openListing(ports.print, options["json"] === true);
    let note = "";
    if (order === "start") listByDay(files, limit, matching, list.add);
    else {
      const kept = newest<Summary>(
        Math.min(limit, limit === Number.POSITIVE_INFINITY ? SORTED_MAX : limit),
        ORDERS[order],
      );
      let count = 0;
      for (const summary of matching(files)) {
        count += 1;
        kept.offer(summaryOf(summary));
      }
      const first = kept.result();
      list.add(first);
      if (count > first.length && limit === Number.POSITIVE_INFINITY)
        note = `the first ${first.length} of ${count} sessions; --limit N shows N\n`;
    }
    list.end(!problems.isDenied());
    return { status: problems.status(), stderr: problems.text() + note };
  },
};

function orderFrom(options: Arguments["options"]): OrderName {
  const name = textOption(options, "sort") ?? "start";
  if (!Object.hasOwn(ORDERS, name))
    throw new UsageError(`--sort ${escapeText(name)}: no such order`, {
      hint: `one of ${Object.keys(ORDERS).join(", ")}`,
    });
  return name as OrderName;
}

/** Files come newest day first, so that only one day's sessions are in memory. */
function listByDay(
  files: readonly DayFile[],
  limit: number,
  matching: (files: readonly DayFile[]) => Iterable<Summary>,
  show: (sessions: readonly Summary[]) => boolean,
): void {
  let left = limit;
  for (const day of new Set(files.map((file) => file.day))) {
    const kept = newest<Summary>(left, newestFirst);
    for (const summary of matching(files.filter((file) => file.day === day))) kept.offer(summaryOf(summary));
    const sessions = kept.result();
    left -= sessions.length;
    if (!show(sessions) || left === 0) return;
  }
}
