import type { DayFile } from "../../../archive/archive.ts";
import { findSessions } from "../../../archive/find.ts";
import type { Arguments } from "../../../cli/command.ts";
import { textOption } from "../../../cli/options.ts";
import type { RecordOf } from "../../../record/schema.ts";
import { escapeText } from "../../../units/text.ts";
import { openSummaries } from "../every-session.ts";
import { recordsOf } from "../sessions-show.ts";
import type { ServingProcess, SessionsKillPorts } from "./kill-ports.ts";

type Start = RecordOf<"session.start">;

/** A running session, by its records. */
export interface FoundSession {
  readonly start: Start;
  readonly file: DayFile;
}

/** A session that still runs. */
export interface NotEnded {
  readonly start: Start;
  /** Words that continue the session's id. */
  readonly why: string;
  /** This account may not end it. */
  readonly isDenied?: true;
  /** It was told to end, and has not ended in its time. */
  readonly isLate?: true;
}

/** A session that was told to end. */
interface Told {
  readonly start: Start;
  readonly process: ServingProcess;
  readonly endTimeout: number;
}

/** The interval at which the sessions' end is polled, in milliseconds. */
export const LOOK_AGAIN_MS = 50;

/**
 * Opens the archive that the options name. `running` yields the running sessions that match the options, one by one.
 * @throws UsageError for an invalid option
 */
export async function openRunning(options: Arguments["options"], ports: SessionsKillPorts) {
  const { files, matching, problems } = await openSummaries({ ...options, running: true }, ports);
  return {
    problems,
    *running(): Generator<FoundSession> {
      for (const { team, session } of [...matching(files)].map(({ team, session }) => ({ team, session }))) {
        const found = startOf(files, team, session);
        if (found) yield found;
      }
    },
  };
}

/** Ends sessions. All are told first, then all are waited for. A session that has ended meanwhile is in neither list. */
export async function endSessions(
  sessions: Iterable<FoundSession>,
  options: Arguments["options"],
  ports: SessionsKillPorts,
): Promise<{ readonly ended: readonly Start[]; readonly notEnded: readonly NotEnded[] }> {
  const told: Told[] = [];
  const notEnded: NotEnded[] = [];
  for (const session of sessions) {
    const outcome = await tell(session, options, ports);
    if (outcome && "why" in outcome) notEnded.push(outcome);
    else if (outcome) told.push(outcome);
  }
  const left = await waitFor(told, ports);
  for (const { process } of told) process.close();
  return {
    ended: told.filter((one) => !left.includes(one)).map(({ start }) => start),
    notEnded: [
      ...notEnded,
      ...left.map(({ start }) => ({ start, why: "has not ended in time", isLate: true as const })),
    ],
  };
}

function startOf(files: readonly DayFile[], team: string, session: string): FoundSession | undefined {
  const [located] = findSessions(files, `${team}/${session}`, () => undefined);
  if (located === undefined) return undefined;
  const start = recordsOf(located).find((record): record is Start => record.event === "session.start");
  return start && { start, file: located.file };
}

/** @returns why it could not be told; undefined where nothing of it runs any more */
async function tell(
  { start, file }: FoundSession,
  options: Arguments["options"],
  ports: SessionsKillPorts,
): Promise<Told | NotEnded | undefined> {
  const whose = { team: file.team, uid: file.owner?.() };
  const process = ports.serving(start, whose);
  if (process === "gone") return undefined; // it has ended meanwhile; of one that is lost nothing runs
  if (process === "elsewhere") return { start, why: `runs on ${start.host}: end it there` };
  if (process === "hidden") return { start, why: OF_ANOTHER, isDenied: true };
  if (process === "foreign") return { start, why: `its process ${start.pid} is not one that may be signalled` };
  try {
    process.terminate(whose);
  } catch (error) {
    process.close();
    if (!isNotAllowed(error)) throw error;
    return { start, why: OF_ANOTHER, isDenied: true };
  }
  const endTimeout = await ports.endTimeout(textOption(options, "config-dir"), file.team);
  return { start, process, endTimeout };
}

/** Whether this account may not signal a session, because it is another account's. */
export const isNotAllowed = (error: unknown): boolean =>
  /^E(?:PERM|ACCES)$/.test((error as NodeJS.ErrnoException).code ?? "");

/** One line for each session that was not ended. */
export const notEndedText = (sessions: readonly NotEnded[]): string =>
  sessions
    .map(({ start, why }) => `nixgate: ${escapeText(`${start.session} of team ${start.team}: ${why}`)}\n`)
    .join("");

const OF_ANOTHER = "is a session of another account: run it as root";

/** @returns the sessions that have not ended in their time */
async function waitFor(told: readonly Told[], ports: Pick<SessionsKillPorts, "sleep">): Promise<readonly Told[]> {
  let left = told;
  for (let waited = 0; ; waited += LOOK_AGAIN_MS) {
    left = left.filter(({ process }) => process.isThere());
    if (left.every(({ endTimeout }) => waited >= endTimeout)) return left;
    await ports.sleep(LOOK_AGAIN_MS);
  }
}
