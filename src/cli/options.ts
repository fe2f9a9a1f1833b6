import { escapeText } from "../units/text.ts";
import type { Arguments } from "./command.ts";
import { UsageError } from "./usage-error.ts";

/** The text that an option was given; undefined where it was not given, or takes none. */
export function textOption(options: Arguments["options"], name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/**
 * For a command that takes no words beside its options.
 * @param hint what to write instead
 * @throws UsageError where there is a word
 */
export function optionsOnly(command: string, [word]: Arguments["positionals"], hint?: string): void {
  if (word === undefined) return;
  throw new UsageError(`${escapeText(word)}: ${command} takes options only`, hint === undefined ? {} : { hint });
}
