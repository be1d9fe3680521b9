import { describe, expect, test } from '@jest/globals';
import type { CommitmentEvent } from '#commitments/contract';
import type { Actor, Command, Decider, DomainEvent, RecordedEvent } from '#kernel';
import { accept } from '#kernel';
import type { ScenarioStates, ScenarioStep } from '#kernel-testing';
import { processScenario, recordedEvent, step } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import { capacityHolding } from './capacity-holding.process.js';
import type { OfferContent } from './offer.contract.js';
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
    DeliveryReported: 1,
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
    earmarkFacts: {
      beneficiaries: ['state:VUT'],
      networks: [],
      regions: [],
      instruments: ['ATT'],
      traffickingNexus: false,
      needLineKinds: { 1: 'training' },
    },
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
