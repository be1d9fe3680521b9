import type { CommitmentEvent } from '#commitments/contract';
import type { Actor, Command, Decider, DomainEvent } from '#kernel';
import { accept } from '#kernel';
import type { ScenarioStates, ScenarioStep } from '#kernel-testing';
import { processScenario, step } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import { coverageReserving } from './coverage-reserving.process.js';
import { CONTENT, usd } from './need.fixture.js';
import type { LineFigures } from './coverage.js';
import type { NeedCommand, NeedState } from './need.js';
import { hasLiveCommitments, needDecider } from './need.js';
import { figuresOfLine } from './need-coverage.js';

/** Commitments as far as this process sees them: whatever is told happens. */
type Tell = Command & { readonly type: 'Tell'; readonly event: DomainEvent };
const told: Decider<number, Tell, DomainEvent, never> = {
  category: 'commitment',
  initial: 0,
  schemas: Object.fromEntries(
    [
      'CommitmentProposed',
      'AcceptanceGiven',
      'AcceptanceRefused',
      'CommitmentBound',
      'DeliveryReported',
      'DeliveryConfirmed',
      'DeliveryDisputed',
      'CommitmentDeclined',
      'CommitmentLapsed',
      'CommitmentWithdrawn',
      'CommitmentCancelled',
      'CommitmentClosed',
      'AmendmentHeld',
      'AmendmentLapsed',
      'AmendmentRefused',
      'CommitmentAmended',
      'ReturnReported',
      'DeliveryCorrected',
      'DisputeSettled',
    ].map((type) => [type, 1]),
  ),
  decide: ({ event }) => accept(event),
  evolve: (count) => count + 1,
};

const VANUATU: Actor = { party: 'state:VUT', role: 'npc', sovereign: 'VUT' };
const SECRETARIAT: Actor = { party: 'agency:secretariat', role: 'coordinator' };
const NEED = '01900000-0000-7000-8000-00000000000e';

const ask = (actor: Actor, command: (by: Command['by']) => NeedCommand): ScenarioStep =>
  step({ decider: needDecider, id: NEED, actor, command });
const opening: readonly ScenarioStep[] = [
  ask(VANUATU, (by) => ({ type: 'DraftNeed', by, filer: 'state:VUT', beneficiaries: ['state:VUT'], content: CONTENT })),
  ask(VANUATU, (by) => ({ type: 'SubmitNeed', by, consent: { circulate: 'yes', publish: 'yes' } })),
  ask(SECRETARIAT, (by) => ({ type: 'OpenNeed', by })),
];
const tell = (id: string, event: CommitmentEvent, atOnce = false): ScenarioStep =>
  step({ decider: told, id, atOnce, command: (by): Tell => ({ type: 'Tell', by, event }) });

const proposed = (...credited: readonly string[]): CommitmentEvent => ({
  type: 'CommitmentProposed',
  data: {
    offerId: '01900000-0000-7000-8000-00000000000f',
    needId: NEED,
    side: 'provider',
    proposedBy: 'donor:japan',
    providers: ['donor:japan'],
    beneficiaries: ['state:VUT'],
    filer: 'state:VUT',
    legs: credited.map((amount, index) => ({
      leg: index + 1,
      offerLine: 1,
      needLine: 1,
      drawn: usd(amount),
      credited: usd(amount),
      amendment: 0,
    })),
    signatories: ['donor:japan', 'state:VUT'],
    expiresAt: '2026-03-01T00:00:00.000Z',
    conditions: [],
    earmarkFacts: {
      beneficiaries: ['state:VUT'],
      networks: [],
      regions: [],
      instruments: ['UNPoA'],
      traffickingNexus: false,
      needLineKinds: { 1: 'training' },
    },
  },
});
const ACCEPTED: CommitmentEvent = { type: 'AcceptanceGiven', data: { party: 'state:VUT' } };
const REFUSED: CommitmentEvent = { type: 'AcceptanceRefused', data: { code: 'insufficient-coverage', detail: 'less' } };
const BOUND: CommitmentEvent = { type: 'CommitmentBound', data: {} };
const LAPSED: CommitmentEvent = { type: 'CommitmentLapsed', data: {} };
const CANCELLED: CommitmentEvent = {
  type: 'CommitmentCancelled',
  data: { party: 'state:VUT', reason: { code: 'budget' } },
};
const closed = (as: 'unconfirmed' | 'confirmed'): CommitmentEvent => ({
  type: 'CommitmentClosed',
  data: { as, openDiscrepancies: [] },
});
const delivered = (n: number, amount: string, leg = 1): CommitmentEvent => ({
  type: 'DeliveryReported',
  data: {
    n,
    party: 'donor:japan',
    leg,
    quantity: usd(amount),
    drawn: usd(amount),
    credited: usd(amount),
    date: '2026-01-05',
  },
});
const confirmed = (n: number, amount: string): CommitmentEvent => ({
  type: 'DeliveryConfirmed',
  data: {
    n,
    party: 'state:VUT',
    quantity: usd(amount),
    drawn: usd(amount),
    credited: usd(amount),
    condition: 'usable',
  },
});

