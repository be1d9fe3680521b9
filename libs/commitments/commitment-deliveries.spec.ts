import fc from 'fast-check';
import type { Actor } from '#kernel';
import type { Asked, CommandBody, Given } from '#kernel-testing';
import { specFor, stateAfter, TEST_TIME } from '#kernel-testing';
import { addDays, compare, minorUnits } from '#vocabulary';
import type { CommitmentEvent } from './commitment.contract.js';
import type { CommitmentCommand, CommitmentState } from './commitment.js';
import { actionsOf, commitmentDecider, deadlineOf, isDisputed } from './commitment.js';
import {
  allConfirmed,
  bound,
  CANCELLED,
  CAVR,
  closed,
  COORDINATOR,
  delivered,
  delivery,
  JAPAN,
  NGO,
  SEAT_LEG,
  seats,
  total,
  usd,
  VANUATU,
  VANUATU_POLICE,
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
    .events.map((event): Given<CommitmentEvent> => [event, { actor, at: time ?? TEST_TIME }]),
];
const FIJI: Actor = { party: 'state:FJI', role: 'npc', sovereign: 'FJI' };
const HOST: Actor = { party: 'network:msg', role: 'network-host' };

const deliver = (quantity: number): Body => ({
  type: 'ReportDelivery',
  leg: 1,
  quantity: seats(quantity),
  date: '2026-01-05',
});
const confirm = (n: number, quantity?: number): Body => ({
  type: 'ConfirmDelivery',
  n,
  condition: 'usable',
  ...(quantity === undefined ? {} : { quantity: seats(quantity) }),
});
const sendBack = (n: number, quantity: number): Body => ({
  type: 'ReportReturn',
  delivery: n,
  quantity: seats(quantity),
  reason: 'Broken.',
  date: '2026-01-06',
});
const settle = (n: number, quantity?: number): Body =>
  quantity === undefined
    ? { type: 'StateSettlement', n, outcome: 'stands' }
    : { type: 'StateSettlement', n, outcome: 'reduced', quantity: seats(quantity) };
const dispute = (n: number): Body => ({ type: 'DisputeDelivery', n, reason: 'Fewer came.' });
const correct = (n: number, quantity: number): Body => ({
  type: 'CorrectDelivery',
  n,
  quantity: seats(quantity),
  reason: 'Miscounted.',
});
const verify = (n: number, quantity: number): Body => ({ type: 'VerifyDelivery', n, quantity: seats(quantity) });

/** A deal for several States: the tranche may be one State's. */
const joint = (history: History): History => {
  const [[proposal, meta], ...rest] = history as [
    [Extract<CommitmentEvent, { type: 'CommitmentProposed' }>, object],
    ...History,
  ];
  return [[{ ...proposal, data: { ...proposal.data, beneficiaries: ['state:VUT', 'state:FJI'] } }, meta], ...rest];
};
const forVanuatu = (history: History): History => {
  const given = history.at(-1) as [Extract<CommitmentEvent, { type: 'DeliveryReported' }>, object];
  return [
    ...joint(history.slice(0, -1)),
    [{ ...given[0], data: { ...given[0].data, beneficiary: 'state:VUT' } }, given[1]],
  ];
};

/** A deal for the States of a network that filed for them. */
const hosted = (history: History): History => {
  const [[proposal, meta], ...rest] = joint(history) as [
    [Extract<CommitmentEvent, { type: 'CommitmentProposed' }>, object],
    ...History,
  ];
  return [[{ ...proposal, data: { ...proposal.data, filer: HOST.party } }, meta], ...rest];
};

describe('a tranche for all States of a joint need', () => {
  const shared = hosted(delivered());
  it('is its host’s to answer, not one State’s; any of them may send it back', () => {
    for (const body of [confirm(1), dispute(1)]) {
      commitments
        .given(...shared)
        .when(body, asked(VANUATU))
        .refused('forbidden');
    }
    expect(at(after(shared, confirm(1), HOST)).status).toBe('confirmed');
    expect(at(after(shared, sendBack(1, 1), VANUATU)).returns).toHaveLength(1);
  });
  it('is any State’s where the host delivered it: nobody confirms its own', () => {
    const own: History = [...hosted(bound({ implementer: HOST.party })), delivery(1, seats(4), { by: HOST })];
    commitments
      .given(...own)
      .when(confirm(1), asked(HOST))
      .refused('own-delivery');
    expect(at(after(own, confirm(1), FIJI)).deliveries[0]?.status).toBe('confirmed');
  });
});

