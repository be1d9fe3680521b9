import assert from 'node:assert/strict';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Actor, CommandContext, RecordedEvent } from '#kernel';
import { SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import type { CommandBody } from '#kernel-testing';
import { recordedEvent } from '#kernel-testing';
import { ANONYMOUS } from '#directory/contract';
import type { Quantity } from '#vocabulary';
import { isUnlimited, minorUnits, quantityOf, zeroLike } from '#vocabulary';
import type { CapacityEvent } from './capacity.js';
import { committedOf, deliveredOf, isCapacityType } from './capacity.js';
import type { EarmarkedNeed } from './earmark.js';
import { earmarkReasons } from './earmark.js';
import type { CapacityKey, Earmark, OfferContent, OfferEvent } from './offer.contract.js';
import type { OfferCommand, OfferState } from './offer.js';
import { deskRoleOf, figuresOf, legOf, offerDecider, reservationOf } from './offer.js';
import { offerView } from './offer.view.js';

const usd = (cents: number): Quantity => ({
  measure: 'money',
  currency: 'USD',
  amount: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`,
});
const seats = (amount: number): Quantity => ({ measure: 'seats', amount: String(amount) });
const uses = (amount: number | 'unlimited'): Quantity => ({ measure: 'access', amount: String(amount) });

const PROVIDER: Actor = { party: 'donor:japan', role: 'donor-desk' };
const ACTORS: readonly Actor[] = [
  PROVIDER,
  PROVIDER,
  { party: 'donor:japan', role: 'coordinator' },
  { party: 'donor:norway', role: 'donor-desk' },
  { party: 'state:VUT', role: 'npc' },
  { party: 'agency:unoda', role: 'coordinator' },
  SYSTEM_TIMER,
  SYSTEM_PROCESS,
];
const COMMITMENTS = ['c-00', 'c-01', 'c-02'];
const TIMES = ['2026-06-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'];

const FACTS: EarmarkedNeed = {
  beneficiaries: ['state:VUT'],
  networks: [],
  regions: ['009'],
  instruments: ['ATT'],
  traffickingNexus: false,
  needLineKinds: { 1: 'training', 2: 'legal', 3: 'technical', 4: 'training' },
};

const CONTENT: OfferContent = {
  title: 'Courses and a fund',
  lines: [
    { line: 1, kinds: ['training'], capacity: seats(10) },
    { line: 2, kinds: ['legal'], capacity: usd(1000_00) },
    { line: 3, kinds: ['technical'], capacity: uses(4) },
    { line: 4, kinds: ['training'], capacity: uses('unlimited') },
  ],
  earmark: {},
  conditions: [],
  period: { to: '2026-12-31' },
  visibility: 'public',
  named: [],
};

const commitmentId = fc.constantFrom(...COMMITMENTS);
/** Legs 1 and 3 draw seats on line 1, leg 2 money on line 2, leg 4 uses on line 3, leg 5 uses without a limit on line 4. */
const drawnBy = (leg: number): fc.Arbitrary<{ leg: number; line: number; quantity: Quantity }> => {
  const some = fc.integer({ min: 1, max: 6 });
  if (leg === 2) return fc.integer({ min: 1, max: 700_00 }).map((cents) => ({ leg, line: 2, quantity: usd(cents) }));
  if (leg === 4) return fc.integer({ min: 1, max: 3 }).map((amount) => ({ leg, line: 3, quantity: uses(amount) }));
  if (leg === 5) return some.map((amount) => ({ leg, line: 4, quantity: uses(amount) }));
  return some.map((amount) => ({ leg, line: 1, quantity: seats(amount) }));
};
const legs = fc.constantFrom([1], [1], [2], [4], [5], [1, 2], [1, 2, 3], [4, 1]);
/** 0 is the proposal; most of what happens is of it, so that stories meet. */
const amendment = fc.constantFrom(0, 0, 0, 1, 2);
const legKeys = fc
  .tuple(legs, amendment)
  .map(([numbers, amended]) => numbers.map((leg) => ({ leg, amendment: amended })));
const earmark: fc.Arbitrary<Earmark> = fc.constantFrom({}, {}, { beneficiaries: ['FJI'] }, { beneficiaries: ['VUT'] });

const processCommands: fc.Arbitrary<CommandBody<OfferCommand>> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({
        commitment: commitmentId,
        amended: amendment,
        legs: legs.chain((numbers) => fc.tuple(...numbers.map(drawnBy))),
      })
      .map(({ commitment, amended, legs: drawn }) => ({
        type: 'ReserveCapacity' as const,
        commitment,
        amendment: amended,
        legs: drawn.map((leg) => ({ ...leg, needLine: leg.line })),
        facts: FACTS,
      })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ commitment: commitmentId, legs: legKeys })
      .map((keys) => ({ type: 'CommitCapacity' as const, ...keys })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({
        commitment: commitmentId,
        drawn: legs.chain(([leg = 1]) => drawnBy(leg)),
        delivery: fc.integer({ min: 1, max: 4 }),
      })
      .map(({ commitment, drawn: { leg, quantity }, delivery }) => ({
        type: 'DeliverCapacity' as const,
        key: { commitment, leg, amendment: 0 },
        delivery,
        quantity,
      })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ commitment: commitmentId, legs: legKeys })
      .map((keys) => ({ type: 'ReleaseCapacity' as const, ...keys })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        commitment: commitmentId,
        drawn: legs.chain(([leg = 1]) => drawnBy(leg)),
        delivery: fc.integer({ min: 1, max: 4 }),
        n: fc.integer({ min: 1, max: 3 }),
        back: fc.boolean(),
      })
      .map(({ commitment, drawn: { leg, quantity }, delivery, n, back }) => ({
        key: { commitment, leg, amendment: 0 },
        delivery,
        quantity,
        ...(back
          ? { type: 'ReturnCapacity' as const, return: n }
          : { type: 'CorrectCapacity' as const, asked: `e${n}` }),
      })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        commitment: commitmentId,
        amended: fc.integer({ min: 1, max: 3 }),
        drawn: legs.chain(([leg = 1]) => drawnBy(leg)),
      })
      .map(({ commitment, amended, drawn: { leg, quantity } }) => ({
        type: 'ReduceCapacity' as const,
        commitment,
        amendment: amended,
        legs: [{ leg, quantity }],
      })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ commitment: commitmentId, legs: legKeys })
      .map((keys) => ({ type: 'FreeAccess' as const, ...keys })),
  },
);
const deskCommands: fc.Arbitrary<CommandBody<OfferCommand>> = fc.oneof(
  fc.constantFrom<CommandBody<OfferCommand>>(
    { type: 'PostOffer' },
    { type: 'SuspendOffer' },
    { type: 'ResumeOffer' },
    { type: 'ResumeOffer' },
    { type: 'ExpireOffer' },
    { type: 'WithdrawOffer' },
    { type: 'CompleteOffer' },
    { type: 'DraftOffer', content: CONTENT },
    { type: 'PostOffer', content: CONTENT },
  ),
  fc
    .record({
      first: fc.integer({ min: 1, max: 15 }),
      lot: fc.option(fc.constantFrom('1', '3'), { nil: undefined }),
      second: fc.integer({ min: 1, max: 1500_00 }),
      third: fc.constantFrom(1, 3, 6, 'unlimited' as const),
      fourth: fc.constantFrom('unlimited' as const, 'unlimited' as const, 9),
      earmark,
    })
    .map(({ first, lot, second, third, fourth, earmark: narrowed }) => ({
      type: 'AmendOffer' as const,
      changes: {
        earmark: narrowed,
        lines: [
          { kinds: ['training' as const], capacity: seats(first), ...(lot === undefined ? {} : { minimumLot: lot }) },
          { kinds: ['legal' as const], capacity: usd(second) },
          { kinds: ['technical' as const], capacity: uses(third) },
          { kinds: ['training' as const], capacity: uses(fourth) },
        ],
      },
    })),
  fc.constant<CommandBody<OfferCommand>>({
    type: 'AmendOffer',
    changes: { lines: [{ line: 2, kinds: ['legal'], capacity: usd(2000_00) }] },
  }),
);

/** A command of the process that is chosen when its turn comes, so that it fits what stands then: stories reach deep. */
interface Fitting {
  readonly type: 'fitting';
  readonly commitment: string;
  readonly leg: number;
  readonly act: number;
  readonly amount: number;
}
const fitting: fc.Arbitrary<Fitting> = fc.record({
  type: fc.constant('fitting' as const),
  commitment: commitmentId,
  leg: fc.integer({ min: 1, max: 5 }),
  act: fc.integer({ min: 0, max: 11 }),
  amount: fc.nat({ max: 9 }),
});

const LINE_OF: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 1, 4: 3, 5: 4 };

const chosen = (state: OfferState, { commitment, leg, act, amount }: Fitting): CommandBody<OfferCommand> => {
  const key = { commitment, leg, amendment: 0 };
  const line = LINE_OF[leg] ?? 1;
  const like = CONTENT.lines.find((one) => one.line === line)?.capacity ?? seats(1);
  const some = (most: bigint): Quantity => quantityOf(like, 1n + (most > 0n ? BigInt(amount) % most : 0n));
  const account = legOf(state, key);
  const reserve = (amended: number): CommandBody<OfferCommand> => ({
    type: 'ReserveCapacity',
    commitment,
    amendment: amended,
    legs: [{ leg, line, needLine: line, quantity: some(3n) }],
    facts: FACTS,
  });
  if (account === undefined) return reserve(0);
  const keys = account.takes.map(({ amendment: amended }) => ({ leg, amendment: amended }));
  const tranches = Object.entries(account.tranches);
  const [delivery, tranche] = tranches[amount % Math.max(1, tranches.length)] ?? ['1', { reported: 1n, returned: 0n }];
  const told = account.answered.length + 1;
  switch (act) {
    case 0:
    case 1:
    case 2:
      return { type: 'CommitCapacity', commitment, legs: keys };
    case 3:
    case 4:
      return {
        type: 'DeliverCapacity',
        key,
        delivery: tranches.length + 1,
        quantity: some(committedOf(account) - deliveredOf(account)),
      };
    case 5:
    case 6:
      return {
        type: 'ReturnCapacity',
        key,
        delivery: Number(delivery),
        return: told,
        quantity: some(tranche.reported - tranche.returned),
      };
    case 7:
      return { type: 'CorrectCapacity', key, delivery: Number(delivery), quantity: some(4n), asked: `e${told}` };
    case 8:
      return { type: 'ReduceCapacity', commitment, amendment: 10 + told, legs: [{ leg, quantity: some(9n) }] };
    case 9:
      return { type: 'FreeAccess', commitment, legs: keys };
    case 10:
      return { type: 'ReleaseCapacity', commitment, legs: keys };
    default:
      return reserve(account.takes.length);
  }
};

interface Asked {
  readonly body: CommandBody<OfferCommand> | Fitting;
  readonly actor: Actor;
  readonly at: string;
}
const actor = fc.constantFrom(...ACTORS);
const asked: fc.Arbitrary<Asked> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ body: fitting, actor: fc.constant(SYSTEM_PROCESS), at: fc.constant(TIMES[0] ?? '') }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      body: processCommands,
      actor: fc.constant(SYSTEM_PROCESS),
      at: fc.constant(TIMES[0] ?? ''),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ body: deskCommands, actor: fc.constant(PROVIDER), at: fc.constant(TIMES[0] ?? '') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ body: fc.oneof(deskCommands, processCommands), actor, at: fc.constantFrom(...TIMES) }),
  },
);
// Long ones: a tranche delivered and the rest released takes four steps that fit each other.
const story = fc.array(asked, { minLength: 1, maxLength: 80, size: 'max' });

interface Step {
  readonly asked: Asked & { readonly body: CommandBody<OfferCommand> };
  readonly before: OfferState;
  readonly event: RecordedEvent<OfferEvent>;
  readonly after: OfferState;
}

const POSTED: OfferEvent = { type: 'OfferPosted', data: { provider: 'donor:japan', content: CONTENT } };

/** Plays a story on an open offer; every event is one step. */
const play = (commands: readonly Asked[]): readonly Step[] => {
  let state = offerDecider.evolve(offerDecider.initial, recordedEvent('offer-r1', 0, POSTED));
  const steps: Step[] = [];
  for (const one of commands) {
    const by: CommandContext = { actor: one.actor, at: one.at, effectiveAt: one.at };
    const body = one.body.type === 'fitting' ? chosen(state, one.body) : one.body;
    const decision = offerDecider.decide({ ...body, by }, state);
    if (decision.kind === 'refused') continue;
    for (const fact of decision.events) {
      const event = recordedEvent('offer-r1', steps.length + 1, fact, { actor: one.actor, recordedAt: one.at });
      const after = offerDecider.evolve(state, event);
      steps.push({ asked: { ...one, body }, before: state, event, after });
      state = after;
    }
  }
  return steps;
};

interface Account {
  held: bigint;
  committed: bigint;
  delivered: bigint;
}

/** The books of an offer, kept from its events alone and in another way than the offer keeps them. */
class Books {
  private readonly accounts = new Map<number, Account>();
  private readonly bound = new Set<string>();
  private readonly tranches = new Map<string, bigint>();

  record(event: RecordedEvent<OfferEvent>): void {
    const move = event as unknown as OfferEvent;
    if (!isCapacityType(move.type)) return;
    const { data } = move as CapacityEvent;
    if (data.line === undefined || data.quantity === undefined) return;
    const account = this.of(data.line);
    const amount = minorUnits(data.quantity);
    const key = keyText(data);
    const side = this.bound.has(key) ? 'committed' : 'held';
    switch (move.type) {
      case 'CapacityReserved':
        account.held += amount;
        break;
      case 'CapacityCommitted':
        this.bound.add(key);
        account.held -= amount;
        account.committed += amount;
        break;
      case 'CapacityDelivered':
      case 'CapacityDeliveryCorrected': {
        const tranche = `${move.data.commitment} ${move.data.leg} ${move.data.delivery}`;
        account.delivered += amount - (this.tranches.get(tranche) ?? 0n);
        this.tranches.set(tranche, amount);
        break;
      }
      case 'CapacityReturned':
        account.delivered -= amount;
        break;
      case 'AccessFreed':
        account.delivered -= amount;
        account[side] -= amount;
        break;
      default:
        account[side] -= amount;
    }
  }

  of(line: number): Account {
    const account = this.accounts.get(line) ?? { held: 0n, committed: 0n, delivered: 0n };
    this.accounts.set(line, account);
    return account;
  }
}
const keyText = ({ commitment, leg, amendment }: CapacityKey): string => `${commitment} ${leg} ${amendment}`;

interface ViewedLine {
  readonly line: number;
  readonly capacity: Quantity;
  readonly held: Quantity;
  readonly committed: Quantity;
  readonly delivered: Quantity;
  readonly available: Quantity;
  readonly expired?: Quantity;
}
const viewedLines = ({ summary }: OfferState): readonly ViewedLine[] => {
  if (summary === undefined) return [];
  const view = offerView(ANONYMOUS, 'r1', summary, { party: false, eligible: false });
  return (view as { readonly lines: readonly ViewedLine[] }).lines;
};

const RUNS = { numRuns: 150 };

/** What these ask for may have more to do when it is asked again later. */
const REPEATED: readonly OfferCommand['type'][] = ['CommitCapacity', 'ReleaseCapacity', 'FreeAccess'];

describe('at every revision of an offer', () => {
  test('I1: what is held and committed never exceeds the capacity of a rival line', () => {
    fc.assert(
      fc.property(story, (commands) => {
        const books = new Books();
        for (const { event, after } of play(commands)) {
          books.record(event);
          for (const { line, capacity } of after.summary?.content.lines ?? []) {
            const { held, committed, delivered } = books.of(line);
            assert.ok(held >= 0n && delivered >= 0n, 'less than nothing is held or delivered');
            if (!isUnlimited(capacity))
              assert.ok(held + committed <= minorUnits(capacity), 'more is promised than there is');
            assert.ok(delivered <= committed, 'more is delivered than committed');
            assert.deepEqual(after.summary && figuresOf(after.summary, line), { held, committed, delivered });
          }
          // Leg by leg too: a figure of the line may hide one leg below zero behind another.
          for (const commitment of COMMITMENTS) {
            for (const leg of [1, 2, 3, 4, 5]) {
              const account = legOf(after, { commitment, leg });
              if (account === undefined) continue;
              assert.ok(account.takes.every(({ taken }) => taken >= 0n));
              assert.ok(deliveredOf(account) >= 0n && deliveredOf(account) <= committedOf(account));
            }
          }
        }
      }),
      RUNS,
    );
  });

  test('I6: capacity = available + held + committed and not delivered + delivered + expired, as any reader adds it up', () => {
    fc.assert(
      fc.property(story, (commands) => {
        const books = new Books();
        for (const { event, after } of play(commands)) {
          books.record(event);
          for (const { line, capacity, held, committed, delivered, available, expired } of viewedLines(after)) {
            const kept = books.of(line);
            const [h, c, d] = [held, committed, delivered].map(minorUnits) as [bigint, bigint, bigint];
            assert.deepEqual({ held: h, committed: c, delivered: d }, kept);
            // Unlimited lines are outside the sum: they show that there is always more.
            if (isUnlimited(capacity)) {
              assert.deepEqual(after.summary?.status === 'closed' ? expired : available, capacity);
              continue;
            }
            const [a, e] = [available, expired ?? zeroLike(capacity)].map(minorUnits) as [bigint, bigint];
            assert.equal(a + h + (c - d) + d + e, minorUnits(capacity));
            assert.ok(a >= 0n && e >= 0n, 'less than nothing is left');
            if (after.summary?.status === 'closed') assert.equal(a, 0n);
          }
        }
      }),
      RUNS,
    );
  });

  test('I17: no act of desk or timer alters what commitments took', () => {
    fc.assert(
      fc.property(story, (commands) => {
        for (const { event, before, after } of play(commands)) {
          if (isCapacityType(event.type)) continue;
          assert.equal(after.accounts, before.accounts);
          for (const line of [1, 2, 3, 4]) {
            assert.deepEqual(
              after.summary && figuresOf(after.summary, line),
              before.summary && figuresOf(before.summary, line),
            );
          }
        }
      }),
      RUNS,
    );
  });

  test('I17: what was bound can be delivered whatever the desk did since', () => {
    const bound: readonly OfferEvent[] = [
      { type: 'CapacityReserved', data: { commitment: 'c-99', leg: 1, amendment: 0, line: 1, quantity: seats(4) } },
      { type: 'CapacityCommitted', data: { commitment: 'c-99', leg: 1, amendment: 0, line: 1, quantity: seats(4) } },
    ];
    fc.assert(
      fc.property(
        fc.array(fc.record({ body: deskCommands, at: fc.constantFrom(...TIMES) }), { maxLength: 12 }),
        (acts) => {
          let state = [POSTED, ...bound].reduce(
            (so, event, revision) => offerDecider.evolve(so, recordedEvent('offer-r1', revision, event)),
            offerDecider.initial,
          );
          for (const { body, at } of acts) {
            const by = { actor: body.type === 'ExpireOffer' ? SYSTEM_TIMER : PROVIDER, at, effectiveAt: at };
            const decision = offerDecider.decide({ ...body, by }, state);
            if (decision.kind === 'refused') continue;
            for (const event of decision.events)
              state = offerDecider.evolve(state, recordedEvent('offer-r1', 9, event));
          }
          const by = { actor: SYSTEM_PROCESS, at: TIMES[2] ?? '', effectiveAt: TIMES[2] ?? '' };
          const delivery = { commitment: 'c-99', leg: 1, amendment: 0 };
          const decision = offerDecider.decide(
            { type: 'DeliverCapacity', by, key: delivery, delivery: 1, quantity: seats(4) },
            state,
          );
          expect(decision).toMatchObject({ kind: 'accepted', events: [{ type: 'CapacityDelivered' }] });
        },
      ),
      RUNS,
    );
  });

  test('I20: no event of a party is written by another', () => {
    const writer: Readonly<Partial<Record<OfferEvent['type'], string>>> = {
      OfferExpired: SYSTEM_TIMER.party,
      CapacityReserved: SYSTEM_PROCESS.party,
      CapacityRefused: SYSTEM_PROCESS.party,
      CapacityCommitted: SYSTEM_PROCESS.party,
      CapacityDelivered: SYSTEM_PROCESS.party,
      CapacityReturned: SYSTEM_PROCESS.party,
      CapacityDeliveryCorrected: SYSTEM_PROCESS.party,
      CapacityReleased: SYSTEM_PROCESS.party,
      AccessFreed: SYSTEM_PROCESS.party,
    };
    fc.assert(
      fc.property(story, (commands) => {
        for (const { event, after } of play(commands)) {
          const { party, role } = event.metadata.actor;
          assert.equal(party, writer[event.type] ?? after.summary?.provider);
          if (!party.startsWith('system:')) assert.equal(role, deskRoleOf(party));
        }
      }),
      RUNS,
    );
  });

  test('whatever is asked again of the process writes nothing', () => {
    fc.assert(
      fc.property(story, (commands) => {
        const steps = play(commands);
        for (const {
          asked: { body, actor: who, at },
        } of steps.filter((step) => step.event.type.startsWith('Capacity'))) {
          const last = steps.at(-1)?.after ?? offerDecider.initial;
          // Committing is passed over where the leg was released since; a delivery may be refused, never doubled.
          const decision = offerDecider.decide({ ...body, by: { actor: who, at, effectiveAt: at } }, last);
          if (decision.kind === 'accepted' && !REPEATED.includes(body.type)) {
            assert.deepEqual(decision.events, []);
          }
        }
      }),
      RUNS,
    );
  });

  test('a release that overtakes its reservation wins', () => {
    fc.assert(
      fc.property(story, commitmentId, (commands, commitment) => {
        const steps = play(commands.filter(({ body }) => !('commitment' in body) || body.commitment !== commitment));
        const state =
          steps.at(-1)?.after ?? offerDecider.evolve(offerDecider.initial, recordedEvent('offer-r1', 0, POSTED));
        const by = { actor: SYSTEM_PROCESS, at: TIMES[0] ?? '', effectiveAt: TIMES[0] ?? '' };
        const released = offerDecider.decide(
          { type: 'ReleaseCapacity', by, commitment, legs: [{ leg: 1, amendment: 0 }] },
          state,
        );
        if (released.kind === 'refused') throw new Error('a release is never refused');
        const after = released.events.reduce(
          (so, event, index) => offerDecider.evolve(so, recordedEvent('offer-r1', 100 + index, event)),
          state,
        );
        const late = offerDecider.decide(
          {
            type: 'ReserveCapacity',
            by,
            commitment,
            amendment: 0,
            legs: [{ leg: 1, line: 1, needLine: 1, quantity: seats(1) }],
            facts: FACTS,
          },
          after,
        );
        expect(late).toEqual({ kind: 'accepted', events: [] });
        expect(reservationOf(after, { commitment, leg: 1, amendment: 0 })?.taken).toBe(0n);
      }),
      RUNS,
    );
  });
});

describe('the earmark of an offer', () => {
  const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...values]);
  const facts: fc.Arbitrary<EarmarkedNeed> = fc.record({
    beneficiaries: fc.subarray(['state:VUT', 'state:FJI', 'network:msg'], { minLength: 1 }),
    networks: some(['network:msg', 'network:pif']),
    regions: some(['009', '054', '002']),
    instruments: some(['ATT', 'ITI', 'UNPoA'] as const),
    traffickingNexus: fc.boolean(),
    needLineKinds: fc.constantFrom<EarmarkedNeed['needLineKinds']>({ 1: 'training' }, { 1: 'legal' }, {}),
  });
  const anyEarmark: fc.Arbitrary<Earmark> = fc.record(
    {
      beneficiaries: some(['VUT', 'state:FJI', 'network:msg']),
      regions: some(['009', '001']),
      networks: some(['network:msg']),
      instruments: some(['ATT', 'ITI'] as const),
      kinds: some(['training', 'legal'] as const),
      traffickingNexus: fc.boolean(),
    },
    { requiredKeys: [] },
  );

  test('decides a reservation exactly as the pure function that matching uses', () => {
    fc.assert(
      fc.property(anyEarmark, facts, (terms, need) => {
        const content = { ...CONTENT, earmark: terms };
        const posted: OfferEvent = { type: 'OfferPosted', data: { provider: 'donor:japan', content } };
        const state = offerDecider.evolve(offerDecider.initial, recordedEvent('offer-r1', 0, posted));
        const by = { actor: SYSTEM_PROCESS, at: TIMES[0] ?? '', effectiveAt: TIMES[0] ?? '' };
        const decision = offerDecider.decide(
          {
            type: 'ReserveCapacity',
            by,
            commitment: 'c-01',
            amendment: 0,
            legs: [{ leg: 1, line: 1, needLine: 1, quantity: seats(1) }],
            facts: need,
          },
          state,
        );
        const [reason] = earmarkReasons(content, need, [{ offerLine: 1, needLine: 1 }]);
        expect(decision).toMatchObject({
          kind: 'accepted',
          events: [
            reason === undefined
              ? { type: 'CapacityReserved' }
              : { type: 'CapacityRefused', data: { code: 'earmark', detail: reason.because } },
          ],
        });
      }),
      RUNS,
    );
  });
});
