import type { RecordSight } from '#web';
import { describe, expect, test } from '@jest/globals';
import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { Folded } from '#kernel';
import { emptyFold, foldOnto } from '#kernel';
import type { Given } from '#kernel-testing';
import { recordedHistory } from '#kernel-testing';
import type { Power, Quantity, Role } from '#vocabulary';
import type { OfferContent, OfferEvent } from './offer.contract.js';
import type { OfferState } from './offer.js';
import { offerDecider } from './offer.js';
import type { OfferBoard } from './offer-board.js';
import { StreamOfferReader } from './offer-reading.js';
import { OfferRecords } from './offer-records.js';
import type { Bonds } from './offer-sight.js';
import { offerEventFor, offerView } from './offer.view.js';

const seats = (amount: number): Quantity => ({ measure: 'seats', amount: String(amount) });
const CONTENT: OfferContent = {
  title: 'Courses',
  lines: [
    { line: 1, kinds: ['training'], capacity: seats(10) },
    { line: 2, kinds: ['legal'], capacity: { measure: 'undetermined', why: 'to-be-assessed' } },
    { line: 3, kinds: ['legal'], capacity: { measure: 'access', amount: 'unlimited' } },
  ],
  earmark: {},
  conditions: [],
  documents: [
    { kind: 'letter', title: 'for all', sha256: 'a'.repeat(64) },
    { kind: 'budget', title: 'for few', sha256: 'b'.repeat(64), label: 'named' },
  ],
  visibility: 'public',
  named: ['state:VUT'],
};
const DRAFTED: OfferEvent = {
  type: 'OfferDrafted',
  data: { provider: 'donor:japan', claimedFrom: 'r7', content: CONTENT },
};
const POSTED: OfferEvent = { type: 'OfferPosted', data: { provider: 'donor:japan', content: CONTENT } };
const SUSPENDED: OfferEvent = {
  type: 'OfferSuspended',
  data: { reason: { code: 'other', note: 'a note', noteFor: 'coordinator' } },
};
const key = { commitment: 'c1', leg: 1, amendment: 0 };
const CAPACITY: readonly OfferEvent[] = [
  { type: 'CapacityReserved', data: { ...key, line: 1, quantity: seats(6) } },
  { type: 'CapacityRefused', data: { commitment: 'c2', amendment: 0, code: 'earmark', detail: 'not for an ngo' } },
  { type: 'CapacityCommitted', data: { ...key, line: 1, quantity: seats(6) } },
  { type: 'CapacityDelivered', data: { ...key, delivery: 1, line: 1, quantity: seats(2) } },
  { type: 'CapacityReleased', data: { ...key, line: 1, quantity: seats(4) } },
  { type: 'CapacityReleased', data: { commitment: 'c3', leg: 1, amendment: 0 } },
];

const caller = (
  party: string,
  role: Role,
  powers: readonly Power[] = ['offer'],
  more: Partial<Caller> = {},
): Caller => ({
  ...ANONYMOUS,
  anonymous: false,
  party,
  roles: [role],
  registered: true,
  powers: new Set(powers),
  ...more,
});
const JAPAN = caller('donor:japan', 'donor-desk');
const NORWAY = caller('donor:norway', 'donor-desk');
const VANUATU = caller('state:VUT', 'npc');
const COORDINATOR = caller('agency:secretariat', 'coordinator');
const AUDITOR = caller('auditor:board', 'auditor', [], {
  mandates: [
    {
      mandate: 'm',
      everything: true,
      parties: new Set(),
      records: new Set(),
      sealed: false,
      appointedBy: 'agency:secretariat',
    },
  ],
});
const NONE: Bonds = { party: false, eligible: false };

const folded = (...given: readonly Given<OfferEvent>[]): Folded<OfferState> =>
  foldOnto(offerDecider, emptyFold(offerDecider.initial), recordedHistory(offerDecider, given));