const DISPUTED: CommitmentEvent = {
  type: 'DeliveryDisputed',
  data: { n: 1, party: 'state:VUT', reason: 'Half of it never came' },
};

const needIn = (states: ScenarioStates): NeedState => states[`need-${NEED}`] as NeedState;
const figuresIn = (states: ScenarioStates): LineFigures => figuresOfLine(needIn(states), 1);
/** Which commitments won is a matter of order; what the need counts is not. */
const run = (...steps: readonly ScenarioStep[]): Promise<ScenarioStates> =>
  processScenario([coverageReserving], [needDecider, told], [...opening, ...steps], { compare: figuresIn });

describe('coverage reserving', () => {
  it('reserves what is accepted, binds what binds, and follows deliveries to their confirmation', async () => {
    const states = await run(
      tell('c1', proposed('300.00', '200.00')),
      tell('c1', ACCEPTED),
      tell('c1', BOUND),
      tell('c1', delivered(1, '100.00')),
      tell('c1', delivered(2, '200.00', 2)),
      tell('c1', confirmed(2, '150.00')),
    );
    expect(figuresIn(states)).toEqual({ accepted: 0n, binding: 50_000n, delivered: 30_000n, confirmed: 15_000n });
  });

  it('promises no more than is asked, whoever comes first', async () => {
    const ids = ['c1', 'c2', 'c3', 'c4'];
    const states = await run(
      ...ids.map((id) => tell(id, proposed('400.00'))),
      ...ids.map((id) => tell(id, ACCEPTED, true)),
    );
    expect(figuresIn(states).accepted).toBe(80_000n);
  });

  it('gives back what an exit leaves, and only what was not delivered', async () => {
    const lapsed = await run(tell('c1', proposed('400.00')), tell('c1', ACCEPTED, true), tell('c1', LAPSED));
    expect(figuresIn(lapsed)).toEqual({ accepted: 0n, binding: 0n, delivered: 0n, confirmed: 0n });
    const cancelled = await run(
      tell('c1', proposed('400.00')),
      tell('c1', ACCEPTED),
      tell('c1', BOUND),
      tell('c1', delivered(1, '150.00'), true),
      tell('c1', CANCELLED, true),
      tell('c1', confirmed(1, '150.00')),
    );
    expect(figuresIn(cancelled)).toEqual({ accepted: 0n, binding: 15_000n, delivered: 15_000n, confirmed: 15_000n });
  });

  it('leaves nothing live behind a commitment that closed unconfirmed', async () => {
    const states = await run(
      tell('c1', proposed('400.00')),
      tell('c1', ACCEPTED),
      tell('c1', BOUND),
      tell('c1', delivered(1, '400.00')),
      tell('c1', closed('unconfirmed')),
    );
    expect(figuresIn(states)).toEqual({ accepted: 0n, binding: 40_000n, delivered: 40_000n, confirmed: 0n });
    expect(hasLiveCommitments(needIn(states))).toBe(false);
  });

  it('takes a commitment for live again that a late answer reopened, until it is confirmed or closed anew', async () => {
    const silent = [
      tell('c1', proposed('400.00')),
      tell('c1', ACCEPTED),
      tell('c1', BOUND),
      tell('c1', delivered(1, '100.00')),
      tell('c1', delivered(2, '300.00')),
      tell('c1', closed('unconfirmed')),
    ];
    const late = [tell('c1', confirmed(1, '100.00'), true)];
    const disputed = await run(...silent, tell('c1', DISPUTED));
    expect(figuresIn(disputed)).toEqual({ accepted: 0n, binding: 40_000n, delivered: 40_000n, confirmed: 0n });
    expect(hasLiveCommitments(needIn(disputed))).toBe(true);
    expect(hasLiveCommitments(needIn(await run(...silent, ...late)))).toBe(true);
    const again = await run(...silent, ...late, tell('c1', closed('unconfirmed'), true));
    expect(hasLiveCommitments(needIn(again))).toBe(false);
    const done = await run(...silent, ...late, tell('c1', confirmed(2, '300.00')), tell('c1', closed('confirmed')));
    expect(figuresIn(done)).toEqual({ accepted: 0n, binding: 40_000n, delivered: 40_000n, confirmed: 40_000n });
    expect(hasLiveCommitments(needIn(done))).toBe(false);
  });

  it('lets a closing that was taken back free nothing, and its answer reopen nothing, however late they are told again', async () => {
    const back = { drawn: usd('100.00'), credited: usd('100.00') };
    const returned: CommitmentEvent = {
      type: 'ReturnReported',
      data: {
        ...{
          n: 1,
          delivery: 1,
          party: 'state:VUT',
          leg: 1,
          quantity: usd('100.00'),
          reason: 'Broken',
          date: '2026-01-05',
        },
        ...back,
        confirmed: back,
      },
    };
    // All but a tranche without a figure is confirmed: the closing finds nothing to free, and leaves no mark.
    const story = [
      tell('c1', proposed('400.00')),
      tell('c1', ACCEPTED),
      tell('c1', BOUND),
      tell('c1', delivered(1, '400.00')),
      tell('c1', delivered(2, '0.00')),
      tell('c1', confirmed(1, '400.00')),
      tell('c1', closed('unconfirmed')),
      tell('c1', confirmed(2, '0.00')),
      tell('c1', returned),
    ];
    const open = await run(...story);
    expect(figuresIn(open)).toEqual({ accepted: 0n, binding: 40_000n, delivered: 30_000n, confirmed: 30_000n });
    const closedAnew = await processScenario(
      [coverageReserving],
      [needDecider, told],
      [...opening, ...story, tell('c1', closed('confirmed'))],
      { compare: (states) => needIn(states).reservations },
    );
    expect(figuresIn(closedAnew)).toEqual({ accepted: 0n, binding: 30_000n, delivered: 30_000n, confirmed: 30_000n });
    const left = await processScenario(
      [coverageReserving],
      [needDecider, told],
      [...opening, ...story, tell('c1', CANCELLED), tell('c1', DISPUTED)],
      { compare: (states) => needIn(states).reservations },
    );
    expect(figuresIn(left)).toEqual({ accepted: 0n, binding: 30_000n, delivered: 30_000n, confirmed: 30_000n });
  });

  it('does not take a cancelled commitment for live when what it delivered is answered late', async () => {
    const states = await run(
      tell('c1', proposed('400.00')),
      tell('c1', ACCEPTED),
      tell('c1', BOUND),
      tell('c1', delivered(1, '400.00')),
      tell('c1', CANCELLED),
      tell('c1', DISPUTED),
    );
    expect(hasLiveCommitments(needIn(states))).toBe(false);
  });

  it('tells the need nothing of a proposal that nobody accepted', async () => {
    const states = await run(
      tell('c1', proposed('400.00')),
      tell('c1', LAPSED),
      tell('c2', proposed('2000.00')),
      tell('c2', ACCEPTED),
      tell('c2', REFUSED),
      tell('c2', LAPSED),
    );
    expect(needIn(states)).toMatchObject({ reservations: {}, overtaken: [] });
  });

  it('lets a refused acceptance be given again when there is room', async () => {
    const states = await run(
      tell('c1', proposed('800.00')),
      tell('c2', proposed('800.00')),
      tell('c1', ACCEPTED),
      tell('c2', ACCEPTED),
      tell('c2', REFUSED),
      tell('c1', LAPSED),
      tell('c2', ACCEPTED),
      tell('c2', BOUND),
    );
    expect(figuresIn(states)).toEqual({ accepted: 0n, binding: 80_000n, delivered: 0n, confirmed: 0n });
  });

  const shift = (amount: string): { leg: number; offerLine: number; needLine: number; credited: Quantity } => ({
    ...{ leg: 1, offerLine: 1, needLine: 1, credited: usd(amount) },
  });
  const held = (n: number, amount: string): CommitmentEvent => ({
    type: 'AmendmentHeld',
    data: { n, increases: [shift(amount)] },
  });
  const amended = (n: number, more: object): CommitmentEvent => ({
    type: 'CommitmentAmended',
    data: { n, changes: {}, legs: [], increases: [], decreases: [], recredited: [], ...more },
  });
  const binding = [tell('c1', proposed('400.00')), tell('c1', ACCEPTED), tell('c1', BOUND)];

  it('adds what an amendment brings once it takes effect, takes back what it drops, and frees what fails', async () => {
    const grown = await run(
      ...binding,
      tell('c1', held(1, '200.00')),
      tell('c1', amended(1, { increases: [shift('200.00')] })),
    );
    expect(figuresIn(grown)).toEqual({ accepted: 0n, binding: 60_000n, delivered: 0n, confirmed: 0n });
    const failed = await run(
      ...binding,
      tell('c1', held(1, '200.00')),
      tell('c1', { type: 'AmendmentLapsed', data: { n: 1 } }),
    );
    expect(figuresIn(failed)).toEqual({ accepted: 0n, binding: 40_000n, delivered: 0n, confirmed: 0n });
    const less = await run(...binding, tell('c1', amended(1, { decreases: [shift('150.00')] })));
    expect(figuresIn(less)).toEqual({ accepted: 0n, binding: 25_000n, delivered: 0n, confirmed: 0n });
    const left = await run(...binding, tell('c1', held(1, '200.00')), tell('c1', CANCELLED));
    expect(figuresIn(left)).toEqual({ accepted: 0n, binding: 0n, delivered: 0n, confirmed: 0n });
  });

  it('follows returns, corrections and settlements, and frees what comes back after an exit', async () => {
    const figure = { drawn: usd('100.00'), credited: usd('100.00'), quantity: usd('100.00') };
    const returned: CommitmentEvent = {
      type: 'ReturnReported',
      data: { n: 1, delivery: 1, party: 'state:VUT', leg: 1, ...figure, reason: 'Broken', date: '2026-01-05' },
    };
    const corrected: CommitmentEvent = {
      type: 'DeliveryCorrected',
      data: { n: 1, party: 'donor:japan', leg: 1, ...figure, date: '2026-01-05', reason: 'Counted twice' },
    };
    const settled: CommitmentEvent = { type: 'DisputeSettled', data: { n: 1, outcome: 'reduced', ...figure } };
    const arrived = [...binding, tell('c1', delivered(1, '300.00'))];
    const back = await run(...arrived, tell('c1', returned), tell('c1', CANCELLED));
    expect(figuresIn(back)).toEqual({ accepted: 0n, binding: 20_000n, delivered: 20_000n, confirmed: 0n });
    const late = await run(...arrived, tell('c1', CANCELLED), tell('c1', returned));
    expect(figuresIn(late)).toEqual({ accepted: 0n, binding: 20_000n, delivered: 20_000n, confirmed: 0n });
    const again = await run(
      ...binding,
      tell('c1', delivered(1, '400.00')),
      tell('c1', returned, true),
      tell('c1', delivered(2, '100.00'), true),
      tell('c1', CANCELLED, true),
    );
    expect(figuresIn(again)).toEqual({ accepted: 0n, binding: 40_000n, delivered: 40_000n, confirmed: 0n });
    for (const event of [corrected, settled]) {
      const smaller = await run(...arrived, tell('c1', event));
      expect(figuresIn(smaller)).toEqual({ accepted: 0n, binding: 40_000n, delivered: 10_000n, confirmed: 0n });
    }
  });

  it('stops at a commitment that was never proposed', async () => {
    await expect(run(tell('c9', ACCEPTED))).rejects.toThrow();
  });
});
