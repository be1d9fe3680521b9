import fc from 'fast-check';
import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { EventStore, ProjectionRunner, RecordedEvent } from '#kernel';
import { applyToModel, Upcasting } from '#kernel';
import type { Given } from '#kernel-testing';
import { projectionScenario, recordedEvent } from '#kernel-testing';
import type { NeedReader } from '#needs/contract';
import type { OfferReader } from '#offers/contract';
import { MemoryReadDatabase } from '#read-database';
import type { Quantity, Visibility } from '#vocabulary';
import { sumByMeasure } from '#vocabulary';
import type { ClockName, RecordSight } from '#web';
import { countsAt, momentOf } from '#web';
import { commitmentBoard } from './commitment-board.projection.js';
import type { CommitmentEvent } from './commitment.contract.js';
import {
  ACCEPTED,
  BOUND,
  CANCELLED,
  confirmed,
  delivery,
  eur,
  GIVEN_BY_VANUATU,
  HELD,
  NEED_ID,
  OFFER_ID,
  proposed,
  seats,
  signed,
  transfer,
  usd,
} from './commitment.fixture.js';
import type { TotalsAnswer, TotalsFilter } from './totals.js';
import { Totals } from './totals.js';

const id = (n: number): string => `019b8d00-0000-7000-8000-3${String(n).padStart(11, '0')}`;
const HIDDEN_NEED = '019b8d00-0000-7000-8000-0000000000ff';

interface Told {
  readonly legs: readonly object[];
  readonly needId?: string;
  readonly partOf?: string;
  readonly after?: readonly Given<CommitmentEvent>[];
  readonly unbound?: boolean;
}

/** The events of a commitment of Japan for Vanuatu with these legs. */
const deal = ({ legs, needId = NEED_ID, partOf, after = [], unbound = false }: Told): Given<CommitmentEvent>[] => {
  const [first, metadata] = proposed({ legs: legs as never }) as unknown as readonly [CommitmentEvent, object];
  const data = { ...first.data, needId, ...(partOf === undefined ? {} : { partOf }) };
  return [
    [{ type: 'CommitmentProposed', data } as CommitmentEvent, metadata],
    HELD,
    GIVEN_BY_VANUATU,
    ACCEPTED,
    ...(unbound ? [] : [signed('donor:japan'), signed('state:VUT'), BOUND]),
    ...after,
  ];
};
const money = (drawn: Quantity, over: object = {}): object => ({ offerLine: 1, needLine: 1, drawn, ...over });
const training = (n: number): object => ({ offerLine: 2, needLine: 2, drawn: seats(n) });

const logOf = (...streams: readonly (readonly [stream: string, events: readonly unknown[]])[]): RecordedEvent[] => {
  let position = 0n;
  return streams.flatMap(([stream, events]) =>
    events.map((entry, revision) => {
      const [event, metadata] = (Array.isArray(entry) ? entry : [entry, {}]) as [CommitmentEvent, object];
      position += 1n;
      return recordedEvent(stream, revision, event, metadata, position);
    }),
  );
};
const label = (needId: string, body: Visibility): readonly [string, readonly unknown[]] => [
  `need-${needId}`,
  [{ type: 'NeedDrafted', data: { filer: 'state:VUT', beneficiaries: [], content: { visibility: { body } } } }],
];
const RECORDS = [
  label(NEED_ID, 'public'),
  label(HIDDEN_NEED, 'named'),
  [`offer-${OFFER_ID}`, [{ type: 'OfferPosted', data: { content: { visibility: 'public' } } }]],
] as const;

const JAPAN: Caller = { ...ANONYMOUS, anonymous: false, party: 'donor:japan', roles: ['donor-desk'] };
const NORWAY: Caller = { ...JAPAN, party: 'donor:norway' };
const COORDINATOR: Caller = { ...ANONYMOUS, anonymous: false, party: 'agency:secretariat', roles: ['coordinator'] };

