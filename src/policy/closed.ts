import { escapeText } from "../units/text.ts";
import type { ConfigFiles } from "./config-files.ts";

/** The folder in the configuration folder that lists what is closed to new sessions. */
const FOLDER = "closed";
/** The file that closes all teams; no team can have this name. */
const ALL = "_host";
/** The most characters of a closing text that are shown. `nixgate close` accepts no longer text. */
export const TEXT_MAX = 500;

/** The file that closes a team, or all teams. Like /etc/nologin, it holds the text for the client, and may be empty. */
export const closedPath = (directory: string, team?: string): string => `${directory}/${FOLDER}/${team ?? ALL}`;

/** A closing that is in force now. */
export interface Closing {
  /** Undefined for all teams. */
  readonly team?: string;
  /** Escaped for a terminal; empty where the file is empty, or cannot be read. */
  readonly text: string;
}

/**
 * The closing that refuses new sessions of a team; undefined where there is none. The check takes one system call for
 * each of the two files that does not exist. A file that cannot be trusted or read closes too, because an account with
 * write permission there has created it.
 */
export function closingOf(files: ConfigFiles, directory: string, team: string | undefined): Closing | undefined {
  return closing(files, directory) ?? (team === undefined ? undefined : closing(files, directory, team));
}

function closing(files: ConfigFiles, directory: string, team?: string): Closing | undefined {
  const path = closedPath(directory, team);
  if (!files.isThere(path)) return undefined;
  const read = files.read(path);
  if (read.kind === "missing") return undefined; // the file was removed after the first check
  const [line = ""] = read.kind === "found" ? read.found.text.trim().split("\n") : [];
  return { ...(team !== undefined && { team }), text: escapeText(line.slice(0, TEXT_MAX)) };
}

/** All closings, the one of the whole host first. */
export function allClosings(files: ConfigFiles, directory: string): readonly Closing[] {
  const names = files.list(`${directory}/${FOLDER}`);
  const teams = names.kind === "found" ? names.found.filter((name) => name !== ALL && !name.startsWith(".")) : [];
  return [undefined, ...teams].flatMap((team) => closing(files, directory, team) ?? []);
}

/** The message to a new session, in plain words and lower case. */
export function closedWords({ team, text }: Closing): string {
  const what = team === undefined ? "this builder is closed" : `this builder is closed to team ${escapeText(team)}`;
  return text === "" ? `${what}; try again later` : `${what}: ${text}`;
}
