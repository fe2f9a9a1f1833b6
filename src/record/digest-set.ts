const SHARDS = 256;
const WORDS = 4;

/**
 * A set of digests with one mark each, in 17 bytes a slot: an archive has millions, and a Set of texts would take ten
 * times as much. The first 128 bits stand for a digest; to make two SHA-256 agree in them takes 2^64 tries.
 */
export function digestSet() {
  // Each grows by itself, so that there are never two copies of all.
  const shards = Array.from({ length: SHARDS }, () => new Shard());
  const at = (digest: string): Shard => {
    for (let word = 0; word < WORDS; word += 1) asked[word] = Number.parseInt(digest.slice(word * 8, word * 8 + 8), 16);
    return shards[(asked[0] as number) % SHARDS] as Shard;
  };
  return {
    /** @param digest SHA-256 as hex */
    add: (digest: string): void => at(digest).add(),
    /** @returns whether it is there */
    mark: (digest: string): boolean => at(digest).mark(),
    isMarked: (digest: string): boolean => at(digest).isMarked(),
  };
}

/** The digest in question: one array for all, since millions are asked for. */
const asked = new Uint32Array(WORDS);

const [THERE, MARKED] = [1, 2];

/** Open addressing: a digest is its own hash. */
class Shard {
  #capacity = 64;
  #size = 0;
  #words = new Uint32Array(this.#capacity * WORDS);
  #state = new Uint8Array(this.#capacity);

  add(): void {
    if (this.#size > this.#capacity * 0.8) this.#grow();
    const slot = this.#slot();
    if (this.#state[slot] === 0) this.#put(slot, THERE);
  }

  mark(): boolean {
    const slot = this.#slot();
    if (this.#state[slot] === 0) return false;
    this.#state[slot] = MARKED;
    return true;
  }

  isMarked(): boolean {
    return this.#state[this.#slot()] === MARKED;
  }

  /** Where the digest is, or would go. */
  #slot(): number {
    let slot = (asked[1] as number) % this.#capacity;
    while (this.#state[slot] !== 0 && !this.#isAt(slot)) slot = (slot + 1) % this.#capacity;
    return slot;
  }

  #isAt(slot: number): boolean {
    for (let word = 0; word < WORDS; word += 1) if (this.#words[slot * WORDS + word] !== asked[word]) return false;
    return true;
  }

  #put(slot: number, state: number): void {
    this.#words.set(asked, slot * WORDS);
    this.#state[slot] = state;
    this.#size += 1;
  }

  #grow(): void {
    const [words, states] = [this.#words, this.#state];
    const adding = asked.slice();
    this.#capacity = Math.ceil(this.#capacity * 1.3);
    this.#words = new Uint32Array(this.#capacity * WORDS);
    this.#state = new Uint8Array(this.#capacity);
    this.#size = 0;
    for (const [slot, state] of states.entries()) {
      if (state === 0) continue;
      asked.set(words.subarray(slot * WORDS, (slot + 1) * WORDS));
      this.#put(this.#slot(), state);
    }
    asked.set(adding);
  }
}
