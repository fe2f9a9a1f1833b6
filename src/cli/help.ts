import type { Command } from "./command.ts";

/** The page that `nixgate COMMAND --help` prints. */
export function commandHelp(command: Command<never>): string {
  return `usage: nixgate ${command.name} ${command.usage}\n\n${command.summary}\n\n${command.help.trim()}\n`;
}

/** The page that `nixgate --help` prints. */
export function overview(commands: readonly Command<never>[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    "usage: nixgate COMMAND [ARGUMENT…]",
    "",
    "sshd starts nixgate instead of a shell for the accounts and keys that may use a Nix builder.",
    "",
    "commands:",
    ...rows,
    "",
    "nixgate COMMAND --help tells more of each; nixgate --version prints the version.",
    "",
  ].join("\n");
}
