import { describe, expect, it } from '@jest/globals';
import type { CommitmentEvent } from '#commitments/contract';
import type { RecordedEvent } from '#kernel';
import { projectionScenario, recordedEvent } from '#kernel-testing';
import type { Kind } from '#vocabulary';
import { duplicateTraits } from './duplicate-traits.projection.js';

const USD = { measure: 'money', currency: 'USD', amount: '5.00' } as const;
const leg = (n: number, needLine: number) => ({
  ...{ leg: n, offerLine: 1, needLine, drawn: USD, credited: USD, amendment: 0 },
});
const facts = (needLineKinds: Readonly<Record<string, Kind>>) => ({
  beneficiaries: ['state:VUT'],
  networks: [],
  regions: [],
  instruments: ['ATT' as const],
  traffickingNexus: false,
  needPeriod: { from: '2027-01-01', to: '2027-12-31' },
  needLineKinds,
});
const proposed: CommitmentEvent = {
  type: 'CommitmentProposed',
  data: {
    offerId: 'o1',
    needId: 'n1',
    side: 'provider',
    proposedBy: 'donor:japan',
    providers: ['donor:japan'],
    beneficiaries: ['state:VUT'],
    filer: 'network:msg',
    legs: [leg(1, 1)],
    signatories: ['donor:japan', 'state:VUT'],
    expiresAt: '2027-01-01T00:00:00.000Z',
    conditions: [],
    earmarkFacts: facts({ 1: 'legal' }),
  },
};
const agreed: CommitmentEvent = {
  type: 'AmendmentAgreed',
  data: { n: 1, party: 'state:VUT', increases: [], earmarkFacts: facts({ 2: 'training' }) },
};
const amended = (period?: { readonly from: string; readonly to: string }): CommitmentEvent => ({
  type: 'CommitmentAmended',
  data: {
    n: 1,
    changes: period === undefined ? {} : { terms: { period } },
    legs: [leg(1, 1), leg(2, 2)],
    increases: [],
    decreases: [],
    recredited: [],
  },
});

/** What the commitment is compared by after these events; null: by nothing. */
const traitsAfter = (...events: readonly CommitmentEvent[]): unknown => {
  const history = events.map((event, at): RecordedEvent =>
    recordedEvent('commitment-c1', at, event, {}, BigInt(at + 1)),
  );
  const { record = [], place = [] } = projectionScenario(duplicateTraits, history);
  const traits = record[0]?.at(-1);
  expect(place).toHaveLength(typeof traits === 'string' ? 1 : 0);
  return typeof traits === 'string' ? (JSON.parse(traits) as unknown) : traits;
};

describe('a commitment', () => {
  const planned = {
    about: 'promises',
    states: ['VUT'],
    kinds: ['legal'],
    parties: ['donor:japan', 'network:msg', 'state:VUT'],
    donors: ['donor:japan'],
    period: { from: '2027-01-01', to: '2027-12-31' },
    need: 'n1',
  };

  it('is a promise to the State of its need from the proposal on, for the kinds of its lines and the time of the need', () => {
    expect(traitsAfter(proposed)).toEqual(planned);
  });

  it('has the time of its terms where they state one', () => {
    const terms = { period: { from: '2027-06-01', to: '2028-05-31' } };
    expect(traitsAfter({ ...proposed, data: { ...proposed.data, terms } })).toEqual({
      ...planned,
      ...terms,
    });
  });

  it('is compared by what an amendment made of it, once that takes effect', () => {
    expect(traitsAfter(proposed, agreed)).toEqual(planned);
    expect(traitsAfter(proposed, agreed, amended())).toEqual({ ...planned, kinds: ['legal', 'training'] });
    const period = { from: '2028-01-01', to: '2028-12-31' };
    expect(traitsAfter(proposed, agreed, amended(period))).toEqual({
      ...planned,
      kinds: ['legal', 'training'],
      period,
    });
  });

  it.each<CommitmentEvent>([
    { type: 'HoldRefused', data: { code: 'insufficient-capacity', detail: 'Too much' } },
    { type: 'CommitmentDeclined', data: { reason: { code: 'need-closed' } } },
    { type: 'CommitmentLapsed', data: {} },
    { type: 'CommitmentWithdrawn', data: { party: 'donor:japan', reason: { code: 'budget' } } },
  ])('is no promise after $type', (event) => {
    expect(traitsAfter(proposed, event)).toBeNull();
  });

  it('is nothing before it was proposed', () => {
    expect(traitsAfter(agreed)).toBeUndefined();
  });
});