const totalsOf = (log: readonly RecordedEvent[]): Totals => {
  const model = new MemoryReadDatabase().open(commitmentBoard);
  applyToModel(commitmentBoard, model, log, (event) => event);
  return new Totals(
    { model: () => model } as unknown as ProjectionRunner,
    {
      facts: () => Promise.resolve({ visibility: 'public' }),
      sight: (need: string) => Promise.resolve({ summary: true, body: need !== HIDDEN_NEED, annex: false }),
    } as unknown as NeedReader,
    {
      facts: () => Promise.resolve({ visibility: 'public' }),
      sees: () => Promise.resolve(true),
    } as unknown as OfferReader,
    {
      sees: (caller: Caller) => Promise.resolve(!caller.anonymous),
    } as unknown as RecordSight,
    {
      readStream: (stream: string, from: number, limit: number) =>
        Promise.resolve(log.filter((event) => event.stream === stream).slice(from, from + limit)),
    } as unknown as EventStore,
    new Upcasting(),
  );
};
const of = (
  deals: readonly (readonly Given<CommitmentEvent>[])[],
  filter: TotalsFilter = {},
  caller: Caller = JAPAN,
): ReturnType<Totals['of']> =>
  totalsOf(logOf(...RECORDS, ...deals.map((events, n) => [`commitment-${id(n + 1)}`, events] as const))).of(
    caller,
    filter,
  );

describe('totals', () => {
  // Seen failing with both checks of `boundAt` left out of the figures and `c.bound` out of the query.
  it('count nothing before a commitment binds (I11)', async () => {
    expect(await of([deal({ legs: [money(usd('900.00'))], unbound: true })])).toMatchObject({
      committed: [],
      disbursed: [],
      delivered: [],
      confirmed: [],
      excluded: [],
    });
  });
  it('climb the ladder, unlike things side by side', async () => {
    const after = [delivery(1, seats(6), { leg: 2 }), confirmed(1, seats(4)), transfer(1, usd('100.00'))];
    expect(await of([deal({ legs: [money(usd('900.00')), training(10)], after })])).toMatchObject({
      committed: [usd('900.00'), seats(10)],
      disbursed: [usd('100.00')],
      delivered: [seats(6)],
      confirmed: [seats(4)],
    });
  });
  // Seen failing with `drawn` counted after a cancellation.
  it('keep what was delivered when a commitment is cancelled (I8)', async () => {
    const after = [delivery(1, seats(6)), CANCELLED];
    expect(await of([deal({ legs: [training(10)], after })])).toMatchObject({
      committed: [seats(6)],
      delivered: [seats(6)],
    });
  });
  // Seen failing with a fold that is compared by its status alone.
  it('follow returns, corrections and amendments, each as of its own place in the log', async () => {
    const [amended, n] = [{ leg: 1, offerLine: 2, needLine: 2, amendment: 1 }, 1];
    const after: Given<CommitmentEvent>[] = [
      delivery(1, seats(6)),
      confirmed(1, seats(6)),
      {
        type: 'ReturnReported',
        data: {
          n,
          delivery: 1,
          party: 'state:VUT',
          leg: 1,
          quantity: seats(2),
          drawn: seats(2),
          credited: seats(2),
          confirmed: { drawn: seats(2), credited: seats(2) },
          reason: 'Too many.',
          date: '2026-01-05',
        },
      },
      delivery(2, seats(1)),
      {
        type: 'DeliveryCorrected',
        data: {
          n: 2,
          party: 'donor:japan',
          leg: 1,
          quantity: seats(3),
          drawn: seats(3),
          credited: seats(3),
          date: '2026-01-05',
          reason: 'Counted again.',
        },
      },
      {
        type: 'CommitmentAmended',
        data: {
          n,
          changes: { legs: [{ ...amended, drawn: seats(8), credited: seats(8) }] },
          legs: [{ ...amended, drawn: seats(8), credited: seats(8) }],
          increases: [],
          decreases: [{ leg: 1, offerLine: 2, needLine: 2, drawn: seats(2), credited: seats(2) }],
          recredited: [],
        },
      },
    ];
    const at = async (position: bigint): Promise<readonly unknown[]> => {
      const {
        committed,
        delivered,
        confirmed: found,
      } = await of([deal({ legs: [training(10)], after })], {
        moment: momentOf(String(position)),
      });
      return [committed, delivered, found].map(([quantity]) => (quantity as { amount?: string } | undefined)?.amount);
    };
    expect(await at(12n)).toEqual(['10', '6', '6']);
    expect(await at(13n)).toEqual(['10', '4', '4']);
    expect(await at(15n)).toEqual(['10', '7', '4']);
    expect(await at(16n)).toEqual(['8', '7', '4']);
  });
  it('count a provider’s own payments net of refunds, and show what is passed on beside them', async () => {
    const after = [
      transfer(1, usd('100.00')),
      transfer(2, usd('80.00'), { from: 'agency:cavr', to: 'agency:ngo', onward: 1 }),
      transfer(3, usd('30.00'), { kind: 'refund', from: 'agency:cavr', to: 'donor:japan', of: 1 }),
      transfer(4, usd('1.00'), { kind: 'interest', from: 'agency:cavr', to: 'agency:cavr' }),
    ];
    const totals = await of([deal({ legs: [money(usd('100.00'))], after })]);
    expect(totals.disbursed).toEqual([usd('70.00')]);
    expect(totals.excluded.map(({ transfer: n, reason, quantity }) => [n, reason, quantity])).toEqual([
      [2, 'onward', usd('80.00')],
      [4, 'own-booking', usd('1.00')],
    ]);
    expect(totals.excludedCount).toBe(2);
  });
});

