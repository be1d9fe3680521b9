import { describe, expect, it, test } from '@jest/globals';
import { specFor } from '#kernel-testing';
import {
  administrator,
  coordinator,
  credited,
  decided,
  desk,
  established,
  FUND,
  japan,
  money,
  process,
  released,
  TERMS,
  used,
} from './fund.fixture.js';
import type { FundBook, FundState } from './fund.js';
import { decidedFor, figuresOf, fundDecider } from './fund.js';

const spec = specFor(fundDecider, { idempotent: ['AmendFundTerms', 'AttachFundDocument'], id: FUND });
const given: typeof spec.given = (...events) => spec.given(...events);

const bookOf = ({ book }: FundState): FundBook => {
  if (book === undefined) throw new Error('no book');
  return book;
};
const figures = (state: FundState): Record<string, string> =>
  Object.fromEntries(
    Object.entries(figuresOf(bookOf(state))).map(([part, minor]) => [part, String(Number(minor) / 100)]),
  );

const ESTABLISH = { type: 'EstablishFund', fund: FUND, terms: TERMS, unregistered: [] } as const;

describe('a fund keeps a book', () => {
  test.each([desk, coordinator])('from when its desk or the coordinator establishes it', (actor) => {
    given().when(ESTABLISH, { actor }).then(established());
  });

  it('not by anyone else, not twice, not with strangers', () => {
    given().when(ESTABLISH, { actor: japan }).refused('forbidden');
    given()
      .when({ ...ESTABLISH, fund: 'fund:other' }, { actor: desk })
      .refused('forbidden');
    given(established()).when(ESTABLISH, { actor: desk }).refused('already-exists', 'fund');
    given()
      .when({ ...ESTABLISH, unregistered: ['agency:x'] }, { actor: desk })
      .refused('unknown-party');
  });

  it('in periods that share no day and with a reserve in its currency', () => {
    const periods = [...TERMS.periods, { from: '2025-12-31', to: '2026-12-31' }];
    given()
      .when({ ...ESTABLISH, terms: { ...TERMS, periods } }, { actor: desk })
      .refused('overlapping-periods', 'periods[2]');
    const reserve = money(1, 'EUR');
    given()
      .when({ ...ESTABLISH, terms: { ...TERMS, reserve } }, { actor: desk })
      .refused('currency-mismatch', 'reserve');
  });

  it('and is not there before', () => {
    given().when({ type: 'ReleaseDecision', n: 1 }, { actor: desk }).refused('not-found');
    const unknown = { type: 'Unknown', data: {} } as never;
    expect(fundDecider.evolve({}, unknown)).toEqual({});
    expect(fundDecider.evolve(given(established()).state, unknown)).toEqual(given(established()).state);
  });
});

describe('terms', () => {
  const amend = (changes: Partial<typeof TERMS>, unregistered: readonly string[] = []) =>
    ({ type: 'AmendFundTerms', changes, unregistered }) as const;

  it('are amended by desk and coordinator, and asking for what holds writes nothing', () => {
    const changes = { windows: [] };
    given(established())
      .when(amend(changes), { actor: coordinator })
      .then({ type: 'FundTermsAmended', data: { changes } });
    given(established())
      .when(amend({ currency: 'USD' }), { actor: desk })
      .then();
    given(established()).when(amend(changes), { actor: administrator }).refused('forbidden');
    given(established())
      .when(amend({ administrator: 'agency:x' }, ['agency:x']), { actor: desk })
      .refused('unknown-party');
  });

  it('keep the currency once money moved, and closed periods', () => {
    given(established())
      .when(amend({ currency: 'EUR' }), { actor: desk })
      .accepted();
    given(established(), credited('received', 1))
      .when(amend({ currency: 'EUR' }), { actor: desk })
      .refused('currency-in-use', 'currency');
    const [period] = TERMS.periods;
    if (period === undefined) throw new Error('no period');
    const closed = given(established(), { type: 'PeriodClosed', data: { period, party: FUND } });
    closed.when(amend({ periods: [] }), { actor: desk }).refused('period-closed', 'periods');
    closed.when(amend({ periods: [period] }), { actor: desk }).accepted();
  });

  it('set a reserve before the money for it is there', () => {
    given(established())
      .when(amend({ reserve: money(100) }), { actor: desk })
      .accepted();
  });

  it('leave what is allocated covered', () => {
    const allocated = given(established(), credited('received', 100), decided(1, ['n1', 100]));
    allocated.when(amend({ reserve: money(1) }), { actor: desk }).refused('insufficient-funds');
    given(established({ reserve: money(10) }), credited('received', 100), decided(1, ['n1', 100]))
      .when(amend({ reserve: money(5) }), { actor: desk })
      .accepted();
  });
});

