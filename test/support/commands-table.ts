import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "../../src/cli/command.ts";

type AnyCommand = Command<never>;

const isCommand = (value: unknown): value is AnyCommand =>
  typeof value === "object" && value !== null && "summary" in value && "usage" in value && "run" in value;

/** The names in the order of the overview. The modules cannot be imported: they need the build. They have one key a line. */
export const commandNames: readonly string[] = ["session", "serving", "host", "records"]
  .flatMap((name) => [
    ...readFileSync(`src/compose/${name}.ts`, "utf8").matchAll(/^ {2}"?([a-z][a-z -]*)"?: async \(\) =>/gm),
  ])
  .map(([, name]) => name as string);

/** Every command that a module below src/commands exports, in the order of the overview. */
export async function allCommands(): Promise<readonly AnyCommand[]> {
  const files = readdirSync("src/commands", { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  const modules = await Promise.all(files.map((name): Promise<object> => import(resolve("src/commands", name))));
  const place = ({ name }: AnyCommand) => commandNames.indexOf(name);
  return modules.flatMap((module) => Object.values(module).filter(isCommand)).sort((a, b) => place(a) - place(b));
}

const BEGIN = "<!-- commands: written by `node test/support/write-doc-tables.ts` -->\n";
const END = "<!-- end of commands -->";

/** What a command cannot do without: its synopsis without what stands in brackets. */
function neededWords(usage: string): string {
  let needed = usage;
  while (/\[[^[\]]*\]/.test(needed)) needed = needed.replaceAll(/\[[^[\]]*\]/g, "");
  return needed.trim().replaceAll(/ +/g, " ");
}

/** The rows of the table of commands: how each is called, and its summary. */
export async function commandRows(): Promise<readonly (readonly [string, string])[]> {
  return (await allCommands()).map(({ name, usage, summary }) => [
    `\`${`nixgate ${name} ${neededWords(usage)}`.trim()}\``,
    summary,
  ]);
}

/** A text with the table between its two marks. */
export async function withCommands(text: string): Promise<string> {
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || after < 0) throw new Error("the text has no marks for the table of commands");
  const rows = [["command", "what it does"], ["---", "---"], ...(await commandRows())];
  const table = rows.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
  return `${text.slice(0, before)}${BEGIN}\n${table}\n${text.slice(after)}`;
}
