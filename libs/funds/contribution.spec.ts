import { describe, expect, it } from '@jest/globals';
import { emptyFold, foldOnto } from '#kernel';
import { recordedHistory, specFor } from '#kernel-testing';
import type { ContributionState, FundFacts } from './contribution.js';
import { allowsOnContribution, arrivalOf, contributionDecider, receivedOf, statusOf, worthOf } from './contribution.js';
import type { ContributionEvent } from './fund.contract.js';
import { administrator, coordinator, desk, FUND, japan, money } from './fund.fixture.js';

const spec = specFor(contributionDecider);
const given: typeof spec.given = (...events) => spec.given(...events);

const fund: FundFacts = {
  administrator: 'agency:undp',
  currency: 'USD',
  windows: [{ code: 'pacific', name: 'Pacific' }],
  available: money(1000),
};
const PLEDGE = { fund: FUND, amount: money(100), date: '2026-01-04', visibility: 'members' } as const;
const pledged = (amount = money(100)): ContributionEvent => ({
  type: 'ContributionPledged',
  data: { ...PLEDGE, amount, donor: 'donor:japan' },
});
const signed: ContributionEvent = { type: 'ContributionSigned', data: { party: 'donor:japan', date: '2026-01-04' } };
const paid = (n: number, amount: number): ContributionEvent => ({
  type: 'ContributionPaid',
  data: { n, amount: money(amount), date: '2026-01-04' },
});
const received = (n: number, amount: number, charges?: number): ContributionEvent => ({
  type: 'ContributionReceived',
  data: { n, amount: money(amount), date: '2026-01-04', ...(charges === undefined ? {} : { charges: money(charges) }) },
});
const refunded: ContributionEvent = {
  type: 'ContributionRefunded',
  data: { n: 1, amount: money(40), date: '2026-01-05' },
};
const closed: ContributionEvent = { type: 'ContributionClosed', data: { party: FUND } };
const reason = { code: 'budget' } as const;
const cancelled: ContributionEvent = { type: 'ContributionCancelled', data: { party: 'donor:japan', reason } };
const EURO = pledged(money(100, 'EUR'));

const facts = ({ contribution }: ContributionState): readonly unknown[] => {
  if (contribution === undefined) throw new Error('no contribution');
  return [statusOf(contribution), arrivalOf(contribution), receivedOf(contribution), worthOf(contribution)];
};

