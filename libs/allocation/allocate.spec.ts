import { answered, floor, need, offer, problem, solved } from './allocation.fixture.js';
import { checkCertificate } from './certificate-check.js';
import type { Problem } from './index.js';

const quantities = (answer: Awaited<ReturnType<typeof answered>>): string[] =>
  answer.pairs.map(({ needId, offerId, quantity }) => `${needId}<${offerId}:${quantity}`).sort();

describe('max-value', () => {
  it('gives an offer to the lines where it counts most', async () => {
    const answer = await answered(
      problem({
        needs: [need('a'), need('b', { weight: 2 }), need('c', { outstanding: 50n })],
        offers: [offer('x', { available: 120n })],
      }),
    );
    // c counts 1/50 a unit, b 2/100, a 1/100.
    expect(quantities(answer)).toEqual(['b<x:70', 'c<x:50']);
    expect(answer.value).toBe('2.4');
    expect(checkCertificate(answer.certificate.join(''))).toMatchObject({ ok: true, doubts: [] });
  });

  it('says what binds a line that stays unmet, and what one more unit would add', async () => {
    const answer = await answered(
      problem({
        needs: [need('a'), need('b', { measure: 'seats', outstanding: 2n })],
        offers: [offer('x', { available: 40n })],
      }),
    );
    expect(answer.unmet).toEqual([
      {
        needId: 'b',
        needLine: 1,
        measure: 'seats',
        quantity: 2n,
        binds: [{ code: 'no-offer', offers: 0, because: 'no offer is admitted' }],
        because: 'no offer is admitted',
      },
      {
        needId: 'a',
        needLine: 1,
        measure: 'money:USD',
        quantity: 60n,
        binds: [{ code: 'offer-used-up', offers: 1, because: '1 offer line that fits: used up' }],
        because: '1 offer line that fits: used up',
      },
    ]);
    expect(answer.prices).toMatchObject([{ offerId: 'x', low: '1', high: '1', basis: 'range' }]);
  });

  it('never draws less than a smallest lot, nor from two where one provider is asked', async () => {
    const answer = await answered(
      problem({
        needs: [need('a', { singleSource: true }), need('b', { outstanding: 30n })],
        offers: [offer('x', { available: 60n, minimumLot: 40n }), offer('y', { available: 70n })],
      }),
    );
    // 70 of y for a would leave b with nothing: x gives 40 or more at a time.
    expect(quantities(answer)).toEqual(['a<x:60', 'b<y:30']);
    expect(checkCertificate(answer.certificate.join(''))).toMatchObject({ ok: true, doubts: [] });
  });
});

describe('max-min', () => {
  it('gives every line the same share before it looks at value', async () => {
    const answer = await answered(
      problem({
        objective: 'max-min',
        needs: [need('a', { weight: 100 }), need('b', { outstanding: 300n })],
        offers: [offer('x', { available: 200n })],
      }),
    );
    expect(quantities(answer)).toEqual(['a<x:50', 'b<x:150']);
    expect(answer.fairness.equalShares).toMatchObject([{ possible: '0.5', reached: '0.5' }]);
    expect(checkCertificate(answer.certificate.join(''))).toMatchObject({ ok: true, doubts: [] });
  });
});

describe('floors', () => {
  it('that cannot be kept together come back in words', async () => {
    const outcome = await solved(
      problem({
        needs: [need('a'), need('b', { states: ['FJI'] }), need('c', { states: ['PNG'] })],
        offers: [offer('x', { available: 120n })],
        floors: [floor('VUT', '0.7'), floor('FJI', '0.6'), floor('PNG', '0.01')],
      }),
    );
    expect(outcome).toMatchObject({
      status: 'infeasible',
      conflicts: [
        [
          { kind: 'floor', of: 'VUT', quantity: 70n },
          { kind: 'floor', of: 'FJI', quantity: 60n },
        ],
      ],
    });
  });
});

describe('what a problem cannot be solved for is said of its line', () => {
  it.each<[string, Partial<Problem>, string]>([
    [
      'a figure too great',
      { needs: [need('a', { outstanding: 10n ** 19n })] },
      'need a line 1: outstanding must be at most 1000000000000000000 minor units, it is 10000000000000000000',
    ],
    [
      'a figure below 0',
      { offers: [offer('x', { available: -1n })] },
      'offer x line 1: available must not be below 0, it is -1',
    ],
    [
      'a weight that is no number',
      { needs: [need('a', { weight: Number.NaN })] },
      'need a line 1: weight must be a number from 0.000001 to 1000000, it is NaN',
    ],
    [
      'a weight without end',
      { needs: [need('a', { weight: Infinity })] },
      'need a line 1: weight must be a number from 0.000001 to 1000000, it is Infinity',
    ],
    [
      'a score without end',
      { arcs: [{ need: 0, offer: 0, score: Infinity, because: '' }] },
      'the pair of need a line 1 and offer x line 1: score must be a number from 0 to 1, it is Infinity',
    ],
    [
      'unlike measures',
      { offers: [offer('x', { measure: 'money:EUR' })], arcs: [{ need: 0, offer: 0, score: 1, because: '' }] },
      'the pair of need a line 1 and offer x line 1 joins money:USD and money:EUR: unlike measures are never exchanged',
    ],
    [
      'a measure that is none',
      { needs: [need('a', { measure: 'hope' })] },
      'need a line 1: "hope" is no measure: say money:<currency>, items:<unit>, person-days, seats or access',
    ],
    ['a line twice', { needs: [need('a'), need('a')] }, 'need a line 1 stands in the problem twice'],
    [
      'a share above 1',
      { floors: [floor('VUT', '1.5')] },
      'the floor for VUT: share must be at most 1: a share is a fraction of the whole, such as "0.25"',
    ],
    ['a limit of 0', { limits: { nodes: 0 } }, 'limits.nodes must be a whole number from 1 to 2147483647'],
    ['a seed that is no whole number', { seed: 0.5 }, 'seed must be a whole number from 0 to 2147483647'],
  ])('%s', async (_name, given, because) => {
    const outcome = await solved(problem({ needs: [need('a')], offers: [offer('x')], ...given }));
    expect(outcome).toEqual({ status: 'failed', because, answer: undefined });
  });
});
