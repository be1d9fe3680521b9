/** One donor's part of what a fund received, and, pro rata, of what it allocated. Minor units of the fund's currency. */
export interface Attributed {
  readonly donor: string;
  readonly received: bigint;
  /** Millionths; those of all donors sum to a million. */
  readonly share: bigint;
  readonly allocated: bigint;
}

/** Shares are told to six decimals. */
export const SHARE_SCALE = 6;

/**
 * Divides `whole` by these weights (none negative, one above zero): exact, the parts sum to the whole. Largest remainders first; of equal
 * ones the earlier.
 */
export const apportion = (whole: bigint, weights: readonly bigint[]): readonly bigint[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  const parts = weights.map((weight, index) => ({
    index,
    part: (whole * weight) / total,
    rest: (whole * weight) % total,
  }));
  let left = whole - parts.reduce((sum, { part }) => sum + part, 0n);
  const favoured = new Set<number>();
  for (const { index } of [...parts].sort((a, b) =>
    a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1,
  )) {
    if (left === 0n) break;
    favoured.add(index);
    left -= 1n;
  }
  return parts.map(({ index, part }) => (favoured.has(index) ? part + 1n : part));
};

/** What each donor's money stands for in what the fund allocated: a view by proportion, never a total of its own. */
export const attribute = (received: ReadonlyMap<string, bigint>, allocated: bigint): readonly Attributed[] => {
  const donors = [...received].filter(([, minor]) => minor > 0n).sort(([a], [b]) => (a < b ? -1 : 1));
  if (donors.length === 0) return [];
  const weights = donors.map(([, minor]) => minor);
  const shares = apportion(10n ** BigInt(SHARE_SCALE), weights);
  const parts = apportion(allocated, weights);
  return donors.map(([donor, minor], index) => ({
    donor,
    received: minor,
    share: shares[index] ?? 0n,
    allocated: parts[index] ?? 0n,
  }));
};
