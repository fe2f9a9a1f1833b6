/** The entry whose name the words begin with, the longest name first, and the words behind it. */
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
