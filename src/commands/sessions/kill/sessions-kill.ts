import type { DayFile, FolderOwner } from "../../../archive/archive.ts";
import type { Command } from "../../../cli/command.ts";
import { textOption } from "../../../cli/options.ts";
import { UsageError } from "../../../cli/usage-error.ts";
import type { RecordOf, SessionRecord } from "../../../record/schema.ts";
import { isHostEvent } from "../../../record/vocabulary.ts";
import { durationInWords } from "../../../record/wording.ts";
import { NixgateError } from "../../../units/error.ts";
import { ExitStatus } from "../../../units/exit-status.ts";
import { escapeText } from "../../../units/text.ts";
import { FILES } from "../../shared/archive-options.ts";
import { jsonDocument } from "../../shared/json-document.ts";
import { oneId, openOne, recordsOf } from "../sessions-show.ts";
import { isNotAllowed, LOOK_AGAIN_MS } from "./end-sessions.ts";
import { KILL_WHICH, killMatching, selectsSessions } from "./kill-matching.ts";
import type { ServingProcess, SessionsKillPorts } from "./kill-ports.ts";

export const sessionsKill: Command<SessionsKillPorts> = {
  name: "sessions kill",
  summary: "end a session, or those of a team, member or key",
  usage: `[ID] [--team T] [--member M] [--key FINGERPRINT] [--yes] [--json] ${FILES.usage}`,
  help: `Ends a running session in good order. Its nixgate (by SIGTERM), or the supervisor, ends the command and all processes in its
scope (SIGTERM, after stop_timeout SIGKILL), and writes the records with the cause killed-by-admin. This command waits until
the session has ended.
ID is the session's id, or the first or last characters of it if only one session matches. TEAM/ID also names the team. Only
root and the session's own account may end it. Only a process of the account that owns the team's records is signalled.

Instead of ID, these options select running sessions. A session has to match all that are given. Without --yes the command
only shows the sessions that would end.

  --team T           the sessions of this team
  --member M         the sessions of members of this name
  --key FINGERPRINT  the sessions with this key: SHA256:…, as ssh-keygen -l prints it
  --yes              end them

A client can come back at once: take its key out of the policy first, or use \`nixgate lock\`, which also ends sessions.

  --json             one JSON document
${FILES.help}

Exit status: 0 when the sessions have ended, or without --yes; 64 for an id that is not on record, or a session that has ended already or
runs on another host; 69 if a session has not ended in time, or cannot be ended from here; 77 if this account may not end it, or if
the session is not found and this account may not read all records.
`,
  options: { ...FILES.options, ...KILL_WHICH, json: { type: "boolean" }, yes: { type: "boolean" } },
  async run({ positionals, options }, ports) {
    if (selectsSessions(options)) {
      const hint = "write either an id, or options that select sessions";
      if (positionals.length > 0)
        throw new UsageError("an id cannot be combined with --team, --member or --key", { hint });
      return killMatching(options, ports);
    }
    if (options["yes"] === true)
      throw new UsageError("--yes needs --team, --member or --key", { hint: "leave it out" });
    const part = oneId("sessions kill", positionals, "nixgate sessions list --running shows the ids");
    const { located, problems } = await openOne(part, options, ports);
    const { session, file } = located;
    const start = runningOf(session, recordsOf(located));
    const endTimeout = await ports.endTimeout(textOption(options, "config-dir"), start.team);
    const end = await endSession(start, file, endTimeout, ports);
    const words = `${session}: ended with ${end.cause}, status ${end.exit}, after ${durationInWords(end.wall_ms)}\n`;
    const stdout = options["json"] === true ? jsonDocument({ session, end }) : words;
    return { status: ExitStatus.ok, stdout, stderr: problems.text() };
  },
};

/** The start of a session that has not ended. */
function runningOf(session: string, records: readonly SessionRecord[]): RecordOf<"session.start"> {
  const end = records.find((record) => record.event === "session.end");
  if (end)
    throw new UsageError(`${session}: has ended at ${end.time}: ${end.cause}, status ${end.exit}`, {
      hint: "nixgate sessions list --running shows what runs",
    });
  if (records.some(({ event }) => isHostEvent(event)))
    throw new UsageError(`${session}: is a record of the host, not a session`, {
      hint: "nixgate sessions list --running shows what runs",
    });
  const start = records.find((record) => record.event === "session.start");
  if (!start)
    throw new UsageError(`${session}: its session.start is missing, so its process is not known`, {
      hint: "nixgate sessions verify names other damage",
    });
  return start;
}

async function endSession(
  start: RecordOf<"session.start">,
  file: DayFile,
  endTimeout: number,
  ports: SessionsKillPorts,
): Promise<RecordOf<"session.end">> {
  const whose = { team: file.team, uid: file.owner?.() };
  const serving = reach(start, whose, ports);
  try {
    signal(serving, start, whose);
    for (let waited = 0; serving.isThere() && waited < endTimeout; waited += LOOK_AGAIN_MS)
      await ports.sleep(LOOK_AGAIN_MS);
    const end = recordsOf({ file, session: start.session }).find((record) => record.event === "session.end");
    if (end) return end;
    if (!serving.isThere()) throw lost(start.session);
    throw new NixgateError(
      "E_SESSION_STILL_RUNS",
      ExitStatus.unavailable,
      `${start.session}: has not ended within ${durationInWords(endTimeout)}; process ${start.pid} still exists`,
      { hint: `see what it waits for: cat /proc/${start.pid}/stack, or run kill -KILL ${start.pid}` },
    );
  } finally {
    serving.close();
  }
}

function reach(start: RecordOf<"session.start">, whose: FolderOwner, ports: SessionsKillPorts): ServingProcess {
  const { session, host, user } = start;
  const serving = ports.serving(start, whose);
  if (serving === "elsewhere")
    throw new UsageError(`${session}: runs on ${escapeText(host)}, not on this host`, {
      hint: `run nixgate sessions kill on ${escapeText(host)}`,
    });
  if (serving === "gone") throw lost(session);
  if (serving === "foreign") throw foreign(start, whose);
  if (serving === "hidden") throw notAllowed(session, user);
  return serving;
}

function signal(serving: ServingProcess, { session, user }: RecordOf<"session.start">, whose: FolderOwner): void {
  try {
    serving.terminate(whose);
  } catch (error) {
    if (isNotAllowed(error)) throw notAllowed(session, user);
    throw error;
  }
}

const lost = (session: string) =>
  new UsageError(`${session}: is lost: it has no end on record, and its process has ended`, {
    hint: "nixgate recover ends its records",
  });

/** The owner of the records may have forged this one, to have another account's process ended. */
const foreign = ({ session, pid }: RecordOf<"session.start">, { team, uid }: FolderOwner) =>
  new UsageError(
    `${session}: process ${pid} does not belong to the owner of the records of ${escapeText(team)} (uid ${uid ?? "unknown"}): not signalled`,
    { hint: `the record may be forged: nixgate sessions verify; ps -o user,args -p ${pid}` },
  );

const notAllowed = (session: string, user: string) =>
  new NixgateError("E_SESSION_NOT_YOURS", ExitStatus.denied, `${session}: is a session of ${escapeText(user)}`, {
    hint: `run it as root or as ${escapeText(user)}`,
  });
