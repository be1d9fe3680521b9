import { describe, expect, test } from '@jest/globals';
import { SYSTEM_PROCESS } from '#kernel';
import type { CommandBody, Given } from '#kernel-testing';
import { specFor } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import type { EarmarkedNeed } from './earmark.js';
import type { OfferContent, OfferEvent } from './offer.contract.js';
import type { LineFigures } from './capacity.js';
import type { OfferCommand, OfferState } from './offer.js';
import { figuresOf, isExhausted, offerDecider, reservationOf } from './offer.js';

const spec = specFor(offerDecider);
const byProcess = { actor: SYSTEM_PROCESS };
const byJapan = { actor: { party: 'donor:japan', role: 'donor-desk' } };

const usd = (amount: number): Quantity => ({ measure: 'money', currency: 'USD', amount: `${amount}.00` });
const uses = (amount: number | 'unlimited'): Quantity => ({ measure: 'access', amount: String(amount) });
/** Line 1: 1000 USD in lots of 100; line 2: three places in a laboratory; line 3: a course for any number. */
const CONTENT: OfferContent = {
  title: 'A fund, a laboratory and a course',
  lines: [
    { line: 1, kinds: ['legal'], capacity: usd(1000), minimumLot: '100.00' },
    { line: 2, kinds: ['technical'], capacity: uses(3) },
    { line: 3, kinds: ['training'], capacity: uses('unlimited') },
  ],
  earmark: {},
  conditions: [],
  visibility: 'public',
  named: [],
};
const POSTED: OfferEvent = { type: 'OfferPosted', data: { provider: 'donor:japan', content: CONTENT } };
const FACTS: EarmarkedNeed = {
  beneficiaries: ['state:VUT'],
  networks: [],
  regions: ['054', '009'],
  instruments: ['ATT'],
  traffickingNexus: false,
  needLineKinds: { 1: 'legal' },
};
const C1 = '01900000-0000-7000-8000-0000000000c1';
const C2 = '01900000-0000-7000-8000-0000000000c2';

type Reserve = Extract<OfferCommand, { type: 'ReserveCapacity' }>;
type Drawn = readonly [leg: number, line: number, quantity: Quantity];
const reserve = (
  amendment: number,
  drawn: readonly Drawn[],
  more: Partial<Pick<Required<Reserve>, 'draws' | 'facts'>> = {},
): CommandBody<OfferCommand> => ({
  type: 'ReserveCapacity',
  commitment: C1,
  amendment,
  legs: drawn.map(([leg, line, quantity]) => ({ leg, line, needLine: 1, quantity })),
  facts: FACTS,
  ...more,
});
const key = (amendment = 0, leg = 1, commitment = C1) => ({ commitment, leg, amendment });
const reserved = (amendment: number, quantity: Quantity, line = 1, leg = 1, commitment = C1): OfferEvent => ({
  type: 'CapacityReserved',
  data: { ...key(amendment, leg, commitment), line, quantity },
});
const committed = (amendment: number, quantity: Quantity, line = 1, leg = 1): OfferEvent => ({
  type: 'CapacityCommitted',
  data: { ...key(amendment, leg), line, quantity },
});
const delivered = (delivery: number, quantity: Quantity, line = 1): OfferEvent => ({
  type: 'CapacityDelivered',
  data: { ...key(), delivery, line, quantity },
});
const released = (amendment: number, quantity: Quantity, line = 1, by?: number): OfferEvent => ({
  type: 'CapacityReleased',
  data: { ...key(amendment), line, quantity, ...(by === undefined ? {} : { by }) },
});
const freed = (amendment: number, quantity: Quantity, line: number): OfferEvent => ({
  type: 'AccessFreed',
  data: { ...key(amendment), line, quantity },
});
const commit = (...keys: readonly (readonly [leg: number, amendment: number])[]): CommandBody<OfferCommand> => ({
  type: 'CommitCapacity',
  commitment: C1,
  legs: keys.map(([leg, amendment]) => ({ leg, amendment })),
});
const release = (...keys: readonly (readonly [leg: number, amendment: number])[]): CommandBody<OfferCommand> => ({
  type: 'ReleaseCapacity',
  commitment: C1,
  legs: keys.map(([leg, amendment]) => ({ leg, amendment })),
});
const figures = ({ summary }: OfferState, line = 1): LineFigures | undefined => summary && figuresOf(summary, line);
const refusedWith = (code: string, command: CommandBody<OfferCommand>, ...history: Given<OfferEvent>[]): void => {
  const { events } = spec
    .given(POSTED, ...history)
    .when(command, byProcess)
    .accepted();
  expect(events).toMatchObject([{ type: 'CapacityRefused', data: { code } }]);
};

