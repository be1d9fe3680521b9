import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ANONYMOUS } from '#directory/contract';
import type { Actor } from '#kernel';
import type { Asked, CommandBody, Given } from '#kernel-testing';
import { recordedEvent, specFor, stateAfter, TEST_TIME } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import { minorUnits, quantityOf, rateHolds } from '#vocabulary';
import { accountsView, balanceOf, reaches } from './commitment-accounts.js';
import { disbursementSign, transferOf } from './commitment-money.js';
import type { CommitmentEvent } from './commitment.contract.js';
import type { Deal } from './commitment.fixture.js';
import {
  bound,
  CANCELLED,
  CAVR,
  closed,
  COORDINATOR,
  delivery,
  eur,
  JAPAN,
  NGO,
  PAYMASTER,
  proposed,
  accepted,
  STRANGER,
  transfer,
  usd,
  VANUATU,
} from './commitment.fixture.js';
import type { CommitmentCommand, CommitmentState } from './commitment.js';
import { actionsOf, commitmentDecider } from './commitment.js';
import { commitmentView, pastCommitments } from './commitment.view.js';

const commitments = specFor(commitmentDecider);
type Body = CommandBody<CommitmentCommand>;
type Events = readonly Given<CommitmentEvent>[];
type Of<T extends CommitmentEvent['type']> = Extract<CommitmentEvent, { type: T }>['data'];
const asked = (actor: Actor): Asked => ({ actor, at: TEST_TIME });
const at = (history: Events): CommitmentState => stateAfter(commitmentDecider, history);

const DEAL: Deal = {
  legs: [{ offerLine: 1, needLine: 1, drawn: usd('1000.00') }],
  implementer: 'agency:cavr',
  fiscalAgent: 'agency:paymaster',
};
const start: Events = [...bound(DEAL)];
/** The same, of a joint offer. */
const givenBy = (...providers: readonly string[]): Events => {
  const [proposal, ...rest] = start as [Given<CommitmentEvent>, ...Events];
  const [event, meta] = proposal as [Extract<CommitmentEvent, { type: 'CommitmentProposed' }>, object];
  return [[{ ...event, data: { ...event.data, providers } }, meta], ...rest];
};
const DAY = '2026-01-05';

const pay = (amount: Quantity, over: Partial<Extract<Body, { type: 'ReportTransfer' }>> = {}): Body => ({
  type: 'ReportTransfer',
  kind: 'disbursement',
  from: 'donor:japan',
  to: 'agency:cavr',
  amount,
  date: DAY,
  ...over,
});
const receive = (
  transfer: number,
  amount: Quantity,
  over: Partial<Extract<Body, { type: 'ReportReceipt' }>> = {},
): Body => ({
  type: 'ReportReceipt',
  transfer,
  amount,
  date: DAY,
  ...over,
});
const toNgo = { kind: 'onward-grant', from: 'agency:cavr', to: 'agency:ngo' } as const;
const back = (of: number) => ({ kind: 'refund', from: 'agency:cavr', to: 'donor:japan', of }) as const;
const own = (kind: 'fee' | 'interest' | 'programme-income' | 'bank-charge' | 'exchange-difference') =>
  ({ kind, from: 'agency:cavr', to: 'agency:cavr' }) as const;

const after = (history: Events, ...steps: readonly (readonly [Body, Actor])[]): Events =>
  steps.reduce<Events>(
    (events, [body, actor]) => [
      ...events,
      ...commitments
        .given(...events)
        .when(body, asked(actor))
        .accepted()
        .events.map((event): Given<CommitmentEvent> => [event, { actor }]),
    ],
    history,
  );
const expectRefused = (history: Events, body: Body, actor: Actor, code: string, field?: string): void => {
  commitments
    .given(...history)
    .when(body, asked(actor))
    .refused(code as Parameters<ReturnType<ReturnType<typeof commitments.given>['when']>['refused']>[0], field);
};

interface Row {
  readonly holder: string;
  readonly currency: string;
  readonly [column: string]: unknown;
}
const rows = (state: CommitmentState): readonly Row[] => accountsView(state).balances as readonly Row[];
const book = (history: Events, holder: string, currency = 'USD'): Row | undefined =>
  rows(at(history)).find((row) => row.holder === holder && row.currency === currency);

const spend = (amount: Quantity, over: Partial<Extract<Body, { type: 'ReportExpenditure' }>> = {}): Body => ({
  type: 'ReportExpenditure',
  kind: 'interim',
  from: '2026-01-01',
  to: '2026-01-03',
  lines: [{ budgetLine: 'Travel', amount }],
  date: DAY,
  ...over,
});

