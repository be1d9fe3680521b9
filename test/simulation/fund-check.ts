import type { CommitmentState } from '#commitments';
import { worthOf } from '#funds';
import type { ContributionState, FundBook } from '#funds';
import type { Quantity } from '#vocabulary';
import { minorUnits } from '#vocabulary';

const PAYING: readonly string[] = ['contribution', 'disbursement', 'onward-grant'];
const LEFT: readonly (string | undefined)[] = ['declined', 'lapsed', 'withdrawn'];

const inCurrency = (currency: string, quantities: readonly Quantity[]): bigint =>
  quantities.reduce(
    (sum, quantity) =>
      quantity.measure === 'money' && quantity.currency === currency ? sum + minorUnits(quantity) : sum,
    0n,
  );

/** What a fund's book must have been credited with: what contributions brought or will bring, and what commitments gave back. */
export const creditsOf = (
  fund: string,
  contributions: ReadonlyMap<string, ContributionState>,
  commitments: ReadonlyMap<string, CommitmentState>,
): ReadonlyMap<string, bigint> => {
  const credits = new Map<string, bigint>();
  for (const [id, { contribution }] of contributions) {
    if (contribution === undefined) continue;
    const worth = worthOf(contribution);
    const { receipts, refunds, ended } = contribution;
    const came = receipts.reduce((sum, { amount, credited = amount }) => sum + minorUnits(credited), 0n);
    if (worth !== undefined) credits.set(`signed ${id}`, minorUnits(worth));
    if (worth !== undefined && ended !== undefined) {
      credits.set(`unsigned ${id}`, came < minorUnits(worth) ? minorUnits(worth) - came : 0n);
    }
    for (const { n, amount, credited = amount } of receipts) credits.set(`received ${id} ${n}`, minorUnits(credited));
    for (const { n, amount, credited = amount } of refunds) credits.set(`repaid ${id} ${n}`, minorUnits(credited));
  }
  for (const [id, { transfers, receipts }] of commitments) {
    for (const { n, transfer, amount, credited = amount } of receipts) {
      const sent = transfers.find((each) => each.n === transfer);
      if (sent?.kind === 'refund' && sent.to === fund) credits.set(`refund ${id} ${n}`, minorUnits(credited));
    }
  }
  return credits;
};

/** The same from the book itself. */
export const creditsIn = ({ credits }: FundBook): ReadonlyMap<string, bigint> =>
  new Map(
    Object.values(credits).map(({ source, contribution, commitment, n, quantity }) => [
      [source, contribution ?? commitment, n].filter((part) => part !== undefined).join(' '),
      minorUnits(quantity),
    ]),
  );

/**
 * What a commitment draws on a fund that is its only provider, once the fund has signed: its legs while it lives, what was delivered or
 * paid once it was cancelled, what was paid once it ended. Undefined where the book need not know.
 */
export const drawnOf = (fund: string, currency: string, state: CommitmentState): bigint | undefined => {
  const { providers, signatures, status, closedAs, legs, transfers, boundAt } = state;
  if (providers.length !== 1 || providers[0] !== fund) return undefined;
  // An amendment before binding voids signatures, not what they were given under: of those the state knows no more.
  if (boundAt === undefined && !signatures.some(({ party }) => party === fund)) return undefined;
  const paid = transfers.filter(({ kind, from }) => PAYING.includes(kind) && from === fund);
  const sent = inCurrency(
    currency,
    paid.map(({ amount }) => amount),
  );
  const isOver = LEFT.includes(status) || (status === 'closed' && closedAs === 'confirmed');
  const isCancelled = status === 'cancelled' || closedAs === 'cancelled';
  const legsOwe = isCancelled ? legs.map(({ deliveredDrawn }) => deliveredDrawn) : legs.map(({ drawn }) => drawn);
  const owed = isOver ? 0n : inCurrency(currency, legsOwe);
  return sent > owed ? sent : owed;
};