/** 300 bound and 200 delivered of leg 1; amendment 1 added 100 and amendment 2 another 100. */
const GROWN: readonly OfferEvent[] = [
  POSTED,
  reserved(0, usd(300)),
  committed(0, usd(300)),
  delivered(1, usd(200)),
  reserved(1, usd(100)),
  committed(1, usd(100)),
  reserved(2, usd(100)),
  committed(2, usd(100)),
];

describe('the smallest lot of a line', () => {
  test('is what one commitment draws at least, over all its legs', () => {
    refusedWith('below-minimum-lot', reserve(0, [[1, 1, usd(99)]]));
    spec
      .given(POSTED)
      .when(reserve(0, [[1, 1, usd(100)]]), byProcess)
      .then(reserved(0, usd(100)));
    spec
      .given(POSTED)
      .when(
        reserve(0, [
          [1, 1, usd(60)],
          [2, 1, usd(40)],
        ]),
        byProcess,
      )
      .accepted();
    // What it draws on another line, or another commitment on this one, does not help.
    refusedWith('below-minimum-lot', reserve(1, [[2, 1, usd(60)]]), reserved(0, uses(3), 2));
    refusedWith('below-minimum-lot', reserve(0, [[1, 1, usd(60)]]), reserved(0, usd(100), 1, 1, C2));
  });

  test('counts what the commitment draws once an amendment has taken effect', () => {
    spec
      .given(...GROWN)
      .when(reserve(3, [[1, 1, usd(1)]]), byProcess)
      .then(reserved(3, usd(1)));
    const both = { draws: [{ line: 1, quantity: usd(50) }] };
    refusedWith('below-minimum-lot', reserve(1, [[2, 1, usd(50)]], both), reserved(0, usd(300)));
    spec
      .given(POSTED, reserved(0, usd(300)))
      .when(reserve(1, [[2, 1, usd(50)]], { draws: [{ line: 1, quantity: usd(100) }] }), byProcess)
      .accepted();
  });

  test('never touches what is held already', () => {
    const lines = [{ ...CONTENT.lines[0]!, minimumLot: '500.00' }, ...CONTENT.lines.slice(1)];
    const raised: OfferEvent = { type: 'OfferAmended', data: { changes: { lines } } };
    spec
      .given(POSTED, reserved(0, usd(300)))
      .when({ type: 'AmendOffer', changes: { lines } }, byJapan)
      .then(raised);
    spec
      .given(POSTED, reserved(0, usd(300)), raised)
      .when(commit([1, 0]), byProcess)
      .then(committed(0, usd(300)));
  });
});

