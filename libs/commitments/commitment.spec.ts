import fc from 'fast-check';
import type { Actor } from '#kernel';
import { SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import type { Asked, CommandBody, Given } from '#kernel-testing';
import { recordedEvent, specFor, stateAfter, TEST_TIME } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import { addDays, compare, minorUnits, quantityOf, zeroLike } from '#vocabulary';
import type { CommitmentEvent } from './commitment.contract.js';
import type {
  CommitmentCommand,
  CommitmentRejectionCode,
  CommitmentState,
  CommitmentStatus,
  ProposedLeg,
} from './commitment.js';
import {
  actionsOf,
  COMMITMENT_RULES,
  commitmentDecider,
  deadlineOf,
  defaultSignatories,
  isDisputed,
  mayCommand,
  partiesOf,
  recipientsOf,
  trancheOf,
} from './commitment.js';
import type { Deal } from './commitment.fixture.js';
import {
  accepted,
  ACCEPTED,
  allConfirmed,
  BOUND,
  bound,
  CANCELLED,
  CAVR,
  closed,
  confirmed,
  consented,
  COORDINATOR,
  delivered,
  delivery,
  disputed,
  eur,
  EXPIRES,
  facts,
  GIVEN_BY_VANUATU,
  HELD,
  held,
  JAPAN,
  JAPAN_MISSION,
  machines,
  NEED_ID,
  NGO,
  OFFER_ID,
  PAYMASTER,
  proposed,
  SEAT_LEG,
  seats,
  signed,
  STRANGER,
  total,
  transfer,
  usd,
  VANUATU,
  VANUATU_POLICE,
} from './commitment.fixture.js';

const commitments = specFor(commitmentDecider);
type Body = CommandBody<CommitmentCommand>;
const asked = (actor: Actor, at: string = TEST_TIME): Asked => ({ actor, at });
const REASON = { code: 'budget' } as const;

const propose = (over: Partial<Extract<Body, { type: 'ProposeCommitment' }>> = {}): Body => ({
  type: 'ProposeCommitment',
  facts: facts(),
  legs: [SEAT_LEG],
  ...over,
});

const at = (history: readonly Given<CommitmentEvent>[]): CommitmentState => stateAfter(commitmentDecider, history);

describe('the lifecycle table, transition by transition', () => {
  const MONEY = { legs: [{ offerLine: 1, needLine: 1, drawn: usd('1000.00') }] };
  const deal: Deal = {
    implementer: 'agency:cavr',
    terms: {
      conditions: [{ n: 1, code: 'other', on: 'recipient' }],
      reports: [{ n: 1, kind: 'completion', by: 'agency:cavr', due: '2026-12-31' }],
      verifier: 'agency:ngo',
    },
  };
  const histories: Readonly<Record<CommitmentStatus | 'unconfirmed', readonly Given<CommitmentEvent>[]>> = {
    proposed: held(deal),
    accepted: accepted(deal),
    binding: [...bound(deal), delivery(1, seats(4)), transfer(1, usd('5.00'))],
    delivered: [...delivered(deal), transfer(1, usd('5.00'))],
    confirmed: [...delivered(deal), transfer(1, usd('5.00')), confirmed(1, seats(10))],
    closed: [...delivered(deal), transfer(1, usd('5.00')), confirmed(1, seats(10)), closed('confirmed')],
    unconfirmed: [...delivered(deal), transfer(1, usd('5.00')), closed('unconfirmed')],
    declined: [...held(deal), { type: 'CommitmentDeclined', data: { party: 'state:VUT', reason: REASON } }],
    lapsed: [...held(deal), { type: 'CommitmentLapsed', data: {} }],
    withdrawn: [...held(deal), { type: 'CommitmentWithdrawn', data: { party: 'donor:japan', reason: REASON } }],
    cancelled: [...bound(deal), delivery(1, seats(4)), transfer(1, usd('5.00')), CANCELLED],
  };
  const commands: Readonly<Record<keyof typeof COMMITMENT_RULES, readonly [Body, Actor]>> = {
    AcceptCommitment: [{ type: 'AcceptCommitment' }, VANUATU],
    DeclineCommitment: [{ type: 'DeclineCommitment', reason: REASON }, VANUATU],
    WithdrawCommitment: [{ type: 'WithdrawCommitment', reason: REASON }, JAPAN],
    ConsentTask: [{ type: 'ConsentTask' }, CAVR],
    DeclineTask: [{ type: 'DeclineTask', reason: REASON }, CAVR],
    SignCommitment: [{ type: 'SignCommitment' }, JAPAN],
    ReportTransfer: [
      {
        type: 'ReportTransfer',
        kind: 'disbursement',
        from: 'donor:japan',
        to: 'agency:cavr',
        amount: usd('1.00'),
        date: '2026-01-05',
      },
      JAPAN,
    ],
    ReportReceipt: [{ type: 'ReportReceipt', transfer: 1, amount: usd('4.00'), date: '2026-01-05' }, CAVR],
    CorrectTransfer: [{ type: 'CorrectTransfer', n: 1, date: '2026-01-03', reason: 'A typing error.' }, JAPAN],
    CorrectReceipt: [{ type: 'CorrectReceipt', n: 1, date: '2026-01-03', reason: 'A typing error.' }, CAVR],
    ReportExpenditure: [
      {
        type: 'ReportExpenditure',
        kind: 'interim',
        from: '2026-01-01',
        to: '2026-01-04',
        lines: [{ budgetLine: 'Travel', amount: usd('5.00') }],
        date: '2026-01-05',
      },
      CAVR,
    ],
    SettleDiscrepancy: [{ type: 'SettleDiscrepancy', n: 9, reason: 'Found.' }, JAPAN],
    AcceptDiscrepancy: [{ type: 'AcceptDiscrepancy', n: 9, reason: 'Lost in the post.' }, COORDINATOR],
    ReportDelivery: [{ type: 'ReportDelivery', leg: 1, quantity: seats(1), date: '2026-01-05' }, CAVR],
    ConfirmDelivery: [{ type: 'ConfirmDelivery', n: 1, condition: 'usable' }, VANUATU],
    DisputeDelivery: [{ type: 'DisputeDelivery', n: 1, reason: 'Too few.' }, VANUATU],
    VerifyDelivery: [{ type: 'VerifyDelivery', n: 1, quantity: seats(4) }, NGO],
    StateSettlement: [{ type: 'StateSettlement', n: 1, outcome: 'stands' }, JAPAN],
    ReportReturn: [
      { type: 'ReportReturn', delivery: 1, quantity: seats(1), reason: 'Broken.', date: '2026-01-05' },
      VANUATU,
    ],
    CorrectDelivery: [{ type: 'CorrectDelivery', n: 1, quantity: seats(3), reason: 'Miscounted.' }, JAPAN],
    ProposeAmendment: [
      { type: 'ProposeAmendment', fiscalAgent: 'agency:paymaster', reason: 'It holds the money.', facts: facts() },
      JAPAN,
    ],
    AcceptAmendment: [{ type: 'AcceptAmendment', earmarkFacts: facts().earmarkFacts }, VANUATU],
    DeclineAmendment: [{ type: 'DeclineAmendment' }, VANUATU],
    WithdrawAmendment: [{ type: 'WithdrawAmendment' }, JAPAN],
    SuspendCommitment: [{ type: 'SuspendCommitment', reason: REASON }, JAPAN],
    ResumeCommitment: [{ type: 'ResumeCommitment' }, JAPAN],
    MeetCondition: [{ type: 'MeetCondition', n: 1 }, JAPAN],
    WaiveCondition: [{ type: 'WaiveCondition', n: 1 }, JAPAN],
    FileReport: [{ type: 'FileReport', n: 1, date: '2026-01-05' }, CAVR],
    AcceptReport: [{ type: 'AcceptReport', n: 1 }, JAPAN],
    ReturnReport: [{ type: 'ReturnReport', n: 1 }, JAPAN],
    WaiveReport: [{ type: 'WaiveReport', n: 1 }, JAPAN],
    AttachDocument: [
      { type: 'AttachDocument', document: { kind: 'report', title: 'A paper', sha256: 'a'.repeat(64) } },
      JAPAN,
    ],
    CancelCommitment: [{ type: 'CancelCommitment', reason: REASON }, JAPAN],
    CloseCommitment: [{ type: 'CloseCommitment' }, COORDINATOR],
  };
  const fromBinding = (code: CommitmentRejectionCode | 'ok'): Partial<Row> => ({
    binding: code,
    delivered: code,
    confirmed: code,
    cancelled: code,
    closed: code,
    unconfirmed: code,
  });
  const NO_AMENDMENT: Partial<Row> = {
    accepted: 'no-amendment',
    binding: 'no-amendment',
    delivered: 'no-amendment',
    confirmed: 'no-amendment',
  };
  type Row = Readonly<Record<keyof typeof histories, CommitmentRejectionCode | 'ok'>>;
  const row = (otherwise: CommitmentRejectionCode, over: Partial<Row>): Row => ({
    ...(Object.fromEntries(Object.keys(histories).map((status) => [status, otherwise])) as Row),
    ...over,
  });
  const table: Readonly<Record<keyof typeof COMMITMENT_RULES, Row>> = {
    AcceptCommitment: row('not-proposed', { proposed: 'ok' }),
    DeclineCommitment: row('not-proposed', { proposed: 'ok' }),
    WithdrawCommitment: row('not-proposed', { proposed: 'ok', accepted: 'ok' }),
    ConsentTask: row('not-proposed', { proposed: 'ok', accepted: 'ok' }),
    DeclineTask: row('not-proposed', { proposed: 'ok', accepted: 'ok' }),
    SignCommitment: row('not-accepted', { accepted: 'ok' }),
    ReportTransfer: row('not-binding', {
      binding: 'ok',
      delivered: 'ok',
      confirmed: 'ok',
      cancelled: 'ok',
      closed: 'ok',
      unconfirmed: 'ok',
    }),
    ReportReceipt: row('forbidden', {
      binding: 'ok',
      delivered: 'ok',
      confirmed: 'ok',
      cancelled: 'ok',
      closed: 'ok',
      unconfirmed: 'ok',
    }),
    CorrectTransfer: row('not-binding', fromBinding('ok')),
    CorrectReceipt: row('forbidden', fromBinding('not-found')),
    ReportExpenditure: row('not-binding', fromBinding('ok')),
    SettleDiscrepancy: row('not-binding', fromBinding('not-found')),
    AcceptDiscrepancy: row('not-binding', {
      binding: 'not-found',
      delivered: 'not-found',
      confirmed: 'not-found',
      cancelled: 'not-found',
      closed: 'not-found',
      unconfirmed: 'not-found',
    }),
    ReportDelivery: row('not-binding', { binding: 'ok', delivered: 'over-delivery', confirmed: 'over-delivery' }),
    ConfirmDelivery: row('not-binding', {
      binding: 'ok',
      delivered: 'ok',
      cancelled: 'ok',
      unconfirmed: 'ok',
      confirmed: 'already-confirmed',
    }),
    DisputeDelivery: row('not-binding', {
      binding: 'ok',
      delivered: 'ok',
      cancelled: 'ok',
      unconfirmed: 'ok',
      confirmed: 'already-confirmed',
    }),
    VerifyDelivery: row('not-binding', { binding: 'ok', delivered: 'ok', confirmed: 'ok', cancelled: 'ok' }),
    StateSettlement: row('not-binding', {
      binding: 'not-disputed',
      delivered: 'not-disputed',
      confirmed: 'not-disputed',
      cancelled: 'not-disputed',
    }),
    ReportReturn: row('not-binding', { binding: 'ok', delivered: 'ok', confirmed: 'ok', cancelled: 'ok' }),
    CorrectDelivery: row('forbidden', {
      binding: 'ok',
      delivered: 'ok',
      confirmed: 'already-answered',
      cancelled: 'ok',
      closed: 'not-binding',
      unconfirmed: 'not-binding',
    }),
    ProposeAmendment: row('not-accepted', { accepted: 'ok', binding: 'ok', delivered: 'ok' }),
    AcceptAmendment: row('not-accepted', NO_AMENDMENT),
    DeclineAmendment: row('not-accepted', NO_AMENDMENT),
    WithdrawAmendment: row('not-accepted', NO_AMENDMENT),
    SuspendCommitment: row('not-binding', { binding: 'ok', delivered: 'ok', confirmed: 'ok' }),
    ResumeCommitment: row('not-binding', {
      binding: 'not-suspended',
      delivered: 'not-suspended',
      confirmed: 'not-suspended',
      cancelled: 'not-suspended',
    }),
    MeetCondition: row('not-accepted', { accepted: 'ok', binding: 'ok', delivered: 'ok', confirmed: 'ok' }),
    WaiveCondition: row('not-accepted', { accepted: 'ok', binding: 'ok', delivered: 'ok', confirmed: 'ok' }),
    FileReport: row('not-binding', fromBinding('ok')),
    AcceptReport: row('not-binding', fromBinding('not-filed')),
    ReturnReport: row('not-binding', fromBinding('not-filed')),
    WaiveReport: row('not-binding', fromBinding('ok')),
    AttachDocument: row('not-proposed', { proposed: 'ok', accepted: 'ok', ...fromBinding('ok') }),
    CancelCommitment: row('not-binding', { binding: 'ok', delivered: 'ok' }),
    // The report is owed still.
    CloseCommitment: row('not-confirmed', { confirmed: 'open-reports', cancelled: 'open-reports' }),
  };
  const cases = Object.entries(table).flatMap(([command, outcomes]) =>
    Object.entries(outcomes).map(
      ([status, expected]) =>
        [command, status, expected] as [keyof typeof table, keyof typeof histories, CommitmentRejectionCode | 'ok'],
    ),
  );
  it.each(cases)('%s while %s: %s', (type, status, expected) => {
    const [body, actor] = commands[type];
    const when = commitments.given(...histories[status]).when(body, asked(actor));
    if (expected === 'ok') expect(when.accepted().events.length).toBeGreaterThan(0);
    else when.refused(expected);
  });

  it.each(Object.entries(histories))('the history named %s leads there', (status, history) => {
    expect(at(history).status).toBe(status === 'unconfirmed' ? 'closed' : status);
  });

  it('answers a command to a commitment that does not exist with not-found', () => {
    for (const [body, actor] of Object.values(commands))
      commitments.given().when(body, asked(actor)).refused('not-found');
  });

  it.each(Object.entries(commands))('%s by a stranger is forbidden', (_type, [body]) => {
    commitments
      .given(...bound({ ...deal, ...MONEY }))
      .when(body, asked(STRANGER))
      .refused('forbidden');
  });

  it.each(
    (['proposed', 'accepted', 'lapsed'] as const).flatMap((status) =>
      Object.keys(commands)
        .filter((type) => type !== 'ReportReceipt' && type !== 'CorrectReceipt' && type !== 'CorrectDelivery')
        .map((type) => [type as keyof typeof commands, status] as const),
    ),
  )('%s of a party after the time limit is refused expired while %s', (type, status) => {
    const [body, actor] = commands[type];
    commitments
      .given(...histories[status])
      .when(body, asked(actor, EXPIRES))
      .refused('expired');
  });
});

describe('ProposeCommitment', () => {
  it('records sides, signatories, conditions and numbered legs, and stands for sixty days', () => {
    const { events } = commitments
      .given()
      .when(
        propose({
          facts: facts({ offer: { conditions: [{ code: 'co-financing', percent: '10' }] } }),
          implementer: 'agency:cavr',
          fiscalAgent: 'agency:paymaster',
          partOf: 'programme',
        }),
        asked(JAPAN),
      )
      .accepted();
    expect(events[0]?.data).toMatchObject({
      offerId: OFFER_ID,
      needId: NEED_ID,
      side: 'provider',
      proposedBy: 'donor:japan',
      signatories: ['donor:japan', 'state:VUT'],
      expiresAt: addDays(TEST_TIME, 60),
      conditions: [{ code: 'co-financing', percent: '10' }],
      legs: [{ leg: 1, offerLine: 2, needLine: 2, drawn: seats(10), credited: seats(10), amendment: 0 }],
      implementer: 'agency:cavr',
      fiscalAgent: 'agency:paymaster',
      partOf: 'programme',
    });
  });
  it('may come from the State', () => {
    const { state } = commitments.given().when(propose(), asked(VANUATU)).accepted();
    expect(state).toMatchObject({ side: 'recipient', proposedBy: 'state:VUT', proposerSovereign: 'VUT' });
  });
  it('takes a State that is provider and beneficiary by the office that asks', () => {
    const both = facts({ offer: { providers: ['state:VUT'] } });
    const desk = { ...VANUATU, role: 'donor-desk' };
    expect(
      commitments
        .given()
        .when(propose({ facts: both }), asked(desk))
        .accepted().state.side,
    ).toBe('provider');
    expect(
      commitments
        .given()
        .when(propose({ facts: both }), asked(VANUATU))
        .accepted().state.side,
    ).toBe('recipient');
  });
  it('is once per record, of a side only, and ends in the future', () => {
    commitments.given(proposed()).when(propose(), asked(JAPAN)).refused('already-exists');
    commitments.given().when(propose(), asked(STRANGER)).refused('forbidden');
    commitments
      .given()
      .when(propose({ expiresAt: TEST_TIME }), asked(JAPAN))
      .refused('expired', 'expiresAt');
    const soon = addDays(TEST_TIME, 1);
    expect(
      commitments
        .given()
        .when(propose({ expiresAt: soon }), asked(JAPAN))
        .accepted().state.expiresAt,
    ).toBe(soon);
  });
  it.each<[CommitmentRejectionCode, string, Partial<Extract<Body, { type: 'ProposeCommitment' }>>]>([
    ['offer-not-open', 'offerId', { facts: facts({ offer: { open: false } }) }],
    ['need-not-open', 'needId', { facts: facts({ need: { open: false } }) }],
    ['earmark', 'needId', { facts: facts({ earmarkFault: 'Only for Pacific States.' }) }],
    ['unknown-line', 'legs[0].offerLine', { legs: [{ ...SEAT_LEG, offerLine: 9 }] }],
    ['unknown-line', 'legs[0].needLine', { legs: [{ ...SEAT_LEG, needLine: 9 }] }],
    ['undetermined-line', 'legs[0].needLine', { legs: [{ ...SEAT_LEG, needLine: 3 }] }],
    ['measure-mismatch', 'legs[0].credited', { legs: [{ ...SEAT_LEG, scope: 'Training of trainers' }] }],
    [
      'below-minimum-lot',
      'legs[0].drawn',
      { facts: facts({ offer: { lines: [{ line: 2, capacity: seats(20), minimumLot: '11' }] } }) },
    ],
    ['unknown-signatory', 'signatories[1]', { signatories: ['donor:japan', 'agency:secretariat'] }],
    ['unknown-signatory', 'signatories', { signatories: ['donor:japan'] }],
    ['unknown-signatory', 'signatories', { signatories: ['state:VUT'] }],
    ['measure-mismatch', 'legs[0].drawn', { legs: [{ ...SEAT_LEG, drawn: usd('5.00') }] }],
    [
      'measure-mismatch',
      'legs[0].drawn',
      { legs: [{ ...SEAT_LEG, drawn: { measure: 'access', amount: 'unlimited' } }] },
    ],
    ['measure-mismatch', 'legs[1].credited', { legs: [SEAT_LEG, { ...SEAT_LEG, needLine: 1 }] }],
    [
      'measure-mismatch',
      'legs[0].credited',
      { legs: [{ ...SEAT_LEG, credited: { measure: 'undetermined', why: 'not-stated' } }] },
    ],
    ['valuation-mismatch', 'legs[0].credited', { legs: [{ ...SEAT_LEG, credited: seats(11) }] }],
    ['valuation-required', 'legs[0].valuation', { legs: [{ ...SEAT_LEG, needLine: 1, credited: usd('500.00') }] }],
    [
      'valuation-mismatch',
      'legs[0].valuation.rate',
      {
        legs: [
          {
            ...SEAT_LEG,
            needLine: 1,
            credited: usd('500.00'),
            valuation: { rate: '49', asOf: '2026-01-01', source: 'price list' },
          },
        ],
      },
    ],
    ['unknown-agency', 'implementer', { implementer: 'agency:x', facts: facts({ unknownAgencies: ['agency:x'] }) }],
    ['unknown-agency', 'fiscalAgent', { fiscalAgent: 'agency:y', facts: facts({ unknownAgencies: ['agency:y'] }) }],
  ])('is refused %s for %s', (code, field, over) => {
    commitments.given().when(propose(over), asked(JAPAN)).refused(code, field);
  });
  it('values what is drawn in another measure by a rate or an agreed sum', () => {
    const legs: ProposedLeg[] = [
      {
        offerLine: 2,
        needLine: 1,
        drawn: seats(10),
        credited: usd('500.00'),
        valuation: { rate: '50', asOf: '2026', source: 'price list' },
      },
      {
        offerLine: 3,
        needLine: 1,
        drawn: machines(2),
        credited: usd('7777.77'),
        valuation: { basis: 'agreed-lump-sum', reference: 'Exchange of letters' },
      },
    ];
    expect(commitments.given().when(propose({ legs }), asked(JAPAN)).accepted().state.legs).toHaveLength(2);
  });
  it('credits a scope in words where the line has no quantity yet', () => {
    const leg: ProposedLeg = { ...SEAT_LEG, needLine: 3, scope: 'Training of trainers' };
    expect(
      commitments
        .given()
        .when(propose({ legs: [leg] }), asked(JAPAN))
        .accepted().state.legs,
    ).toMatchObject([
      { drawn: seats(10), credited: { measure: 'undetermined', why: 'to-be-assessed' }, scope: 'Training of trainers' },
    ]);
  });
  it('draws a whole number of uses of an access line, limited or not', () => {
    const access = (amount: string): Quantity => ({ measure: 'access', amount });
    const lines = (capacity: Quantity): ReturnType<typeof facts> =>
      facts({
        offer: { lines: [{ line: 1, capacity }] },
        need: { lines: [{ line: 1, quantity: access('30') }] },
      });
    const legs = [{ offerLine: 1, needLine: 1, drawn: access('30') }];
    for (const capacity of [access('40'), access('unlimited')]) {
      commitments
        .given()
        .when(propose({ facts: lines(capacity), legs }), asked(JAPAN))
        .accepted();
    }
  });
  it('draws a minimum lot from all its legs together', () => {
    const lot = facts({ offer: { lines: [{ line: 2, capacity: seats(20), minimumLot: '10' }] } });
    const half = { ...SEAT_LEG, drawn: seats(5) };
    commitments
      .given()
      .when(propose({ facts: lot, legs: [half, half] }), asked(JAPAN))
      .accepted();
  });
  it('is signed by whom the proposal names of both sides, also of joint providers and a network’s States', () => {
    const joint = facts({
      offer: { providers: ['donor:japan', 'donor:norway'] },
      need: { beneficiaries: ['state:VUT', 'state:FJI'], filer: 'network:msg' },
    });
    const { state } = commitments
      .given()
      .when(propose({ facts: joint, signatories: ['donor:norway', 'state:FJI', 'donor:norway'] }), asked(STRANGER))
      .accepted();
    expect(state).toMatchObject({
      signatories: ['donor:norway', 'state:FJI'],
      providers: ['donor:japan', 'donor:norway'],
      proposedBy: 'donor:norway',
    });
  });
  it('is signed by the host where a network filed for several States', () => {
    const need = { beneficiaries: ['state:VUT', 'state:FJI'], filer: 'network:msg' };
    expect(defaultSignatories(['donor:japan'], need)).toEqual(['donor:japan', 'network:msg']);
    expect(recipientsOf(need)).toEqual(['state:VUT', 'state:FJI', 'network:msg']);
    expect(recipientsOf({ beneficiaries: ['network:msg'], filer: 'network:msg' })).toEqual(['network:msg']);
    expect(defaultSignatories(['state:VUT'], { beneficiaries: ['state:VUT'], filer: 'state:VUT' })).toEqual([
      'state:VUT',
    ]);
  });
});

describe('the answers of offer and need', () => {
  const by = asked(SYSTEM_PROCESS);
  it('are recorded by the process alone, and deadlines by the timer alone', () => {
    commitments.given(proposed()).when({ type: 'RecordHold' }, asked(JAPAN)).refused('forbidden');
    commitments.given(proposed()).when({ type: 'LapseCommitment' }, asked(JAPAN, EXPIRES)).refused('forbidden');
  });
  it('hold, once', () => {
    expect(
      commitments
        .given(proposed())
        .when({ type: 'RecordHold' }, by)
        .then(HELD as CommitmentEvent).hold,
    ).toBe('held');
    commitments
      .given(...held())
      .when({ type: 'RecordHold' }, by)
      .then();
    commitments
      .given(...held())
      .when({ type: 'RecordHoldRefusal', code: 'earmark', detail: 'no' }, by)
      .then();
  });
  it('are recorded past the time limit too, for the lapse releases them', () => {
    commitments
      .given(proposed())
      .when({ type: 'RecordHold' }, asked(SYSTEM_PROCESS, EXPIRES))
      .then(HELD as CommitmentEvent);
  });
  it('refuse the hold, which ends the proposal with the offer’s code', () => {
    const state = commitments
      .given(proposed())
      .when({ type: 'RecordHoldRefusal', code: 'insufficient-capacity', detail: 'Only 3 seats are left.' }, by)
      .then({ type: 'HoldRefused', data: { code: 'insufficient-capacity', detail: 'Only 3 seats are left.' } });
    expect(state).toMatchObject({ status: 'declined', hold: 'refused', refusal: { code: 'insufficient-capacity' } });
  });
  it('grant the acceptance, once and only after it was given', () => {
    commitments
      .given(...held())
      .when({ type: 'RecordAcceptance' }, by)
      .then();
    const state = commitments
      .given(...held(), GIVEN_BY_VANUATU)
      .when({ type: 'RecordAcceptance' }, by)
      .then(ACCEPTED as CommitmentEvent);
    expect(state).toMatchObject({ status: 'accepted', acceptance: 'given' });
  });
  it('refuse the acceptance, which leaves the proposal open for another attempt', () => {
    const no = { type: 'RecordAcceptanceRefusal', code: 'insufficient-coverage', detail: 'no' } as const;
    commitments
      .given(...held())
      .when(no, by)
      .then();
    const refusedOnce: Given<CommitmentEvent>[] = [
      ...held(),
      GIVEN_BY_VANUATU,
      { type: 'AcceptanceRefused', data: { code: 'insufficient-coverage', detail: 'no' } },
    ];
    expect(
      commitments
        .given(...held(), GIVEN_BY_VANUATU)
        .when(no, by)
        .accepted().state,
    ).toMatchObject({
      status: 'proposed',
      acceptance: 'refused',
      refusal: { by: 'need', code: 'insufficient-coverage' },
    });
    const again = commitments
      .given(...refusedOnce)
      .when({ type: 'AcceptCommitment' }, asked(VANUATU))
      .accepted().state;
    expect(again.acceptance).toBe('pending');
    expect(again.refusal).toBeUndefined();
    commitments
      .given(...refusedOnce, GIVEN_BY_VANUATU)
      .when({ type: 'RecordAcceptance' }, by)
      .then(ACCEPTED as CommitmentEvent);
  });
  it('decline open proposals when the need or the offer closes, and leave accepted ones', () => {
    const close = { type: 'DeclineForClosure', code: 'need-closed' } as const;
    expect(commitments.given(proposed()).when(close, by).accepted().state).toMatchObject({
      status: 'declined',
      hold: 'released',
      reason: { code: 'need-closed' },
    });
    commitments
      .given(...accepted())
      .when(close, by)
      .then();
    commitments.given().when(close, by).then();
  });
  it('write nothing into a commitment that was left', () => {
    const left: Given<CommitmentEvent>[] = [proposed(), { type: 'CommitmentLapsed', data: {} }];
    commitments
      .given(...left)
      .when({ type: 'RecordHold' }, by)
      .then();
    expect(at(left).hold).toBe('released');
  });
});

describe('AcceptCommitment', () => {
  it('is never of the proposer’s sovereign (I4)', () => {
    commitments
      .given(...held())
      .when({ type: 'AcceptCommitment' }, asked(JAPAN))
      .refused('own-proposal');
    commitments
      .given(...held({ by: VANUATU }))
      .when({ type: 'AcceptCommitment' }, asked(VANUATU))
      .refused('own-proposal');
    // A donor desk of the beneficiary's own State proposes: no office of that State accepts.
    const own = { ...JAPAN, sovereign: 'VUT' };
    commitments.given(proposed(), HELD).when({ type: 'AcceptCommitment' }, asked(VANUATU)).accepted();
    const [event] = proposed() as [CommitmentEvent, object];
    commitments
      .given([event, { actor: own }], HELD)
      .when({ type: 'AcceptCommitment' }, asked(VANUATU))
      .refused('own-proposal');
    // Neither is a party of one sovereign that merely lacks the claim in its token.
    const { sovereign: _none, ...bare } = VANUATU;
    commitments
      .given([event, { actor: own }], HELD)
      .when({ type: 'AcceptCommitment' }, asked(bare))
      .refused('own-proposal');
  });
  it('tells sides apart by party where a proposer has no sovereign', () => {
    const [event] = proposed() as [CommitmentEvent, object];
    const fund: Actor = { party: 'donor:japan', role: 'donor-desk' };
    const history: Given<CommitmentEvent>[] = [[event, { actor: fund }], HELD];
    commitments
      .given(...history)
      .when({ type: 'AcceptCommitment' }, asked(fund))
      .refused('own-proposal');
    commitments
      .given(...history)
      .when({ type: 'AcceptCommitment' }, asked(VANUATU))
      .accepted();
  });
  it('waits for the hold, and is given once', () => {
    commitments.given(proposed()).when({ type: 'AcceptCommitment' }, asked(VANUATU)).refused('not-held');
    commitments
      .given(...held(), GIVEN_BY_VANUATU)
      .when({ type: 'AcceptCommitment' }, asked(VANUATU))
      .refused('acceptance-pending');
  });
  it('is the provider’s where the State proposed', () => {
    commitments
      .given(...held({ by: VANUATU }))
      .when({ type: 'AcceptCommitment' }, asked(JAPAN))
      .then({ type: 'AcceptanceGiven', data: { party: 'donor:japan' } });
  });
});

describe('exits before binding', () => {
  it('decline is the other side’s, withdraw the proposer’s', () => {
    commitments
      .given(...held())
      .when({ type: 'DeclineCommitment', reason: REASON }, asked(JAPAN))
      .refused('forbidden');
    commitments
      .given(...held())
      .when({ type: 'WithdrawCommitment', reason: REASON }, asked(VANUATU))
      .refused('forbidden');
    expect(
      commitments
        .given(...held())
        .when({ type: 'DeclineCommitment', reason: REASON }, asked(VANUATU))
        .accepted().state,
    ).toMatchObject({ status: 'declined', hold: 'released', reason: { party: 'state:VUT', code: 'budget' } });
    expect(
      commitments
        .given(...held())
        .when({ type: 'WithdrawCommitment', reason: REASON }, asked(JAPAN))
        .accepted().state,
    ).toMatchObject({ status: 'withdrawn', hold: 'released' });
  });
  it('lapses at the time limit and not before', () => {
    const lapse = { type: 'LapseCommitment' } as const;
    commitments
      .given(...held())
      .when(lapse, asked(SYSTEM_TIMER))
      .refused('not-due');
    for (const history of [held(), accepted()]) {
      commitments
        .given(...history)
        .when(lapse, asked(SYSTEM_TIMER, EXPIRES))
        .then({ type: 'CommitmentLapsed', data: {} });
    }
    commitments
      .given(...bound())
      .when(lapse, asked(SYSTEM_TIMER, EXPIRES))
      .refused('not-due');
    commitments
      .given(...held())
      .when({ type: 'CloseUnconfirmed' }, asked(SYSTEM_TIMER, EXPIRES))
      .refused('not-due');
  });
});

describe('consents and signatures (I20)', () => {
  it('one consent covers every role the agency is named for', () => {
    commitments
      .given(...held({ implementer: 'agency:cavr', fiscalAgent: 'agency:cavr' }))
      .when({ type: 'ConsentTask' }, asked(CAVR))
      .then({ type: 'TaskConsented', data: { agency: 'agency:cavr', as: ['implementer', 'fiscal-agent'] } });
  });
  it('are given once, and a decline takes a consent back until the agency consents anew', () => {
    const deal = { implementer: 'agency:cavr' };
    const yes = consented('agency:cavr', ['implementer']);
    const no: Given<CommitmentEvent> = { type: 'TaskDeclined', data: { agency: 'agency:cavr', reason: REASON } };
    commitments
      .given(...held(deal), yes)
      .when({ type: 'ConsentTask' }, asked(CAVR))
      .refused('already-consented');
    commitments
      .given(...held(deal), no)
      .when({ type: 'DeclineTask', reason: REASON }, asked(CAVR))
      .refused('already-declined');
    expect(at([...held(deal), yes, no])).toMatchObject({ consents: [], taskDeclines: [{ party: 'agency:cavr' }] });
    expect(at([...held(deal), no, yes])).toMatchObject({ consents: [{ party: 'agency:cavr' }], taskDeclines: [] });
    commitments
      .given(...accepted(deal), yes, no, signed('donor:japan'))
      .when({ type: 'SignCommitment' }, asked(VANUATU))
      .then({ type: 'CommitmentSigned', data: { party: 'state:VUT' } });
  });
  it('each signatory signs once', () => {
    commitments
      .given(...accepted(), signed('donor:japan'))
      .when({ type: 'SignCommitment' }, asked(JAPAN))
      .refused('already-signed');
    commitments
      .given(...accepted())
      .when({ type: 'SignCommitment' }, asked(CAVR))
      .refused('forbidden');
  });
  it('binds in one append with the last signature', () => {
    commitments
      .given(...accepted(), signed('donor:japan'))
      .when({ type: 'SignCommitment' }, asked(VANUATU))
      .then({ type: 'CommitmentSigned', data: { party: 'state:VUT' } }, BOUND as CommitmentEvent);
  });
  it('binds with the consent that arrives after the last signature', () => {
    commitments
      .given(...accepted({ fiscalAgent: 'agency:paymaster' }), signed('donor:japan'), signed('state:VUT'))
      .when({ type: 'ConsentTask' }, asked(PAYMASTER))
      .then(
        { type: 'TaskConsented', data: { agency: 'agency:paymaster', as: ['fiscal-agent'] } },
        BOUND as CommitmentEvent,
      );
  });
  // Seen failing with `agencies.every(…)` removed from bindingWhenComplete.
  it('binds only with every signature and every named agency’s consent, in any order', () => {
    const steps: readonly (readonly [Body, Actor])[] = [
      [{ type: 'ConsentTask' }, CAVR],
      [{ type: 'ConsentTask' }, PAYMASTER],
      [{ type: 'DeclineTask', reason: REASON }, CAVR],
      [{ type: 'SignCommitment' }, JAPAN],
      [{ type: 'SignCommitment' }, VANUATU],
    ];
    fc.assert(
      fc.property(fc.array(fc.nat(steps.length - 1), { maxLength: 12 }), fc.boolean(), (order, before) => {
        const deal = { implementer: 'agency:cavr', fiscalAgent: 'agency:paymaster' };
        const history = [...(before ? held(deal) : accepted(deal))];
        const signatures = new Set<string>();
        const consents = new Set<string>();
        for (const index of order) {
          const [body, actor] = steps[index]!;
          const decision = commitmentDecider.decide(
            { ...body, by: { actor, at: TEST_TIME, effectiveAt: TEST_TIME } },
            at(history),
          );
          if (decision.kind === 'refused') continue;
          for (const event of decision.events) {
            history.push([event, { actor }]);
            if (event.type === 'CommitmentSigned') signatures.add(event.data.party);
            if (event.type === 'TaskConsented') consents.add(event.data.agency);
            if (event.type === 'TaskDeclined') consents.delete(event.data.agency);
            if (event.type === 'CommitmentBound') {
              expect([...signatures].sort()).toEqual(['donor:japan', 'state:VUT']);
              expect([...consents].sort()).toEqual(['agency:cavr', 'agency:paymaster']);
              expect(before).toBe(false);
            }
          }
        }
        const complete = !before && signatures.size === 2 && consents.size === 2;
        expect(at(history).boundAt !== undefined).toBe(complete);
      }),
    );
  });
});

describe('transfers', () => {
  const deal = {
    legs: [{ offerLine: 1, needLine: 1, drawn: usd('1000.00') }],
    implementer: 'agency:cavr',
  };
  const pay = (over: Partial<Extract<Body, { type: 'ReportTransfer' }>> = {}): Body => ({
    type: 'ReportTransfer',
    kind: 'disbursement',
    from: 'donor:japan',
    to: 'agency:cavr',
    amount: usd('600.00'),
    date: '2026-01-05',
    ...over,
  });
  const onward = { from: 'agency:cavr', to: 'agency:ngo', kind: 'onward-grant' } as const;

  it('are reported by the payer, numbered, with what they refer to', () => {
    commitments
      .given(...bound(deal))
      .when(pay({ leg: 1, reference: 'Wire 7' }), asked(JAPAN))
      .then({
        type: 'TransferReported',
        data: {
          n: 1,
          kind: 'disbursement',
          from: 'donor:japan',
          to: 'agency:cavr',
          amount: usd('600.00'),
          leg: 1,
          date: '2026-01-05',
          reference: 'Wire 7',
        },
      });
    commitments
      .given(...bound(deal))
      .when(pay(), asked(CAVR))
      .refused('forbidden', 'from');
    commitments
      .given(...bound(deal))
      .when(pay({ leg: 2 }), asked(JAPAN))
      .refused('unknown-leg', 'leg');
    commitments
      .given(...bound(deal))
      .when(pay({ kind: 'contribution', from: 'state:VUT' }), asked(VANUATU))
      .accepted();
  });
  it('go on from whoever received them', () => {
    const history = [...bound(deal), transfer(1, usd('600.00'))];
    commitments
      .given(...history)
      .when(pay({ ...onward, onward: 1 }), asked(CAVR))
      .accepted();
    commitments
      .given(...history)
      .when(pay({ ...onward, onward: 2 }), asked(CAVR))
      .refused('unknown-transfer', 'onward');
    const passed = [...history, transfer(2, usd('500.00'), { ...onward, onward: 1 })];
    commitments
      .given(...passed)
      .when(pay({ ...onward, from: 'agency:ngo', to: 'agency:x', amount: usd('500.00'), onward: 2 }), asked(NGO))
      .accepted();
    commitments
      .given(...passed)
      .when(pay({ ...onward, from: 'agency:ngo', to: 'agency:x', onward: 1 }), asked(NGO))
      .refused('onward-mismatch', 'onward');
    commitments
      .given(...history)
      .when(pay({ ...onward, from: 'agency:ngo' }), asked(NGO))
      .refused('forbidden');
  });
  it('are refunded along the way they came, in their currency, and not beyond their amount', () => {
    const history = [...bound(deal), transfer(1, usd('600.00'))];
    const back = { kind: 'refund', from: 'agency:cavr', to: 'donor:japan', of: 1 } as const;
    commitments
      .given(...history)
      .when(pay({ ...back, amount: usd('600.00') }), asked(CAVR))
      .accepted();
    commitments
      .given(...history)
      .when(pay({ ...back, of: 7 }), asked(CAVR))
      .refused('unknown-transfer', 'of');
    commitments
      .given(...history)
      .when(pay({ ...back, to: 'state:VUT' }), asked(CAVR))
      .refused('refund-mismatch', 'of');
    commitments
      .given(...history)
      .when(pay({ ...back, amount: eur('1.00') }), asked(CAVR))
      .refused('currency-mismatch');
    commitments
      .given(...history)
      .when(pay({ ...back, amount: usd('600.01') }), asked(CAVR))
      .refused('over-refund');
    commitments
      .given(...history, transfer(2, usd('500.00'), back))
      .when(pay({ ...back, amount: usd('100.01') }), asked(CAVR))
      .refused('over-refund');
  });
  it('never exceed the money bound in their currency, net of refunds (I3)', () => {
    const history = [...bound(deal), transfer(1, usd('600.00'))];
    commitments
      .given(...history)
      .when(pay({ amount: usd('400.00') }), asked(JAPAN))
      .accepted();
    commitments
      .given(...history)
      .when(pay({ amount: usd('400.01') }), asked(JAPAN))
      .refused('over-disbursement');
    commitments
      .given(...history)
      .when(pay({ amount: eur('1.00') }), asked(JAPAN))
      .refused('over-disbursement');
    const back = [
      ...history,
      transfer(2, usd('600.00'), { kind: 'refund', from: 'agency:cavr', to: 'donor:japan', of: 1 }),
    ];
    commitments
      .given(...back)
      .when(pay({ amount: usd('1000.00') }), asked(JAPAN))
      .accepted();
    // What came back and goes out again is a disbursement again, whatever it is called.
    commitments
      .given(...back, transfer(3, usd('1000.00')))
      .when(pay({ amount: usd('0.01'), kind: 'onward-grant', onward: 2 }), asked(JAPAN))
      .refused('over-disbursement');
  });
  it('are unlimited where no leg is money', () => {
    commitments
      .given(...bound({ implementer: 'agency:cavr' }))
      .when(pay({ amount: usd('999999.00') }), asked(JAPAN))
      .accepted();
  });
  it('do not count what a provider books with itself, or returns', () => {
    const history = [...bound(deal), transfer(1, usd('1000.00'))];
    commitments
      .given(...history)
      .when(pay({ kind: 'bank-charge', to: 'donor:japan' }), asked(JAPAN))
      .accepted();
    const received = transfer(2, usd('50.00'), { kind: 'interest', from: 'agency:cavr', to: 'donor:japan' });
    commitments
      .given(...history, received)
      .when(pay({ kind: 'refund', of: 2, amount: usd('50.00') }), asked(JAPAN))
      .accepted();
    commitments
      .given(...history, received)
      .when(pay({ kind: 'onward-grant', onward: 2, amount: usd('50.00') }), asked(JAPAN))
      .accepted();
  });
  it('count a refund as what it undoes (I3)', () => {
    const back = { kind: 'refund', from: 'agency:cavr', to: 'donor:japan', of: 1 } as const;
    const again = { kind: 'refund', from: 'donor:japan', to: 'agency:cavr', of: 2 } as const;
    // A refund sent back is money paid out again.
    const out = [...bound(deal), transfer(1, usd('1000.00')), transfer(2, usd('1000.00'), back)];
    commitments
      .given(...out)
      .when(pay({ ...again, amount: usd('1000.00') }), asked(JAPAN))
      .accepted();
    commitments
      .given(...out, transfer(3, usd('1000.00'), again))
      .when(pay({ amount: usd('0.01') }), asked(JAPAN))
      .refused('over-disbursement');
    commitments
      .given(...out, transfer(3, usd('400.00')))
      .when(pay({ ...again, amount: usd('600.01') }), asked(JAPAN))
      .refused('over-disbursement');
    // What the provider passed on for others was no disbursement, and its coming back makes no room for one.
    const passed = [
      ...bound(deal),
      transfer(1, usd('500.00'), { kind: 'onward-grant', from: 'agency:cavr', to: 'donor:japan' }),
      transfer(2, usd('500.00'), { kind: 'onward-grant', from: 'donor:japan', to: 'agency:cavr', onward: 1 }),
      transfer(3, usd('500.00'), { kind: 'refund', from: 'agency:cavr', to: 'donor:japan', of: 2 }),
    ];
    commitments
      .given(...passed)
      .when(pay({ amount: usd('1000.01') }), asked(JAPAN))
      .refused('over-disbursement');
    commitments
      .given(...passed, transfer(4, usd('1000.00')))
      .when(pay({ kind: 'onward-grant', onward: 3, amount: usd('500.00') }), asked(JAPAN))
      .accepted();
  });
  it('after a cancellation are bound by what was delivered', () => {
    const history = [...bound(deal), delivery(1, usd('300.00')), CANCELLED];
    commitments
      .given(...history)
      .when(pay({ amount: usd('300.00') }), asked(JAPAN))
      .accepted();
    commitments
      .given(...history)
      .when(pay({ amount: usd('300.01') }), asked(JAPAN))
      .refused('over-disbursement');
    commitments
      .given(...history, closed('cancelled'))
      .when(pay({ amount: usd('300.01') }), asked(JAPAN))
      .refused('over-disbursement');
  });
  // Seen failing with the refunds left out of netDisbursement (a second round was refused), and with `> bound` turned into `> bound + minorUnits(amount)`.
  it('keep the net disbursement within the money legs over any sequence (I3)', () => {
    const amounts = fc.integer({ min: 20_000, max: 60_000 }).map((minor) => quantityOf(usd('0'), BigInt(minor)));
    const move = fc.record({ back: fc.boolean(), of: fc.nat(3), amount: amounts });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 12 }), (moves) => {
        const history = bound(deal);
        let net = 0n;
        for (const { back, of, amount } of moves) {
          const body = back
            ? pay({ kind: 'refund', from: 'agency:cavr', to: 'donor:japan', of: of + 1, amount })
            : pay({ amount });
          const actor = back ? CAVR : JAPAN;
          const decision = commitmentDecider.decide(
            { ...body, by: { actor, at: TEST_TIME, effectiveAt: TEST_TIME } },
            at(history),
          );
          const wouldFit = net + minorUnits(amount) <= 100_000n;
          if (!back) expect(decision.kind === 'accepted').toBe(wouldFit);
          if (decision.kind === 'refused') continue;
          history.push(...decision.events);
          net += back ? -minorUnits(amount) : minorUnits(amount);
          expect(net).toBeLessThanOrEqual(100_000n);
          expect(net).toBeGreaterThanOrEqual(0n);
        }
      }),
    );
  });
});