const viewed = (who: Caller, given: readonly Given<OfferEvent>[], bonds = NONE): Record<string, unknown> => {
  const { summary } = folded(...given).state;
  return (summary === undefined ? {} : offerView(who, 'r1', summary, bonds)) as Record<string, unknown>;
};
const historyFor = (
  who: Caller,
  given: readonly OfferEvent[],
  { bonds = NONE, knows = [] }: { readonly bonds?: Bonds; readonly knows?: readonly string[] } = {},
): readonly unknown[] => {
  const { summary } = folded(...given).state;
  return recordedHistory(offerDecider, given).map((event) =>
    summary === undefined ? undefined : offerEventFor(who, 'r1', summary, bonds, event, (id) => knows.includes(id)),
  );
};

describe('the view of an offer', () => {
  test('adds up per line: capacity = available + held + committed, delivered within committed', () => {
    expect(viewed(ANONYMOUS, [POSTED, ...CAPACITY]).lines).toMatchObject([
      { held: seats(0), committed: seats(2), delivered: seats(2), available: seats(8) },
      { held: 'not-measurable', available: 'not-measurable' },
      { held: { measure: 'access', amount: '0' }, available: { measure: 'access', amount: 'unlimited' } },
    ]);
    expect(viewed(ANONYMOUS, [POSTED, ...CAPACITY, { type: 'OfferCompleted', data: {} }]).lines).toMatchObject([
      { committed: seats(2), delivered: seats(2), available: seats(0), expired: seats(8) },
      { available: 'not-measurable', expired: 'not-measurable' },
      { available: { measure: 'access', amount: '0' }, expired: { measure: 'access', amount: 'unlimited' } },
    ]);
  });

  test('shows what is in use of an unlimited line, of which there is always more', () => {
    const uses: Quantity = { measure: 'access', amount: '2' };
    const held: OfferEvent = { type: 'CapacityReserved', data: { ...key, line: 3, quantity: uses } };
    expect(viewed(ANONYMOUS, [POSTED, held])).toMatchObject({
      exhausted: false,
      lines: [{}, {}, { held: uses, available: { measure: 'access', amount: 'unlimited' } }],
    });
  });

  test('names every provider of a joint offer, with the shares that are published', () => {
    const providers = [{ party: 'donor:japan', share: '60' }, { party: 'donor:norway' }];
    const joint: OfferEvent = {
      type: 'OfferPosted',
      data: { provider: 'donor:japan', content: { ...CONTENT, providers } },
    };
    expect(viewed(ANONYMOUS, [joint])).toMatchObject({ donor: 'donor:japan', providers });
    expect(viewed(ANONYMOUS, [POSTED])).toMatchObject({ donor: 'donor:japan', providers: [{ party: 'donor:japan' }] });
    expect(viewed(NORWAY, [joint])).toMatchObject({ named: ['state:VUT'], actions: [] });
    expect(viewed(VANUATU, [joint])).not.toHaveProperty('named');
    const moves = [joint, ...CAPACITY];
    expect(historyFor(NORWAY, moves)[1]).toEqual(CAPACITY[0]?.data);
  });

  test('offers the commands that this person may send now, and no others', () => {
    const actions = (who: Caller, ...more: OfferEvent[]): unknown => viewed(who, [POSTED, ...more]).actions;
    expect(viewed(JAPAN, [DRAFTED]).actions).toEqual(['post', 'amend']);
    expect(actions(JAPAN)).toEqual(['amend', 'suspend', 'withdraw', 'complete']);
    expect(actions(JAPAN, SUSPENDED)).toEqual(['amend', 'resume', 'withdraw', 'complete']);
    expect(actions(JAPAN, { type: 'OfferExpired', data: {} })).toEqual([]);
    expect(actions(NORWAY)).toEqual([]);
    expect(actions(ANONYMOUS)).toEqual([]);
    expect(actions(caller('donor:japan', 'donor-desk', ['pay']))).toEqual([]);
    expect(actions(caller('donor:japan', 'donor-desk', ['offer'], { registered: false }))).toEqual([]);
    expect(actions(caller('donor:japan', 'coordinator'))).toEqual([]);
  });

  test('tells only the owner whom it named and what it was claimed from', () => {
    expect(viewed(JAPAN, [DRAFTED])).toMatchObject({ named: ['state:VUT'], claimedFrom: 'r7' });
    for (const who of [ANONYMOUS, VANUATU, COORDINATOR, AUDITOR]) {
      const view = viewed(who, [DRAFTED, POSTED]);
      expect(view).not.toHaveProperty('named');
      expect(view).not.toHaveProperty('claimedFrom');
    }
  });

  test('keeps documents to those their own label lets see them', () => {
    const titles = (who: Caller): unknown =>
      (viewed(who, [POSTED]).documents as { title: string }[]).map(({ title }) => title);
    expect(titles(NORWAY)).toEqual(['for all']);
    expect(titles(VANUATU)).toEqual(['for all', 'for few']);
    expect(titles(JAPAN)).toEqual(['for all', 'for few']);
    const { documents, ...without } = CONTENT;
    expect(documents).toHaveLength(2);
    expect(
      viewed(JAPAN, [{ type: 'OfferPosted', data: { provider: 'donor:japan', content: without } }]),
    ).not.toHaveProperty('documents');
  });
});

