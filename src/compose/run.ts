import type { CommandResult } from "../cli/command.ts";
import { familyAlone, findCommand, unknownCommand } from "../cli/find-command.ts";
import { commandHelp, familyHelp, overview } from "../cli/help.ts";
import { tellSyslog } from "../system/journal/syslog.ts";
import { exitProcess, write } from "../system/terminal/output.ts";
import { NixgateError } from "../units/error.ts";
import { exhausted } from "../units/exhausted.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { escapeText } from "../units/text.ts";
import type { Entries } from "./bind.ts";
import { VERSION } from "./paths.ts";

/** Runs the command that the command line names, and exits. */
export function runCommandLine(commands: Entries): void {
  process.on("uncaughtException", (error) => finish(resultOf(error)));
  obey(commands, process.argv.slice(2)).then(finish, (error: unknown) => finish(resultOf(error)));
}

async function obey(commands: Entries, words: readonly string[]): Promise<CommandResult> {
  const [first, ...others] = words;
  if (first === "--version") return { status: ExitStatus.ok, stdout: `nixgate ${VERSION}\n` };
  if (first === "help" && others.length > 0) return obey(commands, [...others, "--help"]);
  if (first === undefined || first === "--help" || first === "-h" || first === "help")
    return page(overview(await allOf(commands)), first !== undefined);
  const found = findCommand(commands, words);
  if (!found) {
    const family = familyAlone(Object.keys(commands), words);
    if (family !== undefined) return page(familyHelp(family, await allOf(commands)), asksForHelp(others));
    const shown = (await allOf(commands)).filter(({ hidden }) => !hidden);
    throw unknownCommand(
      shown.map(({ name }) => name),
      words,
    );
  }
  const bound = await found.entry();
  return asksForHelp(found.rest) ? page(commandHelp(bound.command), true) : bound.run(found.rest);
}

const allOf = async (commands: Entries) =>
  (await Promise.all(Object.values(commands).map((entry) => entry()))).map(({ command }) => command);

/** The words after `--` belong to the command. */
function asksForHelp(words: readonly string[]): boolean {
  const own = words.includes("--") ? words.slice(0, words.indexOf("--")) : words;
  return own.includes("--help") || own.includes("-h");
}

/** Requested help is a success. A list of commands in place of a missing command is a usage error. */
const page = (text: string, isAsked: boolean): CommandResult =>
  isAsked ? { status: ExitStatus.ok, stdout: text } : { status: ExitStatus.usage, stderr: text };

/** Only this function turns an error into a message and a status. */
function resultOf(error: unknown): CommandResult {
  if (error instanceof NixgateError) {
    const hint = error.hint === undefined ? "" : `nixgate: ${escapeText(error.hint)}\n`;
    return { status: error.exitStatus, stderr: `nixgate: ${escapeText(error.message)}\n${hint}` };
  }
  const lacking = exhausted(error);
  if (lacking !== undefined) return { status: ExitStatus.unavailable, stderr: `nixgate: ${lacking}\n` };
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  if (!FOR_CLIENTS.has(process.argv[2])) return { status: ExitStatus.bug, stderr: bug(stack) };
  // The client is told only whom to ask. The administrator gets the whole stack.
  tellSyslog(`a bug in nixgate: ${stack}`);
  return { status: ExitStatus.bug, stderr: bug(message) };
}

/** The commands whose stderr goes to a client. */
const FOR_CLIENTS: ReadonlySet<string | undefined> = new Set(["session", "read-request"]);

const bug = (said: string) => `nixgate: this is a bug in nixgate: ${escapeText(said)}\n`;

function finish(result: CommandResult): void {
  if (result.stderr !== undefined) write(2, result.stderr);
  if (result.stdout !== undefined) write(1, result.stdout);
  exitProcess(result.status);
}