describe('receipts and discrepancies', () => {
  const deal = { legs: [{ offerLine: 1, needLine: 1, drawn: usd('1000.00') }], implementer: 'agency:cavr' };
  const sent = [...bound(deal), transfer(1, usd('1000.00'))];
  const receive = (amount: Quantity, over: Partial<Extract<Body, { type: 'ReportReceipt' }>> = {}): Body => ({
    type: 'ReportReceipt',
    transfer: 1,
    amount,
    date: '2026-01-05',
    ...over,
  });
  const received = (history: readonly Given<CommitmentEvent>[], body: Body): Given<CommitmentEvent>[] => [
    ...history,
    ...commitments
      .given(...history)
      .when(body, asked(CAVR))
      .accepted().events,
  ];

  it('are the holder’s, in the transfer’s currency', () => {
    commitments
      .given(...sent)
      .when(receive(usd('1000.00')), asked(JAPAN))
      .refused('forbidden');
    commitments
      .given(...sent, transfer(2, usd('1.00'), { to: 'agency:ngo' }))
      .when(receive(usd('1000.00')), asked(NGO))
      .refused('forbidden', 'transfer');
    commitments
      .given(...sent)
      .when(receive(usd('1.00'), { transfer: 2 }), asked(CAVR))
      .refused('unknown-transfer', 'transfer');
    commitments
      .given(...sent)
      .when(receive(eur('1000.00')), asked(CAVR))
      .refused('currency-mismatch', 'amount.currency');
    commitments
      .given(...sent)
      .when(receive(usd('999.00'), { charges: eur('1.00') }), asked(CAVR))
      .refused('currency-mismatch', 'charges.currency');
  });
  it('leave no discrepancy where amount and charges make up the transfer', () => {
    const state = commitments
      .given(...sent)
      .when(
        receive(usd('985.00'), {
          charges: usd('15.00'),
          credited: eur('900.00'),
          rate: '0.9137',
          reference: 'Ledger 3',
        }),
        asked(CAVR),
      )
      .then({
        type: 'ReceiptReported',
        data: {
          n: 1,
          transfer: 1,
          party: 'agency:cavr',
          amount: usd('985.00'),
          credited: eur('900.00'),
          rate: '0.9137',
          charges: usd('15.00'),
          date: '2026-01-05',
          reference: 'Ledger 3',
        },
      });
    expect(state.discrepancies).toEqual([]);
  });
  it('accumulate per transfer: one discrepancy that moves until it is settled', () => {
    const once = received(sent, receive(usd('600.00'), { charges: usd('10.00') }));
    expect(at(once).discrepancies).toEqual([
      { n: 1, transfer: 1, difference: usd('390.00'), sign: 'short', status: 'open' },
    ]);
    const over = received(once, receive(usd('400.00')));
    expect(at(over).discrepancies).toEqual([
      { n: 1, transfer: 1, difference: usd('10.00'), sign: 'over', status: 'open' },
    ]);
    const exact = received(once, receive(usd('390.00')));
    expect(at(exact).discrepancies).toEqual([
      { n: 1, transfer: 1, difference: usd('0.00'), sign: 'short', status: 'settled' },
    ]);
  });
  it('number discrepancies across transfers', () => {
    const two = [...bound(deal), transfer(1, usd('500.00')), transfer(2, usd('500.00'))];
    const first = received(two, receive(usd('400.00'), { transfer: 2, charges: usd('1.00') }));
    const second = received(first, receive(usd('400.00')));
    const third = received(second, receive(usd('1.00'), { transfer: 2, charges: usd('1.00') }));
    expect(at(third).discrepancies.map(({ n, transfer: about }) => [n, about])).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });
  it('are accepted by the coordinator with a reason, once', () => {
    const open = received(sent, receive(usd('999.00')));
    const yes = { type: 'AcceptDiscrepancy', n: 1, reason: 'Correspondent bank.' } as const;
    commitments
      .given(...open)
      .when(yes, asked(JAPAN))
      .refused('forbidden');
    const state = commitments
      .given(...open)
      .when(yes, asked(COORDINATOR))
      .then({ type: 'DiscrepancyAccepted', data: { n: 1, reason: 'Correspondent bank.' } });
    expect(state.discrepancies[0]).toMatchObject({ status: 'accepted', reason: 'Correspondent bank.' });
    const done: Given<CommitmentEvent>[] = [...open, { type: 'DiscrepancyAccepted', data: { n: 1, reason: 'x' } }];
    commitments
      .given(...done)
      .when(yes, asked(COORDINATOR))
      .refused('already-settled');
    expect(at(received(done, receive(usd('0.50')))).discrepancies[0]).toMatchObject({
      status: 'open',
      difference: usd('0.50'),
    });
  });
  it('a coordinator does not act on a record of its own party', () => {
    const own = { ...COORDINATOR, party: 'agency:cavr' };
    const open = received(sent, receive(usd('999.00')));
    commitments
      .given(...open)
      .when({ type: 'AcceptDiscrepancy', n: 1, reason: 'x' }, asked(own))
      .refused('forbidden');
  });
});