describe('what a holder pays', () => {
  const sent = after(start, [pay(usd('600.00')), JAPAN]);
  it('is money that it holds; providers pay their own', () => {
    expectRefused(start, pay(usd('1.00'), toNgo), CAVR, 'insufficient-balance', 'amount');
    expectRefused(sent, pay(usd('600.01'), toNgo), CAVR, 'insufficient-balance');
    expectRefused(sent, pay(eur('1.00'), toNgo), CAVR, 'insufficient-balance');
    expect(book(after(sent, [pay(usd('600.00'), toNgo), CAVR]), 'agency:cavr')).toMatchObject({
      received: usd('600.00'),
      passedOn: usd('600.00'),
      balance: usd('0.00'),
      advance: { outstanding: usd('0.00'), oldest: null },
    });
  });
  it('stays within what is booked of the transfer it passes on, in that currency', () => {
    const two = after(sent, [pay(usd('100.00')), JAPAN]);
    expectRefused(two, pay(usd('600.01'), { ...toNgo, onward: 1 }), CAVR, 'over-onward', 'amount');
    const part = after(two, [pay(usd('599.00'), { ...toNgo, onward: 1 }), CAVR]);
    expectRefused(part, pay(usd('1.01'), { ...toNgo, onward: 1 }), CAVR, 'over-onward');
    const euros = after(two, [receive(1, usd('600.00'), { credited: eur('500.00') }), CAVR]);
    expectRefused(euros, pay(usd('1.00'), { ...toNgo, onward: 1 }), CAVR, 'currency-mismatch', 'amount.currency');
    expectRefused(euros, pay(eur('500.01'), { ...toNgo, onward: 1 }), CAVR, 'over-onward');
    expect(book(after(euros, [pay(eur('500.00'), { ...toNgo, onward: 1 }), CAVR]), 'agency:ngo', 'EUR')).toMatchObject({
      received: eur('500.00'),
    });
  });
  it('may be its own: what a State adds to the project has not come through it', () => {
    const added = after(start, [pay(usd('50.00'), { kind: 'contribution', from: 'state:VUT' }), VANUATU]);
    expect(book(added, 'state:VUT')).toMatchObject({ own: usd('50.00'), passedOn: usd('50.00'), balance: usd('0.00') });
    expectRefused(start, pay(usd('50.00'), { from: 'state:VUT' }), VANUATU, 'insufficient-balance');
  });
  it('never runs in a circle; what goes back is a refund', () => {
    const passed = after(sent, [pay(usd('600.00'), toNgo), CAVR]);
    expectRefused(passed, pay(usd('1.00'), { from: 'agency:ngo' }), NGO, 'cycle', 'to');
    expectRefused(passed, pay(usd('1.00'), { from: 'agency:ngo', to: 'donor:japan' }), NGO, 'cycle');
    const refunded = after(passed, [
      pay(usd('1.00'), { kind: 'refund', from: 'agency:ngo', to: 'agency:cavr', of: 2 }),
      NGO,
    ]);
    expect(book(refunded, 'agency:cavr')).toMatchObject({ refundsReceived: usd('1.00'), balance: usd('1.00') });
    expect(book(refunded, 'agency:ngo')).toMatchObject({ refundsPaid: usd('1.00'), balance: usd('599.00') });
    expect(reaches({ a: ['b', 'c'], b: ['d'], c: ['d'], d: ['b'] }, 'a', 'z')).toBe(false);
  });
  it('and what it books with itself change its balance each in its own way', () => {
    const booked = after(
      sent,
      [pay(usd('1.00'), own('interest')), CAVR],
      [pay(usd('2.00'), own('programme-income')), CAVR],
      [pay(usd('4.00'), { ...own('exchange-difference'), effect: 'gain' }), CAVR],
      [pay(usd('8.00'), own('exchange-difference')), CAVR],
      [pay(usd('16.00'), own('fee')), CAVR],
      [pay(usd('32.00'), own('bank-charge')), CAVR],
    );
    expect(book(booked, 'agency:cavr')).toMatchObject({
      received: usd('600.00'),
      interest: usd('1.00'),
      income: usd('2.00'),
      exchange: usd('-4.00'),
      fees: usd('16.00'),
      charges: usd('32.00'),
      balance: usd('551.00'),
      advance: { outstanding: usd('551.00'), oldest: DAY },
    });
    const odd: Events = [...sent, transfer(2, usd('5.00'), { from: 'agency:cavr', to: 'agency:cavr' })];
    expect(book(odd, 'agency:cavr')).toMatchObject({ balance: usd('600.00') });
    const receipted: Given<CommitmentEvent> = {
      type: 'ReceiptReported',
      data: { n: 1, transfer: 2, party: 'agency:cavr', amount: usd('4.00'), date: DAY },
    };
    expect(book([...odd, receipted], 'agency:cavr')).toMatchObject({ balance: usd('600.00') });
    const interest = after(sent, [pay(usd('1.00'), own('interest')), CAVR]);
    expectRefused(interest, receive(2, usd('1.00')), CAVR, 'own-booking', 'transfer');
    const refund = pay(usd('1.00'), { kind: 'refund', from: 'agency:cavr', to: 'agency:cavr', of: 2 });
    expectRefused(interest, refund, CAVR, 'own-booking', 'of');
  });
  it('and what others pay it for interest, income, fees and charges stand where they belong', () => {
    const four: Events = [
      ...sent,
      transfer(2, usd('1.00'), { kind: 'interest', from: 'agency:cavr', to: 'agency:ngo' }),
      transfer(3, usd('2.00'), { kind: 'programme-income', from: 'agency:cavr', to: 'agency:ngo' }),
      transfer(4, usd('4.00'), { kind: 'fee', from: 'agency:cavr', to: 'agency:ngo' }),
      transfer(5, usd('8.00'), { kind: 'bank-charge', from: 'agency:cavr', to: 'agency:ngo' }),
    ];
    expect(book(four, 'agency:cavr')).toMatchObject({ passedOn: usd('3.00'), fees: usd('4.00'), charges: usd('8.00') });
    expect(book(four, 'agency:ngo')).toMatchObject({
      interest: usd('1.00'),
      income: usd('2.00'),
      received: usd('12.00'),
      balance: usd('15.00'),
    });
  });
  it('a book below nothing from before the rule takes income and receipts', () => {
    const below: Events = [...sent, transfer(2, usd('700.00'), toNgo)];
    expect(balanceOf(at(below), 'agency:cavr', 'USD')).toBe(-10_000n);
    expect(book(below, 'agency:cavr')).toMatchObject({
      balance: usd('-100.00'),
      advance: { outstanding: usd('0.00') },
    });
    after(below, [pay(usd('5.00'), own('interest')), CAVR], [receive(1, usd('600.00')), CAVR]);
    expectRefused(below, pay(usd('5.00'), own('fee')), CAVR, 'insufficient-balance');
  });
  it('tells since when an advance is outstanding: what came first was used first', () => {
    const dated = after(
      start,
      [pay(usd('100.00'), { date: '2026-01-03' }), JAPAN],
      [pay(usd('100.00'), { date: '2026-01-01' }), JAPAN],
      [pay(usd('100.00'), { date: '2026-01-03' }), JAPAN],
      [pay(usd('7.00'), { ...own('interest'), date: '2026-01-04' }), CAVR],
    );
    expect(book(dated, 'agency:cavr')).toMatchObject({ advance: { oldest: '2026-01-01' } });
    expect(book(after(dated, [pay(usd('100.00'), toNgo), CAVR]), 'agency:cavr')).toMatchObject({
      advance: { outstanding: usd('207.00'), oldest: '2026-01-03' },
    });
    expect(book(after(dated, [pay(usd('302.00'), toNgo), CAVR]), 'agency:cavr')).toMatchObject({
      advance: { oldest: '2026-01-04' },
    });
    const vague = after(
      start,
      [pay(usd('100.00'), { date: '2025' }), JAPAN],
      [pay(usd('100.00'), { date: '2025-12-30' }), JAPAN],
    );
    expect(book(vague, 'agency:cavr')).toMatchObject({ advance: { oldest: '2025-12-30' } });
    expect(book(after(vague, [pay(usd('100.00'), toNgo), CAVR]), 'agency:cavr')).toMatchObject({
      advance: { oldest: '2025-12-31' },
    });
    const gained = after(start, [pay(usd('7.00'), { ...own('exchange-difference'), effect: 'gain' }), CAVR]);
    expect(book(gained, 'agency:cavr')).toMatchObject({ advance: { oldest: DAY } });
    const co: Events = [...after(start, [spend(usd('5.00'), {}), JAPAN])];
    expect(rows(at(co))).toEqual([]);
  });
});