describe('returns', () => {
  it('take back from a tranche, which may be delivered again', () => {
    const back = after(delivered(), sendBack(1, 3), VANUATU);
    expect(at(back)).toMatchObject({
      status: 'binding',
      legs: [{ deliveredDrawn: seats(7), deliveredCredited: seats(7) }],
      returns: [{ n: 1, delivery: 1, leg: 1, party: 'state:VUT', quantity: seats(3), reason: 'Broken.' }],
    });
    commitments
      .given(...back)
      .when(deliver(4), asked(JAPAN))
      .refused('over-delivery', 'quantity');
    const again = after(back, deliver(3), JAPAN);
    expect(at(again).status).toBe('delivered');
    expect(at(after(after(again, confirm(1), VANUATU), confirm(2), VANUATU))).toMatchObject({
      status: 'confirmed',
      legs: [{ confirmedDrawn: seats(10) }],
    });
  });
  it('come off what was confirmed first: what goes back had arrived', () => {
    const eight = after(delivered(), confirm(1, 8), VANUATU);
    const back = after(eight, sendBack(1, 3), VANUATU);
    expect(at(back).legs).toMatchObject([{ deliveredDrawn: seats(7), confirmedDrawn: seats(5) }]);
    expect(back.at(-1)).toMatchObject([{ data: { confirmed: { drawn: seats(3), credited: seats(3) } } }, {}]);
    const more = after(back, sendBack(1, 6), VANUATU);
    expect(more.at(-1)).toMatchObject([{ data: { confirmed: { drawn: seats(5) } } }, {}]);
    expect(at(more)).toMatchObject({
      status: 'binding',
      legs: [{ deliveredDrawn: seats(1), confirmedDrawn: seats(0) }],
    });
  });
  it('are the beneficiary’s or the implementer’s, of a tranche that is there', () => {
    const history = bound({ implementer: 'agency:cavr' });
    const one: History = [...history, delivery(1, seats(4), { by: CAVR })];
    expect(at(after(one, sendBack(1, 1), CAVR)).returns).toHaveLength(1);
    commitments
      .given(...one)
      .when(sendBack(1, 1), asked(JAPAN))
      .refused('forbidden');
    commitments
      .given(...one)
      .when(sendBack(9, 1), asked(VANUATU))
      .refused('unknown-delivery', 'delivery');
    commitments
      .given(...one)
      .when(sendBack(1, 5), asked(VANUATU))
      .refused('over-return', 'quantity');
    const dollars: Body = { ...sendBack(1, 1), quantity: usd('5.00') } as Body;
    commitments
      .given(...one)
      .when(dollars, asked(VANUATU))
      .refused('measure-mismatch', 'quantity');
    commitments
      .given(...forVanuatu([...history, delivery(1, seats(4))]))
      .when(sendBack(1, 1), asked(FIJI))
      .refused('forbidden');
  });
  it('of all of it leave nothing to answer, and the commitment does not wait for it', () => {
    const history = after(after(bound(), deliver(4), JAPAN), sendBack(1, 4), VANUATU);
    for (const body of [confirm(1), dispute(1), sendBack(1, 1)]) {
      const code = body.type === 'ReportReturn' ? 'over-return' : 'already-returned';
      commitments
        .given(...history)
        .when(body, asked(VANUATU))
        .refused(code);
    }
    expect(actionsOf(at(history), { party: 'state:VUT', coordinator: false }, TEST_TIME)).not.toContain('confirm');
    const all = after(after(history, deliver(10), JAPAN), confirm(2), VANUATU);
    expect(at(all).status).toBe('confirmed');
  });
  it('of all of a disputed tranche end the dispute: nothing is left to settle, and silence counts again', () => {
    const history = after(after(after(bound(), deliver(10), JAPAN), dispute(1), VANUATU), sendBack(1, 10), VANUATU);
    expect(isDisputed(at(history))).toBe(false);
    for (const who of [VANUATU, JAPAN])
      commitments
        .given(...history)
        .when(settle(1), asked(who))
        .refused('already-returned');
    for (const party of ['state:VUT', 'donor:japan'])
      expect(actionsOf(at(history), { party, coordinator: false }, TEST_TIME)).not.toContain('settle');
    const again = at(after(history, deliver(10), JAPAN));
    expect(deadlineOf(again)).toEqual({ due: addDays(TEST_TIME, 180), command: 'CloseUnconfirmed' });
    const part = after(after(after(bound(), deliver(10), JAPAN), dispute(1), VANUATU), sendBack(1, 9), VANUATU);
    expect(isDisputed(at(part))).toBe(true);
  });
  it('after a confirmation reopen what is left to deliver, after a cancellation lower what came', () => {
    const back = after(allConfirmed(), sendBack(1, 10), VANUATU);
    expect(at(back)).toMatchObject({
      status: 'binding',
      legs: [{ deliveredDrawn: seats(0), confirmedDrawn: seats(0) }],
    });
    const gone = after([...bound(), delivery(1, seats(4)), CANCELLED], sendBack(1, 1), VANUATU);
    expect(at(gone)).toMatchObject({ status: 'cancelled', legs: [{ deliveredDrawn: seats(3) }] });
  });
  it('void a closing that was proposed while all had come', () => {
    const proposedToClose = after(allConfirmed(), { type: 'CloseCommitment' }, JAPAN);
    const back = after(proposedToClose, sendBack(1, 1), VANUATU);
    expect(at(back).closeProposed).toBeUndefined();
  });
  it('in two measures come back in both, and all of it comes back whole', () => {
    const leg = {
      ...{ offerLine: 2, needLine: 1, drawn: seats(3), credited: usd('100.00') },
      valuation: { basis: 'agreed-lump-sum', reference: 'Letters' } as const,
    };
    const came = after(bound({ legs: [leg] }), deliver(3), JAPAN);
    const part = after(came, { ...sendBack(1, 1), quantity: usd('50.00') } as Body, VANUATU);
    expect(at(part).legs).toMatchObject([{ deliveredDrawn: seats(2), deliveredCredited: usd('50.00') }]);
    expect(at(part).status).toBe('binding');
    const small = after(came, { ...sendBack(1, 1), quantity: usd('10.00') } as Body, VANUATU);
    // Less than a seat went back: the leg is not whole, and what is left of it can still come.
    expect(at(small)).toMatchObject({ status: 'binding', legs: [{ deliveredDrawn: seats(3) }] });
    const rest = { ...deliver(1), quantity: usd('10.00') } as Body;
    expect(at(after(small, rest, JAPAN))).toMatchObject({
      status: 'delivered',
      legs: [{ deliveredCredited: usd('100.00') }],
    });
    const whole = after(part, sendBack(1, 2), VANUATU);
    expect(at(whole).legs).toMatchObject([{ deliveredDrawn: seats(0), deliveredCredited: usd('0.00') }]);
  });
});

