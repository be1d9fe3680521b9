import { describe, expect, test } from '@jest/globals';
import type { CommitmentEvent, Leg, LegShift } from '#commitments/contract';
import type { Actor, Command, Decider, DomainEvent, RecordedEvent } from '#kernel';
import { accept } from '#kernel';
import type { ScenarioStates, ScenarioStep } from '#kernel-testing';
import { processScenario, recordedEvent, step } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import { capacityHolding } from './capacity-holding.process.js';
import type { EarmarkedNeed, OfferContent } from './offer.contract.js';
import type { OfferCommand, OfferState } from './offer.js';
import { figuresOf, offerDecider } from './offer.js';

/** Commitments as far as this process sees them: whatever is told happens. */
type Tell = Command & { readonly type: 'Tell'; readonly event: DomainEvent };
const told: Decider<number, Tell, DomainEvent, never> = {
  category: 'commitment',
  initial: 0,
  schemas: {
    CommitmentProposed: 1,
    CommitmentBound: 1,
    AmendmentProposed: 1,
    AmendmentAgreed: 1,
    AmendmentRefused: 1,
    AmendmentLapsed: 1,
    CommitmentAmended: 1,
    DeliveryReported: 1,
    DeliveryConfirmed: 1,
    DeliveryDisputed: 1,
    DeliveryCorrected: 1,
    DisputeSettled: 1,
    ReturnReported: 1,
    CommitmentClosed: 1,
    CommitmentDeclined: 1,
    CommitmentLapsed: 1,
    CommitmentWithdrawn: 1,
    CommitmentCancelled: 1,
  },
  decide: ({ event }) => accept(event),
  evolve: (count) => count + 1,
};

const JAPAN: Actor = { party: 'donor:japan', role: 'donor-desk' };
const OFFER = '01900000-0000-7000-8000-00000000000f';
const seats = (amount: number): Quantity => ({ measure: 'seats', amount: String(amount) });
const CONTENT: OfferContent = {
  title: 'Courses',
  lines: [{ line: 1, kinds: ['training'], capacity: seats(10) }],
  earmark: {},
  conditions: [],
  visibility: 'public',
  named: [],
};

const post: ScenarioStep = step({
  decider: offerDecider,
  id: OFFER,
  actor: JAPAN,
  command: (by): OfferCommand => ({ type: 'PostOffer', by, content: CONTENT }),
});
const tell = (id: string, event: CommitmentEvent, atOnce = false): ScenarioStep =>
  step({ decider: told, id, atOnce, command: (by): Tell => ({ type: 'Tell', by, event }) });

const FACTS: EarmarkedNeed = {
  beneficiaries: ['state:VUT'],
  networks: [],
  regions: [],
  instruments: ['ATT'],
  traffickingNexus: false,
  needLineKinds: { 1: 'training' },
};
const proposed = (...drawn: readonly number[]): CommitmentEvent => ({
  type: 'CommitmentProposed',
  data: {
    offerId: OFFER,
    needId: '01900000-0000-7000-8000-00000000000e',
    side: 'recipient',
    proposedBy: 'state:VUT',
    providers: ['donor:japan'],
    beneficiaries: ['state:VUT'],
    filer: 'state:VUT',
    legs: drawn.map((amount, index) => ({
      leg: index + 1,
      offerLine: 1,
      needLine: 1,
      drawn: seats(amount),
      credited: seats(amount),
      amendment: 0,
    })),
    signatories: ['donor:japan', 'state:VUT'],
    expiresAt: '2026-03-01T00:00:00.000Z',
    conditions: [],
    earmarkFacts: FACTS,
  },
});
const BOUND: CommitmentEvent = { type: 'CommitmentBound', data: {} };
const delivered = (n: number, leg: number, amount: number): CommitmentEvent => ({
  type: 'DeliveryReported',
  data: {
    n,
    party: 'donor:japan',
    leg,
    quantity: seats(amount),
    drawn: seats(amount),
    credited: seats(amount),
    date: '2026-01-05',
  },
});
const CANCELLED: CommitmentEvent = {
  type: 'CommitmentCancelled',
  data: { party: 'donor:japan', reason: { code: 'budget' } },
};