describe('an amendment of a commitment', () => {
  test('holds what it adds beside what is reserved, and commits it by its own key', () => {
    const state = spec
      .given(...GROWN.slice(0, 4))
      .when(reserve(1, [[1, 1, usd(100)]]), byProcess)
      .then(reserved(1, usd(100)));
    expect(figures(state)).toEqual({ held: 10_000n, committed: 30_000n, delivered: 20_000n });
    spec
      .given(...GROWN.slice(0, 5))
      .when(commit([1, 0], [1, 1]), byProcess)
      .then(committed(1, usd(100)));
  });

  test('is refused where the offer is not open, does not admit it, or has not enough left', () => {
    for (const type of ['OfferSuspended', 'OfferWithdrawn'] as const) {
      refusedWith('offer-not-open', reserve(3, [[1, 1, usd(100)]]), ...GROWN.slice(1), { type, data: {} });
    }
    refusedWith('insufficient-capacity', reserve(3, [[1, 1, usd(501)]]), ...GROWN.slice(1));
    const narrowed: OfferEvent = { type: 'OfferAmended', data: { changes: { earmark: { beneficiaries: ['FJI'] } } } };
    refusedWith('earmark', reserve(3, [[1, 1, usd(100)]]), ...GROWN.slice(1), narrowed);
    spec
      .given(...GROWN, narrowed)
      .when(reserve(3, [[1, 1, usd(100)]], { facts: { ...FACTS, beneficiaries: ['state:FJI'] } }), byProcess)
      .accepted();
  });

  test('delivers against the leg as a whole', () => {
    const deliver = (quantity: Quantity): CommandBody<OfferCommand> => ({
      type: 'DeliverCapacity',
      key: key(),
      delivery: 2,
      quantity,
    });
    spec
      .given(...GROWN)
      .when(deliver(usd(300)), byProcess)
      .then(delivered(2, usd(300)));
    spec
      .given(...GROWN)
      .when(deliver(usd(301)), byProcess)
      .refused('over-committed');
    // What is only held for an amendment in flight is not there to deliver.
    spec
      .given(...GROWN, reserved(3, usd(100)))
      .when(deliver(usd(301)), byProcess)
      .refused('over-committed');
  });

  const reduce = (amount: number, amendment = 3): CommandBody<OfferCommand> => ({
    type: 'ReduceCapacity',
    commitment: C1,
    amendment,
    legs: [{ leg: 1, quantity: usd(amount) }],
  });

  test('takes back from the newest key first, once, and never what is delivered', () => {
    const state = spec
      .given(...GROWN)
      .when(reduce(150), byProcess)
      .then(released(2, usd(100), 1, 3), released(1, usd(50), 1, 3));
    expect(figures(state)).toEqual({ held: 0n, committed: 35_000n, delivered: 20_000n });
    expect(reservationOf(state, key(1))).toMatchObject({ taken: 5_000n, over: false });
    spec
      .given(...GROWN)
      .when(reduce(900), byProcess)
      .then(released(2, usd(100), 1, 3), released(1, usd(100), 1, 3), released(0, usd(100), 1, 3));
    spec
      .given(...GROWN, released(2, usd(100), 1, 3))
      .when(reduce(150), byProcess)
      .then();
    spec
      .given(...GROWN, released(2, usd(100), 1, 3))
      .when(reduce(150, 4), byProcess)
      .then(released(1, usd(100), 1, 4), released(0, usd(50), 1, 4));
    spec.given(POSTED).when(reduce(1), byProcess).refused('not-reserved');
  });

  test('takes back before anything is bound, and what is gone is not committed', () => {
    const held = [POSTED, reserved(0, usd(300))];
    const state = spec
      .given(...held)
      .when(reduce(300, 1), byProcess)
      .then(released(0, usd(300), 1, 1));
    expect(figures(state)).toEqual({ held: 0n, committed: 0n, delivered: 0n });
    spec
      .given(...held, released(0, usd(300), 1, 1))
      .when(commit([1, 0]), byProcess)
      .then();
  });

  test('takes back while the offer is suspended or closed', () => {
    for (const type of ['OfferSuspended', 'OfferCompleted'] as const) {
      spec
        .given(...GROWN, { type, data: {} })
        .when(reduce(100), byProcess)
        .then(released(2, usd(100), 1, 3));
    }
  });

  test('that came to nothing gives back what it held, and nothing else', () => {
    const inFlight = [...GROWN, reserved(3, usd(100))];
    spec
      .given(...inFlight)
      .when(release([1, 3]), byProcess)
      .then(released(3, usd(100)));
    const refused: OfferEvent = {
      type: 'CapacityRefused',
      data: { commitment: C1, amendment: 3, code: 'insufficient-capacity', detail: 'none' },
    };
    spec
      .given(...GROWN, refused)
      .when(release([1, 3]), byProcess)
      .then();
    spec
      .given(...GROWN, refused, { ...refused, data: { ...refused.data, amendment: 4 } })
      .when(reserve(3, [[1, 1, usd(1)]]), byProcess)
      .then();
  });

  test('in flight goes with the commitment when that is left', () => {
    const state = spec
      .given(...GROWN, reserved(3, usd(100)))
      .when(release([1, 0], [1, 1], [1, 2], [1, 3]), byProcess)
      .then(released(3, usd(100)), released(2, usd(100)), released(1, usd(100)), released(0, usd(100)));
    expect(figures(state)).toEqual({ held: 0n, committed: 20_000n, delivered: 20_000n });
  });
});

