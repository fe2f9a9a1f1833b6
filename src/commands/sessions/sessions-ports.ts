import type { Archive, ArchiveProblem, DayFile, IsAlive } from "../../archive/archive.ts";
import type { Closing } from "../../policy/closed.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";

/** Where the archive is said to be, in the words of the command line. */
export interface ArchiveSource {
  readonly logDirectory: string | undefined;
  readonly configDirectory: string | undefined;
  /** Whether what earlier readings kept may be used. */
  readonly index: boolean;
  /** A journal that the records are read from instead. */
  readonly journal?: JournalSource;
}

/** Which journal is read: this host's own, all that it has got (`merge`), or the files in a folder. */
export interface JournalSource {
  readonly directory?: string | undefined;
  readonly merge?: boolean | undefined;
}

/** What the reading commands need of the world. */
export interface SessionsPorts {
  /** The archive of --log-dir, or else of log.directory in the configuration. */
  archive(place: ArchiveSource): Archive | Promise<Archive>;
  liveness(): IsAlive;
  /** Milliseconds since 1970. */
  now(): number;
  /** Says how far a long reading is, to whoever watches; absent where nobody does. */
  readonly progress?: (words: () => string) => void;
}

/** For answers that come bit by bit. */
export interface PrintingPorts extends SessionsPorts {
  /** @returns false when nobody reads any more */
  print(text: string): boolean;
}

/** How often it is said how far a reading is. */
const SAY_EVERY = 1024;

/** Counts, and now and then says how far it is. */
export function counting({ progress }: Pick<SessionsPorts, "progress">) {
  let seen = 0;
  return (words: (many: string) => string) => {
    seen += 1;
    if (seen % SAY_EVERY === 0) progress?.(() => words(seen.toLocaleString("en")));
  };
}

export const readingSessions = (file: DayFile) => (many: string) =>
  `reading ${file.team} ${file.day}: ${many} sessions so far`;

/** The same files, and of each that is read through it is said how far that is. */
export function saidOf(files: readonly DayFile[], ports: Pick<SessionsPorts, "progress">): readonly DayFile[] {
  if (!ports.progress) return files;
  return files.map((file) => ({
    ...file,
    *lines(part) {
      const say = counting(ports);
      const words = (many: string) => `reading ${file.team} ${file.day}: ${many} lines so far`;
      for (const line of file.lines(part)) {
        say(words);
        yield line;
      }
    },
  }));
}

/** Most problems that are shown of one file, of one folder and in all: no team's damage hides another's. */
const MOST_SHOWN = { file: 5, folder: 20, all: 200 };

/** How the help of a reading command tells of the status that `problemList` gives. */
export const DENIED_HELP = "77 where this account may not read all of it";

/**
 * Collects what was wrong with the archive: said on stderr, never hidden, the first few in full.
 * @param team the only one that is asked for, where there is one: that another's records may not be read is no problem
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
    /** Whether something may not be read: the answer is then not whole. */
    isDenied: () => denied,
    /** The command's exit status; want of permission shows where nothing graver does. */
    status: (otherwise: ExitStatus = ExitStatus.ok): ExitStatus =>
      denied && otherwise === ExitStatus.ok ? ExitStatus.denied : otherwise,
    text: () => shown.join("") + (more > 0 ? `and ${more} more; \`nixgate sessions verify\` names them all\n` : ""),
  };
}

/** What is closed to new sessions on this host. */
export interface ClosingsPort {
  closings(configDirectory: string | undefined): Promise<readonly Closing[]>;
}