describe('receipts', () => {
  const sent = after(start, [pay(usd('600.00')), JAPAN]);
  it('in another currency are booked there at their rate', () => {
    expectRefused(
      sent,
      receive(1, usd('600.00'), { credited: eur('500.00'), rate: '0.9' }),
      CAVR,
      'rate-mismatch',
      'rate',
    );
    const booked = after(sent, [receive(1, usd('600.00'), { credited: eur('540.00'), rate: '0.9' }), CAVR]);
    expect(rows(at(booked)).map(({ currency, received, balance }) => [currency, received, balance])).toEqual([
      ['USD', usd('0.00'), usd('0.00')],
      ['EUR', eur('540.00'), eur('540.00')],
    ]);
    expectRefused(booked, pay(usd('1.00'), toNgo), CAVR, 'insufficient-balance');
    const both = after(
      sent,
      [receive(1, usd('500.00'), { credited: eur('450.00') }), CAVR],
      [receive(1, usd('100.00')), CAVR],
    );
    expect(book(both, 'agency:cavr')).toMatchObject({ balance: usd('100.00') });
    expect(book(both, 'agency:cavr', 'EUR')).toMatchObject({ balance: eur('450.00') });
  });
  it('are never smaller than what their holder passed on or used', () => {
    const passed = after(sent, [pay(usd('590.00'), { ...toNgo, onward: 1 }), CAVR]);
    expectRefused(passed, receive(1, usd('589.99')), CAVR, 'below-passed-on', 'amount');
    expectRefused(passed, receive(1, usd('600.00'), { credited: eur('1.00') }), CAVR, 'below-passed-on');
    after(passed, [receive(1, usd('590.00')), CAVR]);
    const used = after(sent, [spend(usd('590.00')), CAVR]);
    expectRefused(used, receive(1, usd('589.99')), CAVR, 'below-passed-on');
    after(used, [receive(1, usd('590.00')), CAVR]);
  });
  it('of a provider say what came back, whatever it has paid', () => {
    const refunded = after(sent, [pay(usd('100.00'), back(1)), CAVR]);
    after(refunded, [receive(2, usd('90.00')), JAPAN]);
  });
});

describe('corrections of transfers', () => {
  const sent = after(start, [pay(usd('600.00'), { reference: 'Wire 1', leg: 1 }), JAPAN]);
  const correct = (over: Partial<Extract<Body, { type: 'CorrectTransfer' }>>): Body => ({
    type: 'CorrectTransfer',
    n: 1,
    reason: 'A slip.',
    ...over,
  });
  it('are their payer’s, and keep the earlier figure', () => {
    expectRefused(sent, correct({ n: 2, amount: usd('1.00') }), JAPAN, 'not-found');
    expectRefused(sent, correct({ amount: usd('1.00') }), CAVR, 'forbidden');
    const state = commitments
      .given(...sent)
      .when(correct({ amount: usd('700.00'), date: '2026-01-04' }), asked(JAPAN))
      .then({
        type: 'TransferCorrected',
        data: { n: 1, amount: usd('700.00'), leg: 1, date: '2026-01-04', reference: 'Wire 1', reason: 'A slip.' },
      });
    expect(state.transfers[0]).toMatchObject({
      amount: usd('700.00'),
      kind: 'disbursement',
      corrections: [{ amount: usd('600.00'), date: DAY, reference: 'Wire 1', reason: 'A slip.' }],
    });
    expect(state.net).toEqual({ 'donor:japan': { USD: '70000' } });
    const bare = after(
      start,
      [pay(usd('600.00')), JAPAN],
      [correct({ leg: 1, reference: 'W' }), JAPAN],
      [correct({ leg: 1 }), JAPAN],
    );
    expect(at(bare).transfers[0]?.corrections).toHaveLength(2);
  });
  it('stop once the receiver has receipted it', () => {
    const received = after(sent, [receive(1, usd('600.00')), CAVR]);
    expectRefused(received, correct({ amount: usd('1.00') }), JAPAN, 'already-answered');
    expect(actionsOf(at(sent), { ...JAPAN, coordinator: false }, TEST_TIME)).toContain('correct-transfer');
    expect(actionsOf(at(received), { ...JAPAN, coordinator: false }, TEST_TIME)).not.toContain('correct-transfer');
  });
  it('meet every rule again', () => {
    expectRefused(sent, correct({ amount: usd('1000.01') }), JAPAN, 'over-disbursement', 'amount');
    after(sent, [correct({ amount: usd('1000.00') }), JAPAN]);
    expectRefused(sent, correct({ leg: 4 }), JAPAN, 'unknown-leg', 'leg');
    expectRefused(sent, correct({ instalment: 4 }), JAPAN, 'unknown-instalment');
    const passed = after(sent, [pay(usd('500.00'), { ...toNgo, onward: 1 }), CAVR]);
    expectRefused(passed, correct({ n: 2, amount: usd('600.01') }), CAVR, 'over-onward', 'amount');
    after(passed, [correct({ n: 2, amount: usd('600.00') }), CAVR]);
    expectRefused(passed, correct({ amount: usd('499.99') }), JAPAN, 'below-passed-on', 'amount');
    after(passed, [correct({ amount: usd('500.00') }), JAPAN]);
    const refunded = after(sent, [pay(usd('500.00'), back(1)), CAVR]);
    expectRefused(refunded, correct({ n: 2, amount: usd('600.01') }), CAVR, 'over-refund', 'amount');
    expectRefused(refunded, correct({ amount: usd('499.99') }), JAPAN, 'over-refund', 'amount');
    const used = after(sent, [spend(usd('500.00')), CAVR]);
    expectRefused(used, correct({ amount: usd('499.99') }), JAPAN, 'below-passed-on', 'amount');
  });
  it('in another currency leave nothing behind in the old one', () => {
    const seats = bound({ implementer: 'agency:cavr' });
    const paid = after(seats, [pay(usd('600.00')), JAPAN]);
    const euros = after(paid, [correct({ amount: eur('600.00') }), JAPAN]);
    expect(book(euros, 'agency:cavr')).toMatchObject({ balance: usd('0.00') });
    expect(book(euros, 'agency:cavr', 'EUR')).toMatchObject({ balance: eur('600.00') });
    const passed = after(paid, [pay(usd('1.00'), { ...toNgo, onward: 1 }), CAVR]);
    expectRefused(passed, correct({ amount: eur('600.00') }), JAPAN, 'below-passed-on');
    const refunded = after(paid, [pay(usd('1.00'), back(1)), CAVR]);
    expectRefused(refunded, correct({ amount: eur('600.00') }), JAPAN, 'over-refund');
  });
});

