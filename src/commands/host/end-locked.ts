import type { DayFile } from "../../archive/archive.ts";
import { findSessions } from "../../archive/find.ts";
import type { Arguments, CommandResult } from "../../cli/command.ts";
import { isOn } from "../../policy/locks.ts";
import type { RecordOf } from "../../record/schema.ts";
import { plural } from "../../record/wording.ts";
import { presenceOnRecord } from "../../session/locked.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";
import { openSummaries } from "../sessions/every-session.ts";
import type { ServingProcess } from "../sessions/sessions-kill.ts";
import { recordsOf } from "../sessions/sessions-show.ts";
import type { LockSubject } from "./lock-words.ts";
import type { LockingPorts } from "./locking-ports.ts";

type Start = RecordOf<"session.start">;

/** A session that was told to end. */
interface Told {
  readonly start: Start;
  readonly process: ServingProcess;
  readonly endTimeout: number;
}

/** The interval at which the sessions' end is polled, in milliseconds. */
const LOOK_AGAIN_MS = 50;

/**
 * Ends the running sessions that a lock is on. All are told first, then all are waited for.
 *
 * A session that read the locks before this one was set is on record before it begins a command, and reads the locks
 * again then. So it is either found here, or finds the lock.
 */
export async function endLocked(
  subject: LockSubject,
  options: Arguments["options"],
  ports: LockingPorts,
): Promise<Required<CommandResult>> {
  const running = { ...options, running: true };
  const { files, matching, problems } = await openSummaries(running, ports);
  const told: Told[] = [];
  const said: string[] = [];
  for (const { team, session } of [...matching(files)].map(({ team, session }) => ({ team, session }))) {
    const found = startOf(files, team, session);
    if (found === undefined || !isOn(subject, presenceOnRecord(found.start))) continue;
    const outcome = await tell(found, options, ports);
    if (typeof outcome === "string") said.push(`${session} of team ${team}: ${outcome}\n`);
    else if (outcome) told.push(outcome);
  }
  const left = await waitFor(told, ports);
  for (const { start } of left) said.push(`${start.session} of team ${start.team}: has not ended in time\n`);
  for (const { process } of told) process.close();
  const status = left.length > 0 ? ExitStatus.unavailable : problems.status();
  const stdout = `${plural(told.length - left.length, "session")} ended\n`;
  return { status, stdout, stderr: problems.text() + said.map(escapeLine).join("") };
}

const escapeLine = (line: string) => `nixgate: ${escapeText(line.trimEnd())}\n`;

interface Found {
  readonly start: Start;
  readonly file: DayFile;
}

function startOf(files: readonly DayFile[], team: string, session: string): Found | undefined {
  const [located] = findSessions(files, `${team}/${session}`, () => undefined);
  if (located === undefined) return undefined;
  const start = recordsOf(located).find((record): record is Start => record.event === "session.start");
  return start && { start, file: located.file };
}

/** @returns why it could not be told; undefined where nothing of it runs any more */
async function tell(
  { start, file }: Found,
  options: Arguments["options"],
  ports: LockingPorts,
): Promise<Told | string | undefined> {
  const whose = { team: file.team, uid: file.owner?.() };
  const process = ports.serving(start, whose);
  if (process === "gone") return undefined; // it has ended meanwhile; of one that is lost nothing runs
  if (process === "elsewhere") return `runs on ${start.host}: lock it there, too`;
  if (typeof process === "string") return `its process ${start.pid} is not one that may be signalled`;
  process.terminate(whose);
  const directory = options["config-dir"];
  const endTimeout = await ports.endTimeout(typeof directory === "string" ? directory : undefined, file.team);
  return { start, process, endTimeout };
}

/** @returns the sessions that have not ended in their time */
async function waitFor(told: readonly Told[], ports: Pick<LockingPorts, "sleep">): Promise<readonly Told[]> {
  let left = told;
  for (let waited = 0; ; waited += LOOK_AGAIN_MS) {
    left = left.filter(({ process }) => process.isThere());
    if (left.every(({ endTimeout }) => waited >= endTimeout)) return left;
    await ports.sleep(LOOK_AGAIN_MS);
  }
}
