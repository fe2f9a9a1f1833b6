import { spawnSync } from "node:child_process";
import { escapeText } from "../../units/text.ts";
import { LOGGER } from "./journal.ts";

/** How long syslog may take with one line, in milliseconds. */
const SYSLOG_MS = 1000;

/** Tells syslog, which is journald where that runs, one line at error level. It never throws. */
export function tellSyslog(text: string, logger = LOGGER): void {
  const words = ["--priority", "auth.err", "--tag", "nixgate", "--", escapeText(text)];
  spawnSync(logger, words, { cwd: "/", env: {}, stdio: "ignore", timeout: SYSLOG_MS });
}
