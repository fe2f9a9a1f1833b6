import { type Finding, placeOf } from "../../../archive/finding.ts";
import {
  type Measure,
  type Sealed,
  type SealPorts as SealFilesPorts,
  sealFiles,
  sealWriter,
} from "../../../archive/verify/sealing.ts";
import type { Command } from "../../../cli/command.ts";
import { optionsOnly } from "../../../cli/options.ts";
import { plural } from "../../../record/wording.ts";
import { ExitStatus } from "../../../units/exit-status.ts";
import { escapeText } from "../../../units/text.ts";
import { FILES, openSource } from "../../shared/archive-options.ts";
import { jsonDocument } from "../../shared/json-document.ts";
import { problemList, type SessionsPorts } from "../sessions-ports.ts";
import { type OpenSeals, SEAL_HELP, SEAL_OPTIONS, saying, sealDirectoryOf } from "./seal-options.ts";

type FreePort = SealFilesPorts["free"];

export interface SealPorts extends SessionsPorts {
  readonly openSeals: OpenSeals;
  measuring(directory: string): Measure;
  /** Milliseconds of a clock that nobody sets. */
  elapsed(): number;
  breakLeases(directory: string, ...words: Parameters<FreePort>): Promise<void>;
  readonly machine: { readonly host: string; readonly boot: string };
}

export const sessionsSeal: Command<SealPorts> = {
  name: "sessions seal",
  summary: "seal the records with a key that only root reads",
  usage: `[--json] [--seal-dir DIR] ${FILES.usage}`,
  help: `Seals every record file that has grown since its last seal: its size, its number of lines and its SHA-256, under an
HMAC with a key that the first seal makes (seal.key, mode 0600). \`nixgate sessions verify\`, run by root, then finds
whatever is changed in what was sealed. A file may grow behind its seal. To be run by root from a timer: what an account
does to its own records between two runs is not found by seals. A file that cannot be read is said, and all others are
sealed; one that its owner holds a lease on (F_SETLEASE, fcntl(2)) is waited for, a minute at most. Files that it has no
time for, a minute of reading for each team and ten in all, are said as well, and the next run goes on with them.

  --json             one JSON document
${SEAL_HELP}

Each seal carries the one before it, so keep a copy of the last line of the seals elsewhere to have their end vouched for.
Exit status: 0; 65 where a file is not what was sealed (it is sealed as it is, and its earlier seals go on saying so); 73
where the key or the seals cannot be had; 77 where this account may not read a file; 74 where one cannot be read, or a seal cannot be written.
`,
  options: { ...SEAL_OPTIONS, json: { type: "boolean" } },
  async run({ positionals, options }, ports) {
    optionsOnly("sessions seal", positionals);
    const archive = await openSource(options, ports);
    const problems = problemList();
    const store = await ports.openSeals(sealDirectoryOf(options), archive.directory, { write: true });
    try {
      // The time is taken first: a file that a later scan does not find did not exist at that time either.
      const run = { time: new Date(ports.now()).toISOString(), ...ports.machine };
      const { files, problems: strange } = archive.scan();
      strange.forEach(problems.report);
      const writer = sealWriter(store);
      const measure = saying(ports.measuring(archive.directory), "sealing", ports);
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
      const stdout =
        options["json"] === true ? jsonDocument(result) : asText(sealed, files.length, findings, store.path);
      return { status, stdout, stderr: problems.text() };
    } finally {
      store.close();
    }
  },
};

function asText(sealed: readonly Sealed[], files: number, findings: readonly Finding[], path: string): string {
  const found = findings.map((one) => `${placeOf(one)}: ${one.what}`);
  const made = sealed.map(({ path: file, lines, size }) => `${file}: sealed ${plural(lines, "line")}, ${size} bytes`);
  const sum = `${sealed.length} of ${plural(files, "file")} sealed in ${path}${findings.length > 0 ? `: ${plural(findings.length, "finding")}` : ""}`;
  return [...found, ...made, sum].map((line) => `${escapeText(line)}\n`).join("");
}
