/** A set of small whole numbers, a bit each. */
export class Bits {
  private words = new Uint32Array(4);

  add(at: number): void {
    const word = at >>> 5;
    if (word >= this.words.length) {
      const wider = new Uint32Array(Math.max(word + 1, this.words.length * 2));
      wider.set(this.words);
      this.words = wider;
    }
    this.words[word] = (this.words[word] ?? 0) | (1 << (at & 31));
  }

  delete(at: number): void {
    const word = at >>> 5;
    if (word < this.words.length) this.words[word] = (this.words[word] ?? 0) & ~(1 << (at & 31));
  }

  has(at: number): boolean {
    return (((this.words[at >>> 5] ?? 0) >>> (at & 31)) & 1) === 1;
  }

  /** Adds what it holds to `words`, as far as these reach. */
  into(words: Uint32Array): void {
    const own = this.words;
    const length = Math.min(own.length, words.length);
    for (let word = 0; word < length; word += 1) words[word] = (words[word] ?? 0) | (own[word] ?? 0);
  }
}

/** Keeps in `words` what is in one of these sets, too. */
export const keepAnyOf = (words: Uint32Array, sets: readonly Bits[]): void => {
  const any = new Uint32Array(words.length);
  for (const set of sets) set.into(any);
  for (let word = 0; word < words.length; word += 1) words[word] = (words[word] ?? 0) & (any[word] ?? 0);
};

/** The numbers whose bits are set, in order. */
export function* numbersIn(words: Uint32Array): Generator<number> {
  for (let word = 0; word < words.length; word += 1) {
    for (let rest = words[word] ?? 0; rest !== 0; rest &= rest - 1) {
      yield word * 32 + (31 - Math.clz32(rest & -rest));
    }
  }
}