describe('corrections of receipts', () => {
  const sent = after(start, [pay(usd('600.00')), JAPAN]);
  const received = after(sent, [receive(1, usd('590.00'), { charges: usd('5.00'), reference: 'Book 1' }), CAVR]);
  const correct = (over: Partial<Extract<Body, { type: 'CorrectReceipt' }>>): Body => ({
    type: 'CorrectReceipt',
    n: 1,
    reason: 'A slip.',
    ...over,
  });
  it('are their reporter’s, keep the earlier figure and move the discrepancy', () => {
    expectRefused(received, correct({ n: 2, amount: usd('1.00') }), CAVR, 'not-found');
    const ngo = after(received, [pay(usd('1.00'), toNgo), CAVR]);
    expectRefused(ngo, correct({ amount: usd('1.00') }), NGO, 'forbidden');
    const state = commitments
      .given(...received)
      .when(correct({ amount: usd('580.00'), date: '2026-01-04' }), asked(CAVR))
      .then({
        type: 'ReceiptCorrected',
        data: {
          n: 1,
          transfer: 1,
          amount: usd('580.00'),
          charges: usd('5.00'),
          date: '2026-01-04',
          reference: 'Book 1',
          reason: 'A slip.',
          discrepancy: { n: 1, quantity: usd('15.00'), sign: 'short' },
        },
      });
    expect(state.receipts[0]).toMatchObject({
      amount: usd('580.00'),
      corrections: [{ amount: usd('590.00'), date: DAY, reference: 'Book 1' }],
    });
    const exact = after(received, [correct({ charges: usd('10.00') }), CAVR]);
    expect(at(exact).discrepancies).toMatchObject([{ n: 1, status: 'settled', difference: usd('0.00') }]);
    expectRefused(received, correct({ amount: eur('1.00') }), CAVR, 'currency-mismatch');
    expectRefused(received, correct({ charges: eur('1.00') }), CAVR, 'currency-mismatch');
  });
  it('change credit and rate together', () => {
    const booked = after(sent, [receive(1, usd('600.00'), { credited: eur('540.00'), rate: '0.9' }), CAVR]);
    expectRefused(booked, correct({ amount: usd('590.00') }), CAVR, 'rate-mismatch', 'rate');
    expectRefused(booked, correct({ rate: '0.8' }), CAVR, 'rate-mismatch');
    const cheaper = after(booked, [correct({ credited: eur('480.00'), rate: '0.8' }), CAVR]);
    expect(at(cheaper).receipts[0]).toMatchObject({ credited: eur('480.00'), rate: '0.8' });
    const unrated = after(booked, [correct({ credited: eur('480.00') }), CAVR], [correct({ reference: 'R' }), CAVR]);
    expect(at(unrated).receipts[0]).not.toHaveProperty('rate');
    expect(book(unrated, 'agency:cavr', 'EUR')).toMatchObject({ balance: eur('480.00') });
  });
  it('stop once its money was passed on, or its difference is answered', () => {
    const passed = after(received, [pay(usd('1.00'), { ...toNgo, onward: 1 }), CAVR]);
    expectRefused(passed, correct({ amount: usd('595.00') }), CAVR, 'already-answered');
    const agreed = after(received, [{ type: 'AcceptDiscrepancy', n: 1, reason: 'Bank.' }, COORDINATOR]);
    expectRefused(agreed, correct({ amount: usd('595.00') }), CAVR, 'already-answered');
    const settle = { type: 'SettleDiscrepancy', n: 1, reason: 'Bank.' } as const;
    const settled = after(received, [settle, JAPAN], [settle, CAVR]);
    expectRefused(settled, correct({ amount: usd('595.00') }), CAVR, 'already-answered');
    const who = { party: 'agency:cavr', coordinator: false };
    expect(actionsOf(at(received), who, TEST_TIME)).toContain('correct-receipt');
    expect(actionsOf(at(settled), who, TEST_TIME)).not.toContain('correct-receipt');
    const used = after(received, [spend(usd('590.00')), CAVR]);
    expectRefused(used, correct({ amount: usd('589.00') }), CAVR, 'below-passed-on');
  });
});

describe('a discrepancy', () => {
  const short = after(start, [pay(usd('600.00')), JAPAN], [receive(1, usd('590.00')), CAVR]);
  const settle = (over: Partial<Extract<Body, { type: 'SettleDiscrepancy' }>> = {}): Body => ({
    type: 'SettleDiscrepancy',
    n: 1,
    reason: 'Bank advice.',
    ...over,
  });
  it('is settled where payer and receiver state the same, and books stay with the receipts', () => {
    commitments
      .given(...short)
      .when(settle({ amount: usd('590.00') }), asked(JAPAN))
      .then({
        type: 'DiscrepancySettlementStated',
        data: { n: 1, side: 'provider', party: 'donor:japan', amount: usd('590.00'), reason: 'Bank advice.' },
      });
    const stated = after(short, [settle({ amount: usd('590.00') }), JAPAN]);
    const apart = after(stated, [settle(), CAVR]);
    expect(at(apart).discrepancies).toMatchObject([{ status: 'open' }]);
    const settled = after(apart, [settle({ amount: usd('590.00') }), CAVR]);
    expect(at(settled).discrepancies).toMatchObject([{ status: 'settled', agreed: usd('590.00') }]);
    expect(book(settled, 'agency:cavr')).toMatchObject({ balance: usd('590.00') });
    expectRefused(settled, settle(), JAPAN, 'already-settled');
    const all = after(short, [settle(), CAVR], [settle({ amount: usd('600.00') }), JAPAN]);
    expect(at(all).discrepancies).toMatchObject([{ status: 'settled', agreed: usd('600.00') }]);
    const whole = after(short, [settle(), CAVR], [settle(), JAPAN]);
    expect(at(whole).discrepancies).toMatchObject([{ status: 'settled', agreed: usd('600.00') }]);
  });
  it('is nobody else’s', () => {
    expectRefused(short, settle({ n: 3 }), JAPAN, 'not-found');
    expectRefused(short, settle({ amount: eur('1.00') }), JAPAN, 'currency-mismatch', 'amount.currency');
    expectRefused(short, settle(), PAYMASTER, 'forbidden');
    expectRefused(short, settle(), STRANGER, 'forbidden');
    const offers = (actor: Actor): string[] => actionsOf(at(short), { ...actor, coordinator: false }, TEST_TIME);
    expect(offers(CAVR)).toContain('settle-discrepancy');
    expect(offers(VANUATU)).toContain('settle-discrepancy');
    expect(offers(PAYMASTER)).not.toContain('settle-discrepancy');
  });
  it('between agencies may also be settled by the sides', () => {
    const further = after(short, [pay(usd('100.00'), toNgo), CAVR], [receive(2, usd('99.00')), NGO]);
    const settled = after(further, [settle({ n: 2 }), JAPAN], [settle({ n: 2 }), VANUATU]);
    expect(at(settled).discrepancies).toMatchObject([
      { n: 1, status: 'open' },
      { n: 2, status: 'settled' },
    ]);
  });
});

