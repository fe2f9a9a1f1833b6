import { escapeText } from "../units/text.ts";
import type { RecordOf, SessionRecord } from "./schema.ts";
import type { HostEvent, LimitOf } from "./vocabulary.ts";
import { whatRan } from "./what-ran.ts";
import { bytesInWords, durationInWords, plural } from "./wording.ts";

/** One record in plain words, escaped for a terminal: the journal's MESSAGE and a line of a session's story. */
export function sentence(record: SessionRecord): string {
  return escapeText(words(record));
}

function words(record: SessionRecord): string {
  switch (record.event) {
    case "session.start":
      return `session started: ${who(record)}`;
    case "session.refuse":
      return `session refused: ${record.message} (${record.reason})${byLock(record)}`;
    case "command.deny":
      return `request ${record.n} denied (${record.reason}): ${record.request}`;
    case "command.start":
      return `command ${record.n} started by rule ${record.rule}: ${whatRan(record)}`;
    case "command.end":
      return `command ${record.n} ended: ${ending(record)} after ${durationInWords(record.wall_ms)}${used(record)}`;
    case "session.end":
      return `session ended: ${record.cause}, status ${record.exit}, ${plural(record.commands, "command")}, ${record.denied} denied${byLock(record)}${summedUp(record)}${astray(record)}`;
    case "host.close":
      return `${closedPart(record)} closed by ${doer(record)}: ${record.message}`;
    case "host.open":
      return `${closedPart(record)} opened by ${doer(record)}`;
    case "lock.set":
      return `${record.kind} ${record.value} locked by ${doer(record)}${runsOut(record)}${because(record)}`;
    case "lock.lift":
      return `lock on ${record.kind} ${record.value} lifted by ${doer(record)}`;
  }
}

const summedUp = ({ summed_up }: RecordOf<"session.end">) =>
  summed_up === undefined ? "" : `; before it ${plural(summed_up, "refused session")} that were only counted`;

const astray = ({ strays = 0 }: RecordOf<"session.end">) =>
  strays === 0 ? "" : `; ${strays} of the account outside of its sessions ended`;

function who(start: RecordOf<"session.start">): string {
  const member = start.member === undefined ? "" : `, member ${start.member}`;
  const from = start.client === undefined ? "" : ` from ${start.client.ip} port ${start.client.port}`;
  return `team ${start.team}${member} as ${start.user}${from}`;
}

const because = ({ reason }: { readonly reason?: string | undefined }) => (reason === undefined ? "" : `: ${reason}`);
const runsOut = ({ until }: RecordOf<"lock.set">) => (until === undefined ? "" : ` until ${until}`);

function byLock({ lock }: RecordOf<"session.refuse" | "session.end">): string {
  if (lock === undefined) return "";
  return lock.kind === undefined ? `, locked${because(lock)}` : `, lock on ${lock.kind} ${lock.value}${because(lock)}`;
}

const closedPart = ({ for_team }: RecordOf<HostEvent>) => (for_team === undefined ? "host" : `team ${for_team}`);
const doer = ({ user, login }: RecordOf<HostEvent>) =>
  login === undefined ? user : `${login.user ?? `uid ${login.uid}`} as ${user}`;

const AT_LIMIT: Readonly<Record<LimitOf, string>> = {
  own: "at its own limit",
  team: "at the team's limit",
  ancestor: "at a limit above the team",
  host: "of the host",
};

/** `exit 0`, `oom (SIGKILL)`, `timeout (SIGTERM)`. */
function ending({ cause, exit_code, signal, message, status, limit_of }: RecordOf<"command.end">): string {
  if (message !== undefined) return `${cause} (${message})`;
  if (cause === "exit") return `exit ${exit_code ?? "unknown"}`;
  const what = limit_of === undefined ? cause : `${cause} ${AT_LIMIT[limit_of]}`;
  if (signal !== undefined) return `${what} (${signal})`;
  const counts = status === undefined ? "" : `, status ${status}`;
  return exit_code === undefined ? what : `${what} (exit ${exit_code}${counts})`;
}

const survivor = ({ pid, uid, name }: NonNullable<RecordOf<"command.end">["survivors"]>[number]) =>
  `${name ?? "unknown"} (pid ${pid}, uid ${uid ?? "unknown"})`;

function used({ usage, leftovers, survivors }: RecordOf<"command.end">): string {
  const parts = [
    usage.cpu_ms !== undefined && `CPU ${durationInWords(usage.cpu_ms)}`,
    usage.memory_peak_bytes !== undefined && `memory peak ${bytesInWords(usage.memory_peak_bytes)}`,
    usage.tasks_peak !== undefined && `tasks peak ${usage.tasks_peak}`,
    leftovers !== undefined && leftovers > 0 && `${leftovers} left over and ended`,
    survivors !== undefined && `could not be ended: ${survivors.map(survivor).join(", ")}`,
  ].filter((part) => part !== false);
  return parts.length === 0 ? "" : `; ${parts.join(", ")}`;
}
