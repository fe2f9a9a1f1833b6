import { readFileSync } from "node:fs";

/** The rows of a Markdown table, found by the title of its first column; cells trimmed, titles left out. */
export function tableUnder(text: string, title: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => cellsOf(line)[0] === title);
  if (start < 0) throw new Error(`there is no table with the column "${title}"`);
  const rest = lines.slice(start + 2);
  const length = rest.findIndex((line) => !line.startsWith("|"));
  return rest.slice(0, length < 0 ? undefined : length).map(cellsOf);
}

/** What stands in `back quotes`, in order. */
export const quoted = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word as string);

/** The contents of the code blocks of a language. */
export const codeBlocks = (text: string, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, block]) => block as string);

/** The text of a page below docs/: `page("records")` is docs/records.md. */
export const page = (name: string): string => readFileSync(`docs/${name}.md`, "utf8");

/** The blocks of docs/getting-started.md for sshd, each by the first keyword that it gives. */
export const SSHD_BLOCKS: ReadonlyMap<string, string> = new Map(
  [...page("getting-started").matchAll(/^```\n((?:#.*\n)*Match User[\s\S]*?)^```$/gm)].map(([, block = ""]) => [
    /^ {2}(\w+)/m.exec(block)?.[1] ?? "",
    block,
  ]),
);

export function sshdBlock(keyword: string): string {
  const block = SSHD_BLOCKS.get(keyword);
  if (block === undefined) throw new Error(`docs/getting-started.md has no block for sshd that begins with ${keyword}`);
  return block;
}

function cellsOf(line: string): readonly string[] {
  return line.startsWith("|")
    ? line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim())
    : [];
}