describe('totals in one currency', () => {
  const rate = { rate: '1.1', asOf: '2026-01-02', source: 'ECB' };
  it('add what a recorded valuation says, and never guess the rest', async () => {
    const totals = await of(
      [
        deal({ legs: [money(eur('100.00'), { credited: usd('110.00'), valuation: rate })] }),
        deal({ legs: [money(eur('50.00'))] }),
        deal({ legs: [money(usd('7.00')), training(3)] }),
      ],
      { currency: 'USD' },
    );
    expect(totals.committed).toEqual([usd('117.00')]);
    expect(totals.excluded).toMatchObject([
      { commitment: id(2), figure: 'committed', reason: 'unvalued', quantity: eur('50.00') },
    ]);
  });
  it('take a payment at what its receipt was booked for, the rest is unvalued', async () => {
    const after: Given<CommitmentEvent>[] = [
      transfer(1, eur('100.00')),
      {
        type: 'ReceiptReported',
        data: {
          n: 1,
          transfer: 1,
          party: 'agency:cavr',
          amount: eur('60.00'),
          credited: usd('66.00'),
          rate: '1.1',
          date: '2026-01-03',
        },
      },
    ];
    const deals = [deal({ legs: [money(eur('100.00'))], after })];
    const totals = await of(deals, { currency: 'USD' });
    expect(totals.disbursed).toEqual([usd('66.00')]);
    expect(totals.excluded).toMatchObject([
      { figure: 'committed', reason: 'unvalued', quantity: eur('100.00') },
      { figure: 'disbursed', transfer: 1, reason: 'unvalued', quantity: eur('40.00') },
    ]);
    expect((await of(deals, { currency: 'EUR' })).disbursed).toEqual([eur('100.00')]);
  });
});