describe('a tranche stated in the measure credited', () => {
  const leg = {
    ...{ offerLine: 2, needLine: 1, drawn: seats(3), credited: usd('100.00') },
    valuation: { basis: 'agreed-lump-sum', reference: 'Letters' } as const,
  };
  const start = bound({ legs: [leg], terms: { verifier: 'agency:ngo' } });
  const came = after(start, { ...deliver(1), quantity: usd('100.00') } as Body, JAPAN);
  it('is returned, verified and confirmed in it', () => {
    const verified = after(came, { ...verify(1, 1), quantity: usd('90.00') } as Body, NGO);
    const back = after(verified, { ...sendBack(1, 1), quantity: usd('40.00') } as Body, VANUATU);
    expect(at(after(back, confirm(1), VANUATU)).deliveries).toMatchObject([{ confirmed: { quantity: usd('60.00') } }]);
  });
  it('too small for a figure in the measure drawn is answered, sent back and missed like any other', () => {
    const small = after(start, { ...deliver(1), quantity: usd('30.00') } as Body, JAPAN);
    expect(at(small).legs).toMatchObject([{ deliveredDrawn: seats(0), deliveredCredited: usd('30.00') }]);
    const all = after(small, { ...deliver(1), quantity: usd('70.00') } as Body, JAPAN);
    const other = after(all, confirm(2), VANUATU);
    expect(at(other).status).toBe('delivered');
    expect(actionsOf(at(other), { party: 'state:VUT', coordinator: false }, TEST_TIME)).toContain('confirm');
    const done = at(after(other, confirm(1), VANUATU));
    expect(done).toMatchObject({ status: 'confirmed', legs: [{ confirmedCredited: usd('100.00') }] });
    const contested = after(other, dispute(1), VANUATU);
    expect(isDisputed(at(contested))).toBe(true);
    const back = after(contested, { ...sendBack(1, 1), quantity: usd('10.00') } as Body, VANUATU);
    expect(isDisputed(at(back))).toBe(true);
    const whole = after(back, { ...sendBack(1, 1), quantity: usd('20.00') } as Body, VANUATU);
    expect([isDisputed(at(whole)), at(whole).status]).toEqual([false, 'binding']);
    commitments
      .given(...whole)
      .when(confirm(1), asked(VANUATU))
      .refused('already-returned');
  });
  it('is settled for no less than was sent back, in either measure', () => {
    const open = after(after(came, dispute(1), VANUATU), sendBack(1, 2), VANUATU);
    const agreedOn = { ...settle(1, 1), quantity: usd('66.66') } as Body;
    const settled = after(after(open, agreedOn, VANUATU), agreedOn, JAPAN);
    expect(at(settled).legs).toMatchObject([{ deliveredDrawn: seats(0), deliveredCredited: usd('0.00') }]);
  });
  it('keeps its confirmation where a return says nothing of it', () => {
    const data = {
      ...{ n: 1, delivery: 1, party: 'state:VUT', leg: 1, quantity: seats(1), drawn: seats(1) },
      ...{ credited: usd('33.33'), reason: 'x', date: '2026' },
    };
    const state = at([...after(came, confirm(1), VANUATU), { type: 'ReturnReported', data }]);
    expect(state.legs).toMatchObject([{ confirmedDrawn: seats(3) }]);
  });
});

