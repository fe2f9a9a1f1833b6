import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { keysEntry } from "../record/journal-entry.ts";
import { escapeText } from "../units/text.ts";
import { LOGGER, openJournal, SOCKET } from "./journal.ts";

/** How long syslog may take with one line, in milliseconds. */
const SYSLOG_MS = 1000;

/**
 * Tells the journal, or syslog where there is no journald, at error level. Without logger(1) of util-linux nobody is told.
 * It never throws, and waits 2 s at the most for the journal.
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
  for (const { team, text } of problems) {
    const words = [
      "--priority",
      "auth.err",
      "--tag",
      "nixgate",
      "--",
      escapeText(`authorized-keys: team ${team}: ${text}`),
    ];
    spawnSync(logger, words, { cwd: "/", env: {}, stdio: "ignore", timeout: SYSLOG_MS });
  }
}