describe('deliveries', () => {
  const report = (quantity: Quantity, over: Partial<Extract<Body, { type: 'ReportDelivery' }>> = {}): Body => ({
    type: 'ReportDelivery',
    leg: 1,
    quantity,
    date: '2026-01-05',
    ...over,
  });
  it('come in tranches and never pass what was committed (I3)', () => {
    const state = commitments
      .given(...bound())
      .when(
        report(seats(4), {
          beneficiary: 'state:VUT',
          evidence: [{ title: 'List', uri: 'https://x.org', sha256: 'a' }],
        }),
        asked(JAPAN),
      )
      .then({
        type: 'DeliveryReported',
        data: {
          n: 1,
          party: 'donor:japan',
          leg: 1,
          quantity: seats(4),
          drawn: seats(4),
          credited: seats(4),
          beneficiary: 'state:VUT',
          date: '2026-01-05',
          evidence: [{ title: 'List', uri: 'https://x.org', sha256: 'a' }],
        },
      });
    expect(state.status).toBe('binding');
    commitments
      .given(...bound(), delivery(1, seats(4)))
      .when(report(seats(7)), asked(JAPAN))
      .refused('over-delivery', 'quantity');
    expect(
      commitments
        .given(...bound(), delivery(1, seats(4)))
        .when(report(seats(6)), asked(JAPAN))
        .accepted().state.status,
    ).toBe('delivered');
  });
  it('name a leg, a beneficiary and a measure of the commitment', () => {
    commitments
      .given(...bound())
      .when(report(seats(4), { leg: 2 }), asked(JAPAN))
      .refused('unknown-leg', 'leg');
    commitments
      .given(...bound())
      .when(report(seats(4), { beneficiary: 'state:FJI' }), asked(JAPAN))
      .refused('unknown-beneficiary', 'beneficiary');
    commitments
      .given(...bound())
      .when(report(usd('4.00')), asked(JAPAN))
      .refused('measure-mismatch', 'quantity');
    commitments
      .given(...bound())
      .when(report({ measure: 'access', amount: 'unlimited' }), asked(JAPAN))
      .refused('measure-mismatch', 'quantity');
  });
  it('wait for every leg before the commitment is delivered', () => {
    const two = bound({ legs: [SEAT_LEG, { offerLine: 1, needLine: 1, drawn: usd('5.00') }] });
    expect(at([...two, delivery(1, seats(10))]).status).toBe('binding');
    expect(at([...two, delivery(1, seats(10)), confirmed(1, seats(10))]).status).toBe('binding');
    expect(at([...two, delivery(1, seats(10)), delivery(2, usd('5.00'), { leg: 2 })]).status).toBe('delivered');
  });

  const confirm = (n: number, quantity?: Quantity, note?: string): Body => ({
    type: 'ConfirmDelivery',
    n,
    condition: 'usable',
    ...(quantity === undefined ? {} : { quantity }),
    ...(note === undefined ? {} : { note }),
  });
  it('are confirmed by the State up to what was reported', () => {
    const half = [...bound(), delivery(1, seats(4))];
    const state = commitments
      .given(...half)
      .when(confirm(1, seats(3), 'One seat stayed empty.'), asked(VANUATU))
      .then({
        type: 'DeliveryConfirmed',
        data: {
          n: 1,
          party: 'state:VUT',
          quantity: seats(3),
          drawn: seats(3),
          credited: seats(3),
          condition: 'usable',
          note: 'One seat stayed empty.',
        },
      });
    expect(state.legs[0]).toMatchObject({
      deliveredDrawn: seats(4),
      confirmedDrawn: seats(3),
      confirmedCredited: seats(3),
    });
    expect(state.deliveries[0]).toMatchObject({
      status: 'confirmed',
      confirmed: { quantity: seats(3), note: 'One seat stayed empty.' },
    });
    commitments
      .given(...half)
      .when(confirm(1, seats(5)), asked(VANUATU))
      .refused('over-confirmation', 'quantity');
    commitments
      .given(...half)
      .when(confirm(1, usd('1.00')), asked(VANUATU))
      .refused('measure-mismatch', 'quantity');
    commitments
      .given(...half)
      .when(confirm(2), asked(VANUATU))
      .refused('not-found');
    expect(
      commitments
        .given(...delivered())
        .when(confirm(1), asked(VANUATU))
        .accepted().state.status,
    ).toBe('confirmed');
  });
  it('are never confirmed by their deliverer’s sovereign (I4)', () => {
    const deal = { implementer: 'agency:vanuatu-police' };
    const own = [...bound(deal), delivery(1, seats(4), { by: VANUATU_POLICE })];
    commitments
      .given(...own)
      .when(confirm(1), asked(VANUATU))
      .refused('own-delivery');
    expect(actionsOf(at(own), { party: 'state:VUT', sovereign: 'VUT', coordinator: false }, TEST_TIME)).not.toContain(
      'confirm',
    );
    commitments
      .given(...own)
      .when({ type: 'DisputeDelivery', n: 1, reason: 'No.' }, asked(VANUATU))
      .accepted();
    commitments
      .given(...bound(), delivery(1, seats(4)))
      .when(confirm(1), asked(JAPAN))
      .refused('forbidden');
    commitments
      .given(...bound(), delivery(1, seats(4)))
      .when(confirm(1), asked(JAPAN_MISSION))
      .refused('forbidden');
  });
  it('for one State are answered by that State', () => {
    const [event] = delivery(1, seats(4)) as [Extract<CommitmentEvent, { type: 'DeliveryReported' }>, object];
    const [proposal, meta] = proposed() as [Extract<CommitmentEvent, { type: 'CommitmentProposed' }>, object];
    const joint: Given<CommitmentEvent>[] = [
      [
        { ...proposal, data: { ...proposal.data, beneficiaries: ['state:VUT', 'state:FJI'], filer: 'network:msg' } },
        meta,
      ],
      ...bound().slice(1),
      [{ ...event, data: { ...event.data, beneficiary: 'state:FJI' } }, { actor: JAPAN }],
    ];
    commitments
      .given(...joint)
      .when(confirm(1), asked(VANUATU))
      .refused('forbidden');
    commitments
      .given(...joint)
      .when(confirm(1), asked({ party: 'state:FJI', role: 'npc' }))
      .accepted();
    // Vanuatu has disputed its own tranche: Fiji's is not offered to it.
    const own = delivery(2, seats(4)) as [typeof event, object];
    const answered = [
      ...joint,
      [{ ...own[0], data: { ...own[0].data, beneficiary: 'state:VUT' } }, own[1]],
      disputed(2),
    ];
    const actions = actionsOf(at(answered as Given<CommitmentEvent>[]), { ...VANUATU, coordinator: false }, TEST_TIME);
    expect(actions).toContain('confirm');
    expect(actions).not.toContain('dispute');
    expect(partiesOf(at(joint)).has('network:msg')).toBe(true);
  });
  it('are disputed once, and a confirmation ends the dispute', () => {
    const history = [...delivered(), disputed(1)];
    expect(isDisputed(at(history))).toBe(true);
    expect(at(history).status).toBe('delivered');
    commitments
      .given(...history)
      .when({ type: 'DisputeDelivery', n: 1, reason: 'x' }, asked(VANUATU))
      .refused('already-disputed');
    commitments
      .given(...history)
      .when({ type: 'DisputeDelivery', n: 3, reason: 'x' }, asked(VANUATU))
      .refused('not-found');
    const state = commitments
      .given(...history)
      .when(confirm(1), asked(VANUATU))
      .accepted().state;
    expect(isDisputed(state)).toBe(false);
    expect(state.status).toBe('confirmed');
  });

  describe('in another measure than they are credited in', () => {
    const leg: ProposedLeg = {
      offerLine: 3,
      needLine: 1,
      drawn: machines(3),
      credited: usd('100.00'),
      valuation: { basis: 'agreed-lump-sum', reference: 'Letter' },
    };
    const history = bound({ legs: [leg] });
    it('are stated in either, the other follows pro rata', () => {
      expect(
        commitments
          .given(...history)
          .when(report(machines(1)), asked(JAPAN))
          .accepted().events[0]?.data,
      ).toMatchObject({
        quantity: machines(1),
        drawn: machines(1),
        credited: usd('33.33'),
      });
      expect(
        commitments
          .given(...history)
          .when(report(usd('50.00')), asked(JAPAN))
          .accepted().events[0]?.data,
      ).toMatchObject({
        quantity: usd('50.00'),
        drawn: machines(1),
        credited: usd('50.00'),
      });
    });
    it('are confirmed in either', () => {
      const given: Given<CommitmentEvent>[] = [
        ...history,
        {
          type: 'DeliveryReported',
          data: {
            n: 1,
            party: 'donor:japan',
            leg: 1,
            quantity: machines(2),
            drawn: machines(2),
            credited: usd('66.66'),
            date: '2026-01-05',
          },
        },
      ];
      expect(
        commitments
          .given(...given)
          .when(confirm(1, machines(1)), asked(VANUATU))
          .accepted().events[0]?.data,
      ).toMatchObject({
        drawn: machines(1),
        credited: usd('33.33'),
      });
      expect(
        commitments
          .given(...given)
          .when(confirm(1, usd('60.00')), asked(VANUATU))
          .accepted().events[0]?.data,
      ).toMatchObject({
        drawn: machines(1),
        credited: usd('60.00'),
      });
    });
    // Seen failing with each tranche rounded on its own instead of cumulatively: the completing tranche missed the rest.
    it('add up exactly, never overshoot and never go back, in any mix of measures', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 50 }),
          fc.integer({ min: 1, max: 500_000 }),
          fc.array(fc.record({ inDrawn: fc.boolean(), share: fc.integer({ min: 1, max: 100 }) }), { maxLength: 15 }),
          (items, cents, tranches) => {
            const drawn = machines(items);
            const credited = quantityOf(usd('0'), BigInt(cents));
            let state = { drawn, credited, deliveredDrawn: zeroLike(drawn), deliveredCredited: zeroLike(credited) };
            const take = (like: 'drawn' | 'credited', minor: bigint): void => {
              const tranche = trancheOf(state, quantityOf(state[like], minor));
              expect(tranche).toBeDefined();
              if (tranche === undefined) return;
              expect(minorUnits(tranche.drawn)).toBeGreaterThanOrEqual(0n);
              expect(minorUnits(tranche.credited)).toBeGreaterThanOrEqual(0n);
              state = {
                ...state,
                deliveredDrawn: quantityOf(drawn, minorUnits(state.deliveredDrawn) + minorUnits(tranche.drawn)),
                deliveredCredited: quantityOf(
                  credited,
                  minorUnits(state.deliveredCredited) + minorUnits(tranche.credited),
                ),
              };
              expect(compare(state.deliveredDrawn, drawn)).toBeLessThanOrEqual(0);
              expect(compare(state.deliveredCredited, credited)).toBeLessThanOrEqual(0);
              // Both measures complete together or not at all.
              expect(compare(state.deliveredDrawn, drawn) === 0).toBe(compare(state.deliveredCredited, credited) === 0);
            };
            const left = (like: 'drawn' | 'credited'): bigint =>
              like === 'drawn'
                ? minorUnits(drawn) - minorUnits(state.deliveredDrawn)
                : minorUnits(credited) - minorUnits(state.deliveredCredited);
            for (const { inDrawn, share } of tranches) {
              const like = inDrawn ? 'drawn' : 'credited';
              const minor = (left(like) * BigInt(share)) / 100n;
              if (minor > 0n) take(like, minor);
            }
            expect(trancheOf(state, quantityOf(drawn, left('drawn') + 1n))).toBeUndefined();
            if (left('drawn') > 0n) take('drawn', left('drawn'));
            expect(state.deliveredCredited).toEqual(credited);
          },
        ),
      );
    });
  });
});

