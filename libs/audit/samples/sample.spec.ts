import { describe, expect, it } from '@jest/globals';
import { specFor } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import type { CommitmentShown } from './evidence.js';
import { evidenceFor } from './evidence.js';
import { coverageOf } from './sample-records.js';
import type { SampledItem, SampleEvent } from './sample.contract.js';
import type { DrawnSample } from './sample.js';
import { MOST_ITEMS, sampleDecider } from './sample.js';
import type { SampleOrder } from './sampling.js';
import { drawnFrom, itemsOf } from './sampling.js';

const spec = specFor(sampleDecider, { idempotent: ['DrawSample'] });
const given: typeof spec.given = (...events) => spec.given(...events);

const money = (amount: number, currency = 'USD'): Quantity => ({ measure: 'money', currency, amount: `${amount}.00` });
const item = (commitment: string, ...amounts: readonly Quantity[]): SampledItem => ({ commitment, amounts });
const auditor = { actor: { party: 'auditor:court', role: 'auditor' } };
const ORDER: SampleOrder = { of: 'commitments', method: 'random', size: 1, seed: 's', filter: {} };
const POPULATION = [item('c1', money(10)), item('c2', money(30), money(5, 'EUR')), item('c3')];
const sample = (more: Partial<DrawnSample> = {}): DrawnSample => ({
  ...ORDER,
  mandate: 'm1',
  population: POPULATION,
  draws: [{ drawn: [{ item: 1, hits: 1 }] }],
  ...more,
});
const drawn: SampleEvent = { type: 'SampleDrawn', data: { ...sample(), auditor: 'auditor:court' } };

describe('a sample', () => {
  it('is drawn by an auditor, and is never another one', () => {
    given().when({ type: 'DrawSample', sample: sample() }, auditor).then(drawn);
    given()
      .when({ type: 'DrawSample', sample: sample() }, { actor: { party: 'donor:japan', role: 'donor-desk' } })
      .refused('forbidden');
    given(drawn).when({ type: 'DrawSample', sample: sample() }, auditor).then();
    given(drawn)
      .when({ type: 'DrawSample', sample: sample({ seed: 't' }) }, auditor)
      .refused('already-drawn');
  });

  it('has something in it, and a population that is kept beside it', () => {
    given()
      .when({ type: 'DrawSample', sample: sample({ population: [], draws: [{ drawn: [] }] }) }, auditor)
      .refused('nothing-to-draw');
    const large = Array.from({ length: MOST_ITEMS + 1 }, (_, n) => item(`c${n}`));
    given()
      .when({ type: 'DrawSample', sample: sample({ population: large }) }, auditor)
      .refused('population-too-large');
  });

  it('says nothing of what a later version wrote', () => {
    const event = { type: 'SampleForgotten', data: {}, metadata: {} };
    expect(sampleDecider.evolve(sampleDecider.initial, event as never)).toBe(sampleDecider.initial);
  });

  it('is drawn by monetary units in each currency by itself', () => {
    const draws = drawnFrom({ ...ORDER, method: 'monetary-unit', size: 4 }, POPULATION);
    expect(draws.map(({ currency, interval }) => [currency, interval])).toEqual([
      ['EUR', '125'],
      ['USD', '1000'],
    ]);
    // 40 USD in intervals of 10: one unit falls on the first, three on the second; c3 has no money to be drawn by.
    expect(draws.map(({ drawn: items }) => items)).toEqual([
      [{ item: 1, hits: 4 }],
      [
        { item: 0, hits: 1 },
        { item: 1, hits: 3 },
      ],
    ]);
    expect(drawnFrom({ ...ORDER, size: 3 }, POPULATION)).toEqual([
      { drawn: [0, 1, 2].map((place) => ({ item: place, hits: 1 })) },
    ]);
  });

  it('says how much of its population it covers, currency by currency', () => {
    expect(coverageOf({ population: POPULATION, draws: [{ drawn: [{ item: 1, hits: 1 }] }] })).toEqual([
      {
        currency: 'USD',
        items: { population: 2, drawn: 1 },
        amount: { population: money(40), drawn: money(30), share: '0.7500' },
      },
      {
        currency: 'EUR',
        items: { population: 1, drawn: 1 },
        amount: { population: money(5, 'EUR'), drawn: money(5, 'EUR'), share: '1.0000' },
      },
    ]);
    // What was drawn for its euros covers no dollars.
    const euros = [{ currency: 'EUR', interval: '1', start: '1', drawn: [{ item: 1, hits: 1 }] }];
    expect(coverageOf({ population: POPULATION, draws: euros })[0]).toMatchObject({
      items: { drawn: 0 },
      amount: { drawn: money(0), share: '0.0000' },
    });
  });
});