describe('expenditure', () => {
  const sent = after(start, [pay(usd('600.00')), JAPAN]);
  it('is taken from what the holder has, by budget line and currency', () => {
    expectRefused(start, spend(usd('1.00')), CAVR, 'insufficient-balance', 'lines');
    expectRefused(sent, spend(usd('600.01')), CAVR, 'insufficient-balance');
    const state = commitments
      .given(...sent)
      .when(
        spend(usd('100.00'), {
          lines: [
            { budgetLine: 'Travel', amount: usd('100.00') },
            { budgetLine: 'Print', amount: usd('50.00') },
          ],
          invoices: ['INV 7'],
          reference: 'ER 1',
          document: { kind: 'report', title: 'Report', sha256: 'a'.repeat(64) },
        }),
        asked(CAVR),
      )
      .accepted().state;
    expect(balanceOf(state, 'agency:cavr', 'USD')).toBe(45_000n);
    expect(state.expenditures).toMatchObject([{ n: 1, party: 'agency:cavr', invoices: ['INV 7'], reference: 'ER 1' }]);
    expect(actionsOf(state, { party: 'agency:cavr', coordinator: false }, TEST_TIME)).toContain('expenditures');
    expect(actionsOf(state, { party: 'agency:paymaster', coordinator: false }, TEST_TIME)).not.toContain(
      'expenditures',
    );
  });
  it('to the last cent is still certified', () => {
    const offers = (history: Events): string[] =>
      actionsOf(at(history), { party: 'agency:cavr', coordinator: false }, TEST_TIME);
    const all = after(sent, [spend(usd('600.00')), CAVR]);
    expect(offers(all)).toContain('expenditures');
    expect(offers(after(all, [spend(usd('600.00'), { kind: 'certified' }), CAVR]))).not.toContain('expenditures');
  });
  it('certified stands instead of the interim reports of its days; no day is accounted for twice', () => {
    const interim = after(
      sent,
      [spend(usd('100.00')), CAVR],
      [spend(usd('50.00'), { from: '2026-01-04', to: '2026-01-04' }), CAVR],
    );
    expectRefused(
      interim,
      spend(usd('1.00'), { from: '2026-01-03', to: '2026-01-03' }),
      CAVR,
      'period-overlap',
      'period',
    );
    const certified = (from: string, to: string): Body => spend(usd('120.00'), { kind: 'certified', from, to });
    expectRefused(interim, certified('2026-01-02', '2026-01-05'), CAVR, 'period-overlap');
    const whole = after(interim, [certified('2026-01-01', '2026-01-04'), CAVR]);
    expect(at(whole).expenditures).toMatchObject([{ replacedBy: 3 }, { replacedBy: 3 }, { replaces: [1, 2] }]);
    expect(book(whole, 'agency:cavr')).toMatchObject({ spent: usd('120.00'), balance: usd('480.00') });
    expectRefused(whole, certified('2026-01-01', '2026-01-04'), CAVR, 'period-overlap');
    // Another holder accounts for its own days.
    const ngo = after(whole, [pay(usd('10.00'), toNgo), CAVR], [spend(usd('10.00')), NGO]);
    expect(book(ngo, 'agency:ngo')).toMatchObject({ balance: usd('0.00') });
  });
});

describe('providers of a joint offer', () => {
  // Seen failing with what each of them paid compared to all that the legs bind.
  it('never pay more together than the money legs bind (I3)', () => {
    const NORWAY: Actor = { party: 'donor:norway', role: 'donor-desk' };
    const theirs = { from: 'donor:norway' };
    const joint = after(givenBy('donor:japan', 'donor:norway'), [pay(usd('700.00')), JAPAN]);
    expectRefused(joint, pay(usd('300.01'), theirs), NORWAY, 'over-disbursement', 'amount');
    const whole = after(joint, [pay(usd('300.00'), theirs), NORWAY]);
    expectRefused(whole, pay(usd('0.01')), JAPAN, 'over-disbursement', 'amount');
    after(whole, [pay(usd('5.00'), back(1)), CAVR], [pay(usd('5.00'), theirs), NORWAY]);
  });
});

