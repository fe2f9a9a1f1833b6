import type { Command } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import type { DayFile, IsAlive } from "../record/archive.ts";
import { RecordError } from "../record/error.ts";
import type { Finding } from "../record/finding.ts";
import { type FileCount, verifyFile } from "../record/verify.ts";
import { plural } from "../record/wording.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { escapeText } from "../units/text.ts";
import { jsonDocument } from "./json-document.ts";
import { openPlace, PLACE_HELP, PLACE_OPTIONS, problemList, type SessionsPorts } from "./sessions-ports.ts";

export const sessionsVerify: Command<SessionsPorts> = {
  name: "sessions verify",
  summary: "checks chain, order and completeness of all records",
  usage: "[--json] [--log-dir DIR | --config-dir DIR]",
  help: `Checks every record file: the chain of each session, its order, its beginning and end, and its place.
It finds bytes changed, records removed, moved or copied, lines forged without a chain, torn lines, and sessions
without an end that nobody serves any more. Sessions that are running are fine.

  --json             one JSON document
${PLACE_HELP}

It cannot find by the files alone what their owner rewrites as a whole: a session or a file removed entirely, or
forged with a correct chain.
Exit status: 0 where nothing was found; 65 where something was; 74 where a file cannot be read.
`,
  options: { ...PLACE_OPTIONS, json: { type: "boolean" } },
  async run({ positionals, options }, ports) {
    if (positionals[0] !== undefined)
      throw new UsageError(`${escapeText(positionals[0])}: sessions verify takes options only`);
    const archive = await openPlace(options, ports);
    const problems = problemList();
    const { files, problems: strange } = archive.scan();
    strange.forEach(problems.report);
    const count = { sessions: 0, records: 0, running: 0 };
    const findings: Finding[] = [];
    let unread = strange.some(({ what }) => what.startsWith("cannot be read")) ? 1 : 0;
    for (const file of files) {
      try {
        findings.push(...verified(file, ports.liveness(), count));
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        problems.report({ path: file.path, what: error.message });
        unread += 1;
      }
    }
    const status = findings.length > 0 ? ExitStatus.malformed : unread > 0 ? ExitStatus.ioError : ExitStatus.ok;
    const result = { files: files.length, ...count, findings };
    const stdout = options["json"] === true ? jsonDocument(result) : asText(result);
    return { status, stdout, stderr: problems.text() };
  },
};

/**
 * A session that ends between the look at its file and the look at its process seems cut off. Once the process is
 * gone everything it wrote is there, so what is still without an end at a second look has none.
 */
function verified(file: DayFile, isAlive: IsAlive, count: FileCount): Finding[] {
  const look = () => {
    const seen = { sessions: 0, records: 0, running: 0 };
    return { seen, findings: [...verifyFile(file, isAlive, seen)] };
  };
  const first = look();
  const unended = new Set(first.findings.filter(({ kind }) => kind === "unended").map(({ session }) => session));
  const last = unended.size === 0 ? first : look();
  count.sessions += last.seen.sessions;
  count.records += last.seen.records;
  count.running += last.seen.running;
  return last.findings.filter(({ kind, session }) => kind !== "unended" || unended.has(session));
}

function asText(result: FileCount & { files: number; findings: readonly Finding[] }): string {
  const lines = result.findings.map(({ path, line, session, what, since }) => {
    const whose = session === undefined ? "" : ` session ${session}:`;
    const sound = since === undefined ? "" : ` (sound until ${since})`;
    return `${escapeText(`${path}:${line}:${whose} ${what}${sound}`)}\n`;
  });
  const { files, records, sessions, running, findings } = result;
  const counted = [plural(records, "record"), plural(sessions, "session"), plural(files, "file")].join(", ");
  return `${lines.join("")}${counted}, ${running} running: ${findings.length === 0 ? "nothing found" : plural(findings.length, "finding")}\n`;
}
