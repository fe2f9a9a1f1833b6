import type { DayFile, RawLine } from "./archive.ts";
import { checkSealed, fileKey, type Measured, sealedFiles } from "./check-seals.ts";
import { isUnread, type RecordError } from "./error.ts";
import type { Finding } from "./finding.ts";
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

/**
 * Seals every file that has grown since its last seal. A file that is not what was sealed is said, and sealed as it is:
 * the seals before it go on speaking against it.
 */
export function sealFiles(files: readonly DayFile[], writer: SealWriter, measure: Measure, run: Run) {
  const sealed: Sealed[] = [];
  const findings: Finding[] = [...writer.findings];
  const failed: RecordError[] = [];
  const known = sealedFiles(writer.seals);
  let next: SealBody | undefined; // what is the last one is known behind it
  for (const file of [...files].reverse()) {
    const before = known.get(fileKey(file)) ?? { team: file.team, day: file.day, seals: [] };
    const last = before.seals.at(-1);
    try {
      if (last && file.bytes?.() === last.size) continue;
      const now = measure(file, [...(last ? [last.size] : [])]);
      if (now === undefined) continue; // it went between the look at the folder and this one
      findings.push(...checkSealed({ ...before, seals: last ? [last] : [] }, file.path, now));
      if (last && now.size === last.size && now.sha256 === last.sha256) continue;
      const { size, lines, sha256 } = now;
      if (next) writer.add(next);
      next = { kind: "seal", ...run, team: file.team, day: file.day, size, lines, sha256 };
      sealed.push({ path: file.path, team: file.team, day: file.day, size, lines, sha256 });
    } catch (error) {
      if (!isUnread(error)) throw error;
      failed.push(error);
    }
  }
  if (next) writer.add(failed.length === 0 ? { ...next, ends: true } : next);
  return { sealed, findings, failed };
}
