import type { ParseArgsConfig } from "node:util";

/** What a command gives back; main alone writes it out. Text ends with a newline. */
export interface CommandResult {
  /** The process's exit status: one of units/exit-status.ts, or what a command that ran ended with. */
  readonly status: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface Arguments {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

/**
 * One command of the program, in a file of its own under src/commands. It never prints and never exits.
 * `Ports` is what it needs of the world; main builds it from src/system.
 */
export interface Command<Ports> {
  /** As typed after `nixgate`: `check`, `sessions list`. */
  readonly name: string;
  /** One line for the overview, at most 59 characters. It begins with a verb in the imperative. */
  readonly summary: string;
  /** Only nixgate's own programs call it: the overview and suggestions leave it out, `--help` does not. */
  readonly hidden?: true;
  /** What stands behind the name in the usage line: `[PATH…] [--json]`. */
  readonly usage: string;
  /** The rest of `--help`: what it does, its options, an example, exit statuses. */
  readonly help: string;
  readonly options: NonNullable<ParseArgsConfig["options"]>;
  run(args: Arguments, ports: Ports): CommandResult | Promise<CommandResult>;
}