describe('random deliveries, confirmations and a cancellation', () => {
  const move = fc.record({
    kind: fc.constantFrom('deliver', 'deliver', 'confirm', 'dispute', 'cancel'),
    n: fc.integer({ min: 1, max: 3 }),
    quantity: fc.integer({ min: 1, max: 6 }),
  });
  // I3 seen failing with the `after > minorUnits(whole)` check of trancheOf removed, and with over-confirmation removed.
  // I8 seen failing with CommitmentCancelled made to zero deliveredDrawn in evolve.
  it('keep confirmed ≤ delivered ≤ committed (I3), and cancelling itself changes no delivered total (I8)', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 25 }), (moves) => {
        const history = bound();
        for (const { kind, n, quantity } of moves) {
          const body: Body =
            kind === 'deliver'
              ? { type: 'ReportDelivery', leg: 1, quantity: seats(quantity), date: '2026-01-05' }
              : kind === 'confirm'
                ? { type: 'ConfirmDelivery', n, quantity: seats(quantity), condition: 'usable' }
                : kind === 'dispute'
                  ? { type: 'DisputeDelivery', n, reason: 'x' }
                  : { type: 'CancelCommitment', reason: REASON };
          const actor = kind === 'deliver' ? JAPAN : VANUATU;
          const before = at(history);
          const decision = commitmentDecider.decide(
            { ...body, by: { actor, at: TEST_TIME, effectiveAt: TEST_TIME } },
            before,
          );
          if (decision.kind === 'refused') continue;
          for (const event of decision.events) history.push([event, { actor }]);
          const after = at(history);
          const [leg] = after.legs;
          if (leg === undefined) throw new Error('no leg');
          expect(compare(leg.deliveredDrawn, leg.drawn)).toBeLessThanOrEqual(0);
          expect(compare(leg.confirmedDrawn, leg.deliveredDrawn)).toBeLessThanOrEqual(0);
          for (const { quantity: reported, confirmed: answer } of after.deliveries) {
            if (answer !== undefined) expect(compare(answer.quantity, reported)).toBeLessThanOrEqual(0);
          }
          expect(minorUnits(leg.deliveredDrawn)).toBe(
            total(
              seats(0),
              after.deliveries.map(({ drawn }) => drawn),
            ),
          );
          if (kind === 'cancel') {
            expect(after.status).toBe('cancelled');
            expect(after.legs).toEqual(before.legs);
            expect(after.deliveries).toEqual(before.deliveries);
          } else if (after.status !== 'cancelled') {
            const complete = compare(leg.deliveredDrawn, leg.drawn) === 0;
            const all = after.deliveries.every(({ status }) => status === 'confirmed');
            expect(after.status).toBe(!complete ? 'binding' : all ? 'confirmed' : 'delivered');
          }
        }
      }),
    );
  });
});

