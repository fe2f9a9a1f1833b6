/** Words of `request` and `run` that stand for a path in the store. Any other word in braces is an ordinary word. */
export const PLACEHOLDERS = ["{store-path}", "{derivation}", "{derivation^outputs}"] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** A word of the request at the position of a placeholder in the policy. */
export interface Matched {
  readonly placeholder: Placeholder;
  readonly word: string;
}

/** Nix's base 32 has no e, o, t and u (nix32Chars of libutil). */
const HASH = "[0-9a-df-np-sv-z]{32}";
/** The same rule as checkName of Nix's libstore/path.cc: `.` and `..`, alone or before a dash, are not valid names. */
const STORE_PATH = new RegExp(`^/nix/store/${HASH}-(?!\\.\\.?(?:-|$))[0-9A-Za-z+._?=-]{1,211}$`);
/** The words after a derivation's `^`: `*`, or names of outputs (Nix 2.13 and newer). */
const OUTPUTS = /^(?:\*|[0-9A-Za-z+._?=-]+(?:,[0-9A-Za-z+._?=-]+)*)$/;

/** The form of each placeholder's values, for messages. */
export const TAKES: Readonly<Record<Placeholder, string>> = {
  "{store-path}": "/nix/store/HASH-NAME",
  "{derivation}": "/nix/store/HASH-NAME.drv",
  "{derivation^outputs}": "/nix/store/HASH-NAME.drv, alone or with ^* or ^OUTPUT,OUTPUT after it",
};

export const isPlaceholder = (word: string): word is Placeholder => (PLACEHOLDERS as readonly string[]).includes(word);

/**
 * Whether a placeholder accepts a word of the request. Such a word begins with `/nix/store/`, so it cannot be an
 * option.
 */
export function fits(placeholder: Placeholder, word: string): boolean {
  if (placeholder !== "{derivation^outputs}")
    return STORE_PATH.test(word) && (placeholder === "{store-path}" || word.endsWith(".drv"));
  const at = word.indexOf("^"); // a store path cannot have one
  return at < 0
    ? fits("{derivation}", word)
    : fits("{derivation}", word.slice(0, at)) && OUTPUTS.test(word.slice(at + 1));
}

/**
 * Compares the words of a request with those of a rule.
 * @returns the words that matched its placeholders, in order; undefined where the words differ
 */
export function matchWords(rule: readonly string[], words: readonly string[]): readonly Matched[] | undefined {
  if (rule.length !== words.length) return undefined;
  const matched: Matched[] = [];
  for (const [index, wanted] of rule.entries()) {
    const word = words[index] as string;
    if (!isPlaceholder(wanted)) {
      if (wanted !== word) return undefined;
    } else if (fits(wanted, word)) matched.push({ placeholder: wanted, word });
    else return undefined;
  }
  return matched;
}

/**
 * Replaces the placeholders of `run` with the matched words. The first placeholder of a kind takes the first word of
 * that kind, and so on.
 */
export function fillIn(
  run: readonly [string, ...string[]],
  matched: readonly Matched[],
): readonly [string, ...string[]] {
  const left = [...matched];
  const [program, ...rest] = run; // never a placeholder: see allow-rules.ts
  const fill = (word: string) => {
    if (!isPlaceholder(word)) return word;
    const at = left.findIndex(({ placeholder }) => placeholder === word);
    const [taken] = at < 0 ? [] : left.splice(at, 1);
    if (!taken) throw new TypeError(`${word} of run stands for nothing`);
    return taken.word;
  };
  return [program, ...rest.map(fill)];
}

/** Whether a rule with the first words matches every request that a rule with the second words matches. */
export function coversWords(one: readonly string[], other: readonly string[]): boolean {
  const covers = (wide: string, narrow: string) =>
    wide === narrow ||
    (isPlaceholder(wide) && (isPlaceholder(narrow) ? NARROWER[wide].includes(narrow) : fits(wide, narrow)));
  return one.length === other.length && one.every((word, index) => covers(word, other[index] as string));
}

const NARROWER: Readonly<Record<Placeholder, readonly Placeholder[]>> = {
  "{store-path}": ["{derivation}"],
  "{derivation}": [],
  "{derivation^outputs}": ["{derivation}"],
};
