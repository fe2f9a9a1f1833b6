import type { DayFile, IsAlive } from "../../../archive/archive.ts";
import type { Finding, Layer } from "../../../archive/finding.ts";
import { READING_TIME, readingWithin } from "../../../archive/reading-time.ts";
import { type Acknowledged, acknowledgements } from "../../../archive/verify/acknowledged.ts";
import { checkJournal } from "../../../archive/verify/check-journal.ts";
import type { JournalCopy, JournalSource } from "../../../archive/verify/journal-copy.ts";
import type { Measure } from "../../../archive/verify/sealing.ts";
import { type FileCount, type Visit, verifyFile } from "../../../archive/verify/verify.ts";
import type { Arguments, Command } from "../../../cli/command.ts";
import { optionsOnly } from "../../../cli/options.ts";
import { RecordError } from "../../../record/error.ts";
import { plural } from "../../../record/wording.ts";
import { ExitStatus } from "../../../units/exit-status.ts";
import { FILES, JOURNAL_OPTIONS, openFiles } from "../../shared/archive-options.ts";
import { jsonDocument } from "../../shared/json-document.ts";
import { problemList, progressCounter, type SessionsPorts } from "../sessions-ports.ts";
import { METRICS_HELP, METRICS_OPTION, type RunMetricsPorts, withRunMetrics } from "./run-metrics.ts";
import { type OpenSeals, SEAL_HELP, SEAL_OPTIONS, withProgress } from "./seal-options.ts";
import { journalLayer, type LayerReport, type OpenedFiles, sealLayer } from "./verify-layers.ts";
import { type CheckPlan, planOf } from "./verify-plan.ts";
import { resultText, whyOf } from "./verify-text.ts";

export interface VerifyPorts extends SessionsPorts, RunMetricsPorts {
  readonly openSeals: OpenSeals;
  createDigester(directory: string): Measure;
  /** Milliseconds of a clock that nobody sets. */
  elapsed(): number;
  readJournal(source: JournalSource): AsyncIterable<JournalCopy>;
  /** Why this host's own journal gets no copies; undefined where it gets them. */
  noJournald(): string | undefined;
  /** Whether the configuration enables copies in the journal; true where there is no configuration. */
  wantsJournal(configDirectory: string | undefined): Promise<boolean>;
}

type Layers = Readonly<Record<Layer, LayerReport>>;

export const sessionsVerify: Command<VerifyPorts> = {
  name: "sessions verify",
  summary: "check chain, order and completeness of all records",
  usage: `[--journal DIR | --merge | --no-journal] [--host H] [--within TIME] [--sealed-as DIR] [--seal-dir DIR] [--json] [--metrics FILE] ${FILES.usage}`,
  help: `Checks every record file with three layers, and prints what each layer covers:

  chain    the hashes in the records find changed bytes, records that were removed, moved or copied, lines forged without
           a chain, incomplete lines, and sessions without an end that no process serves. Running sessions are no finding.
  journal  the copies in the journal find records removed from the files, and sessions that have no copy.
  seal     the seals of root (\`nixgate sessions seal\`) find changed bytes, an end cut off, missing files, and sessions added
           to a day after its end.

  --journal DIR      compare with the journal files below DIR instead of this host's own journal
  --merge            compare with all journals of this host
                     (either of them without --log-dir and --config-dir: check the copies themselves)
  --host H           use the copies of this host, instead of the hosts that the files name
  --no-journal       do not compare with a journal
  --within TIME      the longest time for the files of each team, ${READING_TIME.team / 60_000}min by default, and for each
                     file, ${READING_TIME.file / 60_000}min; files that were not read are named
  --sealed-as DIR    the records are a copy of those that were sealed as DIR
  --acknowledged     also list findings that root has explained (\`nixgate sessions acknowledge\`)
  --json             one JSON document
${METRICS_HELP}
${SEAL_HELP}

Only root can read the key of the seals and the whole journal. As another account verify checks less, and says so.
Exit status: 0 without findings, or if root has explained all; 65 with findings; 77 if
this account may not read all files, 74 if a file cannot be read for another reason.
`,
  options: {
    ...SEAL_OPTIONS,
    ...METRICS_OPTION,
    ...JOURNAL_OPTIONS,
    "no-journal": { type: "boolean" },
    "sealed-as": { type: "string" },
    host: { type: "string" },
    within: { type: "string" },
    acknowledged: { type: "boolean" },
    json: { type: "boolean" },
  },
  run({ positionals, options }, ports) {
    optionsOnly("sessions verify", positionals);
    return withRunMetrics("verify", options, ports, () => verifyAll(options, ports));
  },
};

async function verifyAll(options: Arguments["options"], ports: VerifyPorts) {
  const problems = problemList();
  const plan = planOf(options);
  const { archive, files, problems: strange } = await openFiles(plan.source, ports, problems.report);
  let unread = strange.filter((problem) => problem.unread).length;
  const report = ({ message, code }: RecordError, path = archive.directory) => {
    problems.report({ path, what: message, ...(code === "E_LOG_DENIED" && { denied: { team: "" } }) });
    unread += 1;
  };
  const layered = await checkLayers({ archive, files }, plan, ports, report);
  const { findings } = layered;
  const status =
    findings.length > 0
      ? ExitStatus.malformed
      : problems.status(ExitStatus.ok) || (unread > 0 ? ExitStatus.ioError : ExitStatus.ok);
  const acknowledged = layered.acknowledged.map(({ finding, seal }) => ({ ...finding, ...whyOf(seal) }));
  const result = { files: files.length, ...layered, acknowledged };
  return {
    status,
    stdout: options["json"] === true ? jsonDocument(result) : resultText(result, options["acknowledged"] === true),
    stderr: problems.text(),
    findings: findings.length,
  };
}