describe('capacity', () => {
  it('is what arrived, or what was signed and may still come', () => {
    const events = [credited('signed', 100), credited('received', 30, 'c1', 1), credited('signed', 50, 'c2')];
    expect(figures(given(established(), events).state)).toMatchObject({
      signed: '150',
      received: '30',
      available: '30',
    });
    const signed = established({ capacityBasis: 'signed' });
    expect(figures(given(signed, events).state)).toMatchObject({ contributed: '150' });
    // Cancelled with 30 received: the rest does not come.
    expect(figures(given(signed, events, credited('unsigned', 70)).state)).toMatchObject({ contributed: '80' });
    // More arrived than was signed for.
    expect(figures(given(signed, events, credited('received', 90, 'c2', 1)).state)).toMatchObject({
      contributed: '190',
    });
  });

  it('counts each part once', () => {
    const booked = (
      n: number,
      kind: 'interest' | 'fee' | 'bank-charge' | 'exchange-difference' | 'programme-income',
      amount: number,
      effect: 'gain' | 'loss',
    ) => ({ type: 'FundBooked', data: { n, kind, effect, amount: money(amount), date: '2026-01-04' } }) as const;
    const { state } = given(
      established({ reserve: money(100) }),
      credited('received', 1000, 'c1', 1),
      credited('repaid', 50, 'c1', 1),
      { type: 'FundCredited', data: { source: 'refund', commitment: 'k1', n: 1, quantity: money(7) } },
      booked(1, 'interest', 20, 'gain'),
      booked(2, 'programme-income', 3, 'gain'),
      booked(3, 'fee', 70, 'loss'),
      booked(4, 'bank-charge', 5, 'loss'),
      booked(5, 'exchange-difference', 4, 'gain'),
      booked(6, 'exchange-difference', 6, 'loss'),
      decided(1, ['n1', 300]),
    );
    expect(figures(state)).toEqual({
      signed: '0',
      received: '1000',
      repaid: '50',
      contributed: '950',
      interest: '20',
      income: '3',
      refunds: '7',
      fees: '70',
      charges: '5',
      exchange: '-2',
      allocated: '300',
      used: '0',
      reserve: '100',
      available: '503',
    });
  });

  it('is credited by processes alone, each fact once, the last word counting', () => {
    const credit = { type: 'CreditFund', source: 'received', contribution: 'c1', n: 1, quantity: money(10) } as const;
    given(established()).when(credit, { actor: desk }).refused('forbidden');
    given().when(credit, { actor: process }).then();
    given(established())
      .when(credit, { actor: process })
      .then(credited('received', 10, 'c1', 1));
    const corrected = { ...credit, quantity: money(4) };
    const { state } = given(established(), credited('received', 10, 'c1', 1))
      .when(corrected, { actor: process })
      .accepted();
    expect(figures(state)).toMatchObject({ received: '4' });
    given(established())
      .when({ ...credit, quantity: money(0) }, { actor: process })
      .then();
    given(established())
      .when({ ...credit, quantity: money(1, 'EUR') }, { actor: process })
      .then();
  });
});

