import { sessionFiles } from "../../archive/archive.ts";
import type { Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { HOST } from "../../record/vocabulary.ts";
import { EXPORT_FORMATS } from "../../report/exports/export-formats.ts";
import { escapeText } from "../../units/text.ts";
import { FILES_OR_JOURNAL, openFiles } from "../shared/archive-options.ts";
import { criteriaFrom, FILTER_HELP, FILTER_USAGE, filterOptions, limitFrom, WHEN_HELP } from "./sessions-filters.ts";
import { matchingSessions, OUTPUT_OPTIONS, type OutputPorts, outputPath, written } from "./sessions-output.ts";
import { DENIED_HELP, problemList } from "./sessions-ports.ts";

/** The output gets text in pieces of about this many characters. */
const PIECE = 65_536;
const NAMES = Object.keys(EXPORT_FORMATS).join(", ");

export const sessionsExport: Command<OutputPorts> = {
  name: "sessions export",
  summary: "export sessions as JSON Lines, CSV, ECS or OCSF",
  usage: `[--format jsonl|csv|ecs|ocsf] [-o FILE] ${FILTER_USAGE} ${FILES_OR_JOURNAL.usage}`,
  help: `Writes the sessions that match, each with all of its records together, oldest day first.

  --format F         jsonl, the default: the records, each line as it was written, so that its chain still holds
                     csv: one row a session (RFC 4180; a cell that looks like a formula gets a ' before it)
                     ecs: one event a record, JSON Lines (Elastic Common Schema 9.4.0)
                     ocsf: one event a record, JSON Lines (OCSF 1.8.0, classes 3002 and 1007)
  -o, --output FILE  write to a file that only this account can read; it appears when it is complete
  --json             with -o: print a summary on stdout, as one JSON document
${FILTER_HELP}
${FILES_OR_JOURNAL.help}

${WHEN_HELP}
Records of no session, such as host.close, are those of team _host. They are written too, but not as csv.
Damaged records are named on stderr and left out.
docs/export.md describes the formats; docs/record.schema.json is the JSON Schema of the records.
Exit status: 0; 64 for a wrong option; 73 where the file cannot be created; 74 where it cannot be written, or the
records cannot be read; ${DENIED_HELP}.
`,
  options: { ...FILES_OR_JOURNAL.options, ...filterOptions, ...OUTPUT_OPTIONS, format: { type: "string" } },
  async run({ options, positionals }, ports) {
    optionsOnly("sessions export", positionals, "name the file with -o FILE");
    const format = await formatOf(textOption(options, "format") ?? "jsonl");
    const wanted = { criteria: criteriaFrom(options, ports.now()), limit: limitFrom(options) };
    const problems = problemList(textOption(options, "team"));
    const { files } = await openFiles(options, ports, problems.report);
    const wholeFiles = format.hostRecords ? files : sessionFiles(files);
    const output = ports.output(outputPath(options));
    let sessions = 0;
    try {
      let piece = format.head;
      for (const session of matchingSessions(wholeFiles.toReversed(), wanted, ports, problems.report)) {
        piece += format.session(session);
        if (session.summary.team !== HOST) sessions += 1;
        if (piece.length < PIECE) continue;
        if (!output.write(piece)) return { status: problems.status(), stderr: problems.text() };
        piece = "";
      }
      output.write(piece);
      output.finish();
    } finally {
      output.abandon();
    }
    return { status: problems.status(), ...written(options, { sessions }), stderr: problems.text() };
  },
};

function formatOf(name: string) {
  if (!Object.hasOwn(EXPORT_FORMATS, name))
    throw new UsageError(`--format ${escapeText(name)}: no such format`, { hint: `one of ${NAMES}` });
  return EXPORT_FORMATS[name as keyof typeof EXPORT_FORMATS]();
}
