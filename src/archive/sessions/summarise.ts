import type { ArchiveProblem, DayFile, IsAlive } from "../archive.ts";
import type { Criteria } from "../filter.ts";
import { BlockRow } from "../index/block-row.ts";
import { keeping, openKept } from "../index/kept-index.ts";
import { readSessions } from "./read-sessions.ts";
import { conclude, type Summary, summaryOf } from "./summary.ts";

/** Sessions that were not there in this time need not be given. */
export type Window = Pick<Criteria, "since" | "until">;
type Report = (problem: ArchiveProblem) => void;

/**
 * The sessions of one file, each as soon as its end is read, those without an end last. What is damaged goes to
 * `report` and is passed over.
 */
export function* summariseFile(file: DayFile, isAlive: IsAlive, report: Report, window?: Window): Generator<Summary> {
  for (const summary of glanceThrough(file, isAlive, report, window)) yield summaryOf(summary);
}

/**
 * The sessions of one file, each as soon as its end is read, those without an end last. Memory is that of the
 * sessions open at one time, whatever the file's size. What is damaged goes to `report` and is passed over.
 * Where the file has an index, they come from there, and it is made anew where it does not fit the file any more.
 * To be looked at, not to be kept or copied: `summaryOf` makes a value of what is yielded.
 */
export function* glanceThrough(
  file: DayFile,
  isAlive: IsAlive,
  report: Report,
  window: Window = {},
): Generator<Summary> {
  const given = yield* fromIndex(file, isAlive, report, window);
  if (given === "all") return;
  const keep = keeping(file);
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

/** @returns "all", or how many of the file's sessions were given before the index turned out to be damaged */
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
    for (const place of kept.places) {
      if (place.begins <= until && (place.ends === null || place.ends >= since)) {
        const block = soundOrUndefined(() => kept.block(place));
        if (block === undefined) return given;
        for (let row = 0; row < block.rows; row += 1) yield new BlockRow(block, row, isAlive) as unknown as Summary;
      }
      given += place.rows;
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
