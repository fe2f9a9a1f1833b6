import { failureEntry, type ScopeManager } from "../../record/journal-entry.ts";
import type { Records, SessionPorts } from "../../session/ports.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import { openPatiently, openRecordFile } from "../archive/record-file.ts";
import { type Deliver, type Journal, openJournal } from "../journal/journal.ts";
import { clock } from "../kernel/clock.ts";
import { hostState } from "../kernel/host-state.ts";
import { newSessionId } from "../kernel/machine.ts";
import { problemWithProgram } from "../kernel/program-look.ts";
import { openRecovery } from "../lost/recovery.ts";
import { clientOf } from "./client.ts";
import { logRoom, refusals } from "./refusals.ts";
import { requestsFor } from "./requests.ts";
import { scopes } from "./scopes.ts";
import { takingSlots } from "./slots.ts";
import { countingStarts } from "./starts.ts";

/**
 * The ports of a session that has its own process.
 * @param clientGoneGrace the interval for detecting a lost client is derived from it
 */
export function sessionPorts(clientGoneGrace: Milliseconds): SessionPorts {
  const client = clientOf(process.ppid, clientGoneGrace);
  const admission = { takeSlot: takingSlots(), countStart: countingStarts(), hostState, logRoom };
  const requests = requestsFor(client.tell);
  const recovery = openRecovery();
  const programs = { problemWith: (path: string) => problemWithProgram(path) };
  return { clock, newSessionId, admission, requests, programs, scopes, client, records: recordsForJournal(), recovery };
}

/**
 * Writes records to files and, where journald answers, to the journal.
 * @param manager the systemd that makes the sessions' scopes. With `system`, one process asks it for all sessions.
 * @param deliver how the copies reach the journal; by default each by its own process
 */
export function recordsForJournal(manager: ScopeManager = "user", deliver?: Deliver): Records {
  let journal: Journal | undefined;
  const opened = () => {
    journal ??= openJournal({ manager, ...(deliver && { deliver }) });
    return journal;
  };
  return {
    open: manager === "system" ? openPatiently : openRecordFile,
    copyToJournal: (record, line) => opened().copy(record, line),
    tellJournal: (session, team, message) => opened().send(failureEntry(session, team, message)),
    flush: async () => (await journal?.flush()) ?? 0,
    refusals,
  };
}
