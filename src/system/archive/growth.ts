import { closeSync, fstatSync, readSync } from "node:fs";
import { basename } from "node:path";
import type { AddedLine, Archive, ArchiveProblem, DayFile } from "../../archive/archive.ts";
import { LINE_MAX_BYTES } from "../../record/chain.ts";
import { unreadableCode } from "../../record/error.ts";
import { isReadFailure, openDay, unreadable } from "./day-file.ts";

const LF = 0x0a;
/** How many bytes of a file's end are searched for its last lines. */
const TAIL_BYTES = 65_536;

type Paths = ReadonlySet<string>;
const NONE: Paths = new Set();

interface Known {
  readonly inode: number;
  /** The offset after the last complete line that was returned, in bytes. */
  readonly offset: number;
}

/**
 * The lines that were added to an archive since the last call, oldest day first; at the first call, all lines. An
 * incomplete line waits for the next call. A line that is longer than any record is skipped.
 */
export function growthOf(archive: Archive) {
  const known = new Map<string, Known>();
  let isFirst = true;
  /** Problems with the archive's folders are reported at the first call only. */
  const scan = (report: (problem: ArchiveProblem) => void) => {
    const { files, problems } = archive.scan();
    if (isFirst) problems.forEach(report);
    isFirst = false;
    return files;
  };
  const tell = (file: DayFile, error: unknown, report: (problem: ArchiveProblem) => void) => {
    if (!isReadFailure(error)) throw error;
    const denied = unreadableCode(error) === "E_LOG_DENIED" && { denied: { team: file.team } };
    report({ path: file.path, what: unreadable(error), ...denied });
  };
  return {
    /** The last lines of each file. `lines` continues after them. */
    *tail(since: string, report: (problem: ArchiveProblem) => void, also: Paths = NONE): Generator<AddedLine> {
      for (const file of scan(report).filter(({ day, path }) => day >= since || also.has(path))) {
        try {
          yield* of(file, lastLines(archive.directory, file, known));
        } catch (error) {
          tell(file, error, report);
        }
      }
    },
    /**
     * The lines since the last call.
     * @param since `YYYY-MM-DD`: older files are not read
     * @param also paths of older files that are read nevertheless
     */
    *lines(since: string, report: (problem: ArchiveProblem) => void, also: Paths = NONE): Generator<AddedLine> {
      for (const file of scan(report)
        .filter(({ day, path }) => day >= since || also.has(path))
        .reverse()) {
        try {
          yield* of(file, added(archive.directory, file, known));
        } catch (error) {
          tell(file, error, report);
        }
      }
    },
  };
}

function* of({ team }: DayFile, lines: Iterable<string>): Generator<AddedLine> {
  for (const text of lines) yield { team, text };
}

function* lastLines(directory: string, { team, path }: DayFile, known: Map<string, Known>): Generator<string> {
  const { file } = openDay(directory, team, basename(path));
  try {
    const stat = fstatSync(file);
    const from = Math.max(0, stat.size - TAIL_BYTES);
    const block = Buffer.allocUnsafe(stat.size - from);
    const count = readSync(file, block, 0, block.length, from);
    const whole = block.subarray(0, count).lastIndexOf(LF) + 1;
    // A line that begins before the block is incomplete in it.
    const first = from === 0 ? 0 : block.indexOf(LF) + 1;
    known.set(path, { inode: stat.ino, offset: from + whole });
    if (first < whole) yield* block.toString("utf8", first, whole - 1).split("\n");
  } finally {
    closeSync(file);
  }
}

function* added(directory: string, { team, path }: DayFile, known: Map<string, Known>): Generator<string> {
  const { file } = openDay(directory, team, basename(path));
  try {
    const stat = fstatSync(file);
    const before = known.get(path);
    let offset = before?.inode === stat.ino && before.offset <= stat.size ? before.offset : 0;
    if (offset === stat.size) return;
    const block = Buffer.allocUnsafe(Math.min(LINE_MAX_BYTES, stat.size - offset));
    while (offset < stat.size) {
      const count = readSync(file, block, 0, block.length, offset);
      const whole = block.subarray(0, count).lastIndexOf(LF) + 1;
      if (whole === 0 && count < LINE_MAX_BYTES) break;
      yield* block.toString("utf8", 0, whole).split("\n");
      offset += whole === 0 ? count : whole;
    }
    known.set(path, { inode: stat.ino, offset });
  } finally {
    closeSync(file);
  }
}