describe('refunds due', () => {
  const cancel = { type: 'CancelCommitment', reason: { code: 'budget' } } as const;
  const due = (history: Events): unknown => accountsView(at(history)).refundsDue;
  it('are what a provider paid beyond the money delivered, and shrink as money comes back', () => {
    const paid = after(start, [pay(usd('600.00')), JAPAN]);
    const left = after([...paid, delivery(1, usd('250.00'))], [cancel, VANUATU]);
    expect(due(left)).toEqual([
      { provider: 'donor:japan', quantity: usd('350.00'), paid: usd('0.00'), outstanding: usd('350.00') },
    ]);
    const some = after(left, [pay(usd('100.00'), back(1)), CAVR]);
    expect(due(some)).toMatchObject([{ paid: usd('100.00'), outstanding: usd('250.00') }]);
    const more = after(some, [pay(usd('400.00'), back(1)), CAVR]);
    expect(due(more)).toMatchObject([{ paid: usd('350.00'), outstanding: usd('0.00') }]);
    // What is paid again, up to the money delivered, makes no refund smaller than none.
    const again: Events = [...left, transfer(2, usd('1.00'))];
    expect(due(again)).toMatchObject([{ paid: usd('0.00'), outstanding: usd('350.00') }]);
  });
  it('are none where as much was delivered, where nothing was paid, and where no leg is money', () => {
    const paid = after(start, [pay(usd('600.00')), JAPAN]);
    expect(due(after([...paid, delivery(1, usd('600.00'))], [cancel, VANUATU]))).toEqual([]);
    expect(due(after(start, [cancel, VANUATU]))).toEqual([]);
    const seats = after(bound({ implementer: 'agency:cavr' }), [pay(usd('600.00')), JAPAN]);
    expect(due(after(seats, [cancel, VANUATU]))).toEqual([]);
    expect(due([...start, CANCELLED])).toEqual([]);
  });
  it('are shared by what each provider paid, the odd cent with the first', () => {
    const joint: Events = [
      ...givenBy('donor:japan', 'donor:norway', 'donor:other'),
      transfer(1, usd('100.00')),
      transfer(2, usd('200.00'), { from: 'donor:norway' }),
      delivery(1, usd('299.99')),
    ];
    expect(due(after(joint, [cancel, VANUATU]))).toMatchObject([{ provider: 'donor:japan', quantity: usd('0.01') }]);
    const early: Events = [...joint.slice(0, -1), delivery(1, usd('199.99'))];
    expect(due(after(early, [cancel, VANUATU]))).toMatchObject([
      { provider: 'donor:japan', quantity: usd('33.34') },
      { provider: 'donor:norway', quantity: usd('66.67') },
    ]);
  });
  // Seen failing with the amounts that a cancellation fixed alone.
  it('are what is paid beyond the money legs since an amendment took from them, before any cancellation', () => {
    const paid: Events = [...start, transfer(1, usd('600.00'))];
    const amended = (leg: number, drawn: Quantity): Events => {
      const legs = [{ ...{ leg, offerLine: 1, needLine: 1, amendment: 1 }, drawn, credited: drawn }];
      const [shared, changes] = [{ n: 1, increases: [], decreases: [], recredited: [] }, { legs }];
      const [party, reason, expiresAt] = ['donor:japan', 'Less is needed.', '2026-02-04T09:00:00.000Z'];
      return [
        ...paid,
        { type: 'AmendmentProposed', data: { n: 1, party, side: 'provider', changes, reason, expiresAt } },
        { type: 'CommitmentAmended', data: { ...shared, changes, legs } },
      ];
    };
    expect(due(paid)).toEqual([]);
    const less = amended(1, usd('450.00'));
    expect(due(less)).toEqual([
      { provider: 'donor:japan', quantity: usd('150.00'), paid: usd('0.00'), outstanding: usd('150.00') },
    ]);
    expect(due(after(less, [pay(usd('100.00'), back(1)), CAVR]))).toMatchObject([{ outstanding: usd('50.00') }]);
    const elsewhere = amended(2, eur('450.00'));
    expect(due(elsewhere)).toMatchObject([{ outstanding: usd('600.00') }]);
    expect(due(after(elsewhere, [cancel, VANUATU]))).toMatchObject([{ quantity: usd('600.00') }]);
  });
  it('count the money legs of a currency together', () => {
    const two = bound({
      legs: [
        { offerLine: 1, needLine: 1, drawn: usd('100.00') },
        { offerLine: 1, needLine: 1, drawn: usd('100.00') },
        { offerLine: 2, needLine: 2, drawn: { measure: 'seats', amount: '2' } },
      ],
    });
    const paid = after(two, [pay(usd('150.00')), JAPAN]);
    expect(due(after([...paid, delivery(1, usd('20.00'), { leg: 2 })], [cancel, VANUATU]))).toMatchObject([
      { quantity: usd('130.00') },
    ]);
  });
});

describe('a fund that keeps its book', () => {
  const sign = (decision?: { readonly decided?: Quantity }): Body => ({
    type: 'SignCommitment',
    ...(decision === undefined ? {} : { decision }),
  });
  const ready = accepted({ legs: [{ offerLine: 1, needLine: 1, drawn: usd('1000.00') }] });
  it('signs under a decision that leaves enough for the need, in its currency', () => {
    expectRefused(ready, sign({}), JAPAN, 'decision-required');
    expectRefused(ready, sign({ decided: usd('999.99') }), JAPAN, 'decision-required');
    expectRefused(ready, sign({ decided: eur('1000.00') }), JAPAN, 'decision-required');
    after(ready, [sign({ decided: usd('1000.00') }), JAPAN]);
    after(ready, [sign(), JAPAN]);
    after(accepted(), [sign({ decided: usd('1.00') }), JAPAN]);
    expectRefused(accepted(), sign({}), JAPAN, 'decision-required');
  });
  it('signs a joint offer under any decision for the need, for nobody knows its part', () => {
    const [proposal, meta] = ready[0] as [Extract<CommitmentEvent, { type: 'CommitmentProposed' }>, object];
    const joint: Given<CommitmentEvent>[] = [
      [{ ...proposal, data: { ...proposal.data, providers: ['donor:japan', 'donor:norway'] } }, meta],
      ...ready.slice(1),
    ];
    expectRefused(joint, sign({}), JAPAN, 'decision-required');
    after(joint, [sign({ decided: usd('1.00') }), JAPAN]);
    after(joint, [sign({ decided: eur('1.00') }), JAPAN]);
  });
});

describe('a replay that lacks events', () => {
  it('passes over what refers to them', () => {
    const correction: Given<CommitmentEvent> = {
      type: 'TransferCorrected',
      data: { n: 9, amount: usd('1.00'), date: DAY, reason: 'x' },
    };
    expect(at([...start, correction])).toEqual(at(start));
    const receipt: Given<CommitmentEvent> = {
      type: 'ReceiptCorrected',
      data: { n: 9, transfer: 1, amount: usd('1.00'), date: DAY, reason: 'x' },
    };
    expect(at([...start, receipt])).toEqual(at(start));
    const orphan: Given<CommitmentEvent> = {
      type: 'ReceiptReported',
      data: { n: 1, transfer: 4, party: 'agency:cavr', amount: usd('1.00'), date: DAY },
    };
    expect(at([...start, orphan]).receipts).toHaveLength(1);
    expect(at([...start, orphan]).accounts).toEqual({});
    expect(at([...start, transfer(2, usd('1.00'), { ...back(1), onward: 1 })]).transfers).toHaveLength(1);
    const late = at([...start, transfer(3, usd('5.00')), transfer(4, usd('2.00'), back(3))]);
    expect(late.transfers).toMatchObject([{ n: 3, tally: { refunded: '200' } }, { n: 4 }]);
    expect(transferOf(late, 4)?.kind).toBe('refund');
    const settled: Given<CommitmentEvent> = { type: 'DiscrepancySettled', data: { n: 1 } };
    const stated = at([
      ...start,
      {
        type: 'ReceiptReported',
        data: {
          n: 1,
          transfer: 4,
          party: 'agency:cavr',
          amount: usd('1.00'),
          date: DAY,
          discrepancy: { n: 1, quantity: usd('2.00'), sign: 'short' },
        },
      },
      settled,
    ]);
    expect(stated.discrepancies).toMatchObject([{ status: 'settled', agreed: usd('0.00') }]);
    const open = stateAfter(commitmentDecider, [
      ...start,
      {
        type: 'ReceiptReported',
        data: {
          n: 1,
          transfer: 4,
          party: 'agency:cavr',
          amount: usd('1.00'),
          date: DAY,
          discrepancy: { n: 1, quantity: usd('2.00'), sign: 'short' },
        },
      },
    ]);
    const decided = commitmentDecider.decide(
      { type: 'SettleDiscrepancy', n: 1, reason: 'x', by: { actor: JAPAN, at: TEST_TIME, effectiveAt: TEST_TIME } },
      open,
    );
    expect(decided.kind).toBe('accepted');
  });
});

