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

/** What one side did in one turn, in how much time, and with how much of this process's processors. */
export interface Turn {
  readonly done: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Measures work that answers how much it has done. */
export const turn = async (work: () => Promise<number> | number): Promise<Turn> => {
  const cpu = cpuClock();
  const begun = performance.now();
  const done = await work();
  return { done, seconds: (performance.now() - begun) / 1000, cpuSeconds: cpu() };
};

/** Seconds of processor that this process takes from now on. */
export const cpuClock = (): (() => number) => {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
};

/**
 * Measures the sides in turn (A B A B …), so that what else the machine does meets them alike. A first round warms up and does not
 * count, unless one round is all.
 */
export const interleaved = async <Side extends string>(
  rounds: number,
  sides: Readonly<Record<Side, () => Promise<Turn>>>,
): Promise<Record<Side, readonly Turn[]>> => {
  const names = Object.keys(sides) as Side[];
  const turns = Object.fromEntries(names.map((name) => [name, [] as Turn[]])) as Record<Side, Turn[]>;
  for (let round = rounds > 1 ? -1 : 0; round < rounds; round += 1) {
    for (const name of names) {
      collectGarbage();
      const taken = await sides[name]();
      if (round >= 0) turns[name].push(taken);
    }
  }
  return turns;
};

/** Median of what was done in a second. */
export const rateOf = (turns: readonly Turn[]): number => median(turns.map(({ done, seconds }) => done / seconds));

/**
 * Median of the ratios of rates, round by round: neighbours in time are compared, never a fast minute with a slow one.
 * By `cpuSeconds` it says what the work costs wherever other programs wait for the same processors.
 */
export const ratioOf = (
  above: readonly Turn[],
  below: readonly Turn[],
  by: 'seconds' | 'cpuSeconds' = 'seconds',
): number =>
  median(
    above.map((one, round) => {
      const other = below[round];
      return other === undefined ? Number.NaN : one.done / one[by] / (other.done / other[by]);
    }),
  );

/** So that no side pays for what another left behind; without `--expose-gc` nothing happens. */
const collectGarbage = (): void => {
  globalThis.gc?.();
};

/** Load of the last minute, beside every figure: on a busy machine absolute figures say little. */
export const load = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100;
