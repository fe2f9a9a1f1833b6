import type { WholeSession } from "../../archive/sessions/whole-sessions.ts";
import { escapeJson } from "../../units/text.ts";

/** How sessions are written out, one after the other. */
export interface ExportFormat {
  /** What stands in front of the first session, also where there is none. */
  readonly head: string;
  /** Whether records of no session have a place in it. */
  readonly hostRecords: boolean;
  /** All of a session, ended by a line feed. */
  session(session: WholeSession): string;
}

const jsonLines = (values: readonly object[]) =>
  values.map((value) => `${escapeJson(JSON.stringify(value))}\n`).join("");

/** Each is loaded when it is asked for. */
export const EXPORT_FORMATS = {
  /** The records' own lines, byte for byte as a writer of nixgate makes them, so that their chain still holds. */
  jsonl: async () => ({
    head: "",
    hostRecords: true,
    session: ({ lines }: WholeSession) => lines.map((line) => `${escapeJson(line)}\n`).join(""),
  }),
  csv: async () => {
    const { csvRow, csvTitles } = await import("./csv.ts");
    return { head: csvTitles(), hostRecords: false, session: csvRow };
  },
  ecs: async () => {
    const { ecsEvents } = await import("./ecs.ts");
    return { head: "", hostRecords: true, session: (session: WholeSession) => jsonLines(ecsEvents(session)) };
  },
  ocsf: async () => {
    const { ocsfEvents } = await import("./ocsf.ts");
    return { head: "", hostRecords: true, session: (session: WholeSession) => jsonLines(ocsfEvents(session)) };
  },
} as const satisfies Record<string, () => Promise<ExportFormat>>;
