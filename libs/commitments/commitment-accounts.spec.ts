import { strictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { minorUnits } from '#vocabulary';
import { InflowBook } from './commitment-accounts.js';
import type { TransferState } from './commitment-money.js';
import { eur, usd } from './commitment.fixture.js';

const HOLDERS = ['agency:cavr', 'agency:ngo'];
const money = fc
  .tuple(fc.integer({ min: 0, max: 9 }), fc.boolean())
  .map(([whole, euros]) => (euros ? eur(`${whole}.00`) : usd(`${whole}.00`)));
const transfer: fc.Arbitrary<Omit<TransferState, 'n'>> = fc.record({
  kind: fc.constant('disbursement' as const),
  from: fc.constant('donor:japan'),
  to: fc.constantFrom(...HOLDERS),
  amount: money,
  date: fc.integer({ min: 1, max: 9 }).map((day) => `2026-01-0${day}`),
});

/** What came in last is there last: from the newest inflow back, as far as the balance reaches. */
const oldestLeft = (
  transfers: readonly TransferState[],
  holder: string,
  currency: string,
  balance: bigint,
): string | null => {
  let [left, oldest] = [balance, null as string | null];
  const its = transfers.filter(
    ({ to, amount }) => to === holder && 'currency' in amount && amount.currency === currency,
  );
  for (const { date, amount } of its.toSorted((a, b) => (a.date < b.date ? 1 : -1))) {
    if (left <= 0n) break;
    oldest = date;
    left -= minorUnits(amount);
  }
  return oldest;
};

describe('the oldest money that is still there', () => {
  // Seen failing with a corrected transfer counted beside its correction, and with inflows kept in the order of their reports.
  it('is the same however the list of transfers grew, was corrected, or was counted at once', () => {
    const steps = fc.array(
      fc.record({
        transfer,
        corrects: fc.option(fc.nat(), { freq: 3 }),
        balance: fc.integer({ min: -100, max: 3_000 }),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(steps, (moves) => {
        const along = new InflowBook();
        let transfers: readonly TransferState[] = [];
        for (const { transfer: each, corrects, balance } of moves) {
          const n = corrects === null || transfers.length === 0 ? undefined : corrects % transfers.length;
          transfers =
            n === undefined
              ? [...transfers, { ...each, n: transfers.length + 1 }]
              : transfers.with(n, { ...each, n: n + 1 });
          along.follow(transfers);
          const atOnce = new InflowBook();
          atOnce.follow(transfers);
          for (const holder of HOLDERS) {
            for (const currency of ['USD', 'EUR']) {
              const expected = oldestLeft(transfers, holder, currency, BigInt(balance));
              for (const book of [along, atOnce])
                strictEqual(book.oldestOf(holder, currency, BigInt(balance)), expected);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
