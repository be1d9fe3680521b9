import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { drawAtRandom, drawByUnits, intervalFor } from './drawing.js';

const population = (...amounts: readonly number[]): readonly { readonly key: string; readonly amount: bigint }[] =>
  amounts.map((amount, index) => ({ key: String(index + 1).padStart(3, '0'), amount: BigInt(amount) }));
const drawnOf = (amounts: readonly number[], interval: number, start: number): readonly (readonly [number, number])[] =>
  drawByUnits(population(...amounts), { interval: BigInt(interval), start: BigInt(start) }).map(({ item, hits }) => [
    Number(item.key),
    hits,
  ]);

/**
 * Seen to fail with each of these planted: the unit before `start`; `<=` for `<` at the end of an item; the interval rounded up; items in
 * the order in which they stand; amounts below nothing laid end to end with the others.
 */
describe('a draw by monetary units', () => {
  it('is the one that textbooks work out', () => {
    // A voucher register of 6,124 (auditing exercise, systematic selection): interval 1,531, starting point 469.
    const vouchers = [300, 100, 56, 450, 333, 1511, 567, 2017, 368, 422];
    expect(vouchers.reduce((sum, amount) => sum + amount)).toBe(6124);
    expect(drawnOf(vouchers, 1531, 469)).toEqual([
      [4, 1],
      [6, 1],
      [8, 2],
    ]);
    // The manual of an audit tool (Arbutus, monetary unit sampling): interval 10, start 4, so the units 4, 14 and 24 of the first lines.
    expect(drawnOf([5, 3, 6, 2, 4, 1, 7], 10, 4)).toEqual([
      [1, 1],
      [3, 1],
      [7, 1],
    ]);
    // A class of 3,000 units in five invoices (lecture notes): six units, every 500th from the 250th.
    expect(drawnOf([357, 1281, 60, 573, 729], 500, 250)).toEqual([
      [1, 1],
      [2, 2],
      [4, 2],
      [5, 1],
    ]);
  });

  it('draws the first and the last unit of an item, and none of its neighbour’s', () => {
    expect(drawnOf([3, 3, 3], 3, 1)).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    expect(drawnOf([3, 3, 3], 9, 3)).toEqual([[1, 1]]);
    expect(drawnOf([3, 3, 3], 9, 4)).toEqual([[2, 1]]);
    expect(drawnOf([0, 5, 0], 5, 5)).toEqual([[2, 1]]);
    expect(drawnOf([5, -4, 5], 10, 10)).toEqual([[3, 1]]);
  });

  test('draws every item of an interval or more, and within one unit of what its size promises', () => {
    const amounts = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(amounts, fc.integer({ min: 1, max: 50 }), fc.string(), (values, size, seed) => {
        const items = population(...values);
        const total = items.reduce((sum, { amount }) => sum + amount, 0n);
        const interval = intervalFor(total, size, seed, 'USD');
        expect(interval.start >= 1n && interval.start <= interval.interval).toBe(true);
        const drawn = drawByUnits([...items].reverse(), interval);
        expect(drawn).toEqual(drawByUnits(items, interval));
        const hits = new Map(drawn.map(({ item, hits: times }) => [item.key, BigInt(times)]));
        let units = 0n;
        for (const { key, amount } of items) {
          const times = hits.get(key) ?? 0n;
          units += times;
          const least = amount / interval.interval;
          expect(times === least || times === least + 1n).toBe(true);
          if (amount === 0n) expect(times).toBe(0n);
        }
        const whole = total / interval.interval;
        expect(units === whole || units === whole + 1n).toBe(true);
        if (total >= BigInt(size)) expect(units >= BigInt(size)).toBe(true);
      }),
      { numRuns: 200, seed: 11 },
    );
  });
});

describe('a draw at random', () => {
  const items = population(...Array.from({ length: 40 }, () => 1));
  const keys = (size: number, seed: string, of = items): readonly string[] =>
    drawAtRandom(of, size, seed).map(({ item }) => item.key);

  it('is the same for a seed, whatever the order of the population, and another for another seed', () => {
    expect(keys(5, 'seed')).toEqual(keys(5, 'seed', [...items].reverse()));
    expect(keys(5, 'seed')).not.toEqual(keys(5, 'another'));
    expect(new Set(keys(5, 'seed')).size).toBe(5);
    expect(keys(50, 'seed')).toHaveLength(40);
    // What a larger draw under the same seed adds leaves the smaller one as it was.
    expect(keys(9, 'seed')).toEqual(expect.arrayContaining([...keys(5, 'seed')]));
  });

  it('can be drawn again with sha256sum: smallest hashes of seed, line feed and key', () => {
    // printf 'seed\n001' | sha256sum, and so on; the two smallest of three.
    expect(keys(2, 'seed', population(1, 1, 1))).toEqual(['001', '003']);
  });

  it('prefers no place: over many seeds every item is drawn about as often', () => {
    const times = new Map<string, number>();
    for (let seed = 0; seed < 500; seed += 1) {
      for (const key of keys(10, String(seed))) times.set(key, (times.get(key) ?? 0) + 1);
    }
    // 125 are expected of each, with a standard deviation of 10.
    expect([...times.values()].every((count) => Math.abs(count - 125) < 50)).toBe(true);
    expect(times.size).toBe(40);
  });
});
