import type { WholeSession } from "../../archive/sessions/whole-sessions.ts";
import { escapeJson } from "../../units/text.ts";

/** A format that writes sessions one after the other. */
export interface ExportFormat {
  /** The text before the first session, also where there is none. */
  readonly head: string;
  /** Whether the format can hold records without a session. */
  readonly hostRecords: boolean;
  /** The text of one session, with a line feed at its end. */
  session(session: WholeSession): string;
}

const jsonLines = (values: readonly object[]) =>
  values.map((value) => `${escapeJson(JSON.stringify(value))}\n`).join("");

/** Each format is loaded only when it is used. */
export const EXPORT_FORMATS = {
  /** The exact lines of the records, so that their chain still holds. */
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
