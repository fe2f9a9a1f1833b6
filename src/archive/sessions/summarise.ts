import type { ArchiveProblem, DayFile, IsAlive } from "../archive.ts";
import type { Criteria } from "../filter.ts";
import { BlockRow } from "../index/block-row.ts";
import { createIndexWriter, openKept } from "../index/kept-index.ts";
import { readSessions } from "./read-sessions.ts";
import { conclude, type Summary, summaryOf } from "./summary.ts";

/** A range of time. Sessions outside of it may be left out. */
export type Window = Pick<Criteria, "since" | "until">;
type Report = (problem: ArchiveProblem) => void;

/**
 * The sessions of one file. Each is yielded when its end is read; those without an end come last. Damage goes to
 * `report` and is skipped.
 */
export function* summariseFile(file: DayFile, isAlive: IsAlive, report: Report, window?: Window): Generator<Summary> {
  for (const summary of glanceThrough(file, isAlive, report, window)) yield summaryOf(summary);
}

/**
 * The sessions of one file. Each is yielded when its end is read; those without an end come last. Memory holds the
 * sessions that are open at one time, whatever the file's size. Damage goes to `report` and is skipped. The sessions
 * come from the file's index where there is one. An index that no longer fits the file is written again. Callers must
 * not keep or copy a yielded summary: `summaryOf` makes a value of it.
 */
export function* glanceThrough(
  file: DayFile,
  isAlive: IsAlive,
  report: Report,
  window: Window = {},
): Generator<Summary> {
  const given = yield* fromIndex(file, isAlive, report, window);
  if (given === "all") return;
  const keep = createIndexWriter(file);
  try {
    let count = 0;
    const sessions = readSessions(file, (problem) => {
      keep.problem(problem);
      report(problem);
    });
    for (const session of sessions) {
      keep.add(session);
      count += 1;
      if (count > given) yield conclude(session.known, isAlive);
    }
    keep.finish();
  } finally {
    keep.close();
  }
}

/** @returns "all", or the number of sessions that were yielded before a damaged block of the index */
function* fromIndex(
  file: DayFile,
  isAlive: IsAlive,
  report: Report,
  { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY }: Window,
): Generator<Summary, number | "all"> {
  const kept = openKept(file);
  if (kept === undefined) return 0;
  let given = 0;
  try {
    for (const entry of kept.entries) {
      if (entry.begins <= until && (entry.ends === null || entry.ends >= since)) {
        const block = soundOrUndefined(() => kept.block(entry));
        if (block === undefined) return given;
        for (let row = 0; row < block.rows; row += 1) yield new BlockRow(block, row, isAlive) as unknown as Summary;
      }
      given += entry.rows;
    }
    kept.problems.forEach(report);
    return "all";
  } finally {
    kept.close();
  }
}

function soundOrUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
