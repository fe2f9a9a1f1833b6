/** The known word that was probably meant: it differs in case, in `-` for `_`, or in at most two letters. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 40) return undefined;
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_]/g, "");
  const ranked = known
    .map((candidate) => ({
      candidate,
      distance: plain(candidate) === plain(word) ? 0 : distance(plain(word), plain(candidate)),
    }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.min(2, word.length / 2) ? best.candidate : undefined;
}

/** The end of a sentence that suggests the nearest word; empty where there is none. */
export const didYouMean = (near: string | undefined, prefix = ""): string =>
  near === undefined ? "" : `; did you mean ${prefix}${near}?`;

/** Levenshtein distance: the number of letters to insert, remove or exchange. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}
