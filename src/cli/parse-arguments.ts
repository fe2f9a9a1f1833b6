import { parseArgs } from "node:util";
import { didYouMean, nearest } from "../units/nearest.ts";
import { shellWord } from "../units/text.ts";
import type { Arguments, Command } from "./command.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Parses the words after a command's name.
 * @throws UsageError for an unknown option, a missing value, a superfluous value, a repeated option
 */
export function parseArguments({ name, options }: Command<never>, words: readonly string[]): Arguments {
  // Not strict: parseArgs would put the wrong word into error sentences of its own.
  const { positionals, tokens } = parseArgs({
    args: [...words],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string | boolean>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const problem = problemOf(token, options, given);
    if (problem !== undefined)
      throw new UsageError(problem, { hint: `${joined(token, options)}see nixgate ${name} --help` });
    given.set(token.name, token.value ?? true);
  }
  return { positionals, options: Object.fromEntries(given) };
}

interface Token {
  readonly name: string;
  /** The option as typed: `-o`, `--output`. */
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function problemOf(
  { name, rawName, value, inlineValue }: Token,
  options: Command<never>["options"],
  given: ReadonlyMap<string, unknown>,
): string | undefined {
  if (!Object.hasOwn(options, name)) {
    return `there is no option ${rawName}${didYouMean(nearest(name, Object.keys(options)), "--")}`;
  }
  if (given.has(name)) return `--${name} is given twice`;
  if (options[name]?.type === "boolean") return value === undefined ? undefined : `${rawName} takes no value`;
  // A word that looks like an option is no value, unless it is joined to the option: --team=-x
  const isMissing = value === undefined || looksLikeOption(value, inlineValue);
  return isMissing ? `${rawName} needs a value` : undefined;
}

const looksLikeOption = (value: string, inlineValue: boolean | undefined) =>
  !inlineValue && value.length > 1 && value.startsWith("-");

/**
 * The form for a value that begins with a dash: `--request --write` could mean one option with a value or two options.
 */
function joined({ name, value, inlineValue }: Token, options: Command<never>["options"]): string {
  const takesText = Object.hasOwn(options, name) && options[name]?.type === "string";
  if (!takesText || value === undefined || !looksLikeOption(value, inlineValue)) return "";
  return `write --${name}=${shellWord(value)} if ${value} is its value; `;
}
