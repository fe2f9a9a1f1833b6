import { failureEntry, type ScopeManager } from "../../record/journal-entry.ts";
import type { Records } from "../../session/ports.ts";
import { openPatiently, openRecordFile } from "../archive/record-file.ts";
import { type Deliver, type Journal, openJournal } from "../journal/journal.ts";
import { refusals } from "./refusals.ts";

/**
 * Writes records to files and, where journald answers, to the journal.
 * @param manager the systemd that makes the sessions' scopes. With `system`, one process asks it for all sessions.
 * @param deliver how the copies reach the journal; by default each by its own process
 */
export function sessionRecords(manager: ScopeManager = "user", deliver?: Deliver): Records {
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
