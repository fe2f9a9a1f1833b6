import { closeSync, fstatSync, lstatSync, opendirSync, readdirSync } from "node:fs";
import type { Archive, ArchiveProblem, DayFile, Span } from "../../archive/archive.ts";
import { isDay } from "../../record/day.ts";
import { RecordError, unreadableCode } from "../../record/error.ts";
import { HOST, UNASSIGNED } from "../../record/vocabulary.ts";
import { NAME_PATTERN } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";
import { inside } from "../files/safe-folder.ts";
import { cannotRead, isReadFailure, openDay, unreadable, withTeam } from "./day-file.ts";
import type { IndexFolder } from "./index-folder.ts";
import { readLines } from "./line-reader.ts";

const DAY_FILE = /^(.{10})\.jsonl$/;
/** The maximum number of entries read from a team's folder: enough for the days of 27 years. */
const MOST_ENTRIES = 10_000;

const isTeamFolder = (name: string) => name === UNASSIGNED || name === HOST || NAME_PATTERN.test(name);

/**
 * The day files under a log directory. Links inside it are not followed. A file that is not part of an archive is a
 * problem, not an error.
 * @param indexes where the index is stored; by default there is none
 */
export function openArchive(directory: string, indexes?: IndexFolder): Archive {
  return {
    directory,
    owner: (team) => looked(directory, team, (folder) => fstatSync(folder).uid),
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
          const { names, more } = listTeam(directory, team);
          if (more)
            problems.push({
              path: escapeText(path),
              team,
              what: `more than ${MOST_ENTRIES} entries: the others are not read`,
            });
          for (const name of names) {
            const day = DAY_FILE.exec(name)?.[1] ?? "";
            if (!isDay(day)) problems.push({ path: escapeText(`${path}/${name}`), what: "not a day's file" });
            else files.push(dayFile(directory, team, day, indexes));
          }
        } catch (error) {
          const denied = unreadableCode(error) === "E_LOG_DENIED" && { denied: { team } };
          problems.push({ path: escapeText(path), what: unreadable(error), ...denied });
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

/** At most MOST_ENTRIES names in sorted order, and whether there are more. */
function listTeam(directory: string, team: string): { readonly names: readonly string[]; readonly more: boolean } {
  return withTeam(directory, team, (folder) => {
    const names: string[] = [];
    const listing = opendirSync(inside(folder, "."));
    try {
      for (let entry = listing.readSync(); entry; entry = listing.readSync()) {
        if (entry.name.startsWith(".")) continue;
        if (names.length === MOST_ENTRIES) return { names: names.sort(), more: true };
        names.push(entry.name);
      }
      return { names: names.sort(), more: false };
    } finally {
      listing.closeSync();
    }
  });
}

function dayFile(directory: string, team: string, day: string, indexes: IndexFolder | undefined): DayFile {
  const name = `${day}.jsonl`;
  const path = `${directory}/${team}/${name}`;
  return {
    path,
    team,
    day,
    bytes: () => looked(directory, team, (folder) => lstatSync(inside(folder, name), { throwIfNoEntry: false })?.size),
    owner: () => looked(directory, team, (folder) => fstatSync(folder).uid),
    ...(indexes && { index: indexes.of(team, name, () => openDay(directory, team, name).file) }),
    *lines(part) {
      let file: number | undefined;
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
function looked<T>(directory: string, team: string, look: (folder: number) => T): T | undefined {
  try {
    return withTeam(directory, team, look);
  } catch {
    return undefined;
  }
}
