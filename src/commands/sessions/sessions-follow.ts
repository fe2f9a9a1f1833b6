import type { AddedLine, Archive, ArchiveProblem } from "../../archive/archive.ts";
import { daysInUse } from "../../archive/days-in-use.ts";
import { keepMatching } from "../../archive/filter.ts";
import { decodeAdded } from "../../archive/misplaced.ts";
import type { Arguments, Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { escapeText } from "../../units/text.ts";
import { FILES, FILES_OR_JOURNAL, journalSource, openSource } from "../shared/archive-options.ts";
import { tellRecords } from "./follow-records.ts";
import { criteriaFrom, helpFor, whichOptions } from "./sessions-filters.ts";
import { DENIED_HELP, type PrintingPorts, problemList } from "./sessions-ports.ts";

type Paths = ReadonlySet<string>;

export interface SessionsFollowPorts extends PrintingPorts {
  /** The lines added to the files of `since` (YYYY-MM-DD) and later, and to the files in `also`. */
  growthOf(archive: Archive): {
    /** The last lines of each file. `lines` continues after them. */
    tail(since: string, report: (problem: ArchiveProblem) => void, also: Paths): Iterable<AddedLine>;
    /** The lines since the last call. */
    lines(since: string, report: (problem: ArchiveProblem) => void, also: Paths): Iterable<AddedLine>;
  };
  sleep(ms: number): Promise<void>;
}

const LOOK_AGAIN_MS = 250;
/** A session is recorded in the file of the day on which it began. Older files are not followed. */
const DAYS = 30;
const DAY_MS = 86_400_000;
const { at: _at, since: _since, until: _until, running: _running, ...followOptions } = whichOptions;

export const sessionsFollow: Command<SessionsFollowPorts> = {
  name: "sessions follow",
  summary: "print records as they are written, in plain words",
  usage: `[--team T] [--member M] [--client IP|NET] [--key FP] [--host H] [--denied] [--cause C] [--request TEXT] [--lines N] [--json] ${FILES.usage}`,
  help: `Prints the last records, then each new record, until Ctrl-C. A line has the time, team and member, the end of the session's
id (which sessions show and kill accept), and the event. Each option selects sessions by their records so far: with --denied
a session appears from its first denial on.

${helpFor(followOptions)}
  --lines N          begin with the last N records, 10 by default
  --json             the records as they were written, one JSON document a line
${FILES.help}

Sessions that began more than ${DAYS} days ago are not followed.
Exit status: 0 when stdout is closed, 64 for a wrong option, ${DENIED_HELP}, 74 where the records cannot be read.
`,
  options: {
    ...FILES_OR_JOURNAL.options,
    ...followOptions,
    lines: { type: "string" },
    json: { type: "boolean" },
  },
  async run({ options, positionals }, ports) {
    optionsOnly("sessions follow", positionals, "for one session: nixgate sessions show ID");
    if (journalSource(options))
      throw new UsageError("sessions follow reads files only", {
        hint: "to follow a journal: journalctl --follow NIXGATE_TEAM=NAME, with --directory or --merge",
      });
    const count = countFrom(options);
    const keep = keepMatching(criteriaFrom(options, ports.now()));
    const archive = await openSource(options, ports);
    const growth = ports.growthOf(archive);
    const tell = tellRecords(archive, keep, options["json"] === true);
    const problems = problemList(textOption(options, "team"));
    const firstDay = () => new Date(ports.now() - DAYS * DAY_MS).toISOString().slice(0, 10);
    let since = firstDay();
    const also = new Set(daysInUse(archive.scan().files, since, ports.liveness()).map(({ path }) => path));

    let time = "";
    const before = [...growth.tail(since, problems.report, also)].map((added) => {
      const line = decodeAdded(added);
      if (line.ok) time = line.record.time; // a damaged line keeps the time of the line before it
      return { line, time };
    });
    // without any readable file this would wait for ever
    if (problems.isDenied() && before.length === 0) return { status: problems.status(), stderr: problems.text() };
    const told = before.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).map(({ line }) => tell(line));
    const last = told.filter((text) => text !== undefined);
    let isHeard = last.slice(Math.max(0, last.length - count)).every(ports.print);
    while (isHeard) {
      await ports.sleep(LOOK_AGAIN_MS);
      // A clock that is set meanwhile, back or forward, removes no file from the list.
      if (firstDay() < since) since = firstDay();
      for (const line of growth.lines(since, problems.report, also)) {
        const text = line.text === "" ? undefined : tell(decodeAdded(line));
        isHeard = isHeard && (text === undefined || ports.print(text));
      }
    }
    return { status: problems.status(), stderr: problems.text() };
  },
};

function countFrom(options: Arguments["options"]): number {
  const text = textOption(options, "lines") ?? "10";
  if (!/^\d{1,4}$/.test(text))
    throw new UsageError(`--lines ${escapeText(text)}: not a number of records`, { hint: "a whole number up to 9999" });
  return Number(text);
}