describe('an offer that is withdrawn, expires or is suspended', () => {
  // Seen failing with `state.status !== 'proposed'` removed from recordAnswer: the binding commitment was declined.
  it('never alters an accepted or binding commitment (I17)', () => {
    const histories = [accepted(), bound(), delivered(), allConfirmed(), [...bound(), CANCELLED]];
    fc.assert(
      fc.property(
        fc.constantFrom(...histories),
        fc.constantFrom<Body>(
          { type: 'DeclineForClosure', code: 'offer-closed' },
          { type: 'DeclineForClosure', code: 'need-closed' },
          { type: 'RecordHoldRefusal', code: 'offer-not-open', detail: 'closed' },
          { type: 'RecordAcceptanceRefusal', code: 'need-not-open', detail: 'closed' },
        ),
        (history, body) => {
          commitments
            .given(...history)
            .when(body, asked(SYSTEM_PROCESS))
            .then();
        },
      ),
    );
  });
});

describe('closing', () => {
  const discrepancy = (status: 'open' | 'accepted'): Given<CommitmentEvent>[] => [
    transfer(1, usd('5.00')),
    {
      type: 'ReceiptReported',
      data: {
        n: 1,
        transfer: 1,
        party: 'agency:cavr',
        amount: usd('4.00'),
        date: '2026-01-05',
        discrepancy: { n: 1, quantity: usd('1.00'), sign: 'short' },
      },
    },
    ...(status === 'open' ? [] : [{ type: 'DiscrepancyAccepted', data: { n: 1, reason: 'x' } } as const]),
  ];
  const close = { type: 'CloseCommitment' } as const;
  it('is the coordinator’s at once', () => {
    commitments
      .given(...allConfirmed())
      .when(close, asked(COORDINATOR))
      .then({ type: 'CommitmentClosed', data: { as: 'confirmed', openDiscrepancies: [] } });
    commitments
      .given(...bound(), CANCELLED)
      .when(close, asked(COORDINATOR))
      .then({ type: 'CommitmentClosed', data: { as: 'cancelled', openDiscrepancies: [] } });
  });
  it('takes both sides otherwise: the first proposes, the other closes', () => {
    commitments
      .given(...allConfirmed())
      .when(close, asked(JAPAN))
      .then({ type: 'CloseProposed', data: { side: 'provider', party: 'donor:japan' } });
    const proposedClose: Given<CommitmentEvent>[] = [
      ...allConfirmed(),
      { type: 'CloseProposed', data: { side: 'provider', party: 'donor:japan' } },
    ];
    commitments
      .given(...proposedClose)
      .when(close, asked(JAPAN))
      .refused('already-proposed');
    expect(
      commitments
        .given(...proposedClose)
        .when(close, asked(VANUATU))
        .accepted().state,
    ).toMatchObject({
      status: 'closed',
      closedAs: 'confirmed',
    });
    expect(
      commitments
        .given(...proposedClose)
        .when(close, asked(COORDINATOR))
        .accepted().state.status,
    ).toBe('closed');
  });
  it('waits until discrepancies are settled or accepted', () => {
    commitments
      .given(...allConfirmed(), ...discrepancy('open'))
      .when(close, asked(COORDINATOR))
      .refused('open-discrepancies');
    commitments
      .given(...allConfirmed(), ...discrepancy('accepted'))
      .when(close, asked(COORDINATOR))
      .accepted();
  });

  const SILENT = addDays(TEST_TIME, 180);
  const silence = { type: 'CloseUnconfirmed' } as const;
  it('comes by itself 180 days after the last tranche, unconfirmed, with the open discrepancies on record', () => {
    const history = [...delivered(), ...discrepancy('open')];
    expect(deadlineOf(at(history))).toEqual({ due: SILENT, command: 'CloseUnconfirmed' });
    commitments
      .given(...history)
      .when(silence, asked(SYSTEM_TIMER, addDays(TEST_TIME, 179)))
      .refused('not-due');
    commitments
      .given(...history)
      .when(silence, asked(SYSTEM_TIMER, SILENT))
      .then({ type: 'CommitmentClosed', data: { as: 'unconfirmed', openDiscrepancies: [1] } });
  });
  it('counts from when the last tranche was recorded, and not while one is disputed', () => {
    const later = addDays(TEST_TIME, 30);
    const tranches = [...bound(), delivery(1, seats(4)), delivery(2, seats(6), { at: later })];
    expect(deadlineOf(at(tranches))?.due).toBe(addDays(later, 180));
    expect(deadlineOf(at([...tranches, disputed(2)]))).toBeUndefined();
    commitments
      .given(...tranches, disputed(2))
      .when(silence, asked(SYSTEM_TIMER, addDays(later, 400)))
      .refused('not-due');
    expect(deadlineOf(at(bound()))).toBeUndefined();
    expect(deadlineOf(at(allConfirmed()))).toBeUndefined();
    expect(deadlineOf(at(held()))).toEqual({ due: EXPIRES, command: 'LapseCommitment' });
  });
  it('unconfirmed is taken back by a late confirmation or dispute, and silence counts anew', () => {
    const history = [...bound(), delivery(1, seats(4)), delivery(2, seats(6)), closed('unconfirmed')];
    const late = asked(VANUATU, addDays(TEST_TIME, 400));
    const confirmOne = { type: 'ConfirmDelivery', n: 1, condition: 'usable' } as const;
    const one = commitments
      .given(...history)
      .when(confirmOne, late)
      .accepted().state;
    expect(one).toMatchObject({ status: 'delivered' });
    expect(one.closedAs).toBeUndefined();
    expect(deadlineOf(one)?.due).toBe(addDays(TEST_TIME, 580));
    const whole = [...delivered(), closed('unconfirmed')];
    expect(
      commitments
        .given(...whole)
        .when(confirmOne, late)
        .accepted().state.status,
    ).toBe('confirmed');
    const dispute = commitments
      .given(...whole)
      .when({ type: 'DisputeDelivery', n: 1, reason: 'x' }, late)
      .accepted().state;
    expect(dispute.status).toBe('delivered');
    expect(deadlineOf(dispute)).toBeUndefined();
    commitments
      .given(...allConfirmed(), closed('confirmed'))
      .when(confirmOne, late)
      .refused('not-binding');
  });
});

