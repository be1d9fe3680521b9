import { loadavg } from 'node:os';

/** Middle value; of an even number the mean of the two in the middle. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The `q`-quantile (0…1), interpolated between neighbours. */
export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * q;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
};

/** Seconds a piece of work takes. */
export const secondsOf = async (work: () => Promise<void> | void): Promise<number> => {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
};

/**
 * Measures the sides in turn (A B A B …), so that what else the machine does meets them alike. Each side answers one figure per
 * round. A first round warms up and does not count.
 */
export const interleaved = async <Side extends string>(
  rounds: number,
  sides: Readonly<Record<Side, () => Promise<number>>>,
): Promise<Record<Side, number[]>> => {
  const names = Object.keys(sides) as Side[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Side, number[]>;
  for (let round = -1; round < rounds; round += 1) {
    for (const name of names) {
      collectGarbage();
      const figure = await sides[name]();
      if (round >= 0) figures[name].push(figure);
    }
  }
  return figures;
};

/** Median of the ratios of each round: neighbours in time are compared, never a fast minute with a slow one. */
export const medianRatio = (above: readonly number[], below: readonly number[]): number =>
  median(above.map((figure, round) => figure / (below[round] ?? Number.NaN)));

/** So that no side pays for what another left behind; without `--expose-gc` nothing happens. */
const collectGarbage = (): void => {
  globalThis.gc?.();
};

/** Load of the last minute, beside every figure: on a busy machine absolute figures say little. */
export const load = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100;
