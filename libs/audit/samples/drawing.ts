import { createHash } from 'node:crypto';

/** An item that may be drawn. `key` is unique within the population; `amount` is in minor units of one currency. */
export interface Drawable {
  readonly key: string;
  readonly amount: bigint;
}

/** An item that was drawn, and by how many monetary units; 1 at random. */
export interface Drawn<T extends Drawable> {
  readonly item: T;
  readonly hits: number;
}

/** What a draw by monetary units was made with. */
export interface Interval {
  readonly interval: bigint;
  /** The first unit that is drawn, from 1 to `interval`. */
  readonly start: bigint;
}

const hash = (...parts: readonly string[]): string => createHash('sha256').update(parts.join('\n')).digest('hex');

const byKey = <T extends Drawable>(a: T, b: T): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/**
 * `size` of the items, each as likely as any other: those with the smallest SHA-256 of seed, line feed and key, in the order of keys. Anyone
 * draws the same again with the seed and the list of keys, in whatever order they stand and with whatever tool hashes.
 */
export const drawAtRandom = <T extends Drawable>(
  items: readonly T[],
  size: number,
  seed: string,
): readonly Drawn<T>[] =>
  items
    .map((item) => ({ item, ticket: hash(seed, item.key) }))
    .sort((a, b) => (a.ticket < b.ticket ? -1 : 1))
    .slice(0, size)
    .map(({ item }) => ({ item, hits: 1 }))
    .sort((a, b) => byKey(a.item, b.item));

/**
 * The interval that draws about `size` monetary units of a total, and where the first is: the SHA-256 of seed, line feed and `label` (the
 * currency), as a number, modulo the interval, plus 1.
 */
export const intervalFor = (total: bigint, size: number, seed: string, label: string): Interval => {
  const wanted = BigInt(size);
  const interval = total < wanted ? 1n : total / wanted;
  return { interval, start: (BigInt(`0x${hash(seed, label)}`) % interval) + 1n };
};

/**
 * Fixed-interval selection by monetary units: the items, in the order of keys, are laid end to end, and the unit `start` of each interval is
 * drawn. An item is as likely to be drawn as it is large; one of an interval or more is drawn for certain, perhaps several times.
 * Items of nothing or less have no unit that could be drawn.
 */
export const drawByUnits = <T extends Drawable>(
  items: readonly T[],
  { interval, start }: Interval,
): readonly Drawn<T>[] => {
  const drawn: Drawn<T>[] = [];
  let before = 0n;
  for (const item of items.filter(({ amount }) => amount > 0n).sort(byKey)) {
    const upTo = (units: bigint): bigint => (units < start ? 0n : (units - start) / interval + 1n);
    const hits = upTo(before + item.amount) - upTo(before);
    before += item.amount;
    if (hits > 0n) drawn.push({ item, hits: Number(hits) });
  }
  return drawn;
};