describe('corrections of deliveries', () => {
  it('are the reporter’s, whole, and keep the earlier figure in the history', () => {
    const history = after(bound(), deliver(4), JAPAN);
    const corrected = after(history, correct(1, 6), JAPAN);
    expect(corrected.at(-1)).toMatchObject([
      { type: 'DeliveryCorrected', data: { n: 1, leg: 1, quantity: seats(6), drawn: seats(6), reason: 'Miscounted.' } },
      {},
    ]);
    expect(at(corrected)).toMatchObject({ legs: [{ deliveredDrawn: seats(6) }], deliveries: [{ corrected: true }] });
    commitments
      .given(...history)
      .when(correct(1, 11), asked(JAPAN))
      .refused('over-delivery', 'quantity');
    commitments
      .given(...history)
      .when(correct(7, 1), asked(JAPAN))
      .refused('not-found');
    const dollars = { ...correct(1, 1), quantity: usd('5.00') } as Body;
    commitments
      .given(...history)
      .when(dollars, asked(JAPAN))
      .refused('measure-mismatch', 'quantity');
    const other = after(history, deliver(1), { ...JAPAN, party: 'donor:japan' });
    expect(at(other).deliveries).toHaveLength(2);
  });
  it('change what else was said of it, without a new figure', () => {
    const evidence = [{ title: 'List', uri: 'https://example.org/list', sha256: 'a'.repeat(64) }];
    const history = joint(after(bound(), deliver(4), JAPAN));
    const body: Body = {
      ...{ type: 'CorrectDelivery', n: 1, reason: 'Wrong State.' },
      ...{ beneficiary: 'state:FJI', date: '2026-01-04', evidence },
    };
    expect(at(after(history, body, JAPAN)).deliveries).toMatchObject([
      { beneficiary: 'state:FJI', date: '2026-01-04', evidence, quantity: seats(4) },
    ]);
    commitments
      .given(...history)
      .when({ ...body, beneficiary: 'state:XXX' }, asked(JAPAN))
      .refused('unknown-beneficiary', 'beneficiary');
  });
  it('are not moved into a suspension, nor is what was reported before it kept from correction', () => {
    const day = TEST_TIME.slice(0, 10);
    const earlier: History = [...bound(), delivery(1, seats(4))];
    const stopped = after(earlier, { type: 'SuspendCommitment', reason: { code: 'security' } }, VANUATU);
    const moved = { ...correct(1, 4), date: day } as Body;
    commitments
      .given(...stopped)
      .when(moved, asked(JAPAN))
      .refused('suspended', 'date');
    expect(at(after(earlier, moved, JAPAN)).deliveries).toMatchObject([{ date: day }]);
    expect(at(after(stopped, correct(1, 3), JAPAN)).deliveries).toMatchObject([{ quantity: seats(3) }]);
    const after1 = after(
      after(earlier, moved, JAPAN),
      { type: 'SuspendCommitment', reason: { code: 'security' } },
      VANUATU,
    );
    expect(at(after(after1, correct(1, 3), JAPAN)).deliveries).toMatchObject([{ quantity: seats(3), date: day }]);
  });
  it('end with the other side’s answer', () => {
    for (const answer of [confirm(1), dispute(1), sendBack(1, 1)]) {
      const history = after(after(bound(), deliver(4), JAPAN), answer, VANUATU);
      commitments
        .given(...history)
        .when(correct(1, 5), asked(JAPAN))
        .refused('already-answered');
    }
  });
  it('are not another deliverer’s', () => {
    const history = bound({ implementer: 'agency:cavr' });
    const two: History = [...history, delivery(1, seats(2), { by: CAVR }), delivery(2, seats(2))];
    commitments
      .given(...two)
      .when(correct(1, 1), asked(JAPAN))
      .refused('forbidden');
  });
  it('grow nothing after a cancellation, for the rest was released', () => {
    const history: History = [...bound(), delivery(1, seats(4)), CANCELLED];
    commitments
      .given(...history)
      .when(correct(1, 5), asked(JAPAN))
      .refused('over-delivery');
    expect(at(after(history, correct(1, 3), JAPAN)).legs).toMatchObject([{ deliveredDrawn: seats(3) }]);
  });
  it('of a tranche whose leg has ended are refused', () => {
    const gone = after(after(bound(), deliver(4), JAPAN), sendBack(1, 4), VANUATU);
    commitments
      .given(...gone)
      .when(correct(1, 3), asked(JAPAN))
      .refused('already-answered');
  });
  it('give the State its time again', () => {
    const time = '2026-02-01T00:00:00.000Z';
    const history = after(
      delivered(),
      { type: 'CorrectDelivery', n: 1, date: '2026-01-03', reason: 'Typo.' },
      JAPAN,
      time,
    );
    expect(deadlineOf(at(history))?.due).toBe('2026-07-31T00:00:00.000Z');
  });
});

