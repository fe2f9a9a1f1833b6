import { type ArchiveProblem, sessionFiles } from "../../archive/archive.ts";
import type { Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Cap } from "../../report/charts/chart-parts.ts";
import { gatherReport, PARTS_MAX, type Question } from "../../report/report.ts";
import { FILES_OR_JOURNAL, openFiles } from "../shared/archive-options.ts";
import { criteriaFrom, FILTER_HELP, FILTER_USAGE, filterOptions, limitFrom, WHEN_HELP } from "./sessions-filters.ts";
import { matchingSessions, OUTPUT_OPTIONS, type OutputPorts, outputPath, written } from "./sessions-output.ts";
import { DENIED_HELP, problemList } from "./sessions-ports.ts";

/** The readable part of a policy. */
export interface ReadPolicy {
  readonly policy: Policy;
  readonly sha256: string;
}

export interface SessionsReportPorts extends OutputPorts {
  /** The version of nixgate. */
  readonly version: string;
  /** The readable policies of the configuration; none where there is no configuration. */
  policies(configDirectory: string | undefined): Promise<readonly ReadPolicy[]>;
}

const PROBLEMS_SHOWN = 10;

export const sessionsReport: Command<SessionsReportPorts> = {
  name: "sessions report",
  summary: "make a page for a browser: charts, denials, sessions",
  usage: `[-o FILE] ${FILTER_USAGE} [--log-dir DIR] [--config-dir DIR] [--journal DIR | --merge]`,
  help: `Makes one HTML page of the sessions that match. It needs no network, loads no script or picture, can be read without its own
script, and can be printed.

  -o, --output FILE  write to a file that only this account can read; without it, to stdout
  --json             with -o: print a summary on stdout, as one JSON document
${FILTER_HELP}
${FILES_OR_JOURNAL.help}

${WHEN_HELP}
Figures and charts cover all sessions that match. The newest ${PARTS_MAX} have a row and a section of their own. Caps come from
the current policies, if they can be read.
Example: nixgate sessions report --since "last monday" -o report.html
Exit status: 0; 64 for a wrong option; 73 where the file cannot be created; 74 where it cannot be written, or the
records cannot be read; ${DENIED_HELP}.
`,
  options: { ...FILES_OR_JOURNAL.options, ...filterOptions, ...OUTPUT_OPTIONS },
  async run({ options, positionals }, ports) {
    optionsOnly("sessions report", positionals, "name the file with -o FILE");
    const now = ports.now();
    const criteria = criteriaFrom(options, now);
    const wanted = { criteria, limit: limitFrom(options) };
    const problems = problemList(textOption(options, "team"));
    const noted: string[] = [];
    let count = 0;
    let sessions = 0;
    const report = (problem: ArchiveProblem) => {
      problems.report(problem);
      count += 1;
      if (noted.length < PROBLEMS_SHOWN) noted.push(`${problem.path}: ${problem.what}`);
    };
    const { archive, files } = await openFiles(options, ports, report);
    const question: Question = {
      ...(criteria.since !== undefined && { since: criteria.since }),
      ...(criteria.until !== undefined && { until: criteria.until }),
      filters: filtersOf(options),
    };
    const output = ports.output(outputPath(options));
    try {
      const gathering = gatherReport(question, now);
      for (const session of matchingSessions(sessionFiles(files), wanted, ports, report)) {
        gathering.add(session);
        sessions += 1;
      }
      const caps = capsOf(await ports.policies(textOption(options, "config-dir")));
      const { reportPage } = await import("../../report/page/page.ts");
      const facts = { question, now, version: ports.version, archive: archive.directory, caps };
      const page = reportPage(gathering.result(), { ...facts, problems: { shown: noted, count } });
      for await (const piece of page) if (!output.write(piece)) break;
      output.finish();
    } finally {
      output.abandon();
    }
    return { status: problems.status(), ...written(options, { sessions, problems: count }), stderr: problems.text() };
  },
};

const capsOf = (policies: readonly ReadPolicy[]): ReadonlyMap<string, Cap> =>
  new Map(policies.map(({ policy, sha256 }) => [policy.team, { sessions: policy.session.maxConcurrent, sha256 }]));

/** The filters as typed, without those of time: the page shows these in words. */
const filtersOf = (options: Readonly<Record<string, string | boolean | undefined>>): readonly string[] =>
  Object.keys(filterOptions).flatMap((name) => {
    const value = options[name];
    if (value === undefined || name === "at" || name === "since" || name === "until") return [];
    return [value === true ? `--${name}` : `--${name} ${JSON.stringify(value)}`];
  });
