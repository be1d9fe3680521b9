import { describe, expect, it } from '@jest/globals';
import type { Quantity } from '#vocabulary';
import { Cells, yearsOf } from './cells.js';

const PLACES = {
  kind: ['legal'],
  region: ['001', '009'],
  instrument: ['ATT', 'ITI'],
  network: ['none'],
  period: ['2027'],
};
const USD = (amount: string): Quantity => ({ measure: 'money', currency: 'USD', amount });

describe('the years of a period', () => {
  it('are those it touches, first and last included', () => {
    expect(yearsOf({ from: '2026-12-31', to: '2028-01-01' })).toEqual(['2026', '2027', '2028']);
    expect(yearsOf({ from: '0009-01-01', to: '0010-01-01' })).toEqual(['0009', '0010']);
  });

  it('are open-ended where it states none, and beside the year of the one bound it has', () => {
    expect(yearsOf()).toEqual(['open-ended']);
    expect(yearsOf({})).toEqual(['open-ended']);
    expect(yearsOf({ from: '2027-05-01' })).toEqual(['2027', 'open-ended']);
    expect(yearsOf({ to: '2029-05-01' })).toEqual(['2029', 'open-ended']);
  });

  it('are never so many that one record fills the answer', () => {
    expect(yearsOf({ from: '2001-01-01', to: '2050-12-31' })).toHaveLength(50);
    expect(yearsOf({ from: '2001-01-01', to: '2051-01-01' })).toEqual(['open-ended']);
    expect(yearsOf({ from: '0001-01-01', to: '9999-12-31' })).toEqual(['open-ended']);
  });
});

describe('cells', () => {
  const figures = { capacity: 100n, available: 40n };
  const made = (by: ConstructorParameters<typeof Cells>[0], quantities: readonly Quantity[]) => {
    const cells = new Cells<'capacity' | 'available'>(by, ['capacity', 'available'], ['capacity', 'available']);
    quantities.forEach((quantity, n) => {
      cells.add({ record: `r${n % 2}`, quantity, figures, places: PLACES });
    });
    return [...cells.all()];
  };

  it('hold a line once in each combination of its places, in the order asked', () => {
    expect(made(['instrument', 'region'], [USD('1.00')]).map(({ places }) => places)).toEqual([
      ['ATT', '001'],
      ['ATT', '009'],
      ['ITI', '001'],
      ['ITI', '009'],
    ]);
    expect(made([], [USD('1.00')])).toHaveLength(1);
    expect(made(['kind'], [])).toEqual([]);
  });

  it('never add what is unlike: other currencies, units, or unlimited and counted uses', () => {
    const found = made(
      ['kind'],
      [
        ...[USD('1.00'), USD('2.00'), { measure: 'money', currency: 'EUR', amount: '1.00' } as const],
        ...(['tonne', 'safe'] as const).map((unit) => ({ measure: 'items', unit, amount: '1' }) as const),
        ...(['2', 'unlimited'] as const).map((amount) => ({ measure: 'access', amount }) as const),
        { measure: 'undetermined', why: 'not-stated' },
      ],
    );
    expect(found.map(({ measure, currency, unit, lines }) => [measure, currency ?? unit, lines])).toEqual([
      ['access', undefined, 1],
      ['access', undefined, 1],
      ['items', 'safe', 1],
      ['items', 'tonne', 1],
      ['money', 'EUR', 1],
      ['money', 'USD', 2],
      ['undetermined', undefined, 1],
    ]);
    expect(found[0]?.figures?.capacity).toEqual({ measure: 'access', amount: '100' });
    expect(found[1]?.figures?.available).toEqual({ measure: 'access', amount: 'unlimited' });
    expect(found[5]).toMatchObject({
      figures: { capacity: USD('2.00'), available: USD('0.80') },
      records: ['r0', 'r1'],
    });
    expect(found[6]).not.toHaveProperty('figures');
  });
});