describe('a booking', () => {
  const booking = {
    type: 'BookFund',
    kind: 'fee',
    effect: 'loss',
    amount: money(7),
    rate: 'administration',
    base: money(100),
    date: '2026-01-04',
  } as const;
  const rich = [established({ reserve: money(10) }), credited('received', 100)] as const;

  test.each([desk, administrator])('is of the desk or the administrator', (actor) => {
    const { type: _, ...data } = booking;
    given(...rich)
      .when(booking, { actor })
      .then({ type: 'FundBooked', data: { n: 1, ...data } });
  });

  it('is in the currency of the fund, at a rate it has', () => {
    given(...rich)
      .when(booking, { actor: coordinator })
      .refused('forbidden');
    given(...rich)
      .when({ ...booking, amount: money(1, 'EUR') }, { actor: desk })
      .refused('currency-mismatch', 'amount');
    given(...rich)
      .when({ ...booking, base: money(1, 'EUR') }, { actor: desk })
      .refused('currency-mismatch', 'base');
    given(...rich)
      .when({ ...booking, rate: 'other' }, { actor: desk })
      .refused('unknown-rate', 'rate');
    given(established())
      .when(
        { type: 'BookFund', kind: 'interest', effect: 'gain', amount: money(5), date: '2026-01-04' },
        { actor: desk },
      )
      .accepted();
  });

  it('takes no fee out of the reserve, and no charge out of what is allocated', () => {
    given(...rich)
      .when({ ...booking, amount: money(90) }, { actor: desk })
      .accepted();
    given(...rich)
      .when({ ...booking, amount: money(91) }, { actor: desk })
      .refused('insufficient-funds', 'amount');
    const charge = { type: 'BookFund', kind: 'bank-charge', effect: 'loss', date: '2026-01-04' } as const;
    given(...rich)
      .when({ ...charge, amount: money(100) }, { actor: desk })
      .accepted();
    given(...rich)
      .when({ ...charge, amount: money(101) }, { actor: desk })
      .refused('insufficient-funds');
  });
});

describe('a decision', () => {
  const { data } = decided(1, ['n1', 60], ['n2', 40]) as Extract<
    ReturnType<typeof decided>,
    { type: 'AllocationDecided' }
  >;
  const { n: _, ...content } = data;
  const decide = { type: 'DecideAllocations', ...content, unknown: { needs: [], applications: [] } } as const;
  const rich = [established(), credited('received', 100)] as const;

  it('allocates what there is, and no more', () => {
    given(...rich)
      .when(decide, { actor: desk })
      .then(decided(1, ['n1', 60], ['n2', 40]));
    given(established(), credited('received', 99))
      .when(decide, { actor: desk })
      .refused('insufficient-funds', 'allocations');
    given(...rich, decided(1, ['n1', 1]))
      .when(decide, { actor: desk })
      .refused('insufficient-funds');
  });

  it('is recorded by the desk, in the fund’s currency, of a window it has, for needs there are', () => {
    given(...rich)
      .when(decide, { actor: administrator })
      .refused('forbidden');
    given(...rich)
      .when({ ...decide, window: 'pacific' }, { actor: desk })
      .accepted();
    given(...rich)
      .when({ ...decide, window: 'africa' }, { actor: desk })
      .refused('unknown-window', 'window');
    const euros = [{ needId: 'n1', amount: money(1, 'EUR') }];
    given(...rich)
      .when({ ...decide, allocations: euros }, { actor: desk })
      .refused('currency-mismatch', 'allocations[0].amount');
    given(...rich)
      .when({ ...decide, unknown: { needs: ['n2'], applications: [] } }, { actor: desk })
      .refused('not-found', 'allocations[1].needId');
    const answering = [{ needId: 'n1', call: 'k', application: 2, amount: money(1) }];
    given(...rich)
      .when({ ...decide, allocations: answering }, { actor: desk })
      .accepted();
    given(...rich)
      .when({ ...decide, allocations: answering, unknown: { needs: [], applications: [0] } }, { actor: desk })
      .refused('unknown-application', 'allocations[0].application');
  });

  it('is taken back as far as nothing draws on it', () => {
    const events = [...rich, decided(1, ['n1', 60], ['n2', 40]), used(1, 'n1', 'k1', 25)] as const;
    given(...events)
      .when({ type: 'ReleaseDecision', n: 1, reason: 'changed' }, { actor: desk })
      .then(
        { type: 'AllocationReleased', data: { decision: 1, needId: 'n1', quantity: money(35), reason: 'changed' } },
        { type: 'AllocationReleased', data: { decision: 1, needId: 'n2', quantity: money(40), reason: 'changed' } },
      );
    const one = given(...events).when({ type: 'ReleaseDecision', n: 1, needId: 'n2' }, { actor: desk });
    expect(figures(one.then(released(1, 'n2', 40)))).toMatchObject({ allocated: '60', available: '40' });
    given(...events, released(1, 'n2', 40))
      .when({ type: 'ReleaseDecision', n: 1, needId: 'n2' }, { actor: desk })
      .refused('nothing-to-release');
    given(...events)
      .when({ type: 'ReleaseDecision', n: 2 }, { actor: desk })
      .refused('unknown-decision');
    given(...events)
      .when({ type: 'ReleaseDecision', n: 1 }, { actor: administrator })
      .refused('forbidden');
  });
});

