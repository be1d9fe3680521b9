import assert from 'node:assert/strict';
import type { Process } from '#kernel';
import type { ScenarioStates, ScenarioStep } from '#kernel-testing';
import { processScenario, recordedEvent, step, TEST_TIME } from '#kernel-testing';
import type { NeedState } from '#needs';
import { coverageReserving, needDecider } from '#needs';
import type { OfferState } from '#offers';
import { capacityHolding, offerDecider } from '#offers';
import type { NeedContent } from '#needs/contract';
import type { OfferContent } from '#offers/contract';
import { SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import { commitmentProgress, OpenProposals } from './commitment-progress.process.js';
import type { CommitmentCommand, CommitmentState } from './commitment.js';
import { commitmentDecider } from './commitment.js';
import { COORDINATOR, facts, JAPAN, NEED_ID, OFFER_ID, SEAT_LEG, seats, VANUATU } from './commitment.fixture.js';

const ids = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `019b8d00-0000-7000-8000-1${String(index).padStart(11, '0')}`);
const [FIRST = '', SECOND = ''] = ids(2);

/** Every proposal of the scenario: the command itself passes over those that are not open. */
class AllProposals extends OpenProposals {
  constructor(private readonly known: readonly string[]) {
    super();
  }
  override of(): Promise<readonly string[]> {
    return Promise.resolve(this.known);
  }
}

const OFFER: OfferContent = {
  title: 'Courses',
  lines: [
    { line: 1, kinds: [], capacity: seats(1) },
    { line: 2, kinds: ['training'], capacity: seats(10) },
  ],
  earmark: {},
  conditions: [],
  visibility: 'public',
  named: [],
};
const NEED: NeedContent = {
  title: 'Licensing officers to be trained',
  kinds: ['training'],
  instruments: ['ATT'],
  traffickingNexus: false,
  lines: [
    { line: 1, kind: 'training', quantity: seats(1) },
    { line: 2, kind: 'training', quantity: seats(15) },
  ],
  urgency: 'normal',
  authorityRef: 'Note Verbale 12/2026',
  visibility: { summary: 'public', body: 'public', annex: 'sealed' },
  named: [],
  oversubscription: false,
};

const offer = (command: object, more: Partial<ScenarioStep> = {}): ScenarioStep =>
  step({ decider: offerDecider, id: OFFER_ID, command: (by) => ({ ...command, by }) as never, actor: JAPAN, ...more });
const need = (command: object, actor = VANUATU, more: Partial<ScenarioStep> = {}): ScenarioStep =>
  step({ decider: needDecider, id: NEED_ID, command: (by) => ({ ...command, by }) as never, actor, ...more });
const commitment = (id: string, command: object, actor = JAPAN, more: Partial<ScenarioStep> = {}): ScenarioStep =>
  step({
    decider: commitmentDecider,
    id,
    command: (by) => ({ ...command, by }) as CommitmentCommand,
    actor,
    ...more,
  });

const OPENED: readonly ScenarioStep[] = [
  offer({ type: 'PostOffer', content: OFFER }),
  need({ type: 'DraftNeed', filer: 'state:VUT', beneficiaries: ['state:VUT'], content: NEED }),
  need({ type: 'SubmitNeed', consent: { circulate: 'yes', publish: 'yes' } }),
  need({ type: 'OpenNeed' }, COORDINATOR),
];
const propose = (id: string, quantity = 10, more: Partial<ScenarioStep> = {}): ScenarioStep =>
  commitment(
    id,
    { type: 'ProposeCommitment', facts: facts(), legs: [{ ...SEAT_LEG, drawn: seats(quantity) }] },
    JAPAN,
    more,
  );
const accept = (id: string, more: Partial<ScenarioStep> = {}): ScenarioStep =>
  commitment(id, { type: 'AcceptCommitment' }, VANUATU, more);
const REASON = { code: 'timing' } as const;

const run = (
  steps: readonly ScenarioStep[],
  known = [FIRST, SECOND],
  compare?: (states: ScenarioStates) => unknown,
) => {
  const processes: Process[] = [commitmentProgress(new AllProposals(known)), capacityHolding, coverageReserving];
  return processScenario(
    processes,
    [commitmentDecider, offerDecider, needDecider],
    [...OPENED, ...steps],
    compare === undefined ? {} : { compare },
  );
};

