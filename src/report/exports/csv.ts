import { stringify } from "csv-stringify/sync";
import { type SessionUsage, sessionUsageOf } from "../../archive/sessions/session-usage.ts";
import type { WholeSession } from "../../archive/sessions/whole-sessions.ts";
import type { RecordOf } from "../../record/schema.ts";
import { escapeText } from "../../units/text.ts";
import { recordOf } from "./record-of.ts";

type Cell = string | number | undefined;
interface Row extends WholeSession {
  readonly first: RecordOf<"session.start"> | undefined;
  readonly usage: SessionUsage;
}

const COLUMNS: Readonly<Record<string, (row: Row) => Cell>> = {
  session: ({ summary }) => summary.session,
  team: ({ summary }) => summary.team,
  member: ({ summary }) => summary.member,
  host: ({ summary }) => summary.host,
  user: ({ first }) => first?.user,
  uid: ({ first }) => first?.uid,
  client_ip: ({ first }) => first?.client?.ip,
  client_port: ({ first }) => first?.client?.port,
  key_type: ({ first }) => first?.key?.type,
  key_fingerprint: ({ first }) => first?.key?.fingerprint,
  mode: ({ first }) => first?.mode,
  isolation: ({ first }) => first?.isolation,
  policy_sha256: ({ first }) => first?.policy?.sha256,
  start: ({ summary }) => summary.start,
  end: ({ summary }) => summary.end,
  wall_ms: ({ summary }) => summary.wall_ms,
  state: ({ summary }) => summary.state,
  causes: ({ summary }) => summary.causes.join(" "),
  limits_of: ({ summary }) => summary.limits_of?.join(" "),
  exit: ({ summary }) => summary.exit,
  commands: ({ summary }) => summary.commands,
  denied: ({ summary }) => summary.denied,
  reasons: ({ summary }) => summary.reasons.join(" "),
  summed_up: ({ summary }) => summary.summed_up,
  cpu_ms: ({ usage }) => usage.cpu_ms,
  cpu_throttled_ms: ({ usage }) => usage.cpu_throttled_ms,
  memory_peak_bytes: ({ usage }) => usage.memory_peak_bytes,
  memory_max_bytes: ({ usage }) => usage.memory?.limit,
  tasks_peak: ({ usage }) => usage.tasks_peak,
  oom_kills: ({ usage }) => usage.oom_kills,
  tasks_refused: ({ usage }) => usage.tasks_refused,
  io_read_bytes: ({ usage }) => usage.io_read_bytes,
  io_write_bytes: ({ usage }) => usage.io_write_bytes,
  leftovers: ({ usage }) => usage.leftovers,
  requests: ({ summary }) => summary.requests.map(escapeText).join("\n"),
};

/** A line feed between requests is kept, because RFC 4180 allows it inside quotes. */
const safe = (cell: Cell) => (typeof cell === "string" ? cell.split("\n").map(escapeText).join("\n") : cell);

/**
 * A row of RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV
 * injection): the client wrote the request, and another person opens the file.
 */
const row = (cells: readonly Cell[]): string =>
  stringify([cells.map(safe)], { record_delimiter: "windows", escape_formulas: true, quote_record_delimiter: true });

export const csvTitles = (): string => row(Object.keys(COLUMNS));

/** One row for a session, with CR and LF at its end. */
export function csvRow(session: WholeSession): string {
  const whole = { ...session, first: recordOf(session, "session.start"), usage: sessionUsageOf(session.records) };
  return row(Object.values(COLUMNS).map((cell) => cell(whole)));
}