describe('what a replay may meet', () => {
  it('ignores events of a commitment it has not seen proposed', () => {
    expect(at([delivery(1, seats(4)), confirmed(1, seats(4))])).toEqual(commitmentDecider.initial);
  });
  it('ignores a confirmation whose delivery it has not seen, and an event it does not know', () => {
    const state = at([...bound(), confirmed(1, seats(4))]);
    expect(state.legs[0]?.confirmedDrawn).toEqual(seats(0));
    const unknown = recordedEvent('commitment-r1', 9, { type: 'CommitmentMovedToMars', data: {} }) as never;
    expect(commitmentDecider.evolve(state, unknown)).toBe(state);
  });
});

describe('actions', () => {
  const who = (actor: Actor, roles?: readonly string[]): Parameters<typeof actionsOf>[1] => ({
    party: actor.party,
    ...(actor.sovereign === undefined ? {} : { sovereign: actor.sovereign }),
    coordinator: actor.role === 'coordinator',
    ...(roles === undefined ? {} : { roles }),
  });
  const actions = (history: readonly Given<CommitmentEvent>[], actor: Actor, roles?: readonly string[]): string[] =>
    actionsOf(at(history), who(actor, roles), TEST_TIME);
  it('are what this caller may send now', () => {
    expect(actions([proposed()], JAPAN)).toEqual(['withdraw']);
    expect(actions([proposed()], VANUATU)).toEqual(['decline']);
    expect(actions(held(), VANUATU)).toEqual(['accept', 'decline']);
    expect(actions(held({ implementer: 'agency:cavr' }), CAVR)).toEqual(['consent-task', 'decline-task']);
    expect(actions(accepted(), VANUATU)).toEqual(['sign', 'amend']);
    expect(actions(accepted(), JAPAN)).toEqual(['withdraw', 'sign', 'amend']);
    expect(actions(bound(), JAPAN)).toEqual(['amend', 'transfers', 'deliveries', 'suspend', 'cancel']);
    expect(actions(bound(), VANUATU)).toEqual(['amend', 'transfers', 'suspend', 'cancel']);
    expect(actions(delivered(), JAPAN)).toEqual(['amend', 'transfers', 'correct-delivery', 'suspend', 'cancel']);
    expect(actions(delivered(), VANUATU)).toEqual([
      'amend',
      'transfers',
      'confirm',
      'dispute',
      'returns',
      'suspend',
      'cancel',
    ]);
    expect(actions([...delivered(), disputed(1)], VANUATU)).toEqual([
      'amend',
      'transfers',
      'confirm',
      'settle',
      'returns',
      'suspend',
      'cancel',
    ]);
    expect(actions(allConfirmed(), VANUATU)).toEqual(['transfers', 'returns', 'suspend', 'close']);
    expect(actions(allConfirmed(), COORDINATOR)).toEqual(['close']);
    expect(actions([...allConfirmed(), closed('confirmed')], VANUATU)).toEqual(['transfers']);
    expect(actions(held(), STRANGER)).toEqual([]);
    expect(actionsOf(at(held()), who(VANUATU), EXPIRES)).toEqual([]);
  });
  it('include receipts for the holder and discrepancies for the coordinator', () => {
    const short: Given<CommitmentEvent> = {
      type: 'ReceiptReported',
      data: {
        n: 1,
        transfer: 1,
        party: 'agency:cavr',
        amount: usd('4.00'),
        date: '2026-01-05',
        discrepancy: { n: 1, quantity: usd('1.00'), sign: 'short' },
      },
    };
    const history = [...bound({ implementer: 'agency:cavr' }), transfer(1, usd('5.00'))];
    expect(actions(history, CAVR)).toEqual(['transfers', 'receipts', 'expenditures', 'deliveries']);
    expect(actions(history, COORDINATOR)).toEqual([]);
    expect(actions([...history, short], COORDINATOR)).toEqual(['accept-discrepancy']);
  });
  it('are never offered where the command is not this party’s (403)', () => {
    const types = Object.keys(COMMITMENT_RULES) as (keyof typeof COMMITMENT_RULES)[];
    for (const history of [held(), accepted(), delivered(), allConfirmed()]) {
      for (const actor of [JAPAN, VANUATU, CAVR, COORDINATOR, STRANGER]) {
        const offered = actions(history, actor);
        for (const type of types.filter((one) => offered.includes(COMMITMENT_RULES[one].segment))) {
          expect(mayCommand(type, at(history), who(actor))).toBe(true);
        }
      }
    }
    expect(mayCommand('CancelCommitment', at(bound()), who(STRANGER))).toBe(false);
  });
  it('keep a State’s offices and its donor desk apart', () => {
    expect(actions(held(), VANUATU, ['npc'])).toEqual(['accept', 'decline']);
    expect(actions(held(), VANUATU, ['mission'])).toEqual(['accept', 'decline']);
    expect(actions(held(), VANUATU, ['line-ministry'])).toEqual(['accept', 'decline']);
    expect(actions(held(), VANUATU, ['donor-desk'])).toEqual([]);
    const [proposal, meta] = proposed() as [Extract<CommitmentEvent, { type: 'CommitmentProposed' }>, object];
    const south: Given<CommitmentEvent>[] = [
      [{ ...proposal, data: { ...proposal.data, proposedBy: 'state:FJI', providers: ['state:FJI'] } }, meta],
    ];
    const fiji: Actor = { party: 'state:FJI', role: 'donor-desk', sovereign: 'FJI' };
    expect(actions(south, fiji, ['donor-desk'])).toEqual(['withdraw']);
    expect(actions(south, fiji, ['npc'])).toEqual([]);
    expect(actions(held(), JAPAN, ['donor-desk'])).toEqual(['withdraw']);
  });
});
