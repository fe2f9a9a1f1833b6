import { closeSync, fstatSync, lstatSync, opendirSync, readdirSync } from "node:fs";
import type { Archive, ArchiveProblem, DayFile, Span } from "../../archive/archive.ts";
import { RecordError, unreadableCode } from "../../record/error.ts";
import { HOST, UNASSIGNED } from "../../record/vocabulary.ts";
import { isDay } from "../../units/day.ts";
import { type Fd, NAME_PATTERN } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";
import { inside } from "../files/safe-folder.ts";
import { cannotRead, isReadFailure, openDay, unreadable, withTeam } from "./day-file.ts";
import type { IndexFolder } from "./index-folder.ts";
import { readLines } from "./line-reader.ts";

const DAY_FILE = /^(.{10})\.jsonl$/;
/** The maximum number of days read from a team's folder: enough for 27 years. */
const MOST_DAYS = 10_000;
/** The maximum number of entries of any name that are looked at in a team's folder. A listing of so many takes seconds. */
const MOST_ENTRIES = 1_000_000;
/** The maximum number of foreign entries of a team's folder that are named. The others are counted. */
const MOST_NAMED = 10;

const isTeamFolder = (name: string) => name === UNASSIGNED || name === HOST || NAME_PATTERN.test(name);

/**
 * The day files under a log directory. Links inside it are not followed. A file that is not part of an archive is a
 * problem, not an error.
 * @param indexes where the index is stored; by default there is none
 */
export function openArchive(directory: string, indexes?: IndexFolder): Archive {
  return {
    directory,
    owner: (team) => looked(directory, team, (folderFd) => fstatSync(folderFd).uid),
    scan() {
      const files: DayFile[] = [];
      const problems: ArchiveProblem[] = [];
      for (const team of listFolder(directory).filter((name) => !OF_A_FILE_SYSTEM.has(name))) {
        const path = `${directory}/${team}`;
        if (!isTeamFolder(team)) {
          problems.push({ path: escapeText(path), what: "not a team's folder" });
          continue;
        }
        try {
          const listed = listTeam(directory, team);
          for (const what of listed.bounds) problems.push({ path: escapeText(path), team, unread: true, what });
          for (const name of listed.foreign)
            problems.push({ path: escapeText(`${path}/${name}`), what: "not a day's file" });
          if (listed.more > 0)
            problems.push({ path: escapeText(path), what: `${listed.more} more entries are not a day's file` });
          for (const day of listed.days) files.push(dayFile(directory, team, day, indexes));
        } catch (error) {
          const denied = unreadableCode(error) === "E_LOG_DENIED" && { denied: { team } };
          problems.push({ path: escapeText(path), team, unread: true, what: unreadable(error), ...denied });
        }
      }
      if (problems.length === 0) indexes?.tidy(files);
      files.sort((a, b) => (a.day === b.day ? compare(a.team, b.team) : compare(b.day, a.day)));
      return { files, problems };
    },
  };
}

/** Entries in the top folder of a separate file system: mke2fs(8) and quotacheck(8) make them. */
const OF_A_FILE_SYSTEM: ReadonlySet<string> = new Set(["lost+found", "aquota.user", "aquota.group"]);

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function listFolder(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => !name.startsWith("."));
  } catch (cause) {
    throw new RecordError(unreadableCode(cause), `${escapeText(directory)}: ${unreadable(cause)}`, {
      hint: "name the log directory with --log-dir, or read it as root",
      cause,
    });
  }
}

interface Listed {
  readonly days: readonly string[];
  /** The first foreign names, at most MOST_NAMED. */
  readonly foreign: readonly string[];
  /** The number of the other foreign names. */
  readonly more: number;
  /** The bounds that the folder exceeds: files beyond them are not known. */
  readonly bounds: readonly string[];
}

/**
 * The days of a team's folder. Only they count towards MOST_DAYS: the folder may be an account's own, and readdir(3)
 * has no order, so other entries could take the place of a day.
 */
function listTeam(directory: string, team: string): Listed {
  return withTeam(directory, team, (folderFd) => {
    const [days, foreign, bounds]: [string[], string[], string[]] = [[], [], []];
    let [more, seen] = [0, 0];
    const listing = opendirSync(inside(folderFd, "."), { bufferSize: 1024 });
    try {
      for (let entry = listing.readSync(); entry; entry = listing.readSync()) {
        if (++seen > MOST_ENTRIES) {
          bounds.push(`cannot be read: more than ${MOST_ENTRIES} entries: the others are not read`);
          break;
        }
        const day = DAY_FILE.exec(entry.name)?.[1] ?? "";
        if (!isDay(day)) {
          if (entry.name.startsWith(".")) continue;
          if (foreign.length < MOST_NAMED) foreign.push(entry.name);
          else more += 1;
        } else if (days.length < MOST_DAYS) days.push(day);
        else if (bounds.length === 0)
          bounds.push(`cannot be read: more than ${MOST_DAYS} days: the others are not read`);
      }
    } finally {
      listing.closeSync();
    }
    return { days, foreign: foreign.sort(), more, bounds };
  });
}

function dayFile(directory: string, team: string, day: string, indexes: IndexFolder | undefined): DayFile {
  const name = `${day}.jsonl`;
  const path = `${directory}/${team}/${name}`;
  return {
    path,
    team,
    day,
    bytes: () =>
      looked(directory, team, (folderFd) => lstatSync(inside(folderFd, name), { throwIfNoEntry: false })?.size),
    owner: () => looked(directory, team, (folderFd) => fstatSync(folderFd).uid),
    ...(indexes && { index: indexes.of(team, name, () => openDay(directory, team, name).file) }),
    *lines(part) {
      let file: Fd | undefined;
      try {
        const day = openDay(directory, team, name);
        file = day.file;
        const { from, to, line } = part ?? WHOLE;
        yield* readLines(file, undefined, { from, to: Math.min(to, day.end), line });
      } catch (cause) {
        if (!isReadFailure(cause)) throw cause;
        throw cannotRead(path, cause);
      } finally {
        if (file !== undefined) closeSync(file);
      }
    },
  };
}

const WHOLE: Span = { from: 0, to: Number.POSITIVE_INFINITY, line: 1 };

/** Undefined where the folder cannot be read. */
function looked<T>(directory: string, team: string, look: (folderFd: Fd) => T): T | undefined {
  try {
    return withTeam(directory, team, look);
  } catch {
    return undefined;
  }
}
