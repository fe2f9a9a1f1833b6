import { escapeText } from "../units/text.ts";
import type { Arguments } from "./command.ts";
import { UsageError } from "./usage-error.ts";

/** The text value of an option; undefined where the option was not given or takes no value. */
export function textOption(options: Arguments["options"], name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/**
 * Refuses positional words, for a command that takes only options.
 * @param hint what to write instead
 * @throws UsageError where there is a positional word
 */
export function optionsOnly(command: string, [word]: Arguments["positionals"], hint?: string): void {
  if (word === undefined) return;
  throw new UsageError(`${escapeText(word)}: ${command} takes options only`, hint === undefined ? {} : { hint });
}