/** The findings of all three layers. Acknowledged findings are listed apart. */
export async function checkLayers(
  { archive, files: all }: OpenedFiles,
  plan: CheckPlan,
  ports: VerifyPorts,
  report: (error: RecordError, path?: string) => void,
) {
  const now = ports.now();
  const { sealedAs } = plan;
  const within = readingWithin(ports.elapsed, plan.readingTime);
  const files = all.map(within.bounded);
  const measure = within.boundedDigester(ports.createDigester(archive.directory));
  const whyNot = await whyNoJournal(plan, ports);
  const open = async () => {
    if (sealedAs) return ports.openSeals(plan.sealDirectory, sealedAs(archive.directory), { write: false });
    throw new RecordError("E_SEAL_STORE", "copies in a journal are not sealed");
  };
  const measureSealed = withProgress(measure, "holding against the seals:", ports);
  const seals = await sealLayer({ archive, files }, { open, measure: measureSealed, now }, report);
  const [sayRecords, sayCopies, sayAgain] = [progressCounter(ports), progressCounter(ports), progressCounter(ports)];
  const unreadable = new Map<DayFile, RecordError>();
  const fail = (file: DayFile, error: RecordError) => {
    if (!unreadable.has(file)) report(error, file.path);
    unreadable.set(file, error);
  };
  const check = checkJournal({
    now,
    hosts: plan.hosts,
    files,
    read(file, visit) {
      const count = { sessions: 0, records: 0, running: 0 };
      const say: Visit = (record, digest, line) => {
        sayAgain((many) => `comparing ${file.team} ${file.day}: ${many} records so far`);
        visit(record, digest, line);
      };
      if (unreadable.has(file)) return;
      try {
        for (const _ of verifyFile(file, () => true, count, say));
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        fail(file, error);
      }
    },
    isCutShort: (file) => unreadable.get(file)?.code === "E_LOG_TIME",
    isPruned: seals.isPruned,
    ownerOf: (team) => archive.owner?.(team),
    pathOf: ({ team, day }) => `${archive.directory}/${team}/${day}.jsonl`,
  });
  const count = { sessions: 0, records: 0, running: 0 };
  const findings: Finding[] = [];
  for (const file of files) {
    const late: Finding[] = [];
    const visit: Visit = (record, _, line) => {
      sayRecords((many) => `checking ${file.team} ${file.day}: ${many} records so far`);
      if (whyNot === undefined) check.seen(file, record, line);
      const found = record.seq === 0 ? seals.late(file, line, record.session) : undefined;
      if (found) late.push(found);
    };
    const { findings: own, error } = verified(file, ports.liveness(), count, visit);
    findings.push(...own, ...new Map(late.map((one) => [one.line, one])).values());
    if (error) fail(file, error);
  }
  const journal =
    whyNot === undefined
      ? await journalLayer(check, files, said(ports.readJournal(plan.journal ?? {}), sayCopies))
      : { report: { checked: false, what: `not used: ${whyNot}` }, findings: [] };
  const layers: Layers = {
    chain: { checked: true, what: plural(count.records, "record") },
    journal: journal.report,
    seal: seals.report,
  };
  const explained = acknowledgements(seals.seals, (file, size) => {
    try {
      return measure({ path: `${archive.directory}/${file.team}/${file.day}.jsonl`, ...file }, [size]);
    } catch {
      return undefined; // the file is reported as unreadable
    }
  });
  const found = [...findings, ...journal.findings, ...seals.findings].map((one) => ({
    finding: one,
    seal: explained(one),
  }));
  return {
    ...count,
    findings: found.filter(({ seal }) => seal === undefined).map(({ finding }) => finding),
    acknowledged: found.filter((one): one is Acknowledged => one.seal !== undefined),
    layers,
  };
}

async function* said(
  copies: AsyncIterable<JournalCopy>,
  say: ReturnType<typeof progressCounter>,
): AsyncGenerator<JournalCopy> {
  for await (const copy of copies) {
    say((many) => `reading the journal: ${many} copies so far`);
    yield copy;
  }
}

/** The reason why there is no journal to compare with; undefined where there is one. */
async function whyNoJournal(plan: CheckPlan, ports: VerifyPorts): Promise<string | undefined> {
  const { journal, isConfigured, configDirectory } = plan;
  if (journal === undefined) return plan.why;
  if (isConfigured && !(await ports.wantsJournal(configDirectory))) return "log.journald is false";
  return journal.directory === undefined ? ports.noJournald() : undefined;
}

/**
 * Verifies a file twice where needed. A session may end between the reads of its file and of its process, and then
 * seems cut off. Once the process is gone, its records are complete, so a session without an end at the second read has
 * none.
 * @returns what was found before an error too
 */
function verified(file: DayFile, isAlive: IsAlive, count: FileCount, visit: Visit) {
  let error: RecordError | undefined;
  const look = () => {
    const seen = { sessions: 0, records: 0, running: 0 };
    const findings: Finding[] = [];
    try {
      for (const finding of verifyFile(file, isAlive, seen, visit)) findings.push(finding);
    } catch (caught) {
      if (!(caught instanceof RecordError)) throw caught;
      error = caught;
    }
    return { seen, findings };
  };
  const first = look();
  const unended = new Set(first.findings.filter(({ kind }) => kind === "unended").map(({ session }) => session));
  const last = unended.size === 0 ? first : look();
  count.sessions += last.seen.sessions;
  count.records += last.seen.records;
  count.running += last.seen.running;
  const findings = last.findings.filter(({ kind, session }) => kind !== "unended" || unended.has(session));
  return { findings, error };
}