describe('a dispute', () => {
  const disputedOne = after(delivered(), dispute(1), VANUATU);
  it('is settled when both sides state the same: the tranche is reported again, and the State confirms', () => {
    const stated = after(disputedOne, settle(1), JAPAN);
    expect(at(stated).deliveries).toMatchObject([
      { status: 'disputed', settlements: [{ as: 'provider', outcome: 'stands' }] },
    ]);
    const { events, state } = commitments
      .given(...stated)
      .when(settle(1), asked(VANUATU))
      .accepted();
    expect(events.map(({ type }) => type)).toEqual(['SettlementStated', 'DisputeSettled']);
    expect(state).toMatchObject({
      status: 'delivered',
      deliveries: [{ status: 'reported', quantity: seats(10), settled: { outcome: 'stands' } }],
    });
    expect(at(after(after(stated, settle(1), VANUATU), confirm(1), VANUATU)).status).toBe('confirmed');
  });
  it('reduces the tranche to what both state', () => {
    const stated = after(after(disputedOne, settle(1, 8), VANUATU), settle(1), JAPAN);
    expect(at(stated).deliveries[0]?.status).toBe('disputed');
    expect(at(after(stated, settle(1, 7), JAPAN)).deliveries[0]?.status).toBe('disputed');
    const dollars: History = after(disputedOne, settle(1, 8), VANUATU);
    const settled = after(dollars, settle(1, 8), JAPAN);
    expect(settled.at(-1)).toEqual([
      {
        type: 'DisputeSettled',
        data: { n: 1, outcome: 'reduced', quantity: seats(8), drawn: seats(8), credited: seats(8) },
      },
      expect.anything(),
    ]);
    expect(at(settled)).toMatchObject({ status: 'binding', legs: [{ deliveredDrawn: seats(8) }] });
  });
  it('is not settled by its mediator, nor by one side twice', () => {
    const mediated = after(disputedOne, settle(1, 8), COORDINATOR);
    expect(at(mediated).deliveries).toMatchObject([{ status: 'disputed', settlements: [{ as: 'mediator' }] }]);
    const one = after(mediated, settle(1, 8), VANUATU);
    expect(at(one).deliveries[0]?.status).toBe('disputed');
    commitments
      .given(...one)
      .when(settle(1, 8), asked(VANUATU))
      .refused('already-stated');
    commitments
      .given(...one)
      .when(settle(1, 8), asked(COORDINATOR))
      .refused('already-stated');
    expect(at(after(one, settle(1, 8), JAPAN)).deliveries[0]?.status).toBe('reported');
  });
  it('is settled on a figure that stands: less than reported, no less than went back', () => {
    commitments
      .given(...disputedOne)
      .when(settle(1, 10), asked(JAPAN))
      .refused('over-settlement', 'quantity');
    commitments
      .given(...disputedOne)
      .when(settle(1, 11), asked(JAPAN))
      .refused('over-settlement', 'quantity');
    const dollars = { ...settle(1, 1), quantity: usd('5.00') } as Body;
    commitments
      .given(...disputedOne)
      .when(dollars, asked(JAPAN))
      .refused('measure-mismatch', 'quantity');
    const back = after(disputedOne, sendBack(1, 4), VANUATU);
    commitments
      .given(...back)
      .when(settle(1, 3), asked(JAPAN))
      .refused('over-settlement', 'quantity');
    const settled = after(after(back, settle(1, 4), JAPAN), settle(1, 4), VANUATU);
    expect(at(settled).legs).toMatchObject([{ deliveredDrawn: seats(0) }]);
    const five = after(after(back, settle(1, 5), JAPAN), settle(1, 5), VANUATU);
    expect(at(five).legs).toMatchObject([{ deliveredDrawn: seats(1) }]);
  });
  it('of another State’s tranche is that State’s, and there must be one', () => {
    commitments
      .given(...delivered())
      .when(settle(1), asked(JAPAN))
      .refused('not-disputed');
    commitments
      .given(...disputedOne)
      .when(settle(4), asked(JAPAN))
      .refused('not-found');
    const vanuatus = after(forVanuatu(delivered()), dispute(1), VANUATU);
    commitments
      .given(...vanuatus)
      .when(settle(1), asked(FIJI))
      .refused('forbidden');
  });
  it('begun anew is stated anew', () => {
    const settled = after(after(disputedOne, settle(1), JAPAN), settle(1), VANUATU);
    const again = after(settled, dispute(1), VANUATU);
    expect(at(again).deliveries[0]?.settlements).toBeUndefined();
    expect(at(after(again, settle(1), VANUATU)).deliveries[0]?.status).toBe('disputed');
  });
  it('waits for nobody’s silence until it is settled', () => {
    expect(deadlineOf(at(disputedOne))).toBeUndefined();
    const settled = after(after(disputedOne, settle(1), JAPAN), settle(1), VANUATU, '2026-02-01T00:00:00.000Z');
    expect(deadlineOf(at(settled))?.due).toBe('2026-07-31T00:00:00.000Z');
    const late = after([...delivered(), closed('unconfirmed')], dispute(1), VANUATU);
    expect(at(after(after(late, settle(1), JAPAN), settle(1), VANUATU)).status).toBe('delivered');
  });
});