// A model of its own: from the reports as corrected, nothing of the decider's tallies.
interface Reports {
  readonly transfers: Of<'TransferReported'>[];
  readonly receipts: Omit<Of<'ReceiptReported'>, 'discrepancy'>[];
  readonly expenditures: Of<'ExpenditureReported'>[];
}
const reportsOf = (events: Events): Reports => {
  const reports: Reports = { transfers: [], receipts: [], expenditures: [] };
  for (const given of events) {
    const event = (Array.isArray(given) ? given[0] : given) as CommitmentEvent;
    if (event.type === 'TransferReported') reports.transfers.push(event.data);
    if (event.type === 'ReceiptReported') reports.receipts.push(event.data);
    if (event.type === 'ExpenditureReported') reports.expenditures.push(event.data);
    if (event.type === 'TransferCorrected') {
      const { n } = event.data;
      reports.transfers.splice(
        n - 1,
        1,
        ...reports.transfers.slice(n - 1, n).map((before) => ({ ...before, ...event.data })),
      );
    }
    if (event.type === 'ReceiptCorrected') {
      const { n } = event.data;
      reports.receipts.splice(
        n - 1,
        1,
        ...reports.receipts.slice(n - 1, n).map(({ party }) => ({ party, ...event.data })),
      );
    }
  }
  return reports;
};
const codeOf = (money: Quantity): string => (money.measure === 'money' ? money.currency : '');
const inflowOf = ({ transfers, receipts, expenditures }: Reports, holder: string, currency: string): bigint => {
  const reached = transfers.flatMap(({ n, from, to, amount }) => {
    if (to !== holder || from === to) return [];
    const mine = receipts.filter((receipt) => receipt.transfer === n);
    return mine.length === 0 ? [amount] : mine.map(({ amount: arrived, credited = arrived }) => credited);
  });
  const left = transfers.filter(({ from, to }) => from === holder && from !== to).map(({ amount }) => amount);
  const gains = transfers.filter(
    ({ kind, from, to, effect }) =>
      from === holder && to === holder && (['interest', 'programme-income'].includes(kind) || effect === 'gain'),
  );
  const costs = transfers.filter((each) => each.from === holder && each.to === holder && !gains.includes(each));
  const replaced = new Set(expenditures.flatMap(({ replaces = [] }) => replaces));
  const spent = expenditures
    .filter(({ n, party }) => party === holder && !replaced.has(n))
    .flatMap(({ lines }) => lines.map(({ amount }) => amount));
  const sum = (amounts: readonly Quantity[]): bigint =>
    amounts.filter((amount) => codeOf(amount) === currency).reduce((total, amount) => total + minorUnits(amount), 0n);
  return (
    sum(reached) +
    sum(gains.map(({ amount }) => amount)) -
    sum(left) -
    sum(costs.map(({ amount }) => amount)) -
    sum(spent)
  );
};
/** Nobody is left once those to whom nothing is paid any more are taken away, one after the other. */
const isAcyclic = (edges: readonly (readonly [string, string])[]): boolean => {
  let left = [...edges];
  for (;;) {
    const payers = new Set(left.map(([from]) => from));
    const rest = left.filter(([, to]) => payers.has(to));
    if (rest.length === left.length) return rest.length === 0;
    left = rest;
  }
};

const PARTIES: readonly Actor[] = [JAPAN, CAVR, PAYMASTER, NGO];
const party = fc.constantFrom(...PARTIES);
const money = fc
  .tuple(fc.integer({ min: 1, max: 60_000 }), fc.boolean())
  .map(([minor, inEuro]) => quantityOf(inEuro ? eur('0') : usd('0'), BigInt(minor)));
const dollars = fc.integer({ min: 1, max: 30_000 }).map((minor) => quantityOf(usd('0'), BigInt(minor)));
const reference = fc.integer({ min: 1, max: 4 });
const move = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pay' as const),
      from: party,
      to: party,
      amount: dollars,
      onward: fc.option(reference, { freq: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('refund' as const), of: reference, amount: dollars }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('book' as const),
      by: party,
      amount: money,
      kind: fc.constantFrom('fee', 'interest', 'programme-income', 'bank-charge', 'exchange-difference'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('receive' as const), of: reference, amount: dollars, halved: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('correct' as const), n: reference, amount: money }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('recount' as const), n: reference, amount: dollars, halved: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('spend' as const),
      by: party,
      amount: money,
      day: fc.integer({ min: 1, max: 4 }),
      days: fc.integer({ min: 0, max: 3 }),
      certified: fc.boolean(),
    }),
  },
);
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

const half = (amount: Quantity): { readonly credited: Quantity; readonly rate: string } => ({
  credited: quantityOf(eur('0'), minorUnits(amount) / 2n + 1n),
  rate: '0.5',
});
const bodyOf = (each: Move, state: CommitmentState): readonly [Body, string] => {
  const there = 'of' in each ? state.transfers[each.of - 1] : undefined;
  switch (each.do) {
    case 'pay':
      return [
        pay(each.amount, {
          kind: 'onward-grant',
          from: each.from.party,
          to: each.to.party,
          ...(each.onward === null ? {} : { onward: each.onward }),
        }),
        each.from.party,
      ];
    case 'refund':
      return [
        pay(each.amount, { kind: 'refund', from: there?.to ?? '', to: there?.from ?? '', of: each.of }),
        there?.to ?? '',
      ];
    case 'book':
      return [pay(each.amount, { kind: each.kind as 'fee', from: each.by.party, to: each.by.party }), each.by.party];
    case 'receive':
      return [receive(each.of, each.amount, each.halved ? half(each.amount) : {}), there?.to ?? ''];
    case 'correct':
      return [
        { type: 'CorrectTransfer', n: each.n, amount: each.amount, reason: 'x' },
        state.transfers[each.n - 1]?.from ?? '',
      ];
    case 'recount':
      return [
        {
          type: 'CorrectReceipt',
          n: each.n,
          amount: each.amount,
          reason: 'x',
          ...(each.halved ? half(each.amount) : {}),
        },
        state.receipts[each.n - 1]?.party ?? '',
      ];
    case 'spend':
      return [
        spend(each.amount, {
          kind: each.certified ? 'certified' : 'interim',
          from: `2026-01-0${each.day}`,
          to: `2026-01-0${each.day + each.days}`,
        }),
        each.by.party,
      ];
  }
};

