import type { Finding } from "../finding.ts";
import type { Seal } from "./seal.ts";

/** The size and digest of a file, measured at several sizes in one reading. */
export interface Measured {
  /** The size up to the last whole line. */
  readonly size: number;
  readonly lines: number;
  readonly sha256: string;
  /** The digest and lines of the first bytes, for each requested size that the file has. */
  readonly at: ReadonlyMap<number, { readonly sha256: string; readonly lines: number }>;
}

/** The sealed state of a file. */
export interface SealedFile {
  readonly team: string;
  readonly day: string;
  /** The seals after the last prune, in order. */
  readonly seals: readonly Seal[];
  readonly pruned?: Seal;
}

/**
 * This long after a day's end, no session of that day can start. A supervisor that was about to write at midnight has
 * finished.
 */
export const LATE_MS = 60_000;
export const DAY_MS = 86_400_000;
export const dayIsOver = (day: string, time: string) => Date.parse(time) >= Date.parse(day) + DAY_MS + LATE_MS;

export const fileKey = (file: { readonly team: string; readonly day: string }) => `${file.team}/${file.day}`;

/** The seals by file. */
export function sealedFiles(seals: readonly Seal[]): ReadonlyMap<string, SealedFile> {
  const files = new Map<string, SealedFile>();
  for (const seal of seals) {
    if (seal.kind === "acknowledge") continue;
    const { team, day } = seal;
    const known = files.get(fileKey(seal)) ?? { team, day, seals: [] };
    const next =
      seal.kind === "prune" ? { team, day, seals: [], pruned: seal } : { ...known, seals: [...known.seals, seal] };
    files.set(fileKey(seal), next);
  }
  return files;
}

/** Days that the clock showed by mistake. A seal from one of them does not prove that another day is over. */
type WrongDays = Pick<ReadonlyMap<string, unknown>, "has">;
const NONE: WrongDays = new Map();
const dayOf = ({ time }: Seal) => time.slice(0, 10);

const foundIn = (path: string, kind: Finding["kind"], what: string): Finding => ({ layer: "seal", kind, path, what });

/** Whether a file is byte for byte the one that was pruned: an interrupted prune left it. */
export const isAsPruned = ({ pruned }: SealedFile, now: Measured) =>
  pruned !== undefined && now.size === pruned.size && now.sha256 === pruned.sha256;

/** Compares a file with its seals. @param now undefined where the file does not exist */
export function* checkSealed(file: SealedFile, path: string, now: Measured | undefined): Generator<Finding> {
  const { seals, pruned } = file;
  const last = seals.at(-1);
  if (now === undefined) {
    if (last)
      yield foundIn(
        path,
        "gone",
        `the file does not exist: ${last.lines} lines were sealed at ${last.time}, and no prune is on record`,
      );
    return;
  }
  if (pruned && !isAsPruned(file, now))
    yield foundIn(path, "late", `pruned at ${pruned.time}, and another file is in its place`);
  let sound = 0;
  for (const { size, lines, sha256, time } of seals) {
    const then = now.at.get(size);
    if (then === undefined) {
      const what = `${lines} lines of ${size} bytes were sealed at ${time}, ${now.lines} of ${now.size} bytes are left`;
      yield foundIn(path, "cut", what);
      return;
    }
    if (then.sha256 !== sha256) {
      yield foundIn(
        path,
        "altered",
        `lines ${sound + 1} to ${lines} differ from the lines that were sealed at ${time}`,
      );
      return;
    }
    sound = lines;
  }
}

/** Whether the run that ended with this seal knew all of the file's lines, or knew that the file did not exist. */
const isWholeFor = (file: { readonly team: string; readonly day: string }, { ends, without }: Seal) =>
  ends === true && !without?.includes(file.team) && !without?.includes(fileKey(file));

/**
 * The number of a file's lines that may begin a session: its lines at the end of the first run after its day that could
 * read it. The number is 0 where the file did not exist then; undefined where there was no such run.
 */
export function linesOfItsDay(
  file: { readonly team: string; readonly day: string },
  seals: readonly Seal[],
  wrong: WrongDays = NONE,
): { readonly lines: number; readonly time: string } | undefined {
  const all = seals.find((seal) => isWholeFor(file, seal) && !wrong.has(dayOf(seal)) && dayIsOver(file.day, seal.time));
  if (all === undefined) return undefined;
  const own = seals.filter((seal) => seal.kind === "seal" && fileKey(seal) === fileKey(file));
  return { lines: own.findLast(({ n }) => n <= all.n)?.lines ?? 0, time: all.time };
}

/**
 * Past days for which the seals cannot tell whether a session was added later. `tried` is the time of the first run
 * after the day, which could not read the file; undefined where there was no run since.
 */
export function daysNotWhole(
  files: readonly { readonly team: string; readonly day: string }[],
  seals: readonly Seal[],
  now: string,
  wrong: WrongDays = NONE,
) {
  const runs = seals.filter((seal) => seal.ends === true && !wrong.has(dayOf(seal)));
  return files
    .filter((file) => dayIsOver(file.day, now) && linesOfItsDay(file, seals, wrong) === undefined)
    .map(({ team, day }) => ({ team, day, tried: runs.find(({ time }) => dayIsOver(day, time))?.time }));
}