describe('the history of an offer', () => {
  test('shows quantities to all, and the commitment to its parties, the owner, the coordinator and those who know it', () => {
    const moves = [POSTED, ...CAPACITY];
    const open = [
      { line: 1, quantity: seats(6) },
      undefined,
      { line: 1, quantity: seats(6) },
      { line: 1, quantity: seats(2) },
      { line: 1, quantity: seats(4) },
      {},
    ];
    expect(historyFor(NORWAY, moves).slice(1)).toEqual(open);
    expect(historyFor(ANONYMOUS, moves).slice(1)).toEqual(open);
    const whole = CAPACITY.map(({ data }) => data);
    for (const who of [JAPAN, COORDINATOR]) expect(historyFor(who, moves).slice(1)).toEqual(whole);
    // A mandate over the offer does not open a commitment on a sealed need.
    expect(historyFor(AUDITOR, moves).slice(1)).toEqual(open);
    expect(historyFor(AUDITOR, moves, { knows: ['c1', 'c2'] }).slice(1, 5)).toEqual(whole.slice(0, 4));
    const mixed = historyFor(VANUATU, moves, { knows: ['c1'] }).slice(1);
    expect(mixed).toEqual([whole[0], undefined, whole[2], whole[3], whole[4], {}]);
    expect(historyFor(VANUATU, moves, { knows: ['c2'] })[2]).toEqual(whole[1]);
  });

  test('shows what came back, was corrected and was freed without the commitment it was of', () => {
    const more: readonly OfferEvent[] = [
      { type: 'CapacityReturned', data: { ...key, delivery: 1, return: 1, line: 1, quantity: seats(1) } },
      { type: 'CapacityDeliveryCorrected', data: { ...key, delivery: 1, line: 1, quantity: seats(1), asked: 'e7' } },
      { type: 'CapacityReleased', data: { ...key, line: 1, quantity: seats(1), by: 2 } },
      { type: 'AccessFreed', data: { ...key, line: 1, quantity: seats(1) } },
    ];
    const moves = [POSTED, ...CAPACITY.slice(0, 4), ...more];
    const open = { line: 1, quantity: seats(1) };
    expect(historyFor(ANONYMOUS, moves).slice(5)).toEqual([open, open, open, open]);
    expect(historyFor(JAPAN, moves).slice(5)).toEqual(more.map(({ data }) => data));
  });

  test('shows what was written before posting to the owner alone', () => {
    const amended: OfferEvent = { type: 'OfferAmended', data: { changes: { title: 'Courses', named: [] } } };
    expect(historyFor(NORWAY, [DRAFTED, amended, POSTED, amended])).toEqual([
      undefined,
      undefined,
      expect.objectContaining({ provider: 'donor:japan' }),
      { changes: { title: 'Courses' } },
    ]);
    expect(historyFor(NORWAY, [DRAFTED])).toEqual([undefined]);
    expect(historyFor(JAPAN, [DRAFTED, amended])).toEqual([DRAFTED.data, amended.data]);
  });

  test('gives a note to whom it is addressed', () => {
    const withdrawn: OfferEvent = { type: 'OfferWithdrawn', data: { reason: { code: 'budget', note: 'to you' } } };
    const bare: OfferEvent = { type: 'OfferWithdrawn', data: {} };
    const bound: Bonds = { party: true, eligible: false };
    expect(historyFor(NORWAY, [POSTED, SUSPENDED, withdrawn]).slice(1)).toEqual([
      { reason: { code: 'other' } },
      { reason: { code: 'budget' } },
    ]);
    expect(historyFor(VANUATU, [POSTED, SUSPENDED, withdrawn], { bonds: bound }).slice(1)).toEqual([
      { reason: { code: 'other' } },
      { reason: { code: 'budget', note: 'to you', noteFor: 'other-side' } },
    ]);
    expect(historyFor(COORDINATOR, [POSTED, SUSPENDED, withdrawn]).slice(1)).toEqual([
      SUSPENDED.data,
      { reason: { code: 'budget' } },
    ]);
    expect(historyFor(NORWAY, [POSTED, bare, { type: 'OfferExpired', data: {} }]).slice(1)).toEqual([{}, {}]);
  });
});

