import { escapeText } from "../units/text.ts";
import type { ConfigFiles } from "./config-files.ts";

/** The folder of what is closed to new sessions, inside the configuration folder. */
const FOLDER = "closed";
/** The file that closes all teams; no team can have this name. */
const ALL = "_host";
/** Most characters of a text that are shown; `nixgate close` takes no longer one. */
export const TEXT_MAX = 500;

/** The file that closes a team, or all teams. Like /etc/nologin it holds the text that is told, and may be empty. */
export const closedPath = (directory: string, team?: string): string => `${directory}/${FOLDER}/${team ?? ALL}`;

/** What is closed to new sessions now. */
export interface Closing {
  /** Undefined for all teams. */
  readonly team?: string;
  /** Safe to show; empty where the file says nothing, or cannot be read. */
  readonly text: string;
}

/**
 * What keeps new sessions of a team away; undefined where nothing does. One system call for each of the two files where
 * neither is there. A file that cannot be trusted or read closes all the same: somebody with the right to write there
 * has put it there.
 */
export function closingOf(files: ConfigFiles, directory: string, team: string | undefined): Closing | undefined {
  return closing(files, directory) ?? (team === undefined ? undefined : closing(files, directory, team));
}

function closing(files: ConfigFiles, directory: string, team?: string): Closing | undefined {
  const path = closedPath(directory, team);
  if (!files.isThere(path)) return undefined;
  const read = files.read(path);
  if (read.kind === "missing") return undefined; // opened in between
  const [line = ""] = read.kind === "found" ? read.found.text.trim().split("\n") : [];
  return { ...(team !== undefined && { team }), text: escapeText(line.slice(0, TEXT_MAX)) };
}

/** All that is closed, the whole host first. */
export function allClosings(files: ConfigFiles, directory: string): readonly Closing[] {
  const names = files.list(`${directory}/${FOLDER}`);
  const teams = names.kind === "found" ? names.found.filter((name) => name !== ALL && !name.startsWith(".")) : [];
  return [undefined, ...teams].flatMap((team) => closing(files, directory, team) ?? []);
}

/** In plain words, lower case: what a new session is told. */
export function closedWords({ team, text }: Closing): string {
  const what = team === undefined ? "this builder is closed" : `this builder is closed to team ${escapeText(team)}`;
  return text === "" ? `${what}; try again later` : `${what}: ${text}`;
}
