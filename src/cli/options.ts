import { parseDuration } from "../units/durations.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { escapeText, hasControlCharacter } from "../units/text.ts";
import type { Arguments } from "./command.ts";
import { UsageError } from "./usage-error.ts";

/** The text value of an option; undefined where the option was not given or takes no value. */
export function textOption(options: Arguments["options"], name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/**
 * The words of an option, in one line and without blanks around them; "" where there are none.
 * @param most the number of characters that it may have
 * @throws UsageError
 */
export function lineOption(options: Arguments["options"], name: string, most: number): string {
  const text = textOption(options, name)?.trim() ?? "";
  if (text.length > most) throw new UsageError(`--${name}: longer than ${most} characters`);
  if (hasControlCharacter(text)) throw new UsageError(`--${name}: has a control character`, { hint: "write one line" });
  return text;
}

/**
 * The duration that an option has as its value; undefined where the option was not given.
 * @throws UsageError
 */
export function durationOption(options: Arguments["options"], name: string): Milliseconds | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  if (typeof duration === "object") throw new UsageError(`--${name}: ${duration.problem}`, { hint: duration.fix });
  return duration;
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