describe('parents', () => {
  const parent = deal({ legs: [money(usd('100.00'))] });
  const child = (amount: string): Given<CommitmentEvent>[] => deal({ legs: [money(usd(amount))], partOf: id(1) });
  // Seen failing with the parent's share left in.
  it('are never added to their children: what goes beyond them counts', async () => {
    const totals = await of([parent, child('30.00'), child('20.00')]);
    expect(totals.committed).toEqual([usd('100.00')]);
    expect(totals.excluded).toMatchObject([
      { commitment: id(1), figure: 'committed', reason: 'parent-of-counted', quantity: usd('50.00') },
    ]);
    expect((await of([parent, child('130.00')])).committed).toEqual([usd('130.00')]);
    const grandchild = deal({ legs: [money(usd('10.00'))], partOf: id(2) });
    expect((await of([parent, child('30.00'), grandchild])).committed).toEqual([usd('100.00')]);
  });
  // Seen failing with each span's own amounts compared: 2026 counted again what 2025 had.
  it('count once in the spans of a year, too, however the two are dated', async () => {
    const family = [
      deal({ legs: [money(usd('100.00'))], after: [transfer(1, usd('60.00'), { date: '2025-12-30' })] }),
      deal({
        legs: [money(usd('100.00'))],
        partOf: id(1),
        after: [transfer(1, usd('50.00'), { date: '2026-01-02' }), transfer(2, usd('30.00'), { date: '2026-01-03' })],
      }),
    ];
    expect((await of(family)).disbursed).toEqual([usd('80.00')]);
    expect((await of(family, { from: '0001-01-01', to: '2025-12-31' })).disbursed).toEqual([usd('60.00')]);
    const since = await of(family, { from: '2026-01-01' });
    expect(since.disbursed).toEqual([usd('20.00')]);
    expect(since.excluded).toContainEqual(
      expect.objectContaining({ figure: 'disbursed', reason: 'parent-of-counted', quantity: usd('60.00') }),
    );
    expect((await of(family, { from: '2026-01-01', to: '2026-01-02' })).disbursed).toEqual([]);
    expect((await of(family, { from: '2026-01-03' })).disbursed).toEqual([usd('20.00')]);
  });
  it('of a circle count once round', async () => {
    const one = deal({ legs: [money(usd('5.00'))], partOf: id(2) });
    expect((await of([one, child('5.00')])).committed).toEqual([usd('5.00')]);
  });
  it('hide nothing of a child that is hidden', async () => {
    const hidden = deal({ legs: [money(usd('30.00'))], partOf: id(1), needId: HIDDEN_NEED });
    expect((await of([parent, hidden], {}, ANONYMOUS)).excluded).toEqual([]);
  });
});

describe('the boundary of totals', () => {
  it('is by beneficiary, donor, kind and effective day', async () => {
    const deals = [deal({ legs: [money(usd('9.00')), training(2)], after: [transfer(1, usd('4.00'))] })];
    expect((await of(deals, { state: 'VUT', donor: 'donor:japan' })).committed).toEqual([usd('9.00'), seats(2)]);
    expect((await of(deals, { state: 'FJI' })).committed).toEqual([]);
    expect(await of(deals, { kind: 'training' })).toMatchObject({
      committed: [seats(2)],
      disbursed: [],
      excluded: [{ transfer: 1, reason: 'kind-not-known', quantity: usd('4.00') }],
    });
    expect(await of(deals, { from: '2026-01-03' })).toMatchObject({
      committed: [usd('9.00'), seats(2)],
      disbursed: [],
    });
    expect(await of(deals, { to: '2026-01-02' })).toMatchObject({ committed: [], disbursed: [usd('4.00')] });
  });
  // Seen failing with both checks of `boundAt` left out of the figures.
  it('is as of a place in the log or a moment of recording', async () => {
    const deals = [deal({ legs: [training(2)] })];
    // Three labels stand before; the seventh event binds.
    expect((await of(deals, { moment: momentOf('9') })).committed).toEqual([]);
    expect((await of(deals, { moment: momentOf('10') })).committed).toEqual([seats(2)]);
    expect((await of(deals, { moment: momentOf('2026-01-05T08:59:59.999Z') })).committed).toEqual([]);
    expect((await of(deals, { moment: momentOf('2026-01-05T09:00:00.000Z') })).committed).toEqual([seats(2)]);
  });
  // Seen failing with `seen` answering every reachable row.
  it('leaves out what the caller does not see (I19)', async () => {
    const deals = [deal({ legs: [training(2)] }), deal({ legs: [training(5)], needId: HIDDEN_NEED })];
    expect((await of(deals, {}, ANONYMOUS)).committed).toEqual([seats(2)]);
    expect((await of(deals, {}, NORWAY)).committed).toEqual([seats(2)]);
    expect((await of(deals, {}, JAPAN)).committed).toEqual([seats(7)]);
    expect((await of(deals, {}, COORDINATOR)).committed).toEqual([seats(7)]);
  });
});

