import { readFileSync } from "node:fs";
import { clock } from "../kernel/clock.ts";

const FOLDER = "/etc/pam.d";
/** The maximum number of files read for one service, even where they include each other. */
const MOST_FILES = 50;
/** How long the answer is cached, in milliseconds. */
const KEEPS_MS = 60_000;

const INCLUDES = /^\s*(?:@include|-?\w+\s+(?:include|substack))\s+([\w.-]+)/;
const READS_HOME = /\bpam_env\.so\b.*\buser_readenv=(?!0\b)/;

/**
 * Whether PAM also reads ~/.pam_environment into the environment of sshd's sessions (user_readenv=1 of pam_env(8), as
 * in Debian 12). That file of the account could then name a library for the login shell to load.
 * @param folder of pam.d(5)
 */
export function pamReadsHome(folder = FOLDER): boolean {
  const seen = new Set<string>();
  const reads = (name: string): boolean => {
    if (seen.has(name) || seen.size >= MOST_FILES) return false;
    seen.add(name);
    const lines = textOf(`${folder}/${name}`).replace(/\\\n/g, " ").split("\n");
    return lines.map((line) => line.replace(/#.*/, "")).some((line) => READS_HOME.test(line) || includes(line));
  };
  const includes = (line: string) => {
    const name = INCLUDES.exec(line)?.[1];
    return name !== undefined && reads(name);
  };
  return reads("sshd");
}

let known: { readonly readsHome: boolean; readonly at: number } | undefined;

/** The same, cached for a minute, for callers that ask for each session. */
export function pamReadsHomeNow(): boolean {
  const now = clock.monotonic();
  if (!known || now - known.at > KEEPS_MS) known = { readsHome: pamReadsHome(), at: now };
  return known.readsHome;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // there is no file of that name
  }
}
