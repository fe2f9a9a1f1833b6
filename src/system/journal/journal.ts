import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { journalEntry, type ScopeManager } from "../../record/journal-entry.ts";
import type { SessionRecord } from "../../record/schema.ts";
import { within } from "../kernel/clock.ts";

export const SOCKET = "/run/systemd/journal/socket";
export const LOGGER = "/usr/bin/logger";
export const WORDS = ["--journald", "--socket-errors=on"];
const FLUSH_MS = 2000;

export interface Journal {
  /** The reason why the journal gets no copies, as one line for the reader; undefined where it gets them. */
  readonly note: string | undefined;
  /** Sends a copy. Never throws and never waits. */
  copy(record: SessionRecord, line: string): void;
  /** Sends an entry that is no record: `NAME=value` lines. */
  send(entry: string): void;
  /**
   * Waits for all copies, at most 2 s.
   * @returns how many are known not to have arrived
   */
  flush(): Promise<number>;
}

/**
 * Sends copies of the records to journald. Node has no Unix datagram sockets, so util-linux's logger(1) sends them,
 * with one process a record (2.38 sends one entry and exits). Its environment is empty, its stdin is a pipe, and its
 * other streams are not the session's. Where there is no journald, no process is started.
 */
export function openJournal({
  socket = SOCKET,
  logger = LOGGER,
  manager = "user" as ScopeManager,
  deliver = byProcess(logger),
} = {}): Journal {
  const missing = [socket, logger].find((path) => !existsSync(path));
  if (missing !== undefined) {
    const note = `no copy of the records in the journal: ${missing} does not exist`;
    return { note, copy: () => undefined, send: () => undefined, flush: async () => 0 };
  }
  const pending = new Set<Promise<boolean>>();
  let lost = 0;
  const sendOff = (entry: string) => {
    const sent = deliver(entry);
    pending.add(sent);
    void sent.then((arrived) => {
      pending.delete(sent);
      if (!arrived) lost += 1;
    });
  };
  return {
    note: undefined,
    copy: (record, line) => sendOff(journalEntry(record, line, manager)),
    send: sendOff,
    async flush() {
      await within(FLUSH_MS, Promise.all(pending), undefined);
      return lost + pending.size;
    },
  };
}

/**
 * Sends an entry.
 * @returns whether it is known to have arrived
 */
export type Deliver = (entry: string) => Promise<boolean>;

export function byProcess(logger: string): Deliver {
  return (entry) =>
    new Promise((resolve) => {
      const child = spawn(logger, WORDS, { cwd: "/", env: {}, stdio: ["pipe", "ignore", "ignore"] });
      child.once("error", () => resolve(false));
      child.once("close", (status) => resolve(status === 0));
      child.stdin.once("error", () => undefined); // it ended early: its exit status reports that
      child.stdin.end(entry);
    });
}