describe('contributions to funds', () => {
  const log = logOf(...RECORDS, [
    `contribution-${id(9)}`,
    [
      {
        type: 'ContributionPledged',
        data: {
          fund: 'fund:unscar',
          donor: 'donor:japan',
          amount: usd('50.00'),
          date: '2026-01-01',
          visibility: 'members',
        },
      },
      { type: 'ContributionSigned', data: { party: 'donor:japan', date: '2026-01-02' } },
      { type: 'ContributionPaid', data: { n: 1, amount: usd('20.00'), date: '2026-01-03' } },
      { type: 'ContributionReceived', data: { n: 1, amount: usd('20.00'), date: '2026-01-03' } },
      { type: 'ContributionRefunded', data: { n: 1, amount: usd('5.00'), date: '2026-01-04' } },
    ],
  ]);
  it('are shown beside totals and never added', async () => {
    const totals = await totalsOf(log).of(JAPAN, { donor: 'donor:japan' });
    expect(totals).toMatchObject({ committed: [], disbursed: [] });
    expect(totals.excluded).toMatchObject([
      { contribution: id(9), figure: 'committed', reason: 'to-funds', quantity: usd('50.00') },
      { contribution: id(9), figure: 'disbursed', reason: 'to-funds', quantity: usd('15.00') },
    ]);
  });
  it('are nobody’s who does not see them, and no State’s', async () => {
    expect((await totalsOf(log).of(ANONYMOUS, {})).excluded).toEqual([]);
    expect((await totalsOf(log).of(JAPAN, { state: 'VUT' })).excluded).toEqual([]);
    expect((await totalsOf(log).of(JAPAN, { donor: 'donor:norway' })).excluded).toEqual([]);
  });
});

describe('however money travels', () => {
  const amounts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 });
  /** Each payment goes through so many hands, and so much of it comes back the whole way. */
  const chain = (payments: readonly number[], hands: number, back: boolean): Given<CommitmentEvent>[] => {
    const events: Given<CommitmentEvent>[] = [];
    const add = (over: Parameters<typeof transfer>[2], minor: number): number => {
      events.push(transfer(events.length + 1, usd(`${minor}.00`), over));
      return events.length;
    };
    const holder = (n: number): string => (n === 0 ? 'donor:japan' : `agency:hand-${n}`);
    for (const minor of payments) {
      const way: number[] = [];
      for (let hand = 0; hand <= hands; hand += 1) {
        const onward = way.at(-1);
        way.push(add({ from: holder(hand), to: holder(hand + 1), ...(onward === undefined ? {} : { onward }) }, minor));
      }
      if (!back) continue;
      for (let hand = hands; hand >= 0; hand -= 1) {
        const of = way[hand];
        if (of !== undefined) add({ kind: 'refund', from: holder(hand + 1), to: holder(hand), of }, 1);
      }
    }
    return events;
  };
  // Seen failing with every transfer of a party other than the provider counted as well.
  it('the total over the boundary is the same with intermediaries in between (I10)', async () => {
    await fc.assert(
      fc.asyncProperty(amounts, fc.integer({ min: 1, max: 4 }), fc.boolean(), async (payments, hands, back) => {
        const legs = [money(usd('100000.00'))];
        const direct = await of([deal({ legs, after: chain(payments, 0, back) })]);
        const through = await of([deal({ legs, after: chain(payments, hands, back) })]);
        expect(through.disbursed).toEqual(direct.disbursed);
        expect(through.committed).toEqual(direct.committed);
      }),
      { numRuns: 40 },
    );
  });
  // Seen failing with the second row of an event left out of its page.
  it('the events behind a figure add up to it, page by page', async () => {
    await fc.assert(
      fc.asyncProperty(amounts, fc.integer({ min: 1, max: 3 }), fc.boolean(), async (payments, limit, cancel) => {
        const after = [...chain(payments, 1, true), delivery(1, seats(2), { leg: 2 }), ...(cancel ? [CANCELLED] : [])];
        const totals = totalsOf(
          logOf(...RECORDS, [`commitment-${id(1)}`, deal({ legs: [money(usd('1000.00')), training(9)], after })]),
        );
        const answer = await totals.of(JAPAN, {});
        const events = [];
        for (let place: Parameters<Totals['events']>[4] | undefined; ;) {
          const page = await totals.events(JAPAN, {}, undefined, limit, place);
          events.push(...page.items);
          if (page.last === undefined) break;
          place = page.last;
        }
        for (const figure of ['committed', 'disbursed', 'delivered', 'confirmed'] as const) {
          const sums = sumByMeasure(events.filter((event) => event.figure === figure).map(({ quantity }) => quantity));
          const byMeasure = (a: Quantity, b: Quantity): number => a.measure.localeCompare(b.measure);
          expect(sums.filter(({ amount }) => Number(amount) !== 0).sort(byMeasure)).toEqual(
            [...answer[figure]].sort(byMeasure),
          );
        }
      }),
      { numRuns: 30 },
    );
  });
});

