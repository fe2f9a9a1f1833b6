import type { Archive, ArchiveProblem, DayFile, IsAlive } from "../../archive/archive.ts";
import { findSessions, type Located, linesOf } from "../../archive/find.ts";
import { type Finding, placeOf } from "../../archive/finding.ts";
import { decodeIn } from "../../archive/misplaced.ts";
import { conclude, gather, take } from "../../archive/sessions/summary.ts";
import { verifyFile } from "../../archive/verify/verify.ts";
import type { Arguments, Command } from "../../cli/command.ts";
import { UsageError } from "../../cli/usage-error.ts";
import type { RawLine } from "../../record/decode.ts";
import { RecordError } from "../../record/error.ts";
import type { SessionRecord } from "../../record/schema.ts";
import { plural } from "../../record/wording.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";
import { openSource, SUMMARIES } from "../shared/archive-options.ts";
import { jsonDocument } from "../shared/json-document.ts";
import { problemList, type SessionsPorts, saidOf } from "./sessions-ports.ts";
import { allFields, story } from "./sessions-story.ts";

export const sessionsShow: Command<SessionsPorts> = {
  name: "sessions show",
  summary: "print the events of a session, with all its records",
  usage: `ID [--json] ${SUMMARIES.usage}`,
  help: `Prints the events of a session, with times relative to its start, then every recorded field.
ID is the session's id, or the first or last characters of it if only one session matches. TEAM/ID also names the team.

  --json             one JSON document
${SUMMARIES.help}

Exit status: 0; 64 for an id that is not on record, or matches several sessions; 65 if the session's records were
changed or are incomplete (the rest of them is printed); 77 if it is not found and this
account may not read all records; 74 if the records cannot be read.
`,
  options: { ...SUMMARIES.options, json: { type: "boolean" } },
  async run({ positionals, options }, ports) {
    const part = oneId("sessions show", positionals, "nixgate sessions list shows the ids");
    const { located, problems } = await openOne(part, options, ports);
    const seen = readSession(located, ports.liveness());
    const status = seen.findings.length > 0 ? ExitStatus.malformed : ExitStatus.ok;
    for (const finding of seen.findings) problems.report({ path: placeOf(finding), what: finding.what });
    const stdout = options["json"] === true ? jsonDocument(seen) : asText(seen, located.file.path);
    return { status, stdout, stderr: problems.text() };
  },
};

/**
 * The single word of a command.
 * @throws UsageError where there is none, or more than one
 */
export function oneId(command: string, [id, second]: Arguments["positionals"], hint: string): string {
  if (id === undefined || id === "" || second !== undefined) throw new UsageError(`${command} takes one id`, { hint });
  return id;
}

/**
 * Opens the archive that the options name, and finds the session in it.
 * @throws UsageError where no session or several match
 */
export async function openOne(id: string, options: Arguments["options"], ports: SessionsPorts) {
  const archive = await openSource(options, ports);
  const problems = problemList();
  return { located: findOne(archive, id, problems.report, ports), problems };
}

/**
 * The session that an id, its beginning or its end names.
 * @throws UsageError where no session or several match
 */
function findOne(
  archive: Archive,
  part: string,
  report: (problem: ArchiveProblem) => void,
  ports: Pick<SessionsPorts, "progress">,
): Located {
  const { files, problems } = archive.scan();
  const denied = problems.flatMap((problem) => (problem.denied ? [problem.path] : []));
  const found = findSessions(saidOf(files, ports), part, (file, error) => {
    if (!(error instanceof RecordError)) throw error;
    if (error.code === "E_LOG_DENIED") denied.push(file.path);
    else report({ path: file.path, what: error.message });
  });
  const [located] = found;
  if (located === undefined && denied[0] !== undefined) throw notReadable(part, denied);
  if (located === undefined || found.length > 1) throw notOne(part, found, archive.directory);
  return located;
}

/** The error where the session may be in records that this account may not read. */
function notReadable(part: string, [first, ...more]: readonly string[]): RecordError {
  const folders = `${escapeText(first ?? "")}${more.length > 0 ? ` and ${more.length} more` : ""}`;
  const message = `${escapeText(part)}: not among the records that this account may read: it may not read ${folders}`;
  return new RecordError("E_LOG_DENIED", message, {
    hint: "run it as root, or as an account that may read the records",
  });
}

/** The error where an id does not name exactly one session. */
function notOne(part: string, found: readonly Located[], directory: string): UsageError {
  const shown = escapeText(part);
  if (found.length === 0)
    return new UsageError(`${shown}: no such session on record below ${escapeText(directory)}`, {
      hint: "nixgate sessions list shows the ids",
    });
  const isOfSeveral = new Set(found.map(({ session }) => session)).size < found.length;
  const some = found
    .slice(0, 5)
    .map(({ session, file }) => escapeText(isOfSeveral ? `${file.team}/${session}` : session));
  return new UsageError(`${shown}: fits ${found.length} sessions: ${some.join(", ")}${found.length > 5 ? ", …" : ""}`, {
    hint: isOfSeveral ? "several teams have this id, and one may be forged: write TEAM/ID" : "write more of the id",
  });
}

interface Seen {
  readonly records: readonly SessionRecord[];
  readonly findings: readonly Finding[];
  readonly summary: ReturnType<typeof conclude> | undefined;
}

const decoded = (file: DayFile, lines: readonly RawLine[]) =>
  lines.map((line) => decodeIn(file, line)).flatMap((line): SessionRecord[] => (line.ok ? [line.record] : []));

/**
 * The readable records of a session.
 * @throws RecordError E_LOG_READ
 */
export const recordsOf = (located: Located): readonly SessionRecord[] => decoded(located.file, linesOf(located));

function readSession(located: Located, isAlive: IsAlive): Seen {
  const { file } = located;
  const own = linesOf(located);
  const records = decoded(file, own);
  const findings = [...verifyFile({ ...file, lines: () => own }, isAlive, { sessions: 0, records: 0, running: 0 })];
  const [first] = records;
  if (first === undefined) return { summary: undefined, records, findings };
  const known = gather(first);
  for (const record of records) take(known, record);
  return { summary: conclude(known, isAlive), records, findings };
}

function asText({ summary, records, findings }: Seen, path: string): string {
  if (summary === undefined) return "";
  const chain =
    findings.length === 0
      ? `chain: sound over ${plural(records.length, "record")} in ${escapeText(path)}`
      : `chain: ${plural(findings.length, "finding")} in ${escapeText(path)}`;
  return `${story(summary, records)}\n${chain}\n\n${allFields(records)}`;
}