describe('what commitments draw', () => {
  const settle = (commitment: string, amount: number, shared = false, less = 0) =>
    ({
      type: 'SettleUse',
      commitment,
      needId: 'n1',
      used: money(amount),
      released: money(less),
      shared,
      through: 2,
    }) as const;
  const decisions = [
    established(),
    credited('received', 100),
    decided(1, ['n1', 30], ['n2', 10]),
    decided(2, ['n1', 20]),
  ] as const;

  it('is taken from the oldest decision first, and given back to the newest', () => {
    given(...decisions)
      .when(settle('k1', 40), { actor: process })
      .then(used(1, 'n1', 'k1', 30), used(2, 'n1', 'k1', 10));
    const drawn = given(...decisions, used(1, 'n1', 'k1', 30), used(2, 'n1', 'k1', 10));
    drawn.when(settle('k1', 40), { actor: process }).then();
    const { state } = drawn.when(settle('k1', 40, false, 35), { actor: process }).accepted();
    expect(figures(state)).toMatchObject({ allocated: '25', used: '5' });
    drawn
      .when(settle('k1', 40, false, 40), { actor: process })
      .then(released(2, 'n1', 10, 'k1'), released(1, 'n1', 30, 'k1'));
    drawn.when(settle('k1', 40, false, 5), { actor: process }).then(released(2, 'n1', 5, 'k1'));
    drawn.when(settle('k1', 50), { actor: desk }).refused('forbidden');
    given().when(settle('k1', 1), { actor: process }).then();
    // The exit was told before the signature: the decision is drawn, and free.
    given(...decisions)
      .when(settle('k1', 30, false, 30), { actor: process })
      .then(used(1, 'n1', 'k1', 30), released(1, 'n1', 30, 'k1'));
  });

  it('shows two signatures under one decision, and takes back what was never allocated first', () => {
    const overdrawn = given(...decisions)
      .when(settle('k1', 70), { actor: process })
      .then(used(1, 'n1', 'k1', 30), used(2, 'n1', 'k1', 40));
    expect(figures(overdrawn)).toMatchObject({ allocated: '80', available: '20' });
    const { state } = given(...decisions, used(1, 'n1', 'k1', 30), used(2, 'n1', 'k1', 40), used(2, 'n1', 'k2', 5))
      .when(settle('k1', 70, false, 30), { actor: process })
      .accepted();
    expect(bookOf(state).decisions[1]?.allocations[0]).toMatchObject({ used: money(15), released: money(5) });
  });

  it('is at most what was decided where the offer is shared', () => {
    given(...decisions)
      .when(settle('k1', 70, true), { actor: process })
      .then(used(1, 'n1', 'k1', 30), used(2, 'n1', 'k1', 20));
    given(...decisions)
      .when({ ...settle('k1', 7), needId: 'n3' }, { actor: process })
      .then();
  });

  it('stands on no decision that came after what is told', () => {
    given(...decisions)
      .when({ ...settle('k1', 40), through: 1 }, { actor: process })
      .then(used(1, 'n1', 'k1', 40));
    given(...decisions)
      .when({ ...settle('k1', 40, true), through: 1 }, { actor: process })
      .then(used(1, 'n1', 'k1', 30));
    given(...decisions)
      .when({ ...settle('k1', 40), through: 0 }, { actor: process })
      .then();
  });

  it('leaves for a need what is not drawn, with what the commitment draws itself', () => {
    const book = bookOf(given(...decisions, used(1, 'n1', 'k1', 30)).state);
    expect(decidedFor(book, 'n1', 'k2')).toEqual(money(20));
    expect(decidedFor(book, 'n1', 'k1')).toEqual(money(50));
    expect(decidedFor(book, 'n3', 'k1')).toBeUndefined();
    expect(decidedFor(bookOf(given(...decisions, released(1, 'n2', 10)).state), 'n2', 'k1')).toBeUndefined();
  });
});

