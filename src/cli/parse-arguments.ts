import { parseArgs } from "node:util";
import type { Arguments, Command } from "./command.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Reads a command's own words.
 * @throws UsageError for an unknown option, a missing value, an option given twice that may be given once
 */
export function parseArguments(command: Command<never>, words: readonly string[]): Arguments {
  const details = { hint: `see nixgate ${command.name} --help` };
  try {
    const { values, positionals, tokens } = parseArgs({
      args: [...words],
      options: command.options,
      allowPositionals: true,
      strict: true,
      tokens: true,
    });
    const seen = new Set<string>();
    for (const token of tokens) {
      if (token.kind !== "option") continue;
      if (seen.has(token.name)) throw new UsageError(`${token.rawName} is given twice`, details);
      seen.add(token.name);
    }
    return { positionals, options: values as Arguments["options"] };
  } catch (error) {
    if (error instanceof UsageError || !isParseArgsError(error)) throw error;
    // its first sentence names the word at fault; the rest is about parseArgs itself
    const [sentence = ""] = error.message.split(/\. |\n/);
    throw new UsageError(sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, ""), details);
  }
}

function isParseArgsError(error: unknown): error is Error {
  return error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS");
}
