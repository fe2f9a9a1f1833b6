import { RecordError } from "../record/error.ts";
import type { DayFile } from "./archive.ts";
import type { Measure } from "./verify/sealing.ts";

/** The longest time for the files of one team, and for one reading of one file, in milliseconds. */
export interface ReadingTime {
  readonly team: number;
  readonly file: number;
}

/** A file of the largest size takes about a minute. */
export const READING_TIME: ReadingTime = { team: 1_800_000, file: 300_000 };

/**
 * Bounds the time that a command spends on a team's files, so that no team can keep it busy for hours. The time between
 * two lines counts, whatever the command does with them. So this is for commands that wait for nobody meanwhile.
 * @param elapsed milliseconds of a clock that nobody sets
 */
export function readingWithin(elapsed: () => number, most: ReadingTime = READING_TIME) {
  const spent = new Map<string, number>();
  /** Begins a reading. @throws RecordError E_LOG_TIME where the team's time was over before */
  const begin = ({ team, path }: Pick<DayFile, "team" | "path">) => {
    const before = spent.get(team) ?? 0;
    const began = elapsed();
    if (before >= most.team) throw over(path, "not read", team);
    return {
      check(): void {
        const took = elapsed() - began;
        if (took > most.file) throw over(path, "not read to its end");
        if (before + took > most.team) throw over(path, "not read to its end", team);
      },
      end: () => void spent.set(team, (spent.get(team) ?? 0) + elapsed() - began),
    };
  };
  return {
    /** The same file, whose lines end with RecordError E_LOG_TIME when the time is over. */
    bounded: (file: DayFile): DayFile => ({
      ...file,
      *lines(part) {
        const reading = begin(file);
        try {
          for (const line of file.lines(part)) {
            reading.check();
            yield line;
          }
        } finally {
          reading.end();
        }
      },
    }),
    /** The same measure, which begins no file when its team's time is over. */
    boundedDigester:
      (measure: Measure): Measure =>
      (file, sizes) => {
        const reading = begin(file);
        try {
          return measure(file, sizes);
        } finally {
          reading.end();
        }
      },
  };
}

const over = (path: string, what: string, team?: string) =>
  new RecordError("E_LOG_TIME", `${path}: ${what}: the time for ${team === undefined ? "it" : `team ${team}`} is over`);
