import type { RawLine } from "../../record/decode.ts";
import { ofFile, RecordError } from "../../record/error.ts";
import type { DayFile } from "../archive.ts";
import type { Finding } from "../finding.ts";
import { checkSealed, DAY_MS, dayIsOver, fileKey, LATE_MS, type Measured, sealedFiles } from "./check-seals.ts";
import { readSeals, type Seal, type SealBody, sealLine } from "./seal.ts";

/** The seals of one archive, open for this process alone. */
export interface SealStore {
  readonly path: string;
  readonly key: Uint8Array;
  lines(): Iterable<RawLine>;
  /** Returns when the line is on disk. @throws RecordError E_SEAL_WRITE */
  append(line: string): void;
  close(): void;
}

/** Counts and digests a file's bytes; undefined where it is not there. @throws RecordError E_LOG_READ */
export type Measure = (file: Pick<DayFile, "path" | "team" | "day">, sizes: readonly number[]) => Measured | undefined;

/** What every seal of one run has in common. */
export interface Run {
  readonly time: string;
  readonly host: string;
  readonly boot: string;
}

/** Writes seals behind those that are there. */
export function sealWriter(store: SealStore) {
  const { seals, findings, head: first } = readSeals(store.key, store.lines(), store.path);
  let head = first;
  return {
    seals,
    findings,
    add(body: SealBody): void {
      const { line, head: next } = sealLine(store.key, head, body);
      store.append(line);
      head = next;
    },
  };
}
export type SealWriter = ReturnType<typeof sealWriter>;

/** A file that has a new seal. */
export type Sealed = Pick<Seal, "team" | "day" | "size" | "lines" | "sha256"> & { readonly path: string };

export interface SealPorts {
  readonly measure: Measure;
  /** Waits, within bounds, for files that another account keeps from being read, and calls back for each that can be. */
  free(files: readonly DayFile[], use: (file: DayFile) => void): Promise<void>;
  /** Teams of which not all files are known, because the folder could not be read. */
  readonly unread: ReadonlySet<string>;
}

/**
 * Seals every file that has grown since its last seal. A file that is not what was sealed is said, and sealed as it is:
 * the seals before it go on speaking against it. A file that cannot be read is its own loss: all others are sealed
 * first, and the run counts for all of them.
 */
export async function sealFiles(files: readonly DayFile[], writer: SealWriter, ports: SealPorts, run: Run) {
  const sealed: Sealed[] = [];
  const findings: Finding[] = [...writer.findings];
  const failed = new Map<DayFile, RecordError>();
  const known = sealedFiles(writer.seals);
  let next: SealBody | undefined; // what is the last one is known behind it
  const put = (body: SealBody) => {
    if (next) writer.add(next);
    next = body;
  };
  const seal = (file: DayFile) => {
    const { team, day, path } = file;
    const before = known.get(fileKey(file)) ?? { team, day, seals: [] };
    const last = before.seals.at(-1);
    const now = measured(file, last, ports.measure);
    if (now instanceof RecordError) failed.set(file, now);
    else failed.delete(file);
    if (now === undefined || now instanceof RecordError) return;
    findings.push(...checkSealed({ ...before, seals: last ? [last] : [] }, path, now));
    if (last && now.size === last.size && now.sha256 === last.sha256) return;
    const { size, lines, sha256 } = now;
    put({ kind: "seal", ...run, team, day, size, lines, sha256 });
    sealed.push({ path, team, day, size, lines, sha256 });
  };
  for (const file of files.toReversed()) seal(file);
  const held = [...failed].filter(([, { code }]) => code === "E_LOG_HELD").map(([file]) => file);
  if (held.length > 0) await ports.free(inTurns(held), seal);
  const without = notRead([...failed.keys()], ports.unread);
  next ??= marker(files, writer.seals, ports.measure, run);
  if (next) writer.add({ ...next, ends: true, ...(without.length > 0 && { without }) });
  return { sealed, findings, failed: [...failed.values()] };
}

/** Files above this number are named by their team alone. */
const MOST_NAMED = 50;

function notRead(files: readonly DayFile[], teams: ReadonlySet<string>): string[] {
  const named = [...Map.groupBy(files, ({ team }) => team)].flatMap(([team, own]) =>
    own.length > MOST_NAMED ? [team] : own.map(fileKey),
  );
  return [...new Set([...named, ...teams])].sort();
}

/** Undefined where the file went, or has not grown. A failure of whatever kind is this file's. */
function measured(file: DayFile, last: Seal | undefined, measure: Measure): Measured | undefined | RecordError {
  try {
    if (last && file.bytes?.() === last.size) return undefined;
    return measure(file, last ? [last.size] : []); // undefined: it went between the look at the folder and this one
  } catch (error) {
    return ofFile(file, error);
  }
}

/**
 * A run in which no file had grown says so once a day, by sealing a file as it was: else nothing would tell that no
 * session of the day before was missing then, and one that is forged into it later would pass.
 */
function marker(files: readonly DayFile[], seals: readonly Seal[], measure: Measure, run: Run): SealBody | undefined {
  const yesterday = new Date(Date.parse(run.time) - LATE_MS - DAY_MS).toISOString().slice(0, 10);
  if (seals.some(({ ends, time }) => ends === true && dayIsOver(yesterday, time))) return undefined;
  const known = sealedFiles(seals);
  for (const file of files) {
    const last = known.get(fileKey(file))?.seals.at(-1);
    if (last === undefined) continue;
    try {
      const now = measure(file, []);
      if (now === undefined || now.size !== last.size || now.sha256 !== last.sha256) continue;
      const { size, lines, sha256 } = now;
      return { kind: "seal", ...run, team: file.team, day: file.day, size, lines, sha256 };
    } catch {
      // another file does as well
    }
  }
  return undefined;
}

/** One file of each team, then the next of each: no team with many files takes all the places. */
function inTurns(files: readonly DayFile[]): readonly DayFile[] {
  const teams = [...Map.groupBy(files, ({ team }) => team).values()];
  const most = Math.max(...teams.map(({ length }) => length));
  return Array.from({ length: most }, (_, turn) => teams.flatMap((own) => own[turn] ?? [])).flat();
}