const SHOWN: CommitmentShown = {
  ...{ id: 'c1', providers: ['donor:japan'], beneficiaries: ['state:VUT'], boundAt: '2026-03-01T10:00:00.000Z' },
  legs: [
    { leg: 1, drawn: money(10) },
    { leg: 2, drawn: { measure: 'seats', amount: '4' } },
  ],
  transfers: [
    { n: 1, from: 'donor:japan', to: 'agency:cavr', amount: money(6), date: '2026-03', leg: 1 },
    { n: 2, from: 'donor:japan', to: 'agency:cavr', amount: money(4), date: '2026-05-02' },
  ],
  receipts: [{ n: 1, transfer: 1 }],
  deliveries: [
    { n: 1, leg: 1, quantity: money(10), status: 'confirmed', evidence: [{ sha256: 'a' }] },
    {
      ...{ n: 2, leg: 2, quantity: { measure: 'seats', amount: '4' } as const, status: 'reported' },
      evidence: [{ sha256: 'b' }, { sha256: 'a' }],
    },
  ],
};

describe('what may be drawn of a commitment', () => {
  const items = (of: 'commitments' | 'transfers', filter: object = {}): readonly (number | string)[] =>
    itemsOf(SHOWN, of, filter).map(({ transfer, amounts }) => transfer ?? JSON.stringify(amounts));

  it('is its money, or each of its transfers', () => {
    expect(items('commitments')).toEqual([JSON.stringify([money(10)])]);
    expect(items('transfers')).toEqual([1, 2]);
  });

  it('is what the filter lets through: by its donor, its State, and the day it was bound or the transfer is of', () => {
    expect(items('commitments', { donor: 'donor:norway' })).toEqual([]);
    expect(items('commitments', { state: 'FJI' })).toEqual([]);
    expect(
      items('commitments', { donor: 'donor:japan', state: 'VUT', from: '2026-03-01', to: '2026-03-01' }),
    ).toHaveLength(1);
    expect(items('commitments', { from: '2026-03-02' })).toEqual([]);
    // A month counts from its last day.
    expect(items('transfers', { from: '2026-04-01' })).toEqual([2]);
    expect(items('transfers', { to: '2026-03-31' })).toEqual([1]);
    expect(items('transfers', { to: '2026-03-30' })).toEqual([]);
  });
});

describe('evidence of a drawn item', () => {
  const found = (shown: CommitmentShown, transfer?: number): readonly unknown[] =>
    evidenceFor(shown, transfer).map(({ kind, present, found: where }) => [kind, present, where]);

  it('is there where all that should be is', () => {
    expect(found(SHOWN)).toEqual([
      ['transfer', true, [1, 2]],
      ['receipt', false, [1]],
      ['delivery', true, [1, 2]],
      ['confirmation', false, [1]],
      ['paper', true, ['a', 'b']],
    ]);
    expect(found({ ...SHOWN, transfers: [], receipts: [], deliveries: [] })).toEqual([
      ['transfer', false, []],
      ['receipt', false, []],
      ['delivery', false, []],
      ['confirmation', false, []],
      ['paper', false, []],
    ]);
  });

  it('of a transfer for one leg is that of its leg', () => {
    expect(found(SHOWN, 1)).toEqual([
      ['receipt', true, [1]],
      ['delivery', true, [1]],
      ['confirmation', true, [1]],
      ['paper', true, ['a']],
    ]);
    expect(found({ ...SHOWN, documents: [{ sha256: 'c' }] }, 2)).toEqual([
      ['receipt', false, []],
      ['delivery', true, [1, 2]],
      ['confirmation', false, [1]],
      ['paper', true, ['a', 'b', 'c']],
    ]);
  });
});