describe('offers as records', () => {
  const board = { bonds: () => Promise.resolve(NONE), isPartyOf: () => false } as unknown as OfferBoard;
  const records = new OfferRecords(board, { sees: () => Promise.resolve(false) } as unknown as RecordSight);
  const absent = offerDecider.initial;

  test('an offer that does not exist is nobody’s', async () => {
    expect(records.exists(absent)).toBe(false);
    expect(await records.sees(JAPAN, 'r1', absent)).toBe(false);
    expect(records.permits(JAPAN, 'AmendOffer', absent)).toBe(false);
    expect(await records.view(JAPAN, 'r1', emptyFold(absent))).toEqual({});
    const [event] = recordedHistory(offerDecider, [POSTED]);
    expect(event && (await records.maskEvent(JAPAN, absent, event))).toBeUndefined();
  });

  test('is read by other contexts from its stream', async () => {
    const of = (...given: OfferEvent[]): StreamOfferReader =>
      new StreamOfferReader({ load: () => Promise.resolve(folded(...given)) } as never, records);
    expect(await of().facts('r1')).toBeUndefined();
    expect(await of(POSTED).facts('r1')).toMatchObject({
      offerId: 'r1',
      status: 'open',
      provider: 'donor:japan',
      visibility: 'public',
    });
    const period = { to: '2026-12-31' };
    const dated: OfferEvent = {
      type: 'OfferPosted',
      data: { provider: 'donor:japan', content: { ...CONTENT, period } },
    };
    expect(await of(dated).facts('r1')).toMatchObject({ period });
    expect(await of(POSTED).sees('r1', ANONYMOUS)).toBe(true);
    expect(await of(DRAFTED).sees('r1', NORWAY)).toBe(false);
  });

  test('shows the view and the masked history to whom it is shown', async () => {
    const state = folded(POSTED, ...CAPACITY);
    expect(records.permits(JAPAN, 'AmendOffer', state.state)).toBe(true);
    expect(records.permits(NORWAY, 'AmendOffer', state.state)).toBe(false);
    expect(await records.view(NORWAY, 'r1', state)).toMatchObject({ id: 'r1', donor: 'donor:japan' });
    const [, reserved] = recordedHistory(offerDecider, [POSTED, ...CAPACITY]);
    expect(reserved && (await records.maskEvent(NORWAY, state.state, reserved))).toEqual({
      line: 1,
      quantity: seats(6),
    });
  });
});