/** Plays moves; after each that is accepted, `check` looks at the record and at all its events. */
const play = (
  moves: readonly Move[],
  check: (state: CommitmentState, events: Events, last: CommitmentEvent) => void,
): void => {
  // Some money has arrived already, so that most of what is drawn can happen.
  const events: Given<CommitmentEvent>[] = [
    ...start,
    transfer(1, usd('500.00')),
    transfer(2, usd('200.00'), { ...toNgo, onward: 1 }),
  ];
  let state = at(events);
  for (const each of moves) {
    if (each.do === 'pay' && each.from.party === each.to.party) continue;
    const [body, by] = bodyOf(each, state);
    const actor = PARTIES.find((one) => one.party === by) ?? STRANGER;
    const decision = commitmentDecider.decide({ ...body, by: { actor, at: TEST_TIME, effectiveAt: TEST_TIME } }, state);
    if (decision.kind === 'refused') continue;
    for (const event of decision.events) {
      events.push(event);
      state = commitmentDecider.evolve(state, recordedEvent<CommitmentEvent>('commitment-r1', events.length, event));
      check(state, events, event);
    }
  }
};

describe('money over any sequence of reports and corrections', () => {
  const sequences = fc.array(move, { minLength: 3, maxLength: 30 });
  // Seen failing with a corrected receipt left in the books beside its correction, and with the payer's balance not asked.
  it('leaves every holder with what came in less what went out, and never less than nothing (I9)', () => {
    fc.assert(
      fc.property(sequences, (moves) => {
        play(moves, (state, events) => {
          const reports = reportsOf(events);
          for (const holder of ['agency:cavr', 'agency:paymaster', 'agency:ngo']) {
            for (const currency of ['USD', 'EUR']) {
              const balance = inflowOf(reports, holder, currency);
              assert.equal(balanceOf(state, holder, currency), balance);
              assert.ok(balance >= 0n);
            }
          }
          for (const row of rows(state)) {
            const minor = (name: string): bigint => minorUnits(row[name] as Quantity);
            assert.equal(
              minor('received') + minor('own') + minor('interest') + minor('income') + minor('refundsReceived'),
              minor('passedOn') +
                minor('fees') +
                minor('charges') +
                minor('refundsPaid') +
                minor('spent') -
                minor('exchange') +
                minor('balance'),
            );
          }
        });
      }),
      { numRuns: 200 },
    );
  });
  // Seen failing without the search for a circle, and with the bound of what is passed on moved up.
  it('points refunds at what they reverse, passes on no more than arrived, and runs in no circle (I9)', () => {
    fc.assert(
      fc.property(sequences, (moves) => {
        play(moves, (_state, events) => {
          const { transfers, receipts } = reportsOf(events);
          const sum = (amounts: readonly Quantity[]): bigint =>
            amounts.reduce((total, amount) => total + minorUnits(amount), 0n);
          assert.ok(
            isAcyclic(
              transfers
                .filter(({ kind, from, to }) => kind !== 'refund' && from !== to)
                .map(({ from, to }) => [from, to] as const),
            ),
          );
          for (const { n, from, to, amount } of transfers) {
            const refunds = transfers.filter(({ of }) => of === n);
            for (const refund of refunds) assert.deepEqual([refund.from, refund.to], [to, from]);
            assert.ok(sum(refunds.map((refund) => refund.amount)) <= minorUnits(amount));
            const mine = receipts.filter(({ transfer: about }) => about === n);
            const booked = mine.length === 0 ? [amount] : mine.map(({ amount: came, credited = came }) => credited);
            for (const currency of ['USD', 'EUR']) {
              const inIt = (money: readonly Quantity[]): bigint =>
                sum(money.filter((each) => codeOf(each) === currency));
              const passed = transfers.filter(({ onward }) => onward === n).map((each) => each.amount);
              assert.ok(inIt(passed) <= inIt(booked));
            }
          }
        });
      }),
      { numRuns: 200 },
    );
  });
  // Seen failing with a corrected transfer counted beside its correction.
  it('never disburses more than the money legs bind, net of what came back (I3)', () => {
    fc.assert(
      fc.property(sequences, (moves) => {
        play(moves, (state, events, last) => {
          if (last.type !== 'TransferReported' && last.type !== 'TransferCorrected') return;
          const { transfers } = reportsOf(events);
          const net = transfers
            .filter(({ amount }) => codeOf(amount) === 'USD')
            .reduce(
              (sum, each) => sum + disbursementSign({ transfers }, 'donor:japan', each) * minorUnits(each.amount),
              0n,
            );
          expect(state.net['donor:japan']?.USD ?? '0').toBe(String(net));
          expect(net).toBeLessThanOrEqual(100_000n);
        });
      }),
      { numRuns: 200 },
    );
  });
  // Seen failing with accounts looked at again only where transfers changed, and with views kept by their place alone.
  it('is shown of every past state as the record showed it then', () => {
    const viewing = { caller: ANONYMOUS, at: TEST_TIME, label: 'public' } as const;
    fc.assert(
      fc.property(sequences, (moves) => {
        const past = pastCommitments(viewing, 'r1');
        play(moves, (state) => {
          const { actions, ...record } = commitmentView(viewing, 'r1', state) as Readonly<Record<string, unknown>>;
          expect(past.of(state)).toEqual(record);
          expect(past.actions?.(state)).toEqual(actions);
        });
      }),
      { numRuns: 100 },
    );
  });
  // Seen failing with the rate of a corrected receipt not asked again.
  it('keeps every rate as it was reported, and its figures with it (I12)', () => {
    fc.assert(
      fc.property(sequences, (moves) => {
        play(moves, (state, events) => {
          for (const { n, amount, credited, rate } of reportsOf(events).receipts) {
            const kept = state.receipts.find((receipt) => receipt.n === n);
            expect([kept?.amount, kept?.credited, kept?.rate]).toEqual([amount, credited, rate]);
            if (credited !== undefined && rate !== undefined) expect(rateHolds(amount, rate, credited)).toBe(true);
          }
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('a proposal', () => {
  it('starts without money', () => {
    expect(accountsView(at([proposed()]))).toEqual({ balances: [], refundsDue: [] });
    expect(at([...start, closed('confirmed')]).transfers).toEqual([]);
  });
});
