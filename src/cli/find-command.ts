import { didYouMean, nearest } from "../units/nearest.ts";
import { UsageError } from "./usage-error.ts";

/** Finds the entry with the longest name that the words begin with, and returns it with the remaining words. */
export function findCommand<Entry>(
  table: Readonly<Record<string, Entry>>,
  words: readonly string[],
): { readonly entry: Entry; readonly rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    if (words.length >= length && Object.hasOwn(table, name)) {
      return { entry: table[name] as Entry, rest: words.slice(length) };
    }
  }
  return undefined;
}

/** The first words of the names that have two: `sessions`, `render`. */
const familiesOf = (names: readonly string[]): readonly string[] => [
  ...new Set(names.flatMap((name) => (name.includes(" ") ? [name.slice(0, name.indexOf(" "))] : []))),
];

/** The family that the first word names, where no member follows: there are no more words, or an option follows. */
export function familyAlone(names: readonly string[], words: readonly string[]): string | undefined {
  const [first = "", second] = words;
  const isAlone = second === undefined || second.startsWith("-");
  return isAlone && familiesOf(names).includes(first) ? first : undefined;
}

/**
 * The error for words that name no command.
 * @param names the names that may be suggested
 */
export function unknownCommand(names: readonly string[], words: readonly string[]): UsageError {
  const [first = "", second = ""] = words;
  const families = familiesOf(names);
  const isMember = families.includes(first);
  const bySecond = second === "" ? undefined : nearest(`${first} ${second}`, names);
  const byFirst = isMember ? undefined : (nearest(first, [...names, ...families]) ?? memberOf(names, first));
  const meant = bySecond ?? byFirst;
  const typed = isMember ? `${first} ${second}` : first;
  return new UsageError(`there is no command "${typed}"${didYouMean(meant)}`, {
    hint: `see nixgate ${isMember ? `${first} ` : ""}--help`,
  });
}

/** The full name of a command of which only the second word was typed: `sessions list` for `list`. */
function memberOf(names: readonly string[], word: string): string | undefined {
  const members = names.filter((name) => name.includes(" "));
  const last = (name: string) => name.slice(name.indexOf(" ") + 1);
  const near = nearest(word, members.map(last));
  return members.find((name) => last(name) === near);
}