describe('what was delivered', () => {
  const giveBack = (amount: number, n = 1): CommandBody<OfferCommand> => ({
    type: 'ReturnCapacity',
    key: key(),
    delivery: 1,
    return: n,
    quantity: usd(amount),
  });
  const returned = (amount: number, n = 1): OfferEvent => ({
    type: 'CapacityReturned',
    data: { ...key(), delivery: 1, return: n, line: 1, quantity: usd(amount) },
  });
  const correct = (amount: number): CommandBody<OfferCommand> => ({
    type: 'CorrectCapacity',
    key: key(),
    delivery: 1,
    quantity: usd(amount),
    asked: 'e7',
  });
  const corrected = (amount: number): OfferEvent => ({
    type: 'CapacityDeliveryCorrected',
    data: { ...key(), delivery: 1, line: 1, quantity: usd(amount), asked: 'e7' },
  });

  test('may come back, once per return, stays committed and may be delivered again', () => {
    const state = spec
      .given(...GROWN)
      .when(giveBack(150), byProcess)
      .then(returned(150));
    expect(figures(state)).toEqual({ held: 0n, committed: 50_000n, delivered: 5_000n });
    spec
      .given(...GROWN, returned(150))
      .when(giveBack(51, 2), byProcess)
      .refused('over-committed');
    spec
      .given(...GROWN, returned(150))
      .when({ type: 'DeliverCapacity', key: key(), delivery: 2, quantity: usd(450) }, byProcess)
      .accepted();
    spec.given(POSTED).when(giveBack(1), byProcess).refused('not-committed');
  });

  test('and came back after the commitment was left goes back to the offer', () => {
    const left = [...GROWN.slice(0, 4), released(0, usd(100)), returned(150)];
    const state = spec
      .given(...left)
      .when(release([1, 0]), byProcess)
      .then(released(0, usd(150)));
    expect(figures(state)).toEqual({ held: 0n, committed: 5_000n, delivered: 5_000n });
  });

  test('may be corrected to what the whole tranche is, beside what came back of it', () => {
    const state = spec
      .given(...GROWN, returned(50))
      .when(correct(120), byProcess)
      .then(corrected(120));
    expect(figures(state)?.delivered).toBe(7_000n);
    spec
      .given(...GROWN)
      .when(correct(500), byProcess)
      .then(corrected(500));
    spec
      .given(...GROWN)
      .when(correct(501), byProcess)
      .refused('over-committed');
    spec.given(POSTED).when(correct(1), byProcess).refused('not-committed');
    // A tranche nobody told of is none to correct.
    spec
      .given(...GROWN.slice(0, 3))
      .when(correct(301), byProcess)
      .refused('over-committed');
  });
});

