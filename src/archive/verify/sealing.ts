import type { RawLine } from "../../record/decode.ts";
import { ofFile, RecordError } from "../../record/error.ts";
import type { DayFile } from "../archive.ts";
import type { Finding } from "../finding.ts";
import { inTurns } from "../in-turns.ts";
import { checkSealed, DAY_MS, dayIsOver, fileKey, LATE_MS, type Measured, sealedFiles } from "./check-seals.ts";
import { readSeals, type Seal, type SealBody, sealLine } from "./seal.ts";

/** The seals of one archive, locked for this process alone. */
export interface SealStore {
  readonly path: string;
  readonly key: Uint8Array;
  lines(): Iterable<RawLine>;
  /** Returns when the line is on disk. @throws RecordError E_SEAL_WRITE */
  append(line: string): void;
  close(): void;
}

/** Counts and digests a file's bytes; undefined where the file does not exist. @throws RecordError E_LOG_READ */
export type Measure = (file: Pick<DayFile, "path" | "team" | "day">, sizes: readonly number[]) => Measured | undefined;

/** The fields that all seals of one run share. */
export interface SealRun {
  readonly time: string;
  readonly host: string;
  readonly boot: string;
}

/** Appends seals to the existing ones. */
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

/** A file with a new seal. */
export type Sealed = Pick<Seal, "team" | "day" | "size" | "lines" | "sha256"> & { readonly path: string };

export interface SealingPorts {
  readonly measure: Measure;
  /**
   * Waits, for a bounded time, for files whose reading another account blocks, and calls back for each readable one.
   */
  free(files: readonly DayFile[], use: (file: DayFile) => void): Promise<void>;
  /** Teams of which not all files are known, because the folder could not be read. */
  readonly unread: ReadonlySet<string>;
  /** Milliseconds of a clock that nobody sets. */
  elapsed(): number;
}

/**
 * The longest time that a run reads files, for one team and for all of them. A run has to end: only then the seals know
 * that a day is over. nixgate-seal.service is stopped after half an hour, of which leases and one last file take some.
 */
const MOST_MS = { team: 60_000, all: 600_000 };

/**
 * Seals every file that has grown since its last seal. A file that does not match its last seal is a finding. The new
 * seal describes its present state, and the earlier seals continue to contradict it. A file that cannot be read does
 * not stop the run: all others are sealed first, and the run counts for all of them. The same holds for files that the
 * run has no time for: teams take turns, the newest day first, and the next run goes on.
 */
export async function sealFiles(files: readonly DayFile[], writer: SealWriter, ports: SealingPorts, run: SealRun) {
  const sealed: Sealed[] = [];
  const findings: Finding[] = [...writer.findings];
  const failed = new Map<DayFile, RecordError>();
  const known = sealedFiles(writer.seals);
  let next: SealBody | undefined; // held back, since the last seal of the run gets `ends`
  const put = (body: SealBody) => {
    if (next) writer.add(next);
    next = body;
  };
  const measure = withinTime(ports);
  const seal = (file: DayFile) => {
    const { team, day, path } = file;
    const before = known.get(fileKey(file)) ?? { team, day, seals: [] };
    const last = before.seals.at(-1);
    const now = measured(file, last, measure);
    if (now instanceof RecordError) failed.set(file, now);
    else failed.delete(file);
    if (now === undefined || now instanceof RecordError) return;
    findings.push(...checkSealed({ ...before, seals: last ? [last] : [] }, path, now));
    if (last && now.size === last.size && now.sha256 === last.sha256) return;
    const { size, lines, sha256 } = now;
    put({ kind: "seal", ...run, team, day, size, lines, sha256 });
    sealed.push({ path, team, day, size, lines, sha256 });
  };
  for (const file of inTurns(files)) seal(file);
  const held = [...failed].filter(([, { code }]) => code === "E_LOG_HELD").map(([file]) => file);
  if (held.length > 0) await ports.free(inTurns(held), seal);
  const without = notRead([...failed.keys()], ports.unread);
  next ??= marker(inTurns(files), writer.seals, measure, run);
  if (next) writer.add({ ...next, ends: true, ...(without.length > 0 && { without }) });
  return { sealed, findings, failed: [...failed.values()] };
}

/** Measures files as long as there is time for their team. @throws RecordError E_LOG_READ */
function withinTime({ measure, elapsed }: SealingPorts): Measure {
  const spent = new Map<string, number>();
  let all = 0;
  return (file, sizes) => {
    const own = spent.get(file.team) ?? 0;
    if (own >= MOST_MS.team || all >= MOST_MS.all)
      throw new RecordError(
        "E_LOG_READ",
        `${file.path}: not sealed: the time of this run is used up, and the next run continues`,
      );
    const began = elapsed();
    try {
      return measure(file, sizes);
    } finally {
      const took = elapsed() - began;
      spent.set(file.team, own + took);
      all += took;
    }
  };
}

/** Above this number of files, only their team is named. */
const MOST_NAMED = 50;

function notRead(files: readonly DayFile[], teams: ReadonlySet<string>): string[] {
  const named = [...Map.groupBy(files, ({ team }) => team)].flatMap(([team, own]) =>
    own.length > MOST_NAMED ? [team] : own.map(fileKey),
  );
  return [...new Set([...named, ...teams])].sort();
}

/** Undefined where the file was removed or has not grown. Any failure is reported as this file's. */
function measured(file: DayFile, last: Seal | undefined, measure: Measure): Measured | undefined | RecordError {
  try {
    if (last && file.bytes?.() === last.size) return undefined;
    return measure(file, last ? [last.size] : []); // undefined: the file was removed after the folder was listed
  } catch (error) {
    return ofFile(file, error);
  }
}

/**
 * Where no file has grown, the run seals an unchanged file once a day. This proves that no session of the day before
 * was missing then. Without it, a session forged into that day later would not be detected.
 */
function marker(
  files: readonly DayFile[],
  seals: readonly Seal[],
  measure: Measure,
  run: SealRun,
): SealBody | undefined {
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
      // try another file
    }
  }
  return undefined;
}
