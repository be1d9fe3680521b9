import type { Quantity } from '#vocabulary';
import type { AskedLine, Judgement, NeedSide, OfferedLine, OfferSide } from '../rules/sides.js';
import { standingOf } from './suggestion-standing.js';

const USD = (amount: string): Quantity => ({ measure: 'money', currency: 'USD', amount });
const suggested = { needLine: 1, offerLine: 2, quantity: USD('500.00') };
const match: Judgement = {
  ...{ kind: 'match', score: 0.5, coverage: [] },
  components: [
    { name: 'fit', weight: 0.2, value: 0.5, because: 'a little' },
    { name: 'coverage', weight: 0.8, value: 0.5, because: 'a lot' },
    { name: 'language', weight: 0, value: 1, because: 'nothing' },
  ],
};

const judged = (need: Partial<AskedLine> = {}, offer: Partial<OfferedLine> = {}, judgement: Judgement = match) => ({
  judgement,
  pairing: {
    need: {
      lines: [{ line: 1, kind: 'legal', quantity: USD('900.00'), outstanding: 70_000n, ...need }],
    } as unknown as NeedSide,
    offer: {
      earmark: {},
      lines: [{ line: 2, kinds: ['legal'], capacity: USD('800.00'), available: 60_000n, ...offer }],
    } as unknown as OfferSide,
  },
});

const because = (...given: Parameters<typeof judged>): string => standingOf(suggested, judged(...given)).because;

describe('a suggestion', () => {
  it('is open while its two lines could be bound, with the most of them that could be', () => {
    const open = { status: 'open', because: 'score 0.50; a lot; a little' };
    expect(standingOf(suggested, judged())).toEqual({ ...open, servable: USD('600.00') });
    expect(standingOf(suggested, judged({ outstanding: 30_000n }))).toEqual({ ...open, servable: USD('300.00') });
    expect(standingOf(suggested, judged({}, { available: 'unlimited' }))).toEqual({ ...open, servable: USD('700.00') });
    expect(standingOf(suggested, judged({}, { minimumLot: 60_000n }))).toEqual({ ...open, servable: USD('600.00') });
  });

  it('is stale once they could not be, and says why', () => {
    expect(standingOf(suggested, undefined)).toEqual({
      status: 'stale',
      because: 'need or offer takes no proposals now',
    });
    const blocked: Judgement = {
      kind: 'blocked',
      blocks: [
        { code: 'period', because: 'The periods do not meet.' },
        { code: 'region', because: 'Not there.' },
      ],
    };
    expect(because({}, {}, blocked)).toBe('The periods do not meet.; Not there.');
    expect(because({ line: 3 })).toBe('line 2 of the offer serves line 1 of the need no more');
    expect(because({}, { kinds: ['training'] })).toBe('line 2 of the offer serves line 1 of the need no more');
    expect(because({}, { capacity: { measure: 'seats', amount: '4' } })).toBe('the lines are in another measure now');
    const seats: Quantity = { measure: 'seats', amount: '4' };
    expect(because({ quantity: seats }, { capacity: seats })).toBe('the lines are in another measure now');
    expect(because({ outstanding: 0n })).toBe('nothing of line 1 of the need is outstanding');
    expect(because({}, { available: 0n })).toBe('nothing of line 2 of the offer is available');
    expect(because({}, { minimumLot: 60_001n })).toBe('less could be bound than the smallest lot (line 2: 600.01 USD)');
  });
});
