import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync } from "node:fs";
import type { Archive, ArchiveProblem, DayFile } from "../record/archive.ts";
import { RecordError } from "../record/error.ts";
import { HOST, UNASSIGNED } from "../record/vocabulary.ts";
import { NAME_PATTERN } from "../units/ids.ts";
import { escapeText } from "../units/text.ts";
import type { IndexFolder } from "./index-folder.ts";
import { readLines } from "./line-reader.ts";
import { inside } from "./safe-folder.ts";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
const DAY_FILE = /^(\d{4}-\d\d-\d\d)\.jsonl$/;

const isTeamFolder = (name: string) => name === UNASSIGNED || name === HOST || NAME_PATTERN.test(name);

/**
 * The day files under a log directory. Inside it no link is followed; what is not an archive's is a problem, not an error.
 * @param indexes where to keep what is derived from them; nothing is kept by default
 */
export function openArchive(directory: string, indexes?: IndexFolder): Archive {
  return {
    directory,
    scan() {
      const files: DayFile[] = [];
      const problems: ArchiveProblem[] = [];
      for (const team of listFolder(directory)) {
        const path = `${directory}/${team}`;
        if (!isTeamFolder(team)) {
          problems.push({ path: escapeText(path), what: "not a team's folder" });
          continue;
        }
        try {
          for (const name of listTeam(directory, team)) {
            const day = DAY_FILE.exec(name)?.[1];
            if (day === undefined) problems.push({ path: escapeText(`${path}/${name}`), what: "not a day's file" });
            else files.push(dayFile(directory, team, day, indexes));
          }
        } catch (error) {
          problems.push({ path: escapeText(path), what: unreadable(error) });
        }
      }
      if (problems.length === 0) indexes?.tidy(files);
      files.sort((a, b) => (a.day === b.day ? compare(a.team, b.team) : compare(b.day, a.day)));
      return { files, problems };
    },
  };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const unreadable = (error: unknown) => {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ELOOP" || code === "ENOTDIR") return "a link, or not what belongs here: not read";
  return `cannot be read: ${code ?? (error as Error).message}`;
};

function listFolder(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => !name.startsWith("."));
  } catch (cause) {
    throw new RecordError("E_LOG_READ", `${escapeText(directory)}: ${unreadable(cause)}`, {
      hint: "name the log directory with --log-dir, or read it as root",
      cause,
    });
  }
}

/** Runs `use` with the team's folder open, reached without a link. */
export function withTeam<T>(directory: string, team: string, use: (folder: number) => T): T {
  const top = openSync(directory, O_RDONLY | O_DIRECTORY);
  try {
    const folder = openSync(inside(top, team), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      return use(folder);
    } finally {
      closeSync(folder);
    }
  } finally {
    closeSync(top);
  }
}

const listTeam = (directory: string, team: string) =>
  withTeam(directory, team, (folder) => readdirSync(inside(folder, ".")).filter((name) => !name.startsWith(".")));

/** Opens a day's file for reading, reached without a link; it may be something else than a regular file. */
export const openDay = (directory: string, team: string, name: string): number =>
  withTeam(directory, team, (folder) => openSync(inside(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));

function dayFile(directory: string, team: string, day: string, indexes: IndexFolder | undefined): DayFile {
  const name = `${day}.jsonl`;
  const path = `${directory}/${team}/${name}`;
  return {
    path,
    team,
    day,
    bytes: () => looked(directory, team, (folder) => lstatSync(inside(folder, name), { throwIfNoEntry: false })?.size),
    owner: () => looked(directory, team, (folder) => fstatSync(folder).uid),
    ...(indexes && { index: indexes.of(team, name, () => openDay(directory, team, name)) }),
    *lines(part) {
      let file: number | undefined;
      try {
        file = openDay(directory, team, name);
        if (!fstatSync(file).isFile()) throw new Error("not a regular file");
        yield* readLines(file, undefined, part);
      } catch (cause) {
        if (!isReadFailure(cause)) throw cause;
        throw new RecordError("E_LOG_READ", `${escapeText(path)}: ${unreadable(cause)}`, { cause });
      } finally {
        if (file !== undefined) closeSync(file);
      }
    },
  };
}

/** Undefined where it is not to be had. */
function looked<T>(directory: string, team: string, look: (folder: number) => T): T | undefined {
  try {
    return withTeam(directory, team, look);
  } catch {
    return undefined;
  }
}

const isReadFailure = (error: unknown) =>
  error instanceof Error && ("syscall" in error || error.message === "not a regular file");