const of = (states: ScenarioStates, id: string): CommitmentState => states[`commitment-${id}`] as CommitmentState;
const figures = (states: ScenarioStates): { held: bigint; committed: bigint } => {
  const { summary } = states[`offer-${OFFER_ID}`] as OfferState;
  const { held = 0n, committed = 0n } = summary?.figures.get(2) ?? {};
  return { held, committed };
};
/** Reservations of coverage that still hold something. */
const standing = (states: ScenarioStates): number =>
  Object.values((states[`need-${NEED_ID}`] as NeedState).reservations).filter(({ over }) => !over).length;

describe('the progress of a commitment between its offer and its need', () => {
  it('is held, accepted and bound', async () => {
    const states = await run([
      propose(FIRST),
      accept(FIRST),
      commitment(FIRST, { type: 'SignCommitment' }),
      commitment(FIRST, { type: 'SignCommitment' }, VANUATU),
    ]);
    expect(of(states, FIRST)).toMatchObject({ status: 'binding', hold: 'held', acceptance: 'given' });
    expect(figures(states)).toEqual({ held: 0n, committed: 10n });
  });
  it('is declined with the offer’s code where the offer refuses the hold', async () => {
    const states = await run([propose(FIRST), propose(SECOND, 1)]);
    expect(of(states, FIRST).hold).toBe('held');
    expect(of(states, SECOND)).toMatchObject({
      status: 'declined',
      hold: 'refused',
      refusal: { by: 'offer', code: 'insufficient-capacity' },
    });
  });
  it('stays proposed where the need refuses the acceptance, and may be accepted again', async () => {
    const lines = [...NEED.lines.slice(0, 1), { line: 2, kind: 'training', quantity: seats(9) }];
    const more = [...NEED.lines.slice(0, 1), { line: 2, kind: 'training', quantity: seats(12) }];
    const shrunk = [need({ type: 'AmendNeed', changes: { lines } }), propose(FIRST), accept(FIRST)];
    const states = await run(shrunk);
    expect(of(states, FIRST)).toMatchObject({
      status: 'proposed',
      hold: 'held',
      acceptance: 'refused',
      refusal: { by: 'need', code: 'insufficient-coverage' },
    });
    const again = await run([...shrunk, need({ type: 'AmendNeed', changes: { lines: more } }), accept(FIRST)]);
    expect(of(again, FIRST)).toMatchObject({ status: 'accepted', acceptance: 'given' });
    const twice = await run([...shrunk, accept(FIRST)]);
    expect(of(twice, FIRST)).toMatchObject({ status: 'proposed', acceptance: 'refused' });
  });
  it('frees capacity and coverage with every exit, also one that overtakes the answers', async () => {
    const exits: readonly (readonly ScenarioStep[])[] = [
      [propose(FIRST, 10, { atOnce: true }), commitment(FIRST, { type: 'WithdrawCommitment', reason: REASON })],
      [propose(FIRST), commitment(FIRST, { type: 'DeclineCommitment', reason: REASON }, VANUATU)],
      [
        propose(FIRST),
        accept(FIRST, { atOnce: true }),
        commitment(FIRST, { type: 'WithdrawCommitment', reason: REASON }),
      ],
      [propose(FIRST), accept(FIRST), commitment(FIRST, { type: 'WithdrawCommitment', reason: REASON })],
    ];
    for (const steps of exits) {
      const states = await run(steps);
      expect(of(states, FIRST).hold).toBe('released');
      expect(figures(states)).toEqual({ held: 0n, committed: 0n });
      expect(standing(states)).toBe(0);
    }
  });
  it('declines open proposals when the offer is left, and leaves accepted ones', async () => {
    const states = await run([
      propose(FIRST, 4),
      accept(FIRST),
      propose(SECOND, 4),
      offer({ type: 'WithdrawOffer', reason: REASON }),
    ]);
    expect(of(states, FIRST).status).toBe('accepted');
    expect(of(states, SECOND)).toMatchObject({ status: 'declined', reason: { code: 'offer-closed' } });
    expect(figures(states)).toEqual({ held: 4n, committed: 0n });
  });
  it('lets an accepted commitment be signed after its offer was withdrawn (I17)', async () => {
    const states = await run([
      propose(FIRST, 4),
      accept(FIRST),
      offer({ type: 'WithdrawOffer', reason: REASON }),
      commitment(FIRST, { type: 'SignCommitment' }),
      commitment(FIRST, { type: 'SignCommitment' }, VANUATU),
    ]);
    expect(of(states, FIRST)).toMatchObject({ status: 'binding', hold: 'held' });
    expect(figures(states)).toEqual({ held: 0n, committed: 4n });
  });
  it('declines open proposals when the need is withdrawn', async () => {
    const states = await run([propose(FIRST, 4), need({ type: 'WithdrawNeed', reason: REASON })]);
    expect(of(states, FIRST)).toMatchObject({ status: 'declined', reason: { code: 'need-closed' } });
    expect(figures(states)).toEqual({ held: 0n, committed: 0n });
  });
  // Seen failing with afterHold answering nothing: the index knows no proposal, and it stayed open on a closed need.
  it('lets no proposal slip through that was made while the need closed', async () => {
    const states = await run(
      [need({ type: 'WithdrawNeed', reason: REASON }, VANUATU, { atOnce: true }), propose(FIRST, 4)],
      [],
    );
    expect(of(states, FIRST)).toMatchObject({ status: 'declined', reason: { code: 'need-closed' } });
    const left = await run(
      [propose(FIRST, 4, { atOnce: true }), offer({ type: 'WithdrawOffer', reason: REASON })],
      [],
      (all) => of(all, FIRST).status,
    );
    expect(of(left, FIRST).status).toBe('declined');
  });
  it('releases what comes after the lapse', async () => {
    const late = '2026-01-05T09:06:00.000Z';
    const states = await run(
      [
        commitment(FIRST, { type: 'ProposeCommitment', facts: facts(), legs: [SEAT_LEG], expiresAt: late }, JAPAN, {
          atOnce: true,
        }),
        commitment(FIRST, { type: 'LapseCommitment' }, SYSTEM_TIMER),
      ],
      [],
    );
    expect(of(states, FIRST)).toMatchObject({ status: 'lapsed', hold: 'released' });
    expect(figures(states)).toEqual({ held: 0n, committed: 0n });
  });
  it('holds ten of fifty simultaneous proposals on an offer with room for ten', async () => {
    const fifty = ids(50);
    const outcome = (states: ScenarioStates): Record<string, number> => {
      const holds = fifty.map((id) => of(states, id).hold);
      return Object.fromEntries(['held', 'refused'].map((hold) => [hold, holds.filter((one) => one === hold).length]));
    };
    const states = await run(
      fifty.map((id) => propose(id, 1, { atOnce: true })),
      fifty,
      outcome,
    );
    expect(outcome(states)).toEqual({ held: 10, refused: 40 });
    expect(figures(states)).toEqual({ held: 10n, committed: 0n });
  });
  it.each([
    ['CapacityReserved', { type: 'RecordAmendmentHold', n: 2 }],
    ['CapacityRefused', { type: 'RecordAmendmentRefusal', n: 2, answered: 'offer', code: 'earmark', detail: 'No.' }],
    ['CoverageReserved', { type: 'RecordAmendmentCoverage', n: 2 }],
    ['CoverageRefused', { type: 'RecordAmendmentRefusal', n: 2, answered: 'need', code: 'earmark', detail: 'No.' }],
  ])('answers an amendment with what offer and need said of it: %s', async (type, expected) => {
    const data = { commitment: FIRST, leg: 1, amendment: 2, code: 'earmark', detail: 'No.' };
    const event = recordedEvent(`offer-${OFFER_ID}`, 3, { type, data });
    const reaction = await commitmentProgress(new AllProposals([])).react(event, {
      load: () => assert.fail('reads nothing'),
    });
    const by = { actor: SYSTEM_PROCESS, at: TEST_TIME, effectiveAt: TEST_TIME };
    expect(reaction.map(({ id, command }) => [id, command(by)])).toEqual([[FIRST, { ...expected, by }]]);
  });
});
