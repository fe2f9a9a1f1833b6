import { isUnread, RecordError } from "../record/error.ts";
import type { DayFile, IsAlive } from "./archive.ts";
import type { Finding } from "./finding.ts";
import { acknowledgements, wrongDays } from "./verify/acknowledged.ts";
import { checkSealed, fileKey, isAsPruned, type SealedFile, sealedFiles } from "./verify/check-seals.ts";
import type { Seal } from "./verify/seal.ts";
import type { Measure, SealRun, SealWriter } from "./verify/sealing.ts";
import { verifyFile } from "./verify/verify.ts";

/** One run of prune. */
export interface PruneRun extends SealRun {
  /** Writes nothing and removes nothing. */
  readonly dryRun: boolean;
  /** Also removes files with findings of verify. */
  readonly damaged: boolean;
}

export interface PrunePorts {
  readonly isAlive: IsAlive;
  readonly measure: Measure;
  /** @throws RecordError E_LOG_WRITE */
  remove(file: DayFile): void;
}

/** The result for one file, real or in a dry run. */
export interface Pruned {
  readonly path: string;
  readonly team: string;
  readonly day: string;
  readonly sessions: number;
  readonly records: number;
  readonly size: number;
  readonly done: boolean;
  /** Why the file was kept. */
  readonly kept?: "running" | "damaged" | "unreadable";
  readonly findings: readonly Finding[];
}

/** Damage that a crash leaves. Such damage is no reason to keep an old file. */
const OF_A_CRASH: readonly Finding["kind"][] = ["torn", "unended"];

/**
 * Whether all of a file is older than a day. A file whose day the clock showed by mistake is dated by its last seal, if
 * that seal was made with the right time.
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
 * Removes files, oldest first. A seal describes each file before its removal, because verify would otherwise report it
 * as missing. A file that a session still writes to is kept. A file with findings is kept too: it may be evidence.
 */
export function* pruneFiles(
  files: readonly DayFile[],
  writer: SealWriter,
  ports: PrunePorts,
  { dryRun, damaged, ...run }: PruneRun,
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
      if (now === undefined) continue; // another prune removed the file first
      findings.push(...checkSealed(sealed, path, now));
      const open = findings.filter((finding) => explained(finding) === undefined);
      const about = { path, team, day, sessions, records, size: now.size, findings: open };
      if (count.running > 0) yield { ...about, done: false, kept: "running" };
      else if (open.length > 0 && !damaged) yield { ...about, done: false, kept: "damaged" };
      else {
        if (!dryRun) {
          const { size, lines, sha256 } = now;
          // An interrupted prune left this file unchanged, and its seal is already on record.
          if (!isAsPruned(sealed, now)) writer.add({ kind: "prune", ...run, team, day, size, lines, sha256, sessions });
          ports.remove(file);
        }
        yield { ...about, done: !dryRun };
      }
    } catch (error) {
      if (!isUnread(error) && !isUnremoved(error)) throw error;
      const finding: Finding = { layer: "chain", kind: "foreign", path, what: withHint(error) };
      yield { ...nothing, done: false, kept: "unreadable", findings: [finding] };
    }
  }
}

const isUnremoved = (error: unknown): error is RecordError =>
  error instanceof RecordError && error.code === "E_LOG_WRITE";

const withHint = ({ message, hint }: RecordError) => (hint === undefined ? message : `${message}; ${hint}`);
