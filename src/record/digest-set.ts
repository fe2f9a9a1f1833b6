const WORDS = 4;

/**
 * A set of digests with one mark each, in 17 bytes an entry: an archive has millions, and a Set of texts would take ten
 * times as much. The first 128 bits stand for a digest; to make two SHA-256 agree in them takes 2^64 tries.
 */
export function digestSet() {
  let capacity = 1024;
  let size = 0;
  let words = new Uint32Array(capacity * WORDS);
  let state = new Uint8Array(capacity); // 0 free, 1 there, 2 marked

  /** The slot of a digest, or the free one where it would go. Open addressing: the digest is its own hash. */
  function slotOf(digest: readonly number[]): number {
    let slot = (digest[0] as number) % capacity;
    while (state[slot] !== 0 && digest.some((word, at) => words[slot * WORDS + at] !== word))
      slot = (slot + 1) % capacity;
    return slot;
  }
  function put(digest: readonly number[], how: number): void {
    const slot = slotOf(digest);
    if (state[slot] === 0) {
      words.set(digest, slot * WORDS);
      size += 1;
    }
    state[slot] = Math.max(state[slot] as number, how);
  }
  function grow(): void {
    const [oldWords, oldState] = [words, state];
    capacity = Math.ceil(capacity * 1.6);
    words = new Uint32Array(capacity * WORDS);
    state = new Uint8Array(capacity);
    size = 0;
    for (const [slot, how] of oldState.entries())
      if (how !== 0) put([...oldWords.subarray(slot * WORDS, (slot + 1) * WORDS)], how);
  }

  return {
    /** @param digest SHA-256 as hex */
    add(digest: string): void {
      if (size > capacity * 0.7) grow();
      put(wordsOf(digest), 1);
    },
    /** @returns whether it is there */
    mark(digest: string): boolean {
      const slot = slotOf(wordsOf(digest));
      if (state[slot] === 0) return false;
      state[slot] = 2;
      return true;
    },
    isMarked: (digest: string): boolean => state[slotOf(wordsOf(digest))] === 2,
  };
}
export type DigestSet = ReturnType<typeof digestSet>;

const wordsOf = (digest: string): readonly number[] =>
  Array.from({ length: WORDS }, (_, at) => Number.parseInt(digest.slice(at * 8, at * 8 + 8), 16));