describe('verification', () => {
  const terms = { verifier: 'agency:ngo' };
  const byPolice: History = [
    ...bound({ implementer: 'agency:vanuatu-police', terms }),
    delivery(1, seats(10), { by: VANUATU_POLICE }),
  ];
  it('is a third, separate fact of whom the terms appoint', () => {
    const document = { kind: 'report', title: 'Verification', sha256: 'b'.repeat(64) };
    const body: Body = {
      ...{ type: 'VerifyDelivery', n: 1, quantity: seats(9) },
      ...{ note: 'One was missing.', document },
    };
    expect(at(after(byPolice, body, NGO)).deliveries).toMatchObject([
      {
        status: 'reported',
        verifications: [{ party: 'agency:ngo', quantity: seats(9), note: 'One was missing.', document }],
      },
    ]);
    commitments
      .given(...delivered())
      .when(verify(1, 9), asked(NGO))
      .refused('forbidden');
    commitments
      .given(...byPolice)
      .when(verify(3, 9), asked(NGO))
      .refused('not-found');
    commitments
      .given(...byPolice)
      .when(verify(1, 11), asked(NGO))
      .refused('over-verification', 'quantity');
    const dollars = { ...verify(1, 1), quantity: usd('5.00') } as Body;
    commitments
      .given(...byPolice)
      .when(dollars, asked(NGO))
      .refused('measure-mismatch', 'quantity');
  });
  it('is never of the deliverer’s sovereign, nor of a side’s', () => {
    // Japan's desk said of which sovereign it is when it proposed.
    for (const sovereign of ['VUT', 'JPN']) {
      commitments
        .given(...byPolice)
        .when(verify(1, 9), asked({ ...NGO, sovereign }))
        .refused('own-verification');
    }
    const own: History = [...bound({ terms: { verifier: 'donor:japan' } }), delivery(1, seats(10), { by: CAVR })];
    commitments
      .given(...own)
      .when(verify(1, 9), asked(JAPAN))
      .refused('own-verification');
  });
  it('lets a State confirm what its own body delivered, up to what was verified (I4)', () => {
    commitments
      .given(...byPolice)
      .when(confirm(1), asked(VANUATU))
      .refused('own-delivery');
    const verified = after(byPolice, verify(1, 9), NGO);
    commitments
      .given(...verified)
      .when(confirm(1, 10), asked(VANUATU))
      .refused('over-confirmation', 'quantity');
    expect(at(after(verified, confirm(1), VANUATU)).legs).toMatchObject([{ confirmedDrawn: seats(9) }]);
    expect(at(after(verified, confirm(1, 7), VANUATU)).legs).toMatchObject([{ confirmedDrawn: seats(7) }]);
    const back = after(verified, sendBack(1, 4), VANUATU);
    expect(at(after(back, confirm(1), VANUATU)).legs).toMatchObject([{ confirmedDrawn: seats(6) }]);
    const smaller = after(verified, correct(1, 5), VANUATU_POLICE);
    expect(at(after(smaller, confirm(1), VANUATU)).legs).toMatchObject([{ confirmedDrawn: seats(5) }]);
  });
  it('does not bind the State where another delivered, and is not asked of what went back', () => {
    const other = after([...bound({ terms }), delivery(1, seats(10))], verify(1, 6), NGO);
    expect(at(after(other, confirm(1), VANUATU)).legs).toMatchObject([{ confirmedDrawn: seats(10) }]);
    const gone = after([...bound({ terms }), delivery(1, seats(10))], sendBack(1, 10), VANUATU);
    commitments
      .given(...gone)
      .when(verify(1, 1), asked(NGO))
      .refused('already-returned');
    expect(actionsOf(at(gone), { party: 'agency:ngo', coordinator: false }, TEST_TIME)).not.toContain('verify');
    expect(actionsOf(at(other), { party: 'agency:ngo', coordinator: false }, TEST_TIME)).toContain('verify');
  });
});

