import { READING_TIME, type ReadingTime } from "../../../archive/reading-time.ts";
import type { JournalSource } from "../../../archive/verify/journal-copy.ts";
import type { Arguments } from "../../../cli/command.ts";
import { textOption } from "../../../cli/options.ts";
import { UsageError } from "../../../cli/usage-error.ts";
import { parseDuration } from "../../../units/durations.ts";
import { isQuantity } from "../../../units/quantities.ts";
import { escapeText } from "../../../units/text.ts";
import { journalSource } from "../../shared/archive-options.ts";
import { sealDirectoryOf } from "./seal-options.ts";

/** The records to check, and the sources to compare them with. */
export interface CheckPlan {
  /** The options that locate the records. */
  readonly source: Arguments["options"];
  /** The journal to compare with; undefined for none. */
  readonly journal: JournalSource | undefined;
  /** The hosts whose copies are compared; see checkJournal. */
  readonly hosts: ReadonlySet<string> | "files" | undefined;
  /** The reason why there is no comparison with a journal. */
  readonly why: string;
  readonly sealDirectory: string;
  /** How long files are read. */
  readonly readingTime: ReadingTime;
  /** Undefined where the records are not in files. */
  readonly sealedAs: ((directory: string) => string) | undefined;
  readonly configDirectory: string | undefined;
  readonly isConfigured: boolean;
}

/** @throws UsageError where the options contradict each other */
export function planOf(options: Arguments["options"]): CheckPlan {
  const named = journalSource(options);
  const logDirectory = textOption(options, "log-dir");
  const configDirectory = textOption(options, "config-dir");
  const inFiles = named === undefined || (logDirectory ?? configDirectory) !== undefined;
  const host = textOption(options, "host");
  const none = options["no-journal"] === true;
  if (none && named) throw new UsageError("--no-journal, and a journal is named");
  const { journal: _, merge: __, ...files } = options;
  const sealedAs = textOption(options, "sealed-as");
  return {
    source: inFiles ? files : options,
    journal: none || !inFiles ? undefined : (named ?? {}),
    hosts: host === undefined ? (named ? "files" : undefined) : new Set([host]),
    why: none ? "--no-journal" : "these are the copies themselves",
    sealDirectory: sealDirectoryOf(options),
    readingTime: readingTimeOf(textOption(options, "within")),
    sealedAs: inFiles ? (directory) => sealedAs ?? directory : undefined,
    configDirectory,
    isConfigured: inFiles && logDirectory === undefined && named === undefined,
  };
}

/** @throws UsageError */
function readingTimeOf(text: string | undefined): ReadingTime {
  if (text === undefined) return READING_TIME;
  const team = parseDuration(text);
  if (!isQuantity(team)) throw new UsageError(`--within ${escapeText(text)}: ${team.problem}`, { hint: team.fix });
  return { ...READING_TIME, team };
}