describe('a period', () => {
  const [first, second] = TERMS.periods;
  if (first === undefined || second === undefined) throw new Error('no periods');
  const close = (period: { readonly from: string; readonly to: string }) => ({ type: 'ClosePeriod', period }) as const;

  it('is closed once, in order, when it is over', () => {
    given(established())
      .when(close(first), { actor: administrator })
      .then({ type: 'PeriodClosed', data: { period: first, party: 'agency:undp' } });
    given(established()).when(close(second), { actor: desk }).refused('period-order', 'period');
    const closed = given(established(), { type: 'PeriodClosed', data: { period: first, party: FUND } });
    closed.when(close(first), { actor: desk }).refused('period-closed', 'period');
    closed.when(close(second), { actor: desk, at: '2025-12-31T23:59:59.999Z' }).refused('period-not-over', 'period');
    closed.when(close(second), { actor: desk, at: '2026-01-01T00:00:00.000Z' }).accepted();
    given(established())
      .when(close({ from: '2025-01-01', to: '2025-12-31' }), { actor: desk })
      .refused('unknown-period', 'period');
    given(established()).when(close(first), { actor: coordinator }).refused('forbidden');
  });

  it('marks what is dated in it later', () => {
    const late = {
      type: 'FundBooked',
      data: { n: 1, kind: 'interest', effect: 'gain', amount: money(1), date: '2025-06-30' },
    } as const;
    const closing = { type: 'PeriodClosed', data: { period: first, party: FUND } } as const;
    expect(bookOf(given(established(), late, closing).state).bookings[0]?.priorPeriod).toBe(false);
    expect(bookOf(given(established(), closing, late).state).bookings[0]?.priorPeriod).toBe(true);
    expect(bookOf(given(established(), closing, decided(1)).state).decisions[0]?.priorPeriod).toBe(false);
  });
});

it('attaches a document once', () => {
  const document = { kind: 'report', title: 'Annual report', sha256: 'ab'.repeat(32) };
  given(established())
    .when({ type: 'AttachFundDocument', document }, { actor: desk })
    .then({ type: 'FundDocumentAttached', data: { document } });
  given(established()).when({ type: 'AttachFundDocument', document }, { actor: japan }).refused('forbidden');
  given(established({ administrator: 'agency:undp' }))
    .when({ type: 'AttachFundDocument', document }, { actor: { ...administrator, role: 'implementer' } })
    .accepted();
});
