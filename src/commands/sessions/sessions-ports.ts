import type { Archive, ArchiveProblem, DayFile, IsAlive } from "../../archive/archive.ts";
import type { JournalSource } from "../../archive/verify/journal-copy.ts";
import type { Closing } from "../../policy/closed.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";

/** The location of the archive, as given on the command line. */
export interface ArchiveSource {
  readonly logDirectory: string | undefined;
  readonly configDirectory: string | undefined;
  /** Whether the index of earlier runs may be used. */
  readonly index: boolean;
  /** The journal to read the records from, in place of files. */
  readonly journal?: JournalSource;
}

/** The system operations of the reading commands. */
export interface SessionsPorts {
  /** The archive of --log-dir, or else of log.directory in the configuration. */
  archive(source: ArchiveSource): Archive | Promise<Archive>;
  liveness(): IsAlive;
  /** Milliseconds since 1970. */
  now(): number;
  /** Shows the progress of a long read; absent where stderr is no terminal. */
  readonly progress?: (words: () => string) => void;
}

/** For answers that are printed in pieces. */
export interface PrintingPorts extends SessionsPorts {
  /** @returns false when nobody reads the output any more */
  print(text: string): boolean;
}

/** Progress is shown once in this many items. */
const SAY_EVERY = 1024;

/** Counts items and shows progress. */
export function progressCounter({ progress }: Pick<SessionsPorts, "progress">) {
  let seen = 0;
  return (words: (many: string) => string) => {
    seen += 1;
    if (seen % SAY_EVERY === 0) progress?.(() => words(seen.toLocaleString("en")));
  };
}

export const readingSessions = (file: DayFile) => (many: string) =>
  `reading ${file.team} ${file.day}: ${many} sessions so far`;

/** The same files, with progress shown while each is read. */
export function saidOf(files: readonly DayFile[], ports: Pick<SessionsPorts, "progress">): readonly DayFile[] {
  if (!ports.progress) return files;
  return files.map((file) => ({
    ...file,
    *lines(part) {
      const say = progressCounter(ports);
      const words = (many: string) => `reading ${file.team} ${file.day}: ${many} lines so far`;
      for (const line of file.lines(part)) {
        say(words);
        yield line;
      }
    },
  }));
}

/** The number of problems shown for one file, for one folder and in all. One team's damage cannot hide another's. */
const MOST_SHOWN = { file: 5, folder: 20, all: 200 };

/** The help text for the status that `problemList` returns. */
export const DENIED_HELP = "77 where this account may not read all of it";

/**
 * Collects the archive's problems. All are reported on stderr, the first ones in full.
 * @param team the only requested team, if any: unreadable records of other teams are then no problem
 */
export function problemList(team?: string) {
  const shown: string[] = [];
  const counts = new Map<string, number>();
  let more = 0;
  const count = (key: string) => {
    const many = (counts.get(key) ?? 0) + 1;
    counts.set(key, many);
    return many;
  };
  let denied = false;
  return {
    report: (problem: ArchiveProblem) => {
      const { path, what } = problem;
      if (problem.denied && team !== undefined && problem.denied.team !== team) return;
      denied ||= problem.denied !== undefined;
      const line = `${escapeText(path)}: ${escapeText(what)}\n`;
      if (shown.includes(line)) return;
      const file = path.replace(/:\d+$/, "");
      const folder = file.slice(0, file.lastIndexOf("/") + 1);
      const fits = count(file) <= MOST_SHOWN.file && count(folder) <= MOST_SHOWN.folder;
      if (fits && shown.length < MOST_SHOWN.all) shown.push(line);
      else more += 1;
    },
    /** Whether some records were unreadable, so that the answer is incomplete. */
    isDenied: () => denied,
    /** The command's exit status. Missing permission shows only where there is no graver status. */
    status: (otherwise: ExitStatus = ExitStatus.ok): ExitStatus =>
      denied && otherwise === ExitStatus.ok ? ExitStatus.denied : otherwise,
    text: () => shown.join("") + (more > 0 ? `and ${more} more; \`nixgate sessions verify\` names them all\n` : ""),
  };
}

/** The closings on this host. */
export interface ClosingsPort {
  closings(configDirectory: string | undefined): Promise<readonly Closing[]>;
}
