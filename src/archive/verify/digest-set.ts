const WORDS = 4;

/**
 * A set of digests with one mark each, in about 24 bytes; a Set of texts would take five times as much. The first 128
 * bits identify a digest: two SHA-256 that agree in them take 2^64 tries to find. The set uses open addressing, with
 * the digest as its own hash.
 */
export class DigestSet {
  #capacity = 64;
  #size = 0;
  #marked = 0;
  #words = new Uint32Array(this.#capacity * WORDS);
  #state = new Uint8Array(this.#capacity);

  /** The number of digests that the set has room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** The number of digests without a mark. */
  get unmarked(): number {
    return this.#size - this.#marked;
  }

  /** @param digest SHA-256 as hex */
  add(digest: string): void {
    if (this.#size > this.#capacity * 0.8) this.#grow();
    ask(digest);
    const slot = this.#slot();
    if (this.#state[slot] === 0) this.#put(slot, THERE);
  }

  /** @returns whether the digest is in the set */
  mark(digest: string): boolean {
    const slot = this.#slotOf(digest);
    if (this.#state[slot] === 0) return false;
    if (this.#state[slot] !== MARKED) this.#marked += 1;
    this.#state[slot] = MARKED;
    return true;
  }

  has(digest: string): boolean {
    return this.#state[this.#slotOf(digest)] !== 0;
  }

  isMarked(digest: string): boolean {
    return this.#state[this.#slotOf(digest)] === MARKED;
  }

  /** The digests without a mark, in the form of `shortened`. */
  *withoutMark(): Generator<string> {
    for (const [slot, state] of this.#state.entries()) {
      if (state === THERE) yield [...this.#at(slot)].map((word) => word.toString(16).padStart(8, "0")).join("");
    }
  }

  #slotOf(digest: string): number {
    ask(digest);
    return this.#slot();
  }

  /** The slot of the current digest, or the free slot for it. */
  #slot(): number {
    let slot = (asked[0] as number) % this.#capacity;
    while (this.#state[slot] !== 0 && !this.#isAt(slot)) slot = (slot + 1) % this.#capacity;
    return slot;
  }

  #isAt(slot: number): boolean {
    for (let word = 0; word < WORDS; word += 1) if (this.#words[slot * WORDS + word] !== asked[word]) return false;
    return true;
  }

  #at(slot: number): Uint32Array {
    return this.#words.subarray(slot * WORDS, (slot + 1) * WORDS);
  }

  #put(slot: number, state: number): void {
    this.#words.set(asked, slot * WORDS);
    this.#state[slot] = state;
    this.#size += 1;
  }

  #grow(): void {
    const [words, states] = [this.#words, this.#state];
    this.#capacity = Math.ceil(this.#capacity * 1.5);
    this.#words = new Uint32Array(this.#capacity * WORDS);
    this.#state = new Uint8Array(this.#capacity);
    this.#size = 0;
    for (const [slot, state] of states.entries()) {
      if (state === 0) continue;
      asked.set(words.subarray(slot * WORDS, (slot + 1) * WORDS));
      this.#put(this.#slot(), state);
    }
  }
}

const [THERE, MARKED] = [1, 2];

/** The current digest. One array serves all calls, since there are millions of them. */
const asked = new Uint32Array(WORDS);
const ask = (digest: string): void => {
  for (let word = 0; word < WORDS; word += 1) asked[word] = Number.parseInt(digest.slice(word * 8, word * 8 + 8), 16);
};

/** The part of a digest that identifies it in the set. */
export const shortened = (digest: string): string => digest.slice(0, WORDS * 8);
