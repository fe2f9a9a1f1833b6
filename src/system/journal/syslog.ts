import { spawnSync } from "node:child_process";
import { escapeText } from "../../units/text.ts";
import { LOGGER } from "./journal.ts";

/** The timeout for one line, in milliseconds. */
const SYSLOG_MS = 1000;

/** Writes one line at error level to syslog, which is journald where that runs. It never throws. */
export function tellSyslog(text: string, logger = LOGGER): void {
  const words = ["--priority", "auth.err", "--tag", "nixgate", "--", escapeText(text)];
  spawnSync(logger, words, { cwd: "/", env: {}, stdio: "ignore", timeout: SYSLOG_MS });
}