describe('what is confirmed of a tranche that is partly back', () => {
  it('is at most what is left of it', () => {
    const back = after(delivered(), sendBack(1, 3), VANUATU);
    commitments
      .given(...back)
      .when(confirm(1, 8), asked(VANUATU))
      .refused('over-confirmation', 'quantity');
    expect(at(after(back, confirm(1), VANUATU)).deliveries).toMatchObject([{ confirmed: { quantity: seats(7) } }]);
  });
});

describe('random deliveries, answers, returns, corrections and settlements', () => {
  const move = fc.record({
    kind: fc.constantFrom(
      ...(['deliver', 'deliver', 'deliver', 'confirm', 'confirm', 'return', 'return', 'return', 'dispute'] as const),
      ...(['settle', 'settle', 'reduce', 'reduce', 'correct', 'verify', 'cancel'] as const),
    ),
    side: fc.boolean(),
    police: fc.boolean(),
    any: fc.nat(5),
    quantity: fc.integer({ min: 1, max: 6 }),
  });
  // Seen failing with over-return removed, with the whole of a return taken off what was confirmed of less (confirmed below zero), with
  // nothing taken off (confirmed above delivered), with correctedTranche not taking the old figure off, and with own-delivery removed.
  it('keep confirmed ≤ delivered − returned ≤ committed (I3), whoever says what in which order (I4, I6, I8)', () => {
    fc.assert(
      fc.property(fc.array(move, { minLength: 14, maxLength: 30 }), (moves) => {
        const history: Given<CommitmentEvent>[] = bound({
          implementer: 'agency:vanuatu-police',
          terms: { verifier: 'agency:ngo' },
        });
        for (const { kind, side, police, any, quantity } of moves) {
          const before = at(history);
          const n = 1 + (any % Math.max(1, before.deliveries.length));
          const both = side ? JAPAN : VANUATU;
          const deliverer = police ? VANUATU_POLICE : JAPAN;
          const bodies: Readonly<Record<typeof kind, readonly [Body, Actor]>> = {
            deliver: [deliver(quantity), deliverer],
            confirm: [confirm(n, side ? quantity : undefined), VANUATU],
            dispute: [dispute(n), VANUATU],
            settle: [settle(n), both],
            reduce: [settle(n, 2), both],
            return: [sendBack(n, quantity), VANUATU],
            correct: [correct(n, quantity), deliverer],
            verify: [verify(n, quantity), NGO],
            cancel: [{ type: 'CancelCommitment', reason: { code: 'budget' } }, VANUATU],
          };
          const [body, actor] = bodies[kind];
          const decision = commitmentDecider.decide(
            { ...body, by: { actor, at: TEST_TIME, effectiveAt: TEST_TIME } },
            before,
          );
          if (decision.kind === 'refused') continue;
          for (const event of decision.events) history.push([event, { actor }]);
          const state = at(history);
          const [leg] = state.legs;
          if (leg === undefined) throw new Error('no leg');
          for (const figure of [leg.confirmedDrawn, leg.deliveredDrawn])
            expect(minorUnits(figure)).toBeGreaterThanOrEqual(0n);
          expect(compare(leg.deliveredDrawn, leg.drawn)).toBeLessThanOrEqual(0);
          expect(compare(leg.confirmedDrawn, leg.deliveredDrawn)).toBeLessThanOrEqual(0);
          expect(leg.deliveredCredited).toEqual(leg.deliveredDrawn);
          // Committed is what is there and what is still to come: nothing is made or lost by a return.
          const there = total(
            seats(0),
            state.deliveries.map(({ drawn }) => drawn),
          );
          const back = total(
            seats(0),
            state.deliveries.flatMap(({ returned }) => (returned === undefined ? [] : [returned.drawn])),
          );
          expect(minorUnits(leg.deliveredDrawn)).toBe(there - back);
          for (const one of state.deliveries) {
            if (one.confirmed?.party !== 'state:VUT' || one.sovereign !== 'VUT') continue;
            expect(one.verifications?.length).toBeGreaterThan(0);
          }
          if (kind === 'cancel') expect(state.legs).toEqual(before.legs);
        }
      }),
      { numRuns: 120 },
    );
  });
});

describe('legs', () => {
  it('in one measure are complete with the last unit', () => {
    const two = bound({ legs: [SEAT_LEG, { ...SEAT_LEG, drawn: seats(1) }] });
    expect(at(after(two, deliver(10), JAPAN)).status).toBe('binding');
  });
});
