import type { Archive, DayFile } from "../../src/archive/archive.ts";
import type { RawLine } from "../../src/record/decode.ts";

function* rawLines(text: string): Generator<RawLine> {
  for (const [index, line] of text.split("\n").entries())
    if (line !== "") yield { number: index + 1, bytes: Buffer.from(line), tooLong: false };
}

/** An archive made of texts: `team/day` → lines. */
export function archiveOf(texts: Readonly<Record<string, string>>): Archive {
  const files: DayFile[] = Object.entries(texts).map(([name, text]) => {
    const [team = "", day = ""] = name.split("/");
    return { path: `/log/${name}.jsonl`, team, day, lines: () => rawLines(text) };
  });
  files.sort((a, b) => (a.day < b.day ? 1 : a.day > b.day ? -1 : a.team < b.team ? -1 : 1));
  return { directory: "/log", scan: () => ({ files, problems: [] }) };
}
