import { type Finding, placeOf } from "../../../archive/finding.ts";
import { fileOf, findingKey } from "../../../archive/verify/acknowledged.ts";
import type { SealBody } from "../../../archive/verify/seal.ts";
import { sealWriter } from "../../../archive/verify/sealing.ts";
import type { Command } from "../../../cli/command.ts";
import { lineOption, textOption } from "../../../cli/options.ts";
import { UsageError } from "../../../cli/usage-error.ts";
import type { RecordError } from "../../../record/error.ts";
import { isInCalendar } from "../../../units/day.ts";
import { ExitStatus } from "../../../units/exit-status.ts";
import { escapeText } from "../../../units/text.ts";
import { FILES, JOURNAL_OPTIONS, openFiles } from "../../shared/archive-options.ts";
import { jsonDocument } from "../../shared/json-document.ts";
import { problemList } from "../sessions-ports.ts";
import { SEAL_HELP, SEAL_OPTIONS, sealDirectoryOf } from "./seal-options.ts";
import { checkLayers, type VerifyPorts } from "./sessions-verify.ts";
import { planOf } from "./verify-plan.ts";
import { findingText } from "./verify-text.ts";

export interface AcknowledgePorts extends VerifyPorts {
  readonly machine: { readonly host: string; readonly boot: string };
  /** This process's account, and the account that had logged in. */
  doer(): NonNullable<SealBody["by"]>;
}

/** The longest explanation, in characters. */
const WHY_MAX = 500;
const NOTHING = { size: 0, lines: 0, sha256: "0".repeat(64) };

export const sessionsAcknowledge: Command<AcknowledgePorts> = {
  name: "sessions acknowledge",
  summary: "explain findings of verify, on record",
  usage: `WHAT --because TEXT [--journal DIR | --merge | --no-journal] [--json] [--seal-dir DIR] ${FILES.usage}`,
  help: `Runs the checks of \`nixgate sessions verify\` and marks the findings in a session, a file or a line as explained. For each a
seal records the account, the time and the reason. verify and prune then ignore the finding, as long as the file begins with
the same bytes: a later change is a new finding. \`verify --acknowledged\` lists explained findings. Run it as root. WHAT is
one of:

  SESSION            findings in this session
  FILE[:LINE]        findings in this file or line, as verify names them
  --all              all that verify finds now
  --clock-was-wrong DAY
                     the host's clock showed this day (YYYY-MM-DD, UTC) by mistake, for example because it has no clock
                     battery. Sessions may then be added to that day's files at any time, also after a prune. A seal made
                     on that day does not prove that another day is over. prune uses the last seal of such a file.
  --because TEXT     the reason, up to ${WHY_MAX} characters
  --json             one JSON document
${SEAL_HELP}

Exit status: 0; 64 for a wrong option, or if verify finds nothing there; 73 if the key or the seals cannot be opened; 74
if a file cannot be read, or a seal cannot be written.
`,
  options: {
    ...SEAL_OPTIONS,
    ...JOURNAL_OPTIONS,
    "no-journal": { type: "boolean" },
    all: { type: "boolean" },
    "clock-was-wrong": { type: "string" },
    because: { type: "string" },
    json: { type: "boolean" },
  },
  async run({ positionals, options }, ports) {
    const why = lineOption(options, "because", WHY_MAX);
    if (why === "") throw new UsageError("--because TEXT is missing", { hint: "write the reason" });
    const day = textOption(options, "clock-was-wrong");
    const all = options["all"] === true;
    const [what, second] = positionals;
    if (second !== undefined || [what, day, all || undefined].filter((one) => one !== undefined).length !== 1)
      throw new UsageError("one of SESSION, FILE[:LINE], --all and --clock-was-wrong DAY is needed", {
        hint: "nixgate sessions verify shows what there is to explain",
      });
    if (day !== undefined && !isDay(day))
      throw new UsageError(`--clock-was-wrong ${escapeText(day)}: no day`, { hint: "write YYYY-MM-DD" });
    const problems = problemList();
    const plan = planOf(options);
    const { archive, files } = await openFiles(plan.source, ports, problems.report);
    const report = ({ message }: RecordError, path = archive.directory) => problems.report({ path, what: message });
    const run = { time: new Date(ports.now()).toISOString(), ...ports.machine };
    const said = { by: ports.doer(), why };
    const found =
      day === undefined
        ? (await checkLayers({ archive, files }, plan, ports, report)).findings.filter(
            (one) => all || isMeant(one, what ?? ""),
          )
        : [];
    if (day === undefined && found.length === 0)
      throw new UsageError(`${escapeText(what ?? "--all")}: verify finds nothing there`, {
        hint: "nixgate sessions verify names sessions, files and lines",
      });
    const store = await ports.openSeals(sealDirectoryOf(options), archive.directory, { write: true });
    try {
      const writer = sealWriter(store);
      const measure = ports.createDigester(archive.directory);
      if (day !== undefined)
        writer.add({ kind: "acknowledge", ...run, team: "", day, ...NOTHING, clock: true, ...said });
      for (const [path, own] of Map.groupBy(found, (one) => one.path)) {
        const { team, day: of } = fileOf({ path });
        const now = team === "" ? NOTHING : measure({ path, team, day: of }, []);
        const { size, lines, sha256 } = now ?? NOTHING;
        const state = { size, lines, sha256, ...(now === undefined && { gone: true as const }) };
        writer.add({ kind: "acknowledge", ...run, team, day: of, ...state, findings: own.map(findingKey), ...said });
      }
    } finally {
      store.close();
    }
    const text =
      day === undefined
        ? found.map((one) => `acknowledged: ${findingText(one)}\n`)
        : [`acknowledged: the clock was wrong when it showed ${day}\n`];
    const stdout =
      options["json"] === true
        ? jsonDocument({ acknowledged: found, ...(day !== undefined && { clock_was_wrong: day }), ...said })
        : text.map((line) => `${escapeText(line.trimEnd())}\n`).join("");
    return { status: ExitStatus.ok, stdout, stderr: problems.text() };
  },
};

const isMeant = (finding: Finding, what: string) =>
  finding.session === what || finding.path === what || placeOf(finding) === what;

const isDay = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && isInCalendar(text);
