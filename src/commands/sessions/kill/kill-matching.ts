import type { Arguments, CommandResult } from "../../../cli/command.ts";
import { textOption } from "../../../cli/options.ts";
import { UsageError } from "../../../cli/usage-error.ts";
import type { RecordOf } from "../../../record/schema.ts";
import { localTime, plural } from "../../../record/wording.ts";
import { ExitStatus } from "../../../units/exit-status.ts";
import { FINGERPRINT } from "../../../units/ssh-key.ts";
import { escapeText } from "../../../units/text.ts";
import { jsonDocument } from "../../shared/json-document.ts";
import { alignedTable } from "../../shared/table.ts";
import { endSessions, notEndedText, openRunning } from "./end-sessions.ts";
import type { SessionsKillPorts } from "./kill-ports.ts";

type Start = RecordOf<"session.start">;

/** The options that select the sessions to end. */
export const KILL_WHICH = { team: { type: "string" }, member: { type: "string" }, key: { type: "string" } } as const;

/** Whether the options select sessions. */
export const selectsSessions = (options: Arguments["options"]): boolean =>
  Object.keys(KILL_WHICH).some((name) => options[name] !== undefined);

/** Shows the running sessions that match all of the options; with --yes ends them. */
export async function killMatching(options: Arguments["options"], ports: SessionsKillPorts): Promise<CommandResult> {
  const key = textOption(options, "key");
  if (key !== undefined && !FINGERPRINT.test(key))
    throw new UsageError(`--key ${escapeText(key)}: not a whole fingerprint`, {
      hint: "write SHA256:…, as ssh-keygen -l prints it; nixgate sessions keys lists them",
    });
  const isJson = options["json"] === true;
  const { running, problems } = await openRunning(options, ports);
  if (options["yes"] !== true) {
    const found = [...running()].map(({ start }) => start);
    const status = problems.status();
    if (isJson) return { status, stdout: jsonDocument({ would_end: found.map(brief) }), stderr: problems.text() };
    const hint = found.length === 0 ? "" : ": add --yes to end them";
    const stdout = `${rows(found)}${plural(found.length, "session")} would end${hint}\n`;
    return { status, stdout, stderr: problems.text() };
  }
  const { ended, notEnded } = await endSessions(running(), options, ports);
  const failed = notEnded.some(({ isDenied }) => isDenied) ? ExitStatus.denied : ExitStatus.unavailable;
  const status = notEnded.length > 0 ? failed : problems.status();
  const stdout = isJson
    ? jsonDocument({
        ended: ended.map(brief),
        not_ended: notEnded.map(({ start, why }) => ({ ...brief(start), why })),
      })
    : `${rows(ended)}${plural(ended.length, "session")} ended\n`;
  return { status, stdout, stderr: problems.text() + notEndedText(notEnded) };
}

const brief = ({ session, team, member, key, time }: Start) => ({
  ...{ session, team, start: time },
  ...(member !== undefined && { member }),
  ...(key && { key: key.fingerprint }),
});

/** One row for each session; empty where there is none. */
function rows(sessions: readonly Start[]): string {
  if (sessions.length === 0) return "";
  const cells = sessions.map(({ session, team, member, key, time }) => [
    ...[session, team, member ?? "-"],
    ...[localTime(time), key?.fingerprint ?? "-"],
  ]);
  return alignedTable(["SESSION", "TEAM", "MEMBER", "START", "KEY"], cells);
}
