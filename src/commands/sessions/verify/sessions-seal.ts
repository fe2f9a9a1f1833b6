import { type Finding, placeOf } from "../../../archive/finding.ts";
import {
  type Measure,
  type Sealed,
  type SealingPorts as SealFilesPorts,
  sealFiles,
  sealWriter,
} from "../../../archive/verify/sealing.ts";
import type { Arguments, Command } from "../../../cli/command.ts";
import { optionsOnly } from "../../../cli/options.ts";
import { plural } from "../../../record/wording.ts";
import { ExitStatus } from "../../../units/exit-status.ts";
import { escapeText } from "../../../units/text.ts";
import { FILES, openSource } from "../../shared/archive-options.ts";
import { jsonDocument } from "../../shared/json-document.ts";
import { problemList, type SessionsPorts } from "../sessions-ports.ts";
import { METRICS_HELP, METRICS_OPTION, type RunMetricsPorts, withRunMetrics } from "./run-metrics.ts";
import { type OpenSeals, SEAL_HELP, SEAL_OPTIONS, sealDirectoryOf, withProgress } from "./seal-options.ts";

type FreePort = SealFilesPorts["free"];

export interface SealPorts extends SessionsPorts, RunMetricsPorts {
  readonly openSeals: OpenSeals;
  createDigester(directory: string): Measure;
  /** Milliseconds of a clock that nobody sets. */
  elapsed(): number;
  breakLeases(directory: string, ...words: Parameters<FreePort>): Promise<void>;
  readonly machine: { readonly host: string; readonly boot: string };
}

export const sessionsSeal: Command<SealPorts> = {
  name: "sessions seal",
  summary: "seal the records with a key that only root reads",
  usage: `[--json] [--metrics FILE] [--seal-dir DIR] ${FILES.usage}`,
  help: `Seals every record file that has grown since its last seal: its size, its number of lines and its SHA-256, under an
HMAC with a key that the first seal makes (seal.key, mode 0600). \`nixgate sessions verify\`, run by root, then finds every
change in the sealed part. A file may grow after its seal. Run it as root from a timer: seals do not find changes that an
account makes to its own records between two runs. A file that cannot be read is named, and all others are sealed. It waits
at most a minute for a file on which the owner holds a lease (F_SETLEASE, fcntl(2)). It reads for one minute for each team,
and for ten minutes in all. Files that it has no time for are named, and the next run continues with them.

  --json             one JSON document
${METRICS_HELP}
${SEAL_HELP}

Each seal carries the mark of the seal before it. Keep a copy of the last line elsewhere, to prove that no seal was cut off.
Exit status: 0; 65 if a file differs from its seal (it is sealed as it is, and verify still reports the earlier seals); 73
if the key or the seals cannot be opened; 77 if this account may not read a file; 74 if a file cannot be read, or a seal
cannot be written.
`,
  options: { ...SEAL_OPTIONS, ...METRICS_OPTION, json: { type: "boolean" } },
  run({ positionals, options }, ports) {
    optionsOnly("sessions seal", positionals);
    return withRunMetrics("seal", options, ports, () => sealAll(options, ports));
  },
};

async function sealAll(options: Arguments["options"], ports: SealPorts) {
  const archive = await openSource(options, ports);
  const problems = problemList();
  const store = await ports.openSeals(sealDirectoryOf(options), archive.directory, { write: true });
  try {
    // The time is taken first: a file that a later scan does not find did not exist at that time either.
    const run = { time: new Date(ports.now()).toISOString(), ...ports.machine };
    const { files, problems: strange } = archive.scan();
    strange.forEach(problems.report);
    const writer = sealWriter(store);
    const measure = withProgress(ports.createDigester(archive.directory), "sealing", ports);
    const free: FreePort = (held, use) => ports.breakLeases(archive.directory, held, use);
    const unread = new Set(strange.flatMap(({ team }) => team ?? []));
    const isUnread = strange.some((problem) => problem.unread);
    const { elapsed } = ports;
    const { sealed, findings, failed } = await sealFiles(files, writer, { measure, free, unread, elapsed }, run);
    for (const { message, code } of failed)
      problems.report({
        path: archive.directory,
        what: message,
        ...(code === "E_LOG_DENIED" && { denied: { team: "" } }),
      });
    const status =
      findings.length > 0
        ? ExitStatus.malformed
        : problems.status() || (failed.length > 0 || isUnread ? ExitStatus.ioError : ExitStatus.ok);
    const result = { seals: store.path, sealed, findings };
    const stdout = options["json"] === true ? jsonDocument(result) : asText(sealed, files.length, findings, store.path);
    return { status, stdout, stderr: problems.text(), findings: findings.length };
  } finally {
    store.close();
  }
}

function asText(sealed: readonly Sealed[], files: number, findings: readonly Finding[], path: string): string {
  const found = findings.map((one) => `${placeOf(one)}: ${one.what}`);
  const made = sealed.map(({ path: file, lines, size }) => `${file}: sealed ${plural(lines, "line")}, ${size} bytes`);
  const sum = `${sealed.length} of ${plural(files, "file")} sealed in ${path}${findings.length > 0 ? `: ${plural(findings.length, "finding")}` : ""}`;
  return [...found, ...made, sum].map((line) => `${escapeText(line)}\n`).join("");
}