describe('an access line', () => {
  const held = (amount: number, line: number): readonly OfferEvent[] => [
    POSTED,
    reserved(0, uses(amount), line),
    committed(0, uses(amount), line),
  ];
  const free: CommandBody<OfferCommand> = {
    type: 'FreeAccess',
    commitment: C1,
    legs: [
      { leg: 1, amendment: 0 },
      { leg: 1, amendment: 1 },
    ],
  };

  test('is drawn on in whole uses, as many at once as it has', () => {
    spec
      .given(POSTED)
      .when(reserve(0, [[1, 2, uses(3)]]), byProcess)
      .then(reserved(0, uses(3), 2));
    refusedWith('insufficient-capacity', reserve(0, [[1, 2, uses(4)]]));
    refusedWith('measure-mismatch', reserve(0, [[1, 2, uses('unlimited')]]));
    refusedWith('measure-mismatch', reserve(0, [[1, 2, usd(100)]]));
  });

  test('without a limit holds whatever is asked, and shows what it holds', () => {
    const state = spec
      .given(POSTED, reserved(0, uses(1_000_000), 3, 1, C2))
      .when(reserve(0, [[1, 3, uses(5)]]), byProcess)
      .then(reserved(0, uses(5), 3));
    expect(figures(state, 3)?.held).toBe(1_000_005n);
  });

  test('is used until the commitment is confirmed or left, then open to others', () => {
    const state = spec
      .given(...held(3, 2), delivered(1, uses(3), 2))
      .when(free, byProcess)
      .then(freed(0, uses(3), 2));
    expect(figures(state, 2)).toEqual({ held: 0n, committed: 0n, delivered: 0n });
    spec
      .given(...held(3, 2), delivered(1, uses(1), 2))
      .when(free, byProcess)
      .then(released(0, uses(2), 2), freed(0, uses(1), 2));
    spec.given(POSTED).when(free, byProcess).then();
  });

  test('keeps what an amendment in flight holds, and no money is freed', () => {
    spec
      .given(...held(2, 2), delivered(1, uses(2), 2), reserved(1, uses(1), 2))
      .when(free, byProcess)
      .then(freed(0, uses(2), 2));
    spec
      .given(...GROWN)
      .when(free, byProcess)
      .then();
  });

  test('that was freed is moved by nothing that is still told of those uses', () => {
    const over = [...held(3, 2), delivered(1, uses(3), 2), freed(0, uses(3), 2)];
    const tell = (command: CommandBody<OfferCommand>): unknown =>
      spec
        .given(...over)
        .when(command, byProcess)
        .then();
    tell({ type: 'ReturnCapacity', key: key(), delivery: 1, return: 1, quantity: uses(1) });
    tell({ type: 'DeliverCapacity', key: key(), delivery: 2, quantity: uses(1) });
    tell({ type: 'CorrectCapacity', key: key(), delivery: 1, quantity: uses(2), asked: 'e7' });
    tell(release([1, 0]));
    tell(commit([1, 0]));
    tell(free);
  });

  test('that was freed stays so, and keeps what an amendment has added to it since', () => {
    const since = [
      ...held(2, 2),
      delivered(1, uses(2), 2),
      freed(0, uses(2), 2),
      reserved(1, uses(1), 2),
      committed(1, uses(1), 2),
    ];
    const tell = (command: CommandBody<OfferCommand>): unknown =>
      spec
        .given(...since)
        .when(command, byProcess)
        .then();
    // What freed the first uses, told again; what happened to them since, told at last or again.
    tell({ ...free, legs: [{ leg: 1, amendment: 0 }] });
    tell({ type: 'DeliverCapacity', key: key(), delivery: 2, quantity: uses(1) });
    tell({ type: 'CorrectCapacity', key: key(), delivery: 2, quantity: uses(1), asked: 'e7' });
    tell({ type: 'ReturnCapacity', key: key(), delivery: 1, return: 1, quantity: uses(1) });
    spec
      .given(...since)
      .when(free, byProcess)
      .then(released(1, uses(1), 2));
  });

  test('may become unlimited, or limited to no less than is in use', () => {
    const amend = (capacity: Quantity, line: number, ...history: readonly OfferEvent[]) =>
      spec.given(...history).when(
        {
          type: 'AmendOffer',
          changes: { lines: CONTENT.lines.map((one) => (one.line === line ? { ...one, capacity } : one)) },
        },
        byJapan,
      );
    amend(uses('unlimited'), 2, ...held(3, 2)).accepted();
    amend(uses(2), 3, ...held(3, 3)).refused('capacity-in-use', 'lines');
    amend(uses(3), 3, ...held(3, 3)).accepted();
  });

  test('without a limit never lets the offer be exhausted', () => {
    const taken = [reserved(0, usd(1000)), reserved(0, uses(3), 2, 2)];
    const { state } = spec.given(POSTED, ...taken);
    expect(state.summary && isExhausted(state.summary)).toBe(false);
    const limited: OfferEvent = { type: 'OfferAmended', data: { changes: { lines: CONTENT.lines.slice(0, 2) } } };
    const rival = spec.given(POSTED, ...taken, limited).state;
    expect(rival.summary && isExhausted(rival.summary)).toBe(true);
  });
});
