/** Words of `request` and `run` that stand for a path in the store; anything else in braces is an ordinary word. */
export const PLACEHOLDERS = ["{store-path}", "{derivation}", "{derivation^outputs}"] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** A word of the client's that stood where the policy has a placeholder. */
export interface Matched {
  readonly placeholder: Placeholder;
  readonly word: string;
}

/** Nix's base 32 has no e, o, t and u (nix32Chars of libutil). */
const HASH = "[0-9a-df-np-sv-z]{32}";
/** As checkName of Nix's libstore/path.cc has it: `.` and `..` alone, or in front of a dash, are no names. */
const STORE_PATH = new RegExp(`^/nix/store/${HASH}-(?!\\.\\.?(?:-|$))[0-9A-Za-z+._?=-]{1,211}$`);
/** What may follow a derivation: `^*`, or names of outputs (Nix 2.13 and newer). */
const OUTPUTS = /^(?:\*|[0-9A-Za-z+._?=-]+(?:,[0-9A-Za-z+._?=-]+)*)$/;

/** What each placeholder takes, for people. */
export const TAKES: Readonly<Record<Placeholder, string>> = {
  "{store-path}": "/nix/store/HASH-NAME",
  "{derivation}": "/nix/store/HASH-NAME.drv",
  "{derivation^outputs}": "/nix/store/HASH-NAME.drv, alone or with ^* or ^OUTPUT,OUTPUT behind it",
};

export const isPlaceholder = (word: string): word is Placeholder => (PLACEHOLDERS as readonly string[]).includes(word);

/** Whether a word of the client's is one that the placeholder takes. Such a word begins with `/nix/store/`, so it is no option. */
export function fits(placeholder: Placeholder, word: string): boolean {
  if (placeholder !== "{derivation^outputs}")
    return STORE_PATH.test(word) && (placeholder === "{store-path}" || word.endsWith(".drv"));
  const at = word.indexOf("^"); // none of a path's characters
  return at < 0
    ? fits("{derivation}", word)
    : fits("{derivation}", word.slice(0, at)) && OUTPUTS.test(word.slice(at + 1));
}

/** Holds the words of a request against those of a rule. @returns what its placeholders took, in order; undefined: other words */
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

/** Puts what was matched in place of the placeholders of `run`: the first of a kind takes the first word of that kind, and so on. */
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

/** Whether a rule of the first words takes every request that a rule of the second words would take. */
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
