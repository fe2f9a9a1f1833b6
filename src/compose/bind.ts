import type { Command, CommandResult } from "../cli/command.ts";
import { parseArguments } from "../cli/parse-arguments.ts";

/**
 * A command and the function that builds its ports. It is loaded when it is called, so that a session does not load the
 * others.
 */
export type Entry = () => Promise<Bound>;
export type Entries = Readonly<Record<string, Entry>>;

interface Bound {
  readonly command: Command<never>;
  run(words: readonly string[]): Promise<CommandResult>;
}

export function bind<Ports>(command: Command<Ports>, ports: () => Ports | Promise<Ports>): Bound {
  return {
    command,
    run: async (words) => command.run(parseArguments(command, words), await ports()),
  };
}
