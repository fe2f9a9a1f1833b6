import type { Closing } from "../../../policy/closed.ts";
import { bytesInWords, durationInWords, plural } from "../../../record/wording.ts";
import { escapeText } from "../../../units/text.ts";
import { alignedTable } from "../../shared/table.ts";
import type { TopRow } from "./top-rows.ts";

export interface HostFigures {
  readonly load: readonly number[];
  readonly cpus: number;
  readonly memory_total_bytes: number;
  readonly memory_available_bytes?: number;
}

const TITLES = ["SESSION", "TEAM", "MEMBER", "AGE", "CPU", "MEMORY", "TASKS", "COMMAND"];
/** The number of characters shown of an id's end. It distinguishes sessions, and `sessions kill` accepts it. */
const ID_SHOWN = 12;

/** The lines of the page: host, closings, titles, then one for each session. Text from outside is escaped. */
export function topTable(host: HostFigures, rows: readonly TopRow[], closed: readonly Closing[]): readonly string[] {
  const cells = rows.map((row) => [
    row.session.slice(-ID_SHOWN),
    row.team,
    row.member ?? "-",
    durationInWords(row.age_ms),
    against(row.cpu_percent, row.cpu_quota_percent, (percent) => `${percent.toFixed(0)}%`),
    against(row.memory_bytes, row.memory_max_bytes, bytesInWords),
    against(row.tasks, row.tasks_max, String),
    row.command ?? "-",
  ]);
  return [
    hostLine(host, rows.length),
    closed.map(closedPart).join("  ·  "),
    ...alignedTable(TITLES, cells).trimEnd().split("\n"),
  ];
}

const closedPart = ({ team, text }: Closing) =>
  `closed to ${team === undefined ? "all teams" : `team ${escapeText(team)}`}${text === "" ? "" : `: ${text}`}`;

function against(figure: number | undefined, limit: number | undefined, print: (value: number) => string): string {
  if (figure === undefined) return "-";
  return limit === undefined ? print(figure) : `${print(figure)} / ${print(limit)}`;
}

function hostLine({ load, cpus, memory_total_bytes, memory_available_bytes }: HostFigures, count: number): string {
  const free =
    memory_available_bytes === undefined
      ? bytesInWords(memory_total_bytes)
      : `${bytesInWords(memory_available_bytes)} of ${bytesInWords(memory_total_bytes)} available`;
  const loads = load.map((value) => value.toFixed(2)).join(" ");
  return `${plural(count, "session")}  ·  load ${loads} on ${plural(cpus, "CPU")}  ·  memory ${free}`;
}
