import type { Command } from "./command.ts";

/** A synopsis is folded to this many columns. Only a single longer word exceeds it. */
const COLUMNS = 80;
/** The indent of the continuation lines of a long synopsis. */
const INDENT = " ".repeat("usage: ".length + 2);
/** One word of a synopsis. A bracketed group, which may hold further brackets, is one word. */
const WORD = /\[(?:[^[\]]|\[[^[\]]*\])*\]|\S+/g;

/** The page that `nixgate COMMAND --help` prints. */
export function commandHelp({ name, usage, summary, help }: Command<never>): string {
  return `${folded(`usage: nixgate ${name}`, usage)}\n\n${summary}\n\n${help.trim()}\n`;
}

/** The page that `nixgate --help` prints. */
export function overview(commands: readonly Command<never>[]): string {
  return [
    "usage: nixgate COMMAND [ARGUMENT…]",
    "",
    "sshd starts nixgate instead of a shell for the accounts and keys that may use a Nix builder.",
    "",
    "commands:",
    ...rowsOf(commands),
    "",
    "nixgate COMMAND --help tells more of each; nixgate --version prints the version.",
    "",
  ].join("\n");
}

/** The page that lists the commands of one family. */
export function familyHelp(family: string, commands: readonly Command<never>[]): string {
  const members = commands.filter(({ name }) => name.startsWith(`${family} `));
  return [
    `usage: nixgate ${family} COMMAND [ARGUMENT…]`,
    "",
    "commands:",
    ...rowsOf(members),
    "",
    `nixgate ${family} COMMAND --help tells more of each.`,
    "",
  ].join("\n");
}

function rowsOf(commands: readonly Command<never>[]): readonly string[] {
  const shown = commands.filter(({ hidden }) => !hidden);
  const width = Math.max(...shown.map(({ name }) => name.length));
  return shown.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
}

function folded(start: string, usage: string): string {
  const lines = [start];
  for (const [word] of usage.matchAll(WORD)) {
    const line = `${lines.at(-1)} ${word}`;
    if (line.length <= COLUMNS) lines[lines.length - 1] = line;
    else lines.push(`${INDENT}${word}`);
  }
  return lines.join("\n");
}
