import { isUnread, RecordError } from "../record/error.ts";
import type { DayFile, IsAlive } from "./archive.ts";
import type { Finding } from "./finding.ts";
import { acknowledgements, wrongDays } from "./verify/acknowledged.ts";
import { checkSealed, fileKey, isAsPruned, type SealedFile, sealedFiles } from "./verify/check-seals.ts";
import type { Seal } from "./verify/seal.ts";
import type { Measure, Run, SealWriter } from "./verify/sealing.ts";
import { verifyFile } from "./verify/verify.ts";

export interface PruneOptions {
  /** Nothing is written and nothing removed. */
  readonly dryRun: boolean;
  /** Also files in which verify finds something. */
  readonly damaged: boolean;
}

export interface PrunePorts {
  readonly isAlive: IsAlive;
  readonly measure: Measure;
  /** @throws RecordError E_LOG_WRITE */
  remove(file: DayFile): void;
}

/** What became of a file, or would become of it. */
export interface Pruned {
  readonly path: string;
  readonly team: string;
  readonly day: string;
  readonly sessions: number;
  readonly records: number;
  readonly size: number;
  readonly done: boolean;
  /** Why it was kept. */
  readonly kept?: "running" | "damaged" | "unreadable";
  readonly findings: readonly Finding[];
}

/** What a crash leaves is no damage that anyone would want to look into after so long a time. */
const OF_A_CRASH: readonly Finding["kind"][] = ["torn", "unended"];

/**
 * Whether all of a file is older. A day that the clock showed by mistake says nothing of it: then the last seal of the file
 * does, of those that were made with the right time.
 * @param before `YYYY-MM-DD`
 */
export function isOlder({ team, day }: Pick<DayFile, "team" | "day">, before: string, seals: readonly Seal[]): boolean {
  const wrong = wrongDays(seals);
  if (!wrong.has(day)) return day < before;
  const last = seals.findLast((seal) => seal.kind === "seal" && seal.team === team && seal.day === day);
  const time = last?.time.slice(0, 10);
  return time !== undefined && !wrong.has(time) && time < before;
}

/**
 * Removes files, oldest first, each after a seal that says what it was: without one verify would miss it. A file that
 * somebody still writes to stays, and so does one that is not what it should be: it may be evidence.
 */
export function* pruneFiles(
  files: readonly DayFile[],
  writer: SealWriter,
  ports: PrunePorts,
  run: Run,
  { dryRun, damaged }: PruneOptions,
): Generator<Pruned> {
  const known = sealedFiles(writer.seals);
  const explained = acknowledgements(writer.seals, (of, size) => ports.measure({ path: "", ...of }, [size]));
  for (const file of [...files].reverse()) {
    const { path, team, day } = file;
    const count = { sessions: 0, records: 0, running: 0 };
    const nothing = { path, team, day, ...count, size: 0, findings: [] };
    try {
      const sealed: SealedFile = known.get(fileKey(file)) ?? { team, day, seals: [] };
      const findings = [...verifyFile(file, ports.isAlive, count)].filter(({ kind }) => !OF_A_CRASH.includes(kind));
      const { sessions, records } = count;
      const now = ports.measure(
        file,
        sealed.seals.map(({ size }) => size),
      );
      if (now === undefined) continue; // somebody else was quicker
      findings.push(...checkSealed(sealed, path, now));
      const open = findings.filter((finding) => explained(finding) === undefined);
      const about = { path, team, day, sessions, records, size: now.size, findings: open };
      if (count.running > 0) yield { ...about, done: false, kept: "running" };
      else if (open.length > 0 && !damaged) yield { ...about, done: false, kept: "damaged" };
      else {
        if (!dryRun) {
          const { size, lines, sha256 } = now;
          // One that is there as it was pruned was left by a prune that was interrupted: it is on record already.
          if (!isAsPruned(sealed, now)) writer.add({ kind: "prune", ...run, team, day, size, lines, sha256, sessions });
          ports.remove(file);
        }
        yield { ...about, done: !dryRun };
      }
    } catch (error) {
      if (!isUnread(error) && !isUnremoved(error)) throw error;
      const finding: Finding = { layer: "chain", kind: "foreign", path, what: toNixgateError(error) };
      yield { ...nothing, done: false, kept: "unreadable", findings: [finding] };
    }
  }
}

const isUnremoved = (error: unknown): error is RecordError =>
  error instanceof RecordError && error.code === "E_LOG_WRITE";

const toNixgateError = ({ message, hint }: RecordError) => (hint === undefined ? message : `${message}; ${hint}`);
