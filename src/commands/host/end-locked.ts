import type { Arguments, CommandResult } from "../../cli/command.ts";
import { isOn } from "../../policy/locks.ts";
import { plural } from "../../record/wording.ts";
import { presenceOnRecord } from "../../session/locked.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { endSessions, type FoundSession, notEndedText, openRunning } from "../sessions/kill/end-sessions.ts";
import type { LockSubject } from "./lock-words.ts";
import type { LockingPorts } from "./locking-ports.ts";

/**
 * Ends the running sessions that a lock is on.
 *
 * A session that read the locks before this one was set is on record before it begins a command, and reads the locks
 * again then. So it is either found here, or finds the lock.
 */
export async function endLocked(
  subject: LockSubject,
  options: Arguments["options"],
  ports: LockingPorts,
): Promise<Required<CommandResult>> {
  const { running, problems } = await openRunning(options, ports);
  const { ended, notEnded } = await endSessions(lockedOf(subject, running()), options, ports);
  const isLate = notEnded.some(({ isLate }) => isLate);
  const status = isLate ? ExitStatus.unavailable : problems.status();
  const stderr = problems.text() + notEndedText(notEnded);
  return { status, stdout: `${plural(ended.length, "session")} ended\n`, stderr };
}

function* lockedOf(subject: LockSubject, sessions: Iterable<FoundSession>): Generator<FoundSession> {
  for (const session of sessions) if (isOn(subject, presenceOnRecord(session.start))) yield session;
}
