import type { Archive, ArchiveProblem } from "../../archive/archive.ts";
import type { JournalSource } from "../../archive/verify/journal-copy.ts";
import type { Arguments } from "../../cli/command.ts";
import { textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import type { ClosingsPort, SessionsPorts } from "../sessions/sessions-ports.ts";

type Options = Arguments["options"];

const SOURCE_OPTIONS = { "log-dir": { type: "string" }, "config-dir": { type: "string" } } as const;
const SOURCE_HELP = `  --log-dir DIR      read the records below DIR
  --config-dir DIR   read the records below log.directory of DIR/nixgate.toml`;

export const JOURNAL_OPTIONS = { journal: { type: "string" }, merge: { type: "boolean" } } as const;
const JOURNAL_HELP = `  --journal DIR      read the copies of the records in the journal files below DIR, of all hosts
  --merge            read the copies in all journals of this host, also those that came from other hosts`;

const INDEX_OPTIONS = { "no-index": { type: "boolean" } } as const;
const INDEX_HELP = `  --no-index         do not use the cache: read the records themselves`;

/** The options of commands that read the record files of this host. */
export const FILES = {
  options: SOURCE_OPTIONS,
  usage: "[--log-dir DIR | --config-dir DIR]",
  help: SOURCE_HELP,
} as const;

/** The options of commands that also read records of other hosts. */
export const FILES_OR_JOURNAL = {
  options: { ...SOURCE_OPTIONS, ...JOURNAL_OPTIONS },
  usage: "[--log-dir DIR | --config-dir DIR | --journal DIR | --merge]",
  help: `${SOURCE_HELP}\n${JOURNAL_HELP}`,
} as const;

/**
 * The options of commands that read summaries of sessions. A command that reads the records themselves needs no
 * --no-index.
 */
export const SUMMARIES = {
  options: { ...FILES_OR_JOURNAL.options, ...INDEX_OPTIONS },
  usage: `[--no-index] ${FILES_OR_JOURNAL.usage}`,
  help: `${INDEX_HELP}\n${FILES_OR_JOURNAL.help}`,
} as const;

/**
 * The journal that the options name; undefined where they name none.
 * @throws UsageError where they name two
 */
export function journalSource(options: Options): JournalSource | undefined {
  const directory = textOption(options, "journal");
  const merge = options["merge"] === true;
  if (directory !== undefined && merge) throw new UsageError("--journal and --merge name two journals");
  return directory === undefined && !merge ? undefined : { directory, merge };
}

/**
 * The archive that the options name.
 * @throws UsageError where they name files and a journal
 */
export function openSource(options: Options, ports: Pick<SessionsPorts, "archive">) {
  const logDirectory = textOption(options, "log-dir");
  const configDirectory = textOption(options, "config-dir");
  const journal = journalSource(options);
  if (journal && (logDirectory ?? configDirectory) !== undefined)
    throw new UsageError("records are read from files or from a journal: leave one of the options out");
  return ports.archive({
    logDirectory,
    configDirectory,
    index: options["no-index"] !== true,
    ...(journal && { journal }),
  });
}

/**
 * Opens the archive that the options name, and lists its files.
 * @param report is called for each problem with the folders
 */
export async function openFiles(
  options: Options,
  ports: Pick<SessionsPorts, "archive">,
  report: (problem: ArchiveProblem) => void,
): Promise<{ readonly archive: Archive } & ReturnType<Archive["scan"]>> {
  const archive = await openSource(options, ports);
  const { files, problems } = archive.scan();
  problems.forEach(report);
  return { archive, files, problems };
}

/** The closings of this host; undefined where the records may be another host's. */
export async function closingsHere(options: Options, ports: ClosingsPort) {
  const isElsewhere = textOption(options, "log-dir") !== undefined || journalSource(options) !== undefined;
  return isElsewhere ? undefined : ports.closings(textOption(options, "config-dir"));
}
