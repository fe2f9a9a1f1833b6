import type { ParseArgsConfig } from "node:util";

/** The result of a command. Only main writes it out. Each text ends with a newline. */
export interface CommandResult {
  /** The exit status of this process: one of units/exit-status.ts, or the status of a command that was run. */
  readonly status: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface Arguments {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

/**
 * One command of the program. Each has a file of its own under src/commands. It never prints and never exits.
 * `Ports` is the part of the system that it needs; main builds it from src/system.
 */
export interface Command<Ports> {
  /** The name as typed after `nixgate`: `check`, `sessions list`. */
  readonly name: string;
  /** One line for the overview, at most 59 characters. It begins with a verb in the imperative. */
  readonly summary: string;
  /** Only nixgate's own programs call this command. The overview and suggestions omit it; `--help` works. */
  readonly hidden?: true;
  /** The arguments after the name in the usage line: `[PATH…] [--json]`. */
  readonly usage: string;
  /** The rest of `--help`: the description, the options, an example, the exit statuses. */
  readonly help: string;
  readonly options: NonNullable<ParseArgsConfig["options"]>;
  run(args: Arguments, ports: Ports): CommandResult | Promise<CommandResult>;
}
