import type { Archive, DayFile } from "../../../archive/archive.ts";
import type { Finding } from "../../../archive/finding.ts";
import { wrongDays } from "../../../archive/verify/acknowledged.ts";
import type { JournalCheck } from "../../../archive/verify/check-journal.ts";
import { checkSealed, daysNotWhole, fileKey, linesOfItsDay, sealedFiles } from "../../../archive/verify/check-seals.ts";
import type { JournalCopy } from "../../../archive/verify/journal-copy.ts";
import { readSeals, type Seal } from "../../../archive/verify/seal.ts";
import type { Measure, SealStore } from "../../../archive/verify/sealing.ts";
import { RecordError } from "../../../record/error.ts";
import { plural } from "../../../record/wording.ts";

/** The coverage of a layer. A layer that was not used has no findings for that reason. */
export interface LayerReport {
  readonly checked: boolean;
  /** The scope of the layer, or the reason why it was not used, in plain words. */
  readonly what: string;
}

export interface SealLayer {
  readonly report: LayerReport;
  readonly seals: readonly Seal[];
  readonly findings: readonly Finding[];
  isPruned(file: { readonly team: string; readonly day: string }): boolean;
  /** The finding for a session's first record at a line of the file; undefined where the line is allowed. */
  late(file: DayFile, line: number, session: string): Finding | undefined;
}

const NO_SEALS: Omit<SealLayer, "report"> = { seals: [], findings: [], isPruned: () => false, late: () => undefined };

/** The files that are checked, and the archive that holds them. */
export interface OpenedFiles {
  readonly archive: Archive;
  readonly files: readonly DayFile[];
}

export interface SealReader {
  open(): Promise<SealStore>;
  readonly measure: Measure;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Reads the seals and compares every file with them. Without the key it checks nothing and reports that. */
export async function sealLayer(
  { archive, files }: OpenedFiles,
  { open, measure, now }: SealReader,
  report: (error: RecordError) => void,
): Promise<SealLayer> {
  let store: SealStore;
  try {
    store = await open();
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    const hint = error.hint === undefined ? "" : ` (${error.hint})`;
    return { ...NO_SEALS, report: { checked: false, what: `not used: ${error.message}${hint}` } };
  }
  try {
    const { seals, findings, isWhole } = readSeals(store.key, store.lines(), store.path);
    const sealed = sealedFiles(seals);
    const wrong = wrongDays(seals);
    const found = [...findings];
    for (const file of sealed.values()) {
      const path = `${archive.directory}/${fileKey(file)}.jsonl`;
      try {
        const sizes = [...file.seals, ...(file.pruned ? [file.pruned] : [])].map(({ size }) => size);
        found.push(...checkSealed(file, path, measure({ path, ...file }, sizes)));
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        report(error);
      }
    }
    const notWhole = isWhole ? daysNotWhole(files, seals, new Date(now).toISOString(), wrong) : [];
    for (const { team, day, tried } of notWhole)
      if (tried !== undefined) found.push(unsealed(`${archive.directory}/${team}/${day}.jsonl`, tried));
    const limits = new Map(
      files.map((file) => [fileKey(file), isWhole ? linesOfItsDay(file, seals, wrong) : undefined]),
    );
    const pruned = [...sealed.values()].filter((file) => file.pruned).length;
    const until = seals.findLast(({ kind }) => kind === "seal")?.time;
    const reach = until === undefined ? "none of a file" : `the last at ${until}`;
    return {
      report: {
        checked: true,
        what: `${plural(seals.length, "seal")}, ${reach}; ${plural(pruned, "file")} pruned on record${stillOpen(notWhole)}`,
      },
      seals,
      findings: found,
      isPruned: (file) => sealed.get(fileKey(file))?.pruned !== undefined,
      late(file, line, session) {
        const limit = limits.get(fileKey(file));
        if (limit === undefined || line <= limit.lines) return undefined;
        const what = `this session was not in the file when its day was sealed at ${limit.time}: forged, or the clock was set back`;
        return { layer: "seal", kind: "late", path: file.path, line, session, what };
      },
    };
  } finally {
    store.close();
  }
}

const unsealed = (path: string, tried: string): Finding => {
  const what = `no run of the seals could read this file since its day was over, the first at ${tried}: seals do not find a session that was forged into it`;
  return { layer: "seal", kind: "unsealed", path, what };
};

/** Past days that no run has sealed yet. This is no fault, and seals say nothing about them. */
function stillOpen(days: ReturnType<typeof daysNotWhole>): string {
  const open = days.filter(({ tried }) => tried === undefined).map(({ team, day }) => `${team} ${day}`);
  const some = open.slice(0, 5).join(", ");
  return open.length === 0 ? "" : `; no run since these days were over: ${some}${open.length > 5 ? ", …" : ""}`;
}

/** Compares with the journal. Call it after `check` has seen every file. */
export async function journalLayer(
  check: JournalCheck,
  files: readonly DayFile[],
  copies: AsyncIterable<JournalCopy>,
): Promise<{ readonly report: LayerReport; readonly findings: readonly Finding[] }> {
  try {
    for await (const copy of copies) check.copied(copy);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return { report: { checked: false, what: `not used: ${error.message}` }, findings: [] };
  }
  if (check.copies === 0)
    return {
      report: { checked: false, what: "not used: the journal has no copy of these records" },
      findings: [],
    };
  const findings = [...check.removed()];
  for (const file of files) findings.push(...check.uncopied(file));
  const teams = [...new Set(files.map(({ team }) => team))].map((team) => {
    const [since] = files.filter((file) => file.team === team).map(check.since);
    return `${team} ${since === undefined ? "not at all" : `from ${since} on`}`;
  });
  const of = check.hosts === undefined || check.hosts.size === 0 ? "" : ` of ${[...check.hosts].join(" and ")}`;
  return {
    report: {
      checked: true,
      what: [`${check.copies} ${check.copies === 1 ? "copy" : "copies"}${of}`, ...teams].join(", "),
    },
    findings,
  };
}
