import { existsSync } from "node:fs";
import { keysEntry } from "../../record/journal-entry.ts";
import { LOGGER, openJournal, SOCKET } from "../journal/journal.ts";
import { tellSyslog } from "../journal/syslog.ts";

/**
 * Writes to the journal, or to syslog where there is no journald, at error level. Without logger(1) of util-linux
 * nothing is written. It never throws, and waits at most 2 s for the journal.
 */
export async function tellLog(
  problems: readonly { readonly team: string; readonly text: string }[],
  { socket = SOCKET, logger = LOGGER } = {},
): Promise<void> {
  if (existsSync(socket)) {
    const journal = openJournal({ socket, logger });
    for (const { team, text } of problems) journal.send(keysEntry(team, text));
    await journal.flush();
    return;
  }
  for (const { team, text } of problems) tellSyslog(`authorized-keys: team ${team}: ${text}`, logger);
}