describe('a contribution', () => {
  // Seen failing with the donor's own book not asked: what it gave away it could allocate again.
  it('is neither pledged nor signed by a fund that keeps a book: that signs under a decision alone', () => {
    const actor = { ...desk, party: 'fund:trust' };
    const pledge = { type: 'PledgeContribution', pledge: PLEDGE, fund } as const;
    given()
      .when({ ...pledge, donorKeepsBook: true }, { actor })
      .refused('decision-required');
    given()
      .when({ ...pledge, donorKeepsBook: false }, { actor })
      .accepted();
    const given1: ContributionEvent = { type: 'ContributionPledged', data: { ...PLEDGE, donor: 'fund:trust' } };
    const sign = { type: 'SignContribution', date: '2026-01-04', fund } as const;
    given(given1)
      .when({ ...sign, donorKeepsBook: true }, { actor })
      .refused('decision-required');
    given(given1).when(sign, { actor }).accepted();
  });

  it('is pledged by its donor’s desk to a fund that keeps a book', () => {
    const pledge = { type: 'PledgeContribution', pledge: PLEDGE, fund } as const;
    given().when(pledge, { actor: japan }).then(pledged());
    given()
      .when({ ...pledge, pledge: { ...PLEDGE, window: 'pacific' } }, { actor: japan })
      .accepted();
    given().when(pledge, { actor: coordinator }).refused('forbidden');
    given().when(pledge, { actor: desk }).refused('own-fund', 'fund');
    given(pledged()).when(pledge, { actor: japan }).refused('already-exists');
    given()
      .when({ type: 'PledgeContribution', pledge: PLEDGE }, { actor: japan })
      .refused('fund-keeps-no-book', 'fund');
    given()
      .when({ ...pledge, pledge: { ...PLEDGE, window: 'africa' } }, { actor: japan })
      .refused('unknown-window', 'window');
    given().when({ type: 'CloseContribution' }, { actor: japan }).refused('not-found');
  });

  it('goes from pledged through signed and received to its end', () => {
    expect(facts(given(pledged()).state)).toEqual(['pledged', 'none', money(0), undefined]);
    expect(facts(given(pledged(), signed).state)).toEqual(['signed', 'none', money(0), money(100)]);
    expect(facts(given(pledged(), signed, received(1, 60)).state)).toEqual(['received', 'part', money(60), money(100)]);
    expect(facts(given(pledged(), signed, received(1, 60), received(2, 38, 2)).state).slice(0, 2)).toEqual([
      'received',
      'full',
    ]);
    expect(facts(given(pledged(), signed, received(1, 60), cancelled).state)[0]).toBe('cancelled');
    expect(facts(given(pledged(), signed, received(1, 60), closed, refunded).state)).toEqual([
      'closed',
      'part',
      money(60),
      money(100),
    ]);
    const unknown = { type: 'Unknown', data: {} } as never;
    expect(contributionDecider.evolve({}, unknown)).toEqual({});
    expect(contributionDecider.evolve(given(pledged()).state, unknown)).toEqual(given(pledged()).state);
  });

  it('is signed by its donor once, with its worth where it is in another currency', () => {
    const sign = { type: 'SignContribution', date: '2026-01-04', fund } as const;
    given(pledged()).when(sign, { actor: japan }).then(signed);
    given(pledged())
      .when({ ...sign, reference: 'A1' }, { actor: japan })
      .accepted();
    given(pledged()).when(sign, { actor: desk }).refused('forbidden');
    given(pledged(), signed).when(sign, { actor: japan }).refused('not-pledged');
    given(pledged(), cancelled).when(sign, { actor: japan }).refused('contribution-closed');
    const valued = { quantity: money(108), rate: '1.08', source: 'ECB' };
    const { state } = given(EURO)
      .when({ ...sign, valued }, { actor: japan })
      .accepted();
    expect(facts(state)[3]).toEqual(money(108));
    given(EURO)
      .when({ ...sign, valued: { ...valued, rate: '1.09' } }, { actor: japan })
      .refused('valuation-mismatch', 'valued.rate');
    given(EURO)
      .when({ ...sign, valued: { ...valued, quantity: money(108, 'GBP') } }, { actor: japan })
      .refused('currency-mismatch', 'valued.quantity');
    given(pledged())
      .when({ ...sign, valued }, { actor: japan })
      .refused('valuation-mismatch', 'valued.quantity');
    // A book that is gone cannot judge the worth, which stays what the sides agreed.
    given(EURO).when({ type: 'SignContribution', date: '2026-01-04', valued }, { actor: japan }).accepted();
  });

  it('is paid as its donor says, up to what was pledged', () => {
    const pay = { type: 'ReportPayment', amount: money(60), date: '2026-01-04' } as const;
    given(pledged(), signed).when(pay, { actor: japan }).then(paid(1, 60));
    given(pledged(), signed, paid(1, 40)).when(pay, { actor: japan }).then(paid(2, 60));
    given(pledged(), signed, paid(1, 41)).when(pay, { actor: japan }).refused('over-contribution', 'amount');
    given(pledged()).when(pay, { actor: japan }).refused('not-signed');
    given(pledged(), signed)
      .when({ ...pay, amount: money(1, 'EUR') }, { actor: japan })
      .refused('currency-mismatch', 'amount');
    given(pledged(), signed).when(pay, { actor: administrator }).refused('forbidden');
  });

  it('arrives as the fund says, booked in the fund’s currency', () => {
    const arrive = { type: 'ReportArrival', amount: money(60), date: '2026-01-04', fund } as const;
    given(pledged(), signed).when(arrive, { actor: administrator }).then(received(1, 60));
    given(pledged(), signed)
      .when({ ...arrive, charges: money(1) }, { actor: desk })
      .then(received(1, 60, 1));
    given(pledged(), signed, paid(1, 60))
      .when({ ...arrive, payment: 1 }, { actor: desk })
      .accepted();
    given(pledged(), signed)
      .when({ ...arrive, payment: 1 }, { actor: desk })
      .refused('unknown-payment', 'payment');
    given(pledged(), signed).when(arrive, { actor: japan }).refused('forbidden');
    given(pledged(), signed)
      .when({ type: 'ReportArrival', amount: money(60), date: '2026-01-04' }, { actor: desk })
      .refused('fund-keeps-no-book');
    given(pledged(), signed)
      .when({ ...arrive, amount: money(1, 'EUR') }, { actor: desk })
      .refused('currency-mismatch', 'amount');
    given(pledged(), signed)
      .when({ ...arrive, charges: money(1, 'EUR') }, { actor: desk })
      .refused('currency-mismatch', 'charges');
    given(pledged(), signed, received(1, 41)).when(arrive, { actor: desk }).refused('over-contribution', 'amount');
    given(pledged(), signed)
      .when({ ...arrive, credited: money(60), rate: '1' }, { actor: desk })
      .refused('valuation-mismatch', 'credited');
    given(pledged(), signed)
      .when({ ...arrive, rate: '1' }, { actor: desk })
      .refused('valuation-mismatch', 'credited');
    const euros = { ...arrive, amount: money(60, 'EUR') };
    given(EURO, signed).when(euros, { actor: desk }).refused('valuation-required', 'credited');
    given(EURO, signed)
      .when({ ...euros, credited: money(66) }, { actor: desk })
      .refused('valuation-required', 'credited');
    given(EURO, signed)
      .when({ ...euros, credited: money(66), rate: '1.1' }, { actor: desk })
      .accepted();
    given(EURO, signed, closed)
      .when({ ...euros, credited: money(66), rate: '1.1' }, { actor: desk })
      .refused('contribution-closed');
  });

  it('is paid back from what arrived and is not allocated', () => {
    const refund = { type: 'RefundContribution', amount: money(40), date: '2026-01-05', fund } as const;
    const arrived = [pledged(), signed, received(1, 60)] as const;
    given(...arrived)
      .when(refund, { actor: administrator })
      .then(refunded);
    given(...arrived, cancelled)
      .when(refund, { actor: desk })
      .then(refunded);
    given(...arrived, refunded)
      .when(refund, { actor: desk })
      .refused('over-refund', 'amount');
    given(pledged(), signed).when(refund, { actor: desk }).refused('over-refund');
    given(pledged(), signed, cancelled).when(refund, { actor: desk }).refused('over-refund');
    given(...arrived)
      .when({ ...refund, amount: money(1, 'EUR') }, { actor: desk })
      .refused('currency-mismatch', 'amount');
    given(...arrived)
      .when({ ...refund, fund: { ...fund, available: money(39) } }, { actor: desk })
      .refused('insufficient-funds', 'amount');
    given(...arrived)
      .when({ ...refund, credited: money(40), rate: '1' }, { actor: desk })
      .refused('valuation-mismatch');
    given(...arrived)
      .when({ type: 'RefundContribution', amount: money(40), date: '2026-01-05' }, { actor: desk })
      .refused('fund-keeps-no-book');
    given(...arrived)
      .when(refund, { actor: japan })
      .refused('forbidden');
    const euros: ContributionEvent = {
      type: 'ContributionReceived',
      data: { n: 1, amount: money(60, 'EUR'), credited: money(66), rate: '1.1', date: '2026-01-04' },
    };
    const back = { ...refund, amount: money(10, 'EUR'), credited: money(11), rate: '1.1' };
    given(EURO, signed, euros).when(back, { actor: desk }).accepted();
    given(EURO, signed, euros)
      .when({ ...back, fund: { ...fund, available: money(10) } }, { actor: desk })
      .refused('insufficient-funds');
  });

  it('ends by closing, or by cancelling what has not all arrived', () => {
    const cancel = { type: 'CancelContribution', reason } as const;
    given(pledged(), signed).when({ type: 'CloseContribution' }, { actor: desk }).then(closed);
    given(pledged(), signed).when({ type: 'CloseContribution', fund }, { actor: administrator }).accepted();
    given(pledged(), signed)
      .when({ type: 'CloseContribution', fund }, { actor: { ...administrator, role: 'implementer' } })
      .accepted();
    given(pledged(), signed)
      .when({ type: 'CloseContribution', fund }, { actor: { ...administrator, role: 'coordinator' } })
      .refused('forbidden');
    given(pledged()).when({ type: 'CloseContribution' }, { actor: japan }).refused('not-signed');
    given(pledged()).when(cancel, { actor: japan }).then(cancelled);
    given(pledged(), signed, received(1, 60)).when(cancel, { actor: desk }).accepted();
    given(pledged(), signed, received(1, 100)).when(cancel, { actor: japan }).refused('fully-received');
    given(pledged(), cancelled).when(cancel, { actor: japan }).refused('contribution-closed');
    given(pledged(), signed).when(cancel, { actor: administrator }).refused('forbidden');
  });
});

describe('what may be reported of a contribution', () => {
  const allowed = (...events: readonly ContributionEvent[]): readonly boolean[] => {
    const { contribution } = foldOnto(
      contributionDecider,
      emptyFold(contributionDecider.initial),
      recordedHistory(contributionDecider, events),
    ).state;
    if (contribution === undefined) throw new Error('no contribution');
    return [allowsOnContribution('ReportPayment', contribution), allowsOnContribution('ReportArrival', contribution)];
  };

  it('ends with the sum that was pledged', () => {
    expect(allowed(pledged(), signed, paid(1, 60), received(1, 99, 1))).toEqual([true, true]);
    expect(allowed(pledged(), signed, paid(1, 60), paid(2, 40))).toEqual([false, true]);
    expect(allowed(pledged(), signed, received(1, 100))).toEqual([true, false]);
    const cent = { type: 'ReportArrival', amount: money(1), date: '2026-01-05', fund } as const;
    given(pledged(), signed, received(1, 100)).when(cent, { actor: desk }).refused('over-contribution', 'amount');
  });
});