it('shows the same figures in every batch size and after every restart (I13)', () => {
  const after = [transfer(1, usd('5.00')), delivery(1, seats(1), { leg: 2 }), CANCELLED];
  const log = logOf(...RECORDS, [`commitment-${id(1)}`, deal({ legs: [money(usd('9.00')), training(3)], after })]);
  expect(projectionScenario(commitmentBoard, log).figure?.length).toBeGreaterThan(3);
});

describe('totals as of a moment', () => {
  const day = fc.integer({ min: 1, max: 28 }).map((n) => `2026-01-${String(n).padStart(2, '0')}`);
  const fact = fc.oneof(
    fc.integer({ min: 1, max: 9 }).map((n) => (at: number) => delivery(at, seats(n), { leg: 2 })),
    fc.integer({ min: 1, max: 9 }).map((n) => (at: number) => confirmed(Math.max(1, at - 1), seats(n))),
    fc.integer({ min: 1, max: 90 }).map((n) => (at: number) => transfer(at, usd(`${n}.00`))),
    fc.constant(() => CANCELLED),
  );
  /** A commitment's events: some at one moment, as of one append; some said to have happened earlier than the one before. */
  const history = fc
    .tuple(
      fc.array(fact, { maxLength: 7 }),
      fc.array(fc.tuple(day, fc.option(day, { nil: undefined })), { minLength: 14, maxLength: 14 }),
    )
    .map(([facts, moments]) => {
      const events = deal({ legs: [money(usd('90.00')), training(20)], after: facts.map((make, n) => make(n + 1)) });
      const recorded = moments.map(([at]) => at).sort();
      return events.map((entry, n) => {
        const [event, metadata] = (Array.isArray(entry) ? entry : [entry, {}]) as [CommitmentEvent, object];
        const at = `${recorded[n] ?? '2026-01-28'}T09:00:00.000Z`;
        const claimed = moments[n]?.[1];
        return [event, { ...metadata, at, effectiveAt: claimed !== undefined && claimed < at ? claimed : at }] as const;
      });
    });
  const moment = fc.oneof(
    fc
      .integer({ min: 0, max: 45 })
      .map((position): { at: string; clock: ClockName } => ({ at: String(position), clock: 'recorded' })),
    fc.record({ at: day, clock: fc.constantFrom<ClockName>('recorded', 'effective') }),
  );
  const parts = ({ committed, disbursed, delivered, confirmed: sure, excluded }: TotalsAnswer): object => ({
    ...{ committed, disbursed, delivered, confirmed: sure, excluded },
  });

  // Seen failing with the rows of the board summed by `effective_on` instead of folded again, and with `<` for `<=` a position.
  it('are those of a log that holds no more than what counts then, on both clocks (I13)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(history, { minLength: 1, maxLength: 2 }), moment, async (deals, { at, clock }) => {
        const log = logOf(...RECORDS, ...deals.map((events, n) => [`commitment-${id(n + 1)}`, events] as const));
        const upTo = momentOf(at, clock);
        const counting = log.filter(
          (event, _n, all) =>
            !event.stream.startsWith('commitment-') ||
            // Without its proposal there is no commitment that a later event could change.
            (countsAt(event, upTo) &&
              all.some((first) => first.stream === event.stream && first.revision === 0 && countsAt(first, upTo))),
        );
        const answer = await totalsOf(log).of(JAPAN, { moment: upTo });
        expect(parts(answer)).toEqual(parts(await totalsOf(counting).of(JAPAN, {})));
        const events = await totalsOf(log).events(JAPAN, { moment: upTo }, undefined, 200);
        const delivered = sumByMeasure(
          events.items.filter(({ figure }) => figure === 'delivered').map(({ quantity }) => quantity),
        );
        expect(delivered.filter(({ amount }) => Number(amount) !== 0)).toEqual(answer.delivered);
      }),
      { numRuns: 150 },
    );
  });
});