const figuresIn = (states: ScenarioStates): { held: bigint; committed: bigint; delivered: bigint } | undefined => {
  const { summary } = states[`offer-${OFFER}`] as OfferState;
  return summary && figuresOf(summary, 1);
};
/** Which commitments won is a matter of order; what the offer counts is not. */
const run = async (...steps: readonly ScenarioStep[]): Promise<ReturnType<typeof figuresIn>> =>
  figuresIn(await processScenario([capacityHolding], [offerDecider, told], [post, ...steps], { compare: figuresIn }));

describe('capacity holding', () => {
  test('holds what is proposed, commits what binds, delivers what is reported', async () => {
    expect(await run(tell('c1', proposed(3, 4)))).toEqual({ held: 7n, committed: 0n, delivered: 0n });
    expect(await run(tell('c1', proposed(3, 4)), tell('c1', BOUND))).toEqual({
      held: 0n,
      committed: 7n,
      delivered: 0n,
    });
    expect(
      await run(
        tell('c1', proposed(3, 4)),
        tell('c1', BOUND, true),
        tell('c1', delivered(1, 2, 1), true),
        tell('c1', delivered(2, 2, 3)),
      ),
    ).toEqual({ held: 0n, committed: 7n, delivered: 4n });
  });

  test.each<CommitmentEvent>([
    { type: 'CommitmentDeclined', data: { reason: { code: 'priorities' } } },
    { type: 'CommitmentLapsed', data: {} },
    { type: 'CommitmentWithdrawn', data: { party: 'state:VUT', reason: { code: 'timing' } } },
  ])('releases all of it on $type, also when that comes at once', async (end) => {
    expect(await run(tell('c1', proposed(3, 4)), tell('c1', end))).toEqual({ held: 0n, committed: 0n, delivered: 0n });
    expect(await run(tell('c1', proposed(3, 4), true), tell('c1', end), tell('c2', proposed(10)))).toEqual({
      held: 10n,
      committed: 0n,
      delivered: 0n,
    });
  });

  test('releases what a cancelled commitment did not deliver', async () => {
    expect(
      await run(
        tell('c1', proposed(6)),
        tell('c1', BOUND, true),
        tell('c1', delivered(1, 1, 2), true),
        tell('c1', CANCELLED),
      ),
    ).toEqual({ held: 0n, committed: 2n, delivered: 2n });
  });

  test('never promises the same seat twice, however many propose at once', async () => {
    const proposals = Array.from({ length: 25 }, (_, index) => tell(`c${index}`, proposed(1), true));
    expect(await run(...proposals)).toEqual({ held: 10n, committed: 0n, delivered: 0n });
  });

  const changed = (legs: readonly { readonly leg: number; readonly drawn: number }[]): readonly Leg[] =>
    legs.map(({ leg, drawn }) => ({
      leg,
      offerLine: 1,
      needLine: 1,
      drawn: seats(drawn),
      credited: seats(drawn),
      amendment: leg > 1 ? 1 : 0,
    }));
  const wished = (
    n: number,
    ...legs: readonly { readonly leg: number; readonly drawn: number }[]
  ): CommitmentEvent => ({
    type: 'AmendmentProposed',
    data: {
      ...{ n, party: 'state:VUT', side: 'recipient', reason: 'more', expiresAt: '2026-03-01T00:00:00.000Z' },
      changes: { legs: changed(legs) },
    },
  });
  const shift = (leg: number, drawn?: number): LegShift => ({
    ...{ leg, offerLine: 1, needLine: 1 },
    ...(drawn === undefined ? { credited: seats(1) } : { drawn: seats(drawn) }),
  });
  const agreed = (n: number, ...increases: readonly LegShift[]): CommitmentEvent => ({
    type: 'AmendmentAgreed',
    data: { n, party: 'donor:japan', increases, earmarkFacts: FACTS },
  });
  const amended = (
    n: number,
    legs: readonly { readonly leg: number; readonly drawn: number }[],
    increases: readonly LegShift[],
    decreases: readonly LegShift[] = [],
  ): CommitmentEvent => ({
    type: 'CommitmentAmended',
    data: { n, changes: {}, legs: changed(legs), increases, decreases, recredited: [] },
  });
  const tellAll = (...events: readonly CommitmentEvent[]): readonly ScenarioStep[] =>
    events.map((event, index) => tell('c1', event, index < events.length - 1));

  test('holds what an agreed amendment adds and commits it when that takes effect', async () => {
    const one = [proposed(3), BOUND, wished(1, { leg: 1, drawn: 4 }, { leg: 2, drawn: 2 })];
    const more = [shift(1, 1), shift(2, 2)];
    const effect = amended(
      1,
      [
        { leg: 1, drawn: 4 },
        { leg: 2, drawn: 2 },
      ],
      more,
    );
    expect(await run(...tellAll(...one, agreed(1, ...more)))).toEqual({ held: 3n, committed: 3n, delivered: 0n });
    expect(await run(...tellAll(...one, agreed(1, ...more), effect))).toEqual({
      held: 0n,
      committed: 6n,
      delivered: 0n,
    });
    expect(await run(...tellAll(...one, agreed(1, ...more), effect, delivered(1, 2, 2), delivered(2, 1, 4)))).toEqual({
      ...{ held: 0n, committed: 6n, delivered: 6n },
    });
    expect(await run(...tellAll(...one, agreed(1, ...more), effect, CANCELLED))).toEqual({
      ...{ held: 0n, committed: 0n, delivered: 0n },
    });
    expect(await run(...tellAll(...one, agreed(1, shift(1))))).toEqual({ held: 0n, committed: 3n, delivered: 0n });
  });

  test('commits at binding what took effect before, and not what is still in flight', async () => {
    const before = [
      proposed(3),
      wished(1, { leg: 1, drawn: 4 }),
      agreed(1, shift(1, 1)),
      amended(1, [{ leg: 1, drawn: 4 }], [shift(1, 1)]),
    ];
    expect(await run(...tellAll(...before, BOUND))).toEqual({ held: 0n, committed: 4n, delivered: 0n });
    const inFlight = [wished(2, { leg: 1, drawn: 6 }), agreed(2, shift(1, 2))];
    expect(await run(...tellAll(...before, ...inFlight, BOUND))).toEqual({ held: 2n, committed: 4n, delivered: 0n });
  });

  test.each<CommitmentEvent>([
    { type: 'AmendmentRefused', data: { n: 1, by: 'need', code: 'insufficient-coverage', detail: '' } },
    { type: 'AmendmentLapsed', data: { n: 1 } },
  ])('gives back what an amendment held that came to nothing: $type', async (end) => {
    const one = [proposed(3), BOUND, wished(1, { leg: 1, drawn: 8 }), agreed(1, shift(1, 5))];
    expect(await run(...tellAll(...one, end))).toEqual({ held: 0n, committed: 3n, delivered: 0n });
    expect(await run(...tellAll(proposed(3), BOUND, end))).toEqual({ held: 0n, committed: 3n, delivered: 0n });
  });

  test('takes back what an amendment leaves out, but not what is delivered', async () => {
    const one = [proposed(6), BOUND, delivered(1, 1, 2), wished(1, { leg: 1, drawn: 3 }), agreed(1)];
    expect(await run(...tellAll(...one, amended(1, [{ leg: 1, drawn: 3 }], [], [shift(1, 3), shift(1)])))).toEqual({
      ...{ held: 0n, committed: 3n, delivered: 2n },
    });
  });

  const returned = (amount: number): CommitmentEvent => ({
    type: 'ReturnReported',
    data: {
      ...{ n: 1, delivery: 1, party: 'state:VUT', leg: 1, reason: 'unused', date: '2026-01-05' },
      ...{ quantity: seats(amount), drawn: seats(amount), credited: seats(amount) },
    },
  });
  const sized = (amount: number) => ({ quantity: seats(amount), drawn: seats(amount), credited: seats(amount) });

  test('judges what comes back by the moment it came, however late it is told', async () => {
    const one = [proposed(6), BOUND, delivered(1, 1, 4), returned(3), delivered(2, 1, 3), CANCELLED];
    expect(await run(...tellAll(...one))).toEqual({ held: 0n, committed: 4n, delivered: 4n });
  });

  test('keeps committed what came back, unless the commitment was left', async () => {
    const one = [proposed(6), BOUND, delivered(1, 1, 4)];
    expect(await run(...tellAll(...one, returned(3)))).toEqual({ held: 0n, committed: 6n, delivered: 1n });
    expect(await run(...tellAll(...one, CANCELLED, returned(3)))).toEqual({ held: 0n, committed: 1n, delivered: 1n });
  });

  test('follows corrections and settled disputes', async () => {
    const one = [proposed(6), BOUND, delivered(1, 1, 4)];
    const corrected: CommitmentEvent = {
      type: 'DeliveryCorrected',
      data: { n: 1, party: 'donor:japan', leg: 1, date: '2026-01-05', reason: 'miscounted', ...sized(5) },
    };
    const settled: CommitmentEvent = { type: 'DisputeSettled', data: { n: 1, outcome: 'reduced', ...sized(2) } };
    const disputed: CommitmentEvent = { type: 'DeliveryDisputed', data: { n: 1, party: 'state:VUT', reason: 'fewer' } };
    expect(await run(...tellAll(...one, corrected))).toEqual({ held: 0n, committed: 6n, delivered: 5n });
    expect(await run(...tellAll(...one, disputed, settled))).toEqual({ held: 0n, committed: 6n, delivered: 2n });
    expect(await run(...tellAll(...one, disputed, CANCELLED, settled))).toEqual({
      ...{ held: 0n, committed: 2n, delivered: 2n },
    });
  });

  test('asks for the smallest lot over all that an amendment leaves on a line', async () => {
    const one = [proposed(4), BOUND, wished(1, { leg: 1, drawn: 1 }, { leg: 2, drawn: 1 }), agreed(1, shift(2, 1))];
    const lines = [{ line: 1, kinds: ['training'] as const, capacity: seats(10), minimumLot: '3' }];
    const lot = step({
      decider: offerDecider,
      id: OFFER,
      actor: JAPAN,
      command: (by): OfferCommand => ({ type: 'AmendOffer', by, changes: { lines } }),
    });
    expect(await run(lot, ...tellAll(...one))).toEqual({ held: 0n, committed: 4n, delivered: 0n });
  });

  describe('of access', () => {
    const uses = (amount: number): Quantity => ({ measure: 'access', amount: String(amount) });
    const LAB: OfferContent = { ...CONTENT, lines: [{ line: 1, kinds: ['technical'], capacity: uses(3) }] };
    const inUses = (event: CommitmentEvent): CommitmentEvent =>
      JSON.parse(JSON.stringify(event).replaceAll('"seats"', '"access"')) as CommitmentEvent;
    const lab = async (...events: readonly CommitmentEvent[]): Promise<ReturnType<typeof figuresIn>> => {
      const posted = step({
        decider: offerDecider,
        id: OFFER,
        actor: JAPAN,
        command: (by): OfferCommand => ({ type: 'PostOffer', by, content: LAB }),
      });
      const steps = [posted, ...tellAll(...events.map(inUses))];
      return figuresIn(await processScenario([capacityHolding], [offerDecider, told], steps, { compare: figuresIn }));
    };
    const confirmed = (n: number, amount: number): CommitmentEvent => ({
      type: 'DeliveryConfirmed',
      data: { n, party: 'state:VUT', condition: 'usable', ...sized(amount) },
    });
    const bound = [proposed(2), BOUND, delivered(1, 1, 1), confirmed(1, 1)];
    const inUse = { held: 0n, committed: 2n };
    const nothing = { held: 0n, committed: 0n, delivered: 0n };

    test('holds the uses until everything is delivered and confirmed', async () => {
      expect(await lab(...bound)).toEqual({ ...inUse, delivered: 1n });
      expect(await lab(...bound, delivered(2, 1, 1))).toEqual({ ...inUse, delivered: 2n });
      expect(await lab(...bound, delivered(2, 1, 1), confirmed(2, 1))).toEqual(nothing);
    });

    test('frees them where an amendment leaves nothing open, a close or a cancellation ends it', async () => {
      const less = amended(1, [{ leg: 1, drawn: 1 }], [], [shift(1, 1)]);
      expect(await lab(...bound, wished(1, { leg: 1, drawn: 1 }), agreed(1), less)).toEqual(nothing);
      // A tranche that came back whole is nothing to confirm.
      const again = [returned(1), delivered(2, 1, 2), confirmed(2, 2)];
      expect(await lab(proposed(2), BOUND, delivered(1, 1, 1), ...again)).toEqual(nothing);
      const closed: CommitmentEvent = { type: 'CommitmentClosed', data: { as: 'unconfirmed', openDiscrepancies: [] } };
      expect(await lab(...bound, delivered(2, 1, 1), closed)).toEqual(nothing);
      expect(await lab(...bound, CANCELLED)).toEqual(nothing);
      expect(await lab(...bound, delivered(2, 1, 1), confirmed(2, 1), returned(1))).toEqual(nothing);
    });

    test('keeps uses that an amendment adds after the first were freed, however often the confirmation is told', async () => {
      const grownSince = [
        ...[proposed(1), BOUND, delivered(1, 1, 1), confirmed(1, 1), returned(1)],
        ...[wished(1, { leg: 1, drawn: 2 }), agreed(1, shift(1, 1)), amended(1, [{ leg: 1, drawn: 2 }], [shift(1, 1)])],
      ];
      expect(await lab(...grownSince)).toEqual({ held: 0n, committed: 1n, delivered: 0n });
      // What came of the uses since is told of uses that stand on the line no more.
      expect(await lab(...grownSince, delivered(2, 1, 1))).toEqual({ held: 0n, committed: 1n, delivered: 0n });
      expect(await lab(...grownSince, delivered(2, 1, 2), confirmed(2, 2))).toEqual(nothing);
    });

    test('holds the uses while the credit is not all there, as the commitment counts it', async () => {
      const short = (event: CommitmentEvent): CommitmentEvent =>
        JSON.parse(
          JSON.stringify(event).replace(/"credited":\{[^}]*\}/g, '"credited":{"measure":"seats","amount":"1"}'),
        ) as CommitmentEvent;
      const [first, ...rest] = [proposed(2), BOUND, delivered(1, 1, 2), confirmed(1, 2)] as const;
      expect(await lab(first, ...rest.map(short))).toEqual({ ...inUse, delivered: 2n });
    });
  });

  test('stops at a commitment that was never proposed', async () => {
    const event: RecordedEvent = recordedEvent('commitment-c1', 0, BOUND);
    const reads = {
      load: (decider: { readonly initial: unknown; decide: (...args: never[]) => unknown }) => {
        expect(decider.decide).toThrow('not decided here');
        return Promise.resolve({ state: decider.initial });
      },
    };
    await expect(capacityHolding.react(event, reads as never)).rejects.toThrow('never proposed');
  });
});
