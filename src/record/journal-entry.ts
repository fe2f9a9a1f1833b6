import { escapeText } from "../units/text.ts";
import type { SessionRecord } from "./schema.ts";
import { sentence } from "./sentence.ts";
import { isHostEvent, type RecordEvent } from "./vocabulary.ts";

/** One fixed id for each event (journalctl MESSAGE_ID=…). The ids never change, and a new event gets a new one. */
export const MESSAGE_IDS = {
  "session.start": "82865cc85b5b4119a4cb670dd47fb8eb",
  "session.refuse": "51026192a6c9486f989eafdc04717cf2",
  "command.deny": "1763f2fabbe34e9d8f37d538c9d7ec88",
  "command.start": "f50243bcd7ee409fa7bb26f69fa54948",
  "command.end": "7687624bc97940d1a3cb327b150e3080",
  "session.end": "dfdee2b2a57f4deab23b9ce01155063f",
  "host.close": "9a0c1f6b8d2e4c57b3a14e0f7d6c2b95",
  "host.open": "c47e5d10a9b34f2e8f61d03b9e72a4d8",
  "lock.set": "5e0b7c34d19f4a6cb8e2f3a1907d64c2",
  "lock.lift": "e2a96f58c07b4d31951c8be43f0a7d16",
} as const satisfies Record<RecordEvent, string>;

/** The message id for a record that could not be written. */
export const FAILURE_ID = "3d0f4f0c1c3a4b6f9b7c2f6f0a5d9e41";

/** The message id for keys of a policy that cannot be read. */
export const KEYS_ID = "6b1d2c7e0f3a4958a4c1e6d09b57f3c8";

export type ScopeManager = "user" | "system";

/** syslog(3) priorities. */
const [ERROR, WARNING, NOTICE, INFO] = [3, 4, 5, 6];

function priority(record: SessionRecord): number {
  if (record.event === "session.refuse" || record.event === "command.deny") return WARNING;
  if ((record.event === "command.end" || record.event === "session.end") && record.cause !== "exit") return NOTICE;
  return isHostEvent(record.event) ? NOTICE : INFO;
}

/**
 * A record as journald's fields, one `NAME=value` a line, as logger(1) `--journald` takes them (util-linux 2.38: one
 * entry a process, an empty line ends it). No value can hold a newline: the sentence and the line are escaped.
 * @param line the record's line, with or without its LF
 * @param manager the systemd manager that makes the scopes of the record's writer
 */
export function journalEntry(record: SessionRecord, line: string, manager: ScopeManager = "user"): string {
  const fields = {
    MESSAGE: sentence(record),
    PRIORITY: priority(record),
    MESSAGE_ID: MESSAGE_IDS[record.event],
    SYSLOG_IDENTIFIER: "nixgate",
    NIXGATE_SESSION: record.session,
    NIXGATE_TEAM: record.team,
    NIXGATE_EVENT: record.event,
    NIXGATE_SEQ: record.seq,
    ...scopeOf(record, manager),
    NIXGATE_RECORD: line.trimEnd(),
  };
  return asLines(fields);
}

/**
 * The fields that link the entry to systemd's own messages about the command's scope. The manager's messages carry the
 * same two fields (systemd.journal-fields(7)), so `journalctl USER_INVOCATION_ID=…`, or INVOCATION_ID=, shows both.
 */
function scopeOf(record: SessionRecord, manager: ScopeManager): Readonly<Record<string, string>> {
  if (record.event !== "command.start" || record.unit === undefined) return {};
  const { unit, invocation } = record;
  return manager === "system"
    ? { UNIT: unit, ...(invocation !== undefined && { INVOCATION_ID: invocation }) }
    : { USER_UNIT: unit, ...(invocation !== undefined && { USER_INVOCATION_ID: invocation }) };
}

/** The entry for a failure of a session that no record of it tells. */
export function failureEntry(session: string, team: string, message: string): string {
  return asLines({
    MESSAGE: escapeText(message),
    PRIORITY: ERROR,
    MESSAGE_ID: FAILURE_ID,
    SYSLOG_IDENTIFIER: "nixgate",
    NIXGATE_SESSION: session,
    NIXGATE_TEAM: team,
  });
}

/**
 * The entry that says why sshd may refuse the keys of a team's members. sshd discards the messages of
 * AuthorizedKeysCommand.
 */
export function keysEntry(team: string, problem: string): string {
  return asLines({
    MESSAGE: escapeText(`authorized-keys: team ${team}: ${problem}`),
    PRIORITY: ERROR,
    MESSAGE_ID: KEYS_ID,
    SYSLOG_IDENTIFIER: "nixgate",
    NIXGATE_TEAM: escapeText(team),
  });
}

const asLines = (fields: Readonly<Record<string, string | number>>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
