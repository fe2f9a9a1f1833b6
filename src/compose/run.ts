import type { CommandResult } from "../cli/command.ts";
import { findCommand } from "../cli/find-command.ts";
import { commandHelp, overview } from "../cli/help.ts";
import { UsageError } from "../cli/usage-error.ts";
import { leave, write } from "../system/leave.ts";
import { NixgateError } from "../units/error.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { escapeText } from "../units/text.ts";
import type { Entries } from "./bind.ts";
import { VERSION } from "./places.ts";

/** Does what the command line says, by one of these commands, and ends this process. */
export function run(commands: Entries): void {
  process.on("uncaughtException", (error) => finish(resultOf(error)));
  obey(commands, process.argv.slice(2)).then(finish, (error: unknown) => finish(resultOf(error)));
}

async function obey(commands: Entries, words: readonly string[]): Promise<CommandResult> {
  const [first] = words;
  if (first === "--version") return { status: ExitStatus.ok, stdout: `nixgate ${VERSION}\n` };
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    const page = overview((await Promise.all(Object.values(commands).map((entry) => entry()))).map((it) => it.command));
    return first === undefined ? { status: ExitStatus.usage, stderr: page } : { status: ExitStatus.ok, stdout: page };
  }
  const found = findCommand(commands, words);
  if (!found) throw new UsageError(`there is no command "${first}"`, { hint: "see nixgate --help" });
  const bound = await found.entry();
  const own = found.rest.includes("--") ? found.rest.slice(0, found.rest.indexOf("--")) : found.rest;
  if (own.includes("--help") || own.includes("-h")) {
    return { status: ExitStatus.ok, stdout: commandHelp(bound.command) };
  }
  return bound.run(found.rest);
}

/** The one place that turns an error into words and a status. */
function resultOf(error: unknown): CommandResult {
  if (error instanceof NixgateError) {
    const hint = error.hint === undefined ? "" : `nixgate: ${escapeText(error.hint)}\n`;
    return { status: error.exitStatus, stderr: `nixgate: ${escapeText(error.message)}\n${hint}` };
  }
  const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { status: ExitStatus.bug, stderr: `nixgate: this is a bug in nixgate: ${escapeText(said)}\n` };
}

function finish(result: CommandResult): void {
  if (result.stderr !== undefined) write(2, result.stderr);
  if (result.stdout !== undefined) write(1, result.stdout);
  leave(result.status);
}
