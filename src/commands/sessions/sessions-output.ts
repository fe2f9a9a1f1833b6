import type { ArchiveProblem, DayFile } from "../../archive/archive.ts";
import { type Criteria, keepMatching } from "../../archive/filter.ts";
import { newest, newestFirst } from "../../archive/sessions/newest.ts";
import type { Summary } from "../../archive/sessions/summary.ts";
import { type WholeSession, wholeSessions } from "../../archive/sessions/whole-sessions.ts";
import type { Arguments } from "../../cli/command.ts";
import { textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { jsonDocument } from "../shared/json-document.ts";
import { counting, readingSessions, type SessionsPorts } from "./sessions-ports.ts";

/** Where a long answer goes, bit by bit. */
export interface Output {
  /** @returns false when nobody reads any more */
  write(text: string): boolean;
  finish(): void;
  /** Takes away what was written; no effect once it is finished. */
  abandon(): void;
}

export interface OutputPorts extends SessionsPorts {
  /** A file, or stdout where none is named. @throws NixgateError */
  output(path: string | undefined): Output;
}

export const OUTPUT_OPTIONS = { output: { type: "string", short: "o" }, json: { type: "boolean" } } as const;

/** Where the answer goes; with `--json` stdout is for what is said about it. @throws UsageError where both would be stdout */
export function outputPath(options: Arguments["options"]): string | undefined {
  const path = textOption(options, "output");
  if (options["json"] === true && path === undefined)
    throw new UsageError("--json says what was written into a file", { hint: "name the file with -o FILE" });
  return path;
}

/** What is said on stdout when all is written: nothing without `--json`. */
export const written = (options: Arguments["options"], facts: object): { readonly stdout?: string } =>
  options["json"] === true ? { stdout: jsonDocument({ output: options["output"], ...facts }) } : {};

export interface Wanted {
  readonly criteria: Criteria;
  /** The newest so many; infinite for all. */
  readonly limit: number;
}

/**
 * The sessions of some files that match, with their records, in the order of the files. Memory is that of the sessions
 * open at one time, and of the ids where there is a limit: then the files are read twice.
 */
export function* matchingSessions(
  files: readonly DayFile[],
  { criteria, limit }: Wanted,
  ports: Pick<OutputPorts, "liveness" | "progress">,
  report: (problem: ArchiveProblem) => void,
): Generator<WholeSession> {
  const keep = keepMatching(criteria);
  const isAlive = ports.liveness();
  const say = counting(ports);
  function* matching(said: typeof report): Generator<WholeSession> {
    for (const file of files) {
      const words = readingSessions(file);
      for (const session of wholeSessions(file, isAlive, said)) {
        say(words);
        if (keep(session.summary)) yield session;
      }
    }
  }
  if (limit === Number.POSITIVE_INFINITY) return yield* matching(report);
  const kept = newest<Summary>(limit, newestFirst);
  for (const { summary } of matching(() => undefined)) kept.offer(summary);
  const ids = new Set(kept.result().map(({ session }) => session));
  for (const session of matching(report)) if (ids.has(session.summary.session)) yield session;
}
