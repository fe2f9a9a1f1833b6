import type { ArchiveProblem, DayFile } from "../../archive/archive.ts";
import { type Criteria, keepMatching } from "../../archive/filter.ts";
import type { Output } from "../../archive/output.ts";
import { newest, newestFirst } from "../../archive/sessions/newest.ts";
import type { Summary } from "../../archive/sessions/summary.ts";
import { type WholeSession, wholeSessions } from "../../archive/sessions/whole-sessions.ts";
import type { Arguments } from "../../cli/command.ts";
import { textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { jsonDocument } from "../shared/json-document.ts";
import { progressCounter, readingSessions, type SessionsPorts } from "./sessions-ports.ts";

export interface OutputPorts extends SessionsPorts {
  /**
   * A file, or stdout where no path is given.
   * @throws NixgateError
   */
  output(path: string | undefined): Output;
}

export const OUTPUT_OPTIONS = { output: { type: "string", short: "o" }, json: { type: "boolean" } } as const;

/**
 * The path of the answer. With `--json`, stdout is for the facts about it.
 * @throws UsageError where both would be stdout
 */
export function outputPath(options: Arguments["options"]): string | undefined {
  const path = textOption(options, "output");
  if (options["json"] === true && path === undefined)
    throw new UsageError("--json is for a page or an export in a file", { hint: "name the file with -o FILE" });
  return path;
}

/** The text for stdout after all is written; none without `--json`. */
export const written = (options: Arguments["options"], facts: object): { readonly stdout?: string } =>
  options["json"] === true ? { stdout: jsonDocument({ output: options["output"], ...facts }) } : {};

export interface Wanted {
  readonly criteria: Criteria;
  /** The number of newest sessions; infinite for all. */
  readonly limit: number;
}

/**
 * The matching sessions of some files with their records, in the order of the files. Memory holds the sessions that are
 * open at one time. Where there is a limit, it also holds the ids, and the files are read twice.
 */
export function* matchingSessions(
  files: readonly DayFile[],
  { criteria, limit }: Wanted,
  ports: Pick<OutputPorts, "liveness" | "progress">,
  report: (problem: ArchiveProblem) => void,
): Generator<WholeSession> {
  const keep = keepMatching(criteria);
  const isAlive = ports.liveness();
  const say = progressCounter(ports);
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
