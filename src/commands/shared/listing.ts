import type { Summary } from "../../archive/sessions/summary.ts";
import { bytesInWords, causeWords, durationInWords, localTime } from "../../record/wording.ts";
import { jsonDocument } from "./json-document.ts";
import { growingTable } from "./table.ts";

const TITLES = [
  "SESSION",
  "TEAM",
  "MEMBER",
  "START",
  "DURATION",
  "CPU",
  "MEMORY",
  "COMMANDS",
  "DENIED",
  "END",
  "CLIENT",
];

/** The number of rows that set the column widths before the first row is printed. */
const HELD_ROWS = 1000;

/** Prints sessions as they arrive: as rows of one table, or as elements of one JSON array. */
export function openListing(print: (text: string) => boolean, json: boolean) {
  let rowsAsText: ((sessions: readonly Summary[]) => string) | undefined;
  let count = 0;
  let held: Summary[] = [];
  const flush = (): boolean => {
    if (held.length === 0) return true;
    rowsAsText ??= tableFor(held);
    const text = json ? elements(held, count === 0) : rowsAsText(held);
    count += held.length;
    held = [];
    return print(text);
  };
  return {
    /** @returns false when nobody reads the output any more */
    add(sessions: readonly Summary[]): boolean {
      held = held.concat(sessions);
      return held.length < HELD_ROWS || flush();
    },
    /** @param isWhole whether all records could be read */
    end(isWhole = true): void {
      flush();
      if (json) print(count === 0 ? "[]\n" : "\n]\n");
      else if (count === 0) print(isWhole ? "no sessions match\n" : "no sessions that this account may read match\n");
    },
  };
}

/** The host's column is shown only where there are several hosts. */
function tableFor(first: readonly Summary[]) {
  const many = new Set(first.map(({ host }) => host)).size > 1;
  const more = growingTable(many ? [...TITLES, "HOST"] : TITLES);
  return (sessions: readonly Summary[]) => more(sessions.map((s) => (many ? [...row(s), s.host] : row(s))));
}

function elements(sessions: readonly Summary[], isFirst: boolean): string {
  const lines = jsonDocument(sessions).split("\n").slice(1, -2).join("\n");
  return (isFirst ? "[\n" : ",\n") + lines;
}

const row = (s: Summary): readonly string[] => [
  s.session,
  s.team,
  s.member ?? "-",
  localTime(s.start),
  s.wall_ms === undefined ? "-" : durationInWords(s.wall_ms),
  s.cpu_ms === undefined ? "-" : durationInWords(s.cpu_ms),
  s.memory_peak_bytes === undefined ? "-" : bytesInWords(s.memory_peak_bytes),
  String(s.commands),
  [...s.reasons, ...(s.summed_up === undefined ? [] : [`+${s.summed_up} sessions`])].join(",") || "-",
  s.state === "ended" ? `${causeWords(s).join(",") || "exit"} ${s.exit}` : s.state,
  s.client ?? "-",
];
