import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Actor } from '#kernel';
import { SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import type { Asked, CommandBody, Given } from '#kernel-testing';
import { specFor, stateAfter, TEST_TIME } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import { addDays, compare, minorUnits } from '#vocabulary';
import type { AmendedLeg, AmendmentFacts } from './commitment-amending.js';
import { decideAmending } from './commitment-amending.js';
import type { CommitmentEvent } from './commitment.contract.js';
import type { CommitmentCommand, CommitmentState } from './commitment.js';
import { agenciesAsked, commitmentDecider, deadlineOf } from './commitment.js';
import {
  accepted,
  allConfirmed,
  bound,
  CANCELLED,
  CAVR,
  confirmed,
  COORDINATOR,
  delivered,
  delivery,
  EXPIRES,
  facts,
  JAPAN,
  JAPAN_MISSION,
  machines,
  NGO,
  SEAT_LEG,
  seats,
  signed,
  usd,
  VANUATU,
} from './commitment.fixture.js';

const commitments = specFor(commitmentDecider);
type Body = CommandBody<CommitmentCommand>;
type History = readonly Given<CommitmentEvent>[];
const asked = (actor: Actor, at: string = TEST_TIME): Asked => ({ actor, at });
const at = (history: History): CommitmentState => stateAfter(commitmentDecider, history);
const after = (history: History, body: Body, actor: Actor, time?: string): History => [
  ...history,
  ...commitments
    .given(...history)
    .when(body, asked(actor, time))
    .accepted()
    .events.map((event): Given<CommitmentEvent> => [event, { actor }]),
];

const LINES: AmendmentFacts = {
  offer: { lines: facts().offer.lines },
  need: { lines: [...facts().need.lines, { line: 4, quantity: seats(40) }] },
  unknownAgencies: [],
};
const leg = (quantity: number, number?: number, needLine = 2): AmendedLeg => ({
  offerLine: 2,
  needLine,
  drawn: seats(quantity),
  ...(number === undefined ? {} : { leg: number }),
});
const amend = (over: Partial<Extract<Body, { type: 'ProposeAmendment' }>> = {}): Body => ({
  type: 'ProposeAmendment',
  reason: 'The course has another size.',
  facts: LINES,
  ...over,
});
const to = (quantity: number): Body => amend({ legs: [leg(quantity, 1)] });
const agree: Body = { type: 'AcceptAmendment', earmarkFacts: facts().earmarkFacts };
const heldBy = (n: number): Body => ({ type: 'RecordAmendmentHold', n });
const coveredBy = (n: number): Body => ({ type: 'RecordAmendmentCoverage', n });
const refusedBy = (answered: 'offer' | 'need', n = 1): Body => ({
  type: 'RecordAmendmentRefusal',
  ...{ n, answered, code: 'insufficient', detail: 'No more.' },
});
const eventOf = (given: Given<CommitmentEvent>): CommitmentEvent => ('type' in given ? given : given[0]);
const types = (history: History): string[] => history.map((given) => eventOf(given).type);

const ENLARGED = after(bound(), to(15), JAPAN);
const AGREED = after(ENLARGED, agree, VANUATU);
const HELD_ONE = after(AGREED, heldBy(1), SYSTEM_PROCESS);
const AMENDED = after(HELD_ONE, coveredBy(1), SYSTEM_PROCESS);

describe('an amendment by which a fund that keeps its book gives more', () => {
  const money = (amount: string, number?: number): AmendedLeg => ({
    ...{ offerLine: 1, needLine: 1, drawn: usd(amount) },
    ...(number === undefined ? {} : { leg: number }),
  });
  const grant = bound({ legs: [money('1000.00')] });
  const enlarge = (amount: string, decided?: string): Body => ({
    ...(amend({ legs: [money(amount, 1)] }) as Extract<Body, { type: 'ProposeAmendment' }>),
    decision: decided === undefined ? {} : { decided: usd(decided) },
  });
  const agreed = (decided?: string): Body => ({
    ...agree,
    decision: decided === undefined ? {} : { decided: usd(decided) },
  });
  const undecided = (history: History, body: Body): void => {
    commitments
      .given(...history)
      .when(body, asked(JAPAN))
      .refused('decision-required');
  };
  it('is proposed and agreed by it under a decision that covers all of it', () => {
    undecided(grant, enlarge('1000.01'));
    undecided(grant, enlarge('1000.01', '1000.00'));
    expect(at(after(grant, enlarge('1000.01', '1000.01'), JAPAN)).amendments).toHaveLength(1);
    const asking = after(grant, amend({ legs: [money('1500.00', 1), money('500.00')] }), VANUATU);
    undecided(asking, agreed());
    undecided(asking, agreed('1999.99'));
    expect(at(after(asking, agreed('2000.00'), JAPAN)).amendments[0]?.status).toBe('agreed');
  });
  it('is nobody else’s matter, nor one that moves money between legs, takes some away or touches none', () => {
    expect(at(after(grant, amend({ legs: [money('2000.00', 1)] }), JAPAN)).amendments).toHaveLength(1);
    const moved = amend({ legs: [money('400.00', 1), money('600.00')] });
    expect(at(after(after(grant, moved, VANUATU), agreed(), JAPAN)).amendments[0]?.status).toBe('agreed');
    expect(at(after(grant, enlarge('999.99'), JAPAN)).amendments).toHaveLength(1);
    const wordy = amend({ implementer: 'agency:cavr' });
    expect(at(after(grant, { ...wordy, decision: {} } as Body, JAPAN)).amendments).toHaveLength(1);
    expect(at(after(bound(), { ...to(15), decision: {} } as Body, JAPAN)).amendments).toHaveLength(1);
  });
  it('needs the decision as soon as the fund has signed: before that its signature will ask for it', () => {
    const waiting = accepted({ legs: [money('1000.00')] });
    expect(at(after(waiting, enlarge('2000.00'), JAPAN)).amendments).toHaveLength(1);
    undecided([...waiting, signed('donor:japan')], enlarge('2000.00'));
  });
});

describe('an amendment', () => {
  it('is proposed by one side, stands for thirty days, and changes nothing yet', () => {
    const { events, state } = commitments
      .given(...bound())
      .when(to(15), asked(JAPAN))
      .accepted();
    expect(events).toEqual([
      {
        type: 'AmendmentProposed',
        data: {
          n: 1,
          party: 'donor:japan',
          side: 'provider',
          changes: { legs: [{ leg: 1, offerLine: 2, needLine: 2, drawn: seats(15), credited: seats(15) }] },
          reason: 'The course has another size.',
          expiresAt: addDays(TEST_TIME, 30),
        },
      },
    ]);
    expect(state).toMatchObject({ legs: [{ drawn: seats(10) }], amendments: [{ n: 1, status: 'proposed' }] });
    commitments
      .given(...ENLARGED)
      .when(to(12), asked(VANUATU))
      .refused('amendment-open');
  });
  it('asks the offer, then the need, for what grows, and takes effect with both', () => {
    const increases = [{ leg: 1, offerLine: 2, needLine: 2, drawn: seats(5), credited: seats(5) }];
    expect(types(AGREED.slice(ENLARGED.length))).toEqual(['AmendmentAgreed']);
    expect(at(AGREED).amendments[0]?.status).toBe('agreed');
    expect(HELD_ONE.slice(AGREED.length)).toEqual([
      [{ type: 'AmendmentHeld', data: { n: 1, increases } }, { actor: SYSTEM_PROCESS }],
    ]);
    expect(AMENDED.at(-1)).toMatchObject([
      {
        type: 'CommitmentAmended',
        data: { n: 1, increases, decreases: [], recredited: [], legs: [{ leg: 1, drawn: seats(15), amendment: 0 }] },
      },
      {},
    ]);
    expect(at(AMENDED)).toMatchObject({ status: 'binding', legs: [{ drawn: seats(15), credited: seats(15) }] });
  });
  it('asks nobody where nothing grows', () => {
    const history = after(after(bound(), to(4), VANUATU), agree, JAPAN);
    expect(types(history.slice(-3))).toEqual(['AmendmentAgreed', 'AmendmentHeld', 'CommitmentAmended']);
    expect(history.at(-1)).toMatchObject([
      { data: { increases: [], decreases: [{ leg: 1, drawn: seats(6), credited: seats(6) }] } },
      {},
    ]);
  });
  it('asks the offer alone where the need is credited no more, and the need alone where the offer gives no more', () => {
    const sized = (seated: number, credit: string): AmendedLeg => ({
      offerLine: 2,
      needLine: 1,
      drawn: seats(seated),
      credited: usd(credit),
      valuation: { basis: 'agreed-lump-sum', reference: 'Letters' },
    });
    const start = bound({ legs: [sized(4, '400.00')] });
    const more = after(after(start, amend({ legs: [sized(6, '400.00')] }), JAPAN), agree, VANUATU);
    expect(types(after(more, heldBy(1), SYSTEM_PROCESS).slice(-2))).toEqual(['AmendmentHeld', 'CommitmentAmended']);
    const worth = after(after(start, amend({ legs: [sized(4, '600.00')] }), JAPAN), agree, VANUATU);
    expect(types(worth.slice(-2))).toEqual(['AmendmentAgreed', 'AmendmentHeld']);
    expect(types(after(worth, coveredBy(1), SYSTEM_PROCESS).slice(-1))).toEqual(['CommitmentAmended']);
  });
  it('leaves no line of the offer below its smallest lot, for what only falls the offer never hears of', () => {
    const lots: AmendmentFacts = {
      ...LINES,
      offer: { lines: LINES.offer.lines.map((line) => (line.line === 2 ? { ...line, minimumLot: '5' } : line)) },
    };
    const asking = (...legs: AmendedLeg[]): Body => amend({ legs, facts: lots });
    const start = bound({ legs: [SEAT_LEG, { ...SEAT_LEG, drawn: seats(3) }, { ...SEAT_LEG, offerLine: 3 }] });
    const other = { offerLine: 3, needLine: 2, drawn: machines(10), credited: seats(10), leg: 3 } as const;
    const lumpSum = { ...other, valuation: { basis: 'agreed-lump-sum', reference: 'Letters' } } as const;
    commitments
      .given(...start)
      .when(asking(leg(1, 1), leg(3, 2), lumpSum), asked(VANUATU))
      .refused('below-minimum-lot', 'legs[0].drawn');
    commitments
      .given(...start)
      .when(asking(leg(4, 2), lumpSum), asked(JAPAN))
      .refused('below-minimum-lot', 'legs[0].drawn');
    for (const legs of [[leg(2, 1), leg(3, 2), lumpSum], [leg(5, 2), lumpSum], [lumpSum]]) {
      expect(at(after(start, asking(...legs), VANUATU)).amendments).toHaveLength(1);
    }
    // The lot was raised since: who keeps to what was drawn is not asked for more.
    const small = bound({ legs: [{ ...SEAT_LEG, drawn: seats(4) }] });
    expect(at(after(small, asking(leg(4, 1)), VANUATU)).amendments).toHaveLength(1);
    commitments
      .given(...small)
      .when(asking(leg(3, 1)), asked(VANUATU))
      .refused('below-minimum-lot', 'legs[0].drawn');
  });
  it('is refused with the answer of offer or need, and another may be proposed', () => {
    const byOffer = after(AGREED, refusedBy('offer'), SYSTEM_PROCESS);
    expect(at(byOffer).amendments[0]).toMatchObject({
      status: 'refused',
      refusal: { by: 'offer', code: 'insufficient' },
    });
    const byNeed = after(HELD_ONE, refusedBy('need'), SYSTEM_PROCESS);
    expect(at(byNeed)).toMatchObject({ legs: [{ drawn: seats(10) }], amendments: [{ refusal: { by: 'need' } }] });
    expect(at(after(byNeed, to(11), VANUATU)).amendments).toHaveLength(2);
  });
  it('hears an answer once, in its turn, and none after an exit', () => {
    const none = (history: History, body: Body): void => {
      commitments
        .given(...history)
        .when(body, asked(SYSTEM_PROCESS))
        .then();
    };
    for (const body of [heldBy(1), refusedBy('offer')]) {
      none(HELD_ONE, body);
      none(AMENDED, body);
      none([...AGREED, CANCELLED], body);
      none(ENLARGED, body);
    }
    none(AGREED, coveredBy(1));
    none(AGREED, refusedBy('need'));
    none(AGREED, heldBy(2));
    commitments
      .given(...AGREED)
      .when(heldBy(1), asked(JAPAN))
      .refused('forbidden');
    expect(at([...AGREED, CANCELLED]).amendments[0]?.status).toBe('lapsed');
  });
  it('is answered by the other side, never by the proposer’s sovereign (I4)', () => {
    for (const body of [agree, { type: 'DeclineAmendment' } as const]) {
      commitments
        .given(...ENLARGED)
        .when(body, asked(JAPAN))
        .refused('own-proposal');
      commitments
        .given(...ENLARGED)
        .when(body, asked(JAPAN_MISSION))
        .refused('forbidden');
      commitments
        .given(...ENLARGED)
        .when(body, asked(VANUATU, addDays(TEST_TIME, 30)))
        .refused('expired');
    }
    const reason = { code: 'budget' } as const;
    expect(at(after(ENLARGED, { type: 'DeclineAmendment', reason }, VANUATU)).amendments[0]).toMatchObject({
      status: 'declined',
      declined: { party: 'state:VUT', reason },
    });
    expect(at(after(ENLARGED, { type: 'DeclineAmendment' }, VANUATU)).amendments[0]?.declined).toEqual({
      party: 'state:VUT',
    });
  });
  it('is never agreed by another party of the proposer’s sovereign that stands on the other side', () => {
    const [proposal, meta] = bound()[0] as [Extract<CommitmentEvent, { type: 'CommitmentProposed' }>, object];
    const twice: Given<CommitmentEvent>[] = [
      [{ ...proposal, data: { ...proposal.data, beneficiaries: ['state:VUT', 'state:JPN'] } }, meta],
      ...bound().slice(1),
    ];
    const history = after(twice, to(15), JAPAN);
    commitments
      .given(...history)
      .when(agree, asked(JAPAN_MISSION))
      .refused('own-proposal');
    const unknown = [...twice, ...history.slice(-1).map(eventOf)];
    expect(at(unknown).amendments[0]?.proposerSovereign).toBeUndefined();
    commitments
      .given(...unknown)
      .when(agree, asked(VANUATU))
      .accepted();
  });
  it('is taken back by the side that proposed it, until it is agreed', () => {
    const back: Body = { type: 'WithdrawAmendment' };
    expect(at(after(ENLARGED, back, JAPAN)).amendments[0]).toMatchObject({
      status: 'declined',
      declined: { party: 'donor:japan' },
    });
    commitments
      .given(...ENLARGED)
      .when(back, asked(VANUATU))
      .refused('forbidden');
    commitments
      .given(...AGREED)
      .when(back, asked(JAPAN))
      .refused('no-amendment');
  });
  it('takes the side of a State on both by its office', () => {
    const [proposal, meta] = bound()[0] as [Extract<CommitmentEvent, { type: 'CommitmentProposed' }>, object];
    const both: Given<CommitmentEvent>[] = [
      [{ ...proposal, data: { ...proposal.data, providers: ['state:VUT', 'donor:japan'] } }, meta],
      ...bound().slice(1),
    ];
    expect(at(after(both, to(15), VANUATU)).amendments[0]?.side).toBe('recipient');
    expect(at(after(both, to(15), { ...VANUATU, role: 'donor-desk' })).amendments[0]?.side).toBe('provider');
  });
  it('lapses by the timer after thirty days, before a later time limit of the proposal and after an earlier one', () => {
    const due = addDays(TEST_TIME, 30);
    expect(deadlineOf(at(ENLARGED))).toEqual({ due, command: 'LapseAmendment' });
    expect(at(after(ENLARGED, { type: 'LapseAmendment' }, SYSTEM_TIMER, due)).amendments[0]?.status).toBe('lapsed');
    commitments
      .given(...ENLARGED)
      .when({ type: 'LapseAmendment' }, asked(SYSTEM_TIMER))
      .refused('not-due');
    const early = after(accepted(), to(9), JAPAN);
    expect(deadlineOf(at(early))).toEqual({ due, command: 'LapseAmendment' });
    const late = after(accepted(), to(9), JAPAN, addDays(EXPIRES, -1));
    expect(deadlineOf(at(late))).toEqual({ due: EXPIRES, command: 'LapseCommitment' });
    const asking = after(after(accepted(), to(11), JAPAN), agree, VANUATU);
    expect(deadlineOf(at(asking))).toEqual({ due: EXPIRES, command: 'LapseCommitment' });
    expect(deadlineOf(at(AGREED))).toBeUndefined();
  });
  it('keeps an unconfirmed closing and any closing waiting: who negotiates is not silent', () => {
    const open = after(delivered(), to(12), JAPAN);
    expect(deadlineOf(at(open))?.command).toBe('LapseAmendment');
    expect(deadlineOf(at(after(open, agree, VANUATU)))).toBeUndefined();
    commitments
      .given(...after(open, { type: 'ConfirmDelivery', n: 1, condition: 'usable' }, VANUATU))
      .when({ type: 'CloseCommitment' }, asked(COORDINATOR))
      .refused('amendment-open');
  });
});

it('no amendment is answered where there is none, whoever let the answer through', () => {
  const by = { actor: VANUATU, at: TEST_TIME, effectiveAt: TEST_TIME };
  const outcome = decideAmending({ type: 'WithdrawAmendment', by }, at(bound()), {
    party: 'state:VUT',
    coordinator: false,
  });
  expect(outcome).toMatchObject({ kind: 'refused', rejection: { code: 'no-amendment' } });
});

describe('an amendment that leaves nothing to deliver', () => {
  it('is where the silence of the recipient begins, however long ago the last tranche came', () => {
    const part: History = [...bound(), delivery(1, seats(4))];
    const late = addDays(TEST_TIME, 400);
    const state = stateAfter(commitmentDecider, [
      ...after(part, to(4), JAPAN),
      ...commitments
        .given(...after(part, to(4), JAPAN))
        .when(agree, asked(VANUATU, addDays(TEST_TIME, 1)))
        .accepted()
        .events.map((event): Given<CommitmentEvent> => [event, { actor: VANUATU, at: late }]),
    ]);
    expect(state.status).toBe('delivered');
    expect(deadlineOf(state)).toEqual({ due: addDays(late, 180), command: 'CloseUnconfirmed' });
  });
});

describe('what an amendment may ask', () => {
  const refused = (over: Partial<Extract<Body, { type: 'ProposeAmendment' }>>, history: History = bound()) =>
    commitments.given(...history).when(amend(over), asked(JAPAN));
  it('names legs by their number, else by place; what is new comes after all there ever were', () => {
    const two = bound({
      legs: [
        { ...SEAT_LEG, drawn: seats(5) },
        { ...SEAT_LEG, drawn: seats(5) },
      ],
    });
    const numbers = (history: History, legs: readonly AmendedLeg[]): number[] =>
      (at(after(history, amend({ legs }), JAPAN)).amendments.at(-1)?.changes.legs ?? []).map((each) => each.leg);
    expect(numbers(two, [leg(5), leg(6), leg(2, undefined, 4)])).toEqual([1, 2, 3]);
    expect(numbers(two, [leg(5, 2), leg(6)])).toEqual([2, 3]);
    // Leg 3 was proposed and declined: its number is not given again.
    const declined = after(
      after(two, amend({ legs: [leg(5), leg(5), leg(1)] }), JAPAN),
      { type: 'WithdrawAmendment' },
      JAPAN,
    );
    expect(numbers(declined, [leg(5), leg(5), leg(1)])).toEqual([1, 2, 4]);
  });
  it('keeps lines and numbers of kept legs', () => {
    refused({ legs: [leg(5, 7)] }).refused('unknown-leg', 'legs[0].leg');
    refused({ legs: [leg(5, 1), leg(6, 1)] }).refused('leg-mismatch', 'legs[1].leg');
    refused({ legs: [leg(5, 1, 4)] }).refused('leg-mismatch', 'legs[0].needLine');
    refused({ legs: [{ ...leg(5, 1), offerLine: 1 }] }).refused('leg-mismatch', 'legs[0].offerLine');
  });
  it('fits the lines of offer and need, and registered agencies', () => {
    refused({ legs: [leg(5, 1), leg(5, undefined, 9)] }).refused('unknown-line', 'legs[1].needLine');
    const unknown = { ...LINES, unknownAgencies: ['agency:nobody'] };
    refused({ implementer: 'agency:nobody', facts: unknown }).refused('unknown-agency', 'implementer');
    refused({ fiscalAgent: 'agency:nobody', facts: unknown }).refused('unknown-agency', 'fiscalAgent');
  });
  it('never goes below what was delivered: when proposed, when agreed, and when it takes effect', () => {
    const four = [...bound(), delivery(1, seats(4))];
    refused({ legs: [leg(3, 1)] }, four).refused('below-delivered', 'legs[0].drawn');
    refused({ legs: [leg(10, undefined, 4), { ...leg(1, undefined), leg: 1 }] }, four).refused('below-delivered');
    const other = bound({
      legs: [
        { ...SEAT_LEG, drawn: seats(5) },
        { ...SEAT_LEG, drawn: seats(5) },
      ],
    });
    refused({ legs: [leg(5, 2)] }, [...other, delivery(1, seats(1))]).refused('below-delivered', 'legs');
    expect(at(after(after(other, amend({ legs: [leg(5, 2)] }), JAPAN), agree, VANUATU)).legs).toMatchObject([
      { leg: 2 },
    ]);
    const six = after(bound(), to(6), JAPAN);
    commitments
      .given(...six, delivery(1, seats(7)))
      .when(agree, asked(VANUATU))
      .refused('below-delivered');
    // Grows at the need's other line, shrinks at the first: delivered while offer and need were asked.
    const swap = after(after(other, amend({ legs: [leg(1, 1), leg(9, 2)] }), JAPAN), agree, VANUATU);
    const held = after([...swap, delivery(1, seats(2))], heldBy(1), SYSTEM_PROCESS);
    const effect = after(held, coveredBy(1), SYSTEM_PROCESS);
    expect(at(effect)).toMatchObject({
      legs: [{ drawn: seats(5) }, { drawn: seats(5) }],
      amendments: [{ status: 'refused', refusal: { by: 'commitment', code: 'below-delivered' } }],
    });
  });
  it('never credits less than was delivered', () => {
    const valued = (credit: string): AmendedLeg => ({
      ...{ offerLine: 2, needLine: 1, drawn: seats(10), credited: usd(credit) },
      valuation: { basis: 'agreed-lump-sum', reference: 'Letters' },
    });
    const start: History = [
      ...bound({ legs: [valued('1000.00')] }),
      {
        type: 'DeliveryReported',
        data: {
          ...{ n: 1, party: 'donor:japan', leg: 1, quantity: seats(5), drawn: seats(5), credited: usd('500.00') },
          date: '2026-01-04',
        },
      },
    ];
    refused({ legs: [valued('499.99')] }, start).refused('below-delivered', 'legs[0].credited');
    // A new rate holds for what is still to come.
    const cheaper = after(after(start, amend({ legs: [valued('600.00')] }), JAPAN), agree, VANUATU);
    const all = after(cheaper, { type: 'ReportDelivery', leg: 1, quantity: seats(5), date: '2026-01-05' }, JAPAN);
    expect(at(all).deliveries.map(({ credited }) => credited)).toEqual([usd('500.00'), usd('100.00')]);
  });
  it('moves dates only as an extension', () => {
    const terms = { period: { from: '2026-01-01', to: '2026-06-30' } };
    const history = bound({ terms });
    const later = after(
      history,
      { type: 'ProposeAmendment', extension: { period: { to: '2026-12-31' } }, reason: 'Rain.' },
      JAPAN,
    );
    expect(at(later).amendments[0]).toMatchObject({ extension: true });
    const extended = after(later, agree, VANUATU);
    expect(at(extended).terms.period).toEqual({ from: '2026-01-01', to: '2026-12-31' });
    expect(extended.at(-1)).toMatchObject([{ data: { extension: true } }, {}]);
    commitments
      .given(...history)
      .when({ type: 'ProposeAmendment', extension: { period: { to: '2026-01-31' } }, reason: 'x' }, asked(JAPAN))
      .refused('not-an-extension');
  });
  it('replaces terms part by part', () => {
    const terms = { agreements: [], period: { to: '2026-06-30' } };
    const history = after(after(bound(), amend({ terms }), JAPAN), agree, VANUATU);
    expect(at(history).terms.period).toEqual({ to: '2026-06-30' });
  });
});

describe('before the commitment binds', () => {
  it('an amendment that takes effect voids the signatures given before it', () => {
    const history = after(after([...accepted(), signed('donor:japan')], to(8), VANUATU), agree, JAPAN);
    expect(at(history)).toMatchObject({ status: 'accepted', signatures: [], legs: [{ drawn: seats(8) }] });
    const bindsAnew = after(after(history, { type: 'SignCommitment' }, JAPAN), { type: 'SignCommitment' }, VANUATU);
    expect(at(bindsAnew)).toMatchObject({ status: 'binding', legs: [{ drawn: seats(8) }] });
    expect(at(after(after(bound(), to(8), VANUATU), agree, JAPAN)).signatures).toHaveLength(2);
  });
});

describe('agencies', () => {
  const replace = amend({ implementer: 'agency:ngo' });
  const asking = after(bound({ implementer: 'agency:cavr' }), replace, JAPAN);
  it('that are newly named consent first, and then stand for the task', () => {
    expect(agenciesAsked(at(asking))).toEqual(['agency:ngo']);
    commitments
      .given(...asking)
      .when(agree, asked(VANUATU))
      .refused('task-not-consented');
    commitments
      .given(...asking)
      .when({ type: 'ConsentTask' }, asked(CAVR))
      .refused('not-proposed');
    const consenting = after(asking, { type: 'ConsentTask' }, NGO);
    expect(at(consenting)).toMatchObject({
      consents: [{ party: 'agency:cavr' }],
      amendments: [{ consents: [{ party: 'agency:ngo', as: ['implementer'] }] }],
    });
    commitments
      .given(...consenting)
      .when({ type: 'ConsentTask' }, asked(NGO))
      .refused('already-consented');
    const done = after(consenting, agree, VANUATU);
    expect(at(done)).toMatchObject({ implementer: 'agency:ngo', consents: [{ party: 'agency:ngo' }] });
    expect(agenciesAsked(at(done))).toEqual([]);
  });
  it('that are newly named answer within the time limit of the amendment', () => {
    const asking = after(bound(), amend({ implementer: 'agency:cavr' }), JAPAN);
    for (const body of [{ type: 'ConsentTask' }, { type: 'DeclineTask', reason: { code: 'timing' } }] as const) {
      commitments
        .given(...asking)
        .when(body, asked(CAVR, addDays(TEST_TIME, 30)))
        .refused('expired');
    }
    const named = after(bound({ implementer: 'agency:cavr' }), to(15), JAPAN);
    commitments
      .given(...named)
      .when({ type: 'ConsentTask' }, asked(CAVR))
      .refused('not-proposed');
  });
  it('that are newly named and decline end the amendment', () => {
    const declining = after(asking, { type: 'DeclineTask', reason: { code: 'timing' } }, NGO);
    expect(types(declining.slice(-2))).toEqual(['TaskDeclined', 'AmendmentRefused']);
    expect(at(declining)).toMatchObject({
      implementer: 'agency:cavr',
      taskDeclines: [],
      amendments: [{ status: 'refused', refusal: { by: 'agency', code: 'task-declined' } }],
    });
  });
  it('are none any more where null says so, and named for both tasks consent once', () => {
    const ended = after(
      after(bound({ implementer: 'agency:cavr' }), amend({ implementer: null }), JAPAN),
      agree,
      VANUATU,
    );
    expect(at(ended).implementer).toBeUndefined();
    expect(at(ended).consents).toEqual([]);
    const both = after(bound(), amend({ implementer: 'agency:ngo', fiscalAgent: 'agency:ngo' }), JAPAN);
    expect(agenciesAsked(at(both))).toEqual(['agency:ngo']);
    const named = after(after(both, { type: 'ConsentTask' }, NGO), agree, VANUATU);
    expect(at(named)).toMatchObject({
      ...{ implementer: 'agency:ngo', fiscalAgent: 'agency:ngo' },
      consents: [{ party: 'agency:ngo', as: ['implementer', 'fiscal-agent'] }],
    });
    const task = after(bound({ implementer: 'agency:cavr' }), amend({ fiscalAgent: 'agency:cavr' }), JAPAN);
    expect(at(after(task, agree, VANUATU)).fiscalAgent).toBe('agency:cavr');
  });
});

describe('a scope in words', () => {
  const scope: AmendedLeg = { offerLine: 2, needLine: 3, drawn: seats(9), scope: 'Training of trainers' };
  const words: Quantity = { measure: 'undetermined', why: 'to-be-assessed' };
  const start = bound({ legs: [{ ...scope, credited: words }] });
  const tranche = (n: number, quantity: number): Given<CommitmentEvent> => ({
    type: 'DeliveryReported',
    data: {
      n,
      party: 'donor:japan',
      leg: 1,
      quantity: seats(quantity),
      drawn: seats(quantity),
      credited: words,
      date: '2026',
    },
  });
  const assessed: AmendmentFacts = { ...LINES, need: { lines: [{ line: 3, quantity: usd('1000.00') }] } };
  const credit: AmendedLeg = {
    ...{ offerLine: 2, needLine: 3, drawn: seats(9), credited: usd('100.00') },
    valuation: { basis: 'agreed-lump-sum', reference: 'Assessment report' },
  };
  it('stays words while the line has no quantity', () => {
    const more = after(after(start, amend({ legs: [{ ...scope, drawn: seats(10) }] }), JAPAN), agree, VANUATU);
    expect(at(more).amendments[0]?.changes.legs).toMatchObject([{ credited: words, scope: 'Training of trainers' }]);
    expect(more.at(-1)).toMatchObject([{ data: { increases: [{ drawn: seats(1) }] } }, {}]);
    expect(at(after(more, heldBy(1), SYSTEM_PROCESS)).legs).toMatchObject([
      { drawn: seats(10), credited: words, scope: 'Training of trainers' },
    ]);
    expect(
      at(after(start, { type: 'ReportDelivery', leg: 1, quantity: seats(2), date: '2026' }, JAPAN)).legs,
    ).toMatchObject([{ deliveredDrawn: seats(2), deliveredCredited: words }]);
  });
  it('is credited a figure once it was assessed, and so are the tranches that came before', () => {
    const came: History = [
      ...start,
      tranche(1, 2),
      tranche(2, 4),
      tranche(3, 1),
      tranche(4, 1),
      {
        type: 'DeliveryConfirmed',
        data: {
          ...{ n: 1, party: 'state:VUT', quantity: seats(2), drawn: seats(2), credited: words },
          condition: 'usable',
        },
      },
      {
        type: 'DeliveryConfirmed',
        data: { n: 2, party: 'state:VUT', quantity: seats(3), drawn: seats(3), credited: words, condition: 'usable' },
      },
      {
        type: 'ReturnReported',
        data: {
          ...{ n: 1, delivery: 2, party: 'state:VUT', leg: 1, quantity: seats(1), drawn: seats(1), credited: words },
          ...{ confirmed: { drawn: seats(1), credited: words }, reason: 'Ill.', date: '2026' },
        },
      },
      {
        type: 'ReturnReported',
        data: {
          ...{ n: 2, delivery: 3, party: 'state:VUT', leg: 1, quantity: seats(1), drawn: seats(1), credited: words },
          ...{ reason: 'Ill.', date: '2026' },
        },
      },
    ];
    const agreedTo = after(after(came, amend({ legs: [credit], facts: assessed }), JAPAN), agree, VANUATU);
    const done = after(agreedTo, coveredBy(1), SYSTEM_PROCESS);
    expect(done.at(-1)).toMatchObject([
      {
        data: {
          increases: [{ leg: 1, credited: usd('100.00') }],
          decreases: [],
          recredited: [
            { leg: 1, delivery: 1, credited: usd('22.22'), confirmed: usd('22.22') },
            { leg: 1, delivery: 2, credited: usd('33.33'), confirmed: usd('22.22') },
            { leg: 1, delivery: 4, credited: usd('11.11') },
          ],
        },
      },
      {},
    ]);
    expect(at(done).legs).toMatchObject([
      {
        ...{ deliveredDrawn: seats(6), deliveredCredited: usd('66.66') },
        ...{ confirmedDrawn: seats(4), confirmedCredited: usd('44.44') },
      },
    ]);
    const rest = after(done, { type: 'ReportDelivery', leg: 1, quantity: seats(3), date: '2026' }, JAPAN);
    expect(at(rest).legs).toMatchObject([{ deliveredDrawn: seats(9), deliveredCredited: usd('100.00') }]);
  });
});

describe('random amendments among deliveries', () => {
  const move = fc.record({
    // `next` takes the open amendment one step on, or proposes one.
    kind: fc.constantFrom(
      'next',
      'next',
      'next',
      'refuse',
      'decline',
      'deliver',
      'deliver',
      'return',
      'confirm',
      'cancel',
    ),
    side: fc.boolean(),
    astray: fc.nat(6).map((n) => n === 0),
    n: fc.nat(5),
    quantity: fc.integer({ min: 1, max: 12 }),
    second: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  });
  type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;
  const commandOf = (
    { kind, side, astray, n, quantity, second }: Move,
    state: CommitmentState,
  ): readonly [Body, Actor] => {
    const both = side ? JAPAN : VANUATU;
    const open = state.amendments.at(-1);
    const some = state.legs[n % Math.max(1, state.legs.length)];
    const left = some === undefined ? 0 : Number(minorUnits(some.drawn) - minorUnits(some.deliveredDrawn));
    const tranche = 1 + (n % Math.max(1, state.deliveries.length));
    switch (kind) {
      case 'next': {
        if (open?.status === 'proposed') {
          const other = open.side === 'provider' ? VANUATU : JAPAN;
          return [agree, astray ? both : other];
        }
        if (open?.status === 'agreed') return [heldBy(open.n), SYSTEM_PROCESS];
        if (open?.status === 'held') return [coveredBy(open.n), SYSTEM_PROCESS];
        const [first] = state.legs;
        const legs = [
          leg(quantity, first?.leg, first?.needLine),
          ...(second === undefined ? [] : [leg(second, undefined, 4)]),
        ];
        return [amend({ legs }), both];
      }
      case 'decline':
        return [{ type: 'DeclineAmendment' }, both];
      case 'refuse':
        return [refusedBy(side ? 'offer' : 'need', open?.n), SYSTEM_PROCESS];
      case 'deliver': {
        const fits = seats(astray ? quantity : Math.max(1, Math.min(quantity, left)));
        return [{ type: 'ReportDelivery', leg: some?.leg ?? 1, quantity: fits, date: '2026-01-05' }, JAPAN];
      }
      case 'confirm':
        return [{ type: 'ConfirmDelivery', n: tranche, condition: 'usable' }, VANUATU];
      case 'return':
        return [
          { type: 'ReportReturn', delivery: tranche, quantity: seats(quantity), reason: 'x', date: '2026-01-05' },
          VANUATU,
        ];
      case 'cancel':
        return [{ type: 'CancelCommitment', reason: { code: 'budget' } }, VANUATU];
    }
  };
  // Seen failing with changesFault left out of onceCovered (delivered above committed), with growth answering the whole of `to`,
  // and with the proposer's own side let through by answerFault.
  it('never go below delivered (I3), account for every unit they move (I6), and are agreed by the other side (I4)', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(move, { minLength: 10, maxLength: 30 }), (isBound, moves) => {
        const history: Given<CommitmentEvent>[] = isBound ? bound() : accepted();
        // What offer and need know: the proposal and what amendments moved.
        let known = 10n;
        for (const each of moves) {
          const before = at(history);
          const [body, actor] = commandOf(each, before);
          const decision = commitmentDecider.decide(
            { ...body, by: { actor, at: TEST_TIME, effectiveAt: TEST_TIME } },
            before,
          );
          if (decision.kind === 'refused') continue;
          for (const event of decision.events) {
            history.push([event, { actor }]);
            if (event.type !== 'CommitmentAmended') continue;
            for (const { drawn } of event.data.increases) known += minorUnits(drawn ?? seats(0));
            for (const { drawn } of event.data.decreases) known -= minorUnits(drawn ?? seats(0));
          }
          const state = at(history);
          const [agreed] = decision.events;
          if (agreed?.type === 'AmendmentAgreed') {
            assert.notEqual(state.amendments.at(-1)?.proposedBy, agreed.data.party);
          }
          assert.equal(
            state.legs.reduce((sum, { drawn }) => sum + minorUnits(drawn), 0n),
            known,
          );
          assert.equal(new Set(state.legs.map((each) => each.leg)).size, state.legs.length);
          for (const { drawn, deliveredDrawn, deliveredCredited, confirmedDrawn } of state.legs) {
            assert.ok(compare(deliveredDrawn, drawn) <= 0);
            assert.ok(compare(confirmedDrawn, deliveredDrawn) <= 0);
            assert.deepEqual(deliveredCredited, deliveredDrawn);
          }
          assert.ok(
            state.amendments.filter(({ status }) => ['proposed', 'agreed', 'held'].includes(status)).length <= 1,
          );
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('the last confirmed tranche', () => {
  it('leaves nothing to amend, and an amendment agreed meanwhile opens the commitment again', () => {
    commitments
      .given(...allConfirmed())
      .when(to(12), asked(JAPAN))
      .refused('not-accepted');
    const agreedTo = after(after(delivered(), to(12), JAPAN), agree, VANUATU);
    const all = [...agreedTo, confirmed(1, seats(10))];
    expect(at(all).status).toBe('confirmed');
    const grown = after(after(all, heldBy(1), SYSTEM_PROCESS), coveredBy(1), SYSTEM_PROCESS);
    expect(at(grown).status).toBe('binding');
  });
});
