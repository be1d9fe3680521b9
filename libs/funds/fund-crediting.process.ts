import type { CommitmentEvent } from '#commitments/contract';
import type { Decider, Process, ProcessCommand } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import { minorUnits, quantityOf, sameMeasure } from '#vocabulary';
import { contributionDecider, worthOf } from './contribution.js';
import type { Contribution } from './contribution.js';
import type { ContributionEvent } from './fund.contract.js';
import type { Credit } from './fund.js';
import { fundDecider } from './fund.js';

type Sent = Extract<CommitmentEvent, { type: 'TransferReported' }>;

/** Who a commitment's refunds go to, by transfer. */
interface Refunds {
  readonly to: Readonly<Record<number, string>>;
}

const refundsOf: Decider<Refunds, never, Sent, never> = {
  category: 'commitment',
  initial: { to: {} },
  schemas: { TransferReported: 1 },
  decide: () => {
    throw new Error('a commitment is not decided here');
  },
  evolve: (state, { data: { n, kind, to } }) => (kind === 'refund' ? { to: { ...state.to, [n]: to } } : state),
};

const credited = (fund: string, credit: Credit): ProcessCommand =>
  processCommand({
    decider: fundDecider,
    id: fund,
    key: `${credit.source} ${credit.n ?? 0}`,
    command: (by) => ({ type: 'CreditFund', by, ...credit }),
  });

/** Guarantees that a fund's book holds what contributions brought or will bring, and what commitments gave back. */
export const fundCrediting: Process = {
  name: 'fund-crediting',
  handles: [
    'ContributionSigned',
    'ContributionReceived',
    'ContributionRefunded',
    'ContributionClosed',
    'ContributionCancelled',
    'ReceiptReported',
    'ReceiptCorrected',
  ],
  async react(event, reads) {
    const id = idOfStream(event.stream);
    // The envelope keeps type and data apart; together they are one of these events.
    const fact = event as unknown as ContributionEvent | CommitmentEvent;
    if (fact.type === 'ReceiptReported' || fact.type === 'ReceiptCorrected') {
      const { n, transfer, amount, credited: booked = amount } = fact.data;
      const fund = (await reads.load(refundsOf, id)).state.to[transfer];
      if (fund?.startsWith('fund:') !== true) return [];
      return [credited(fund, { source: 'refund', commitment: id, n, quantity: booked })];
    }
    const { contribution } = (await reads.load(contributionDecider, id)).state;
    if (contribution === undefined) throw new Error(`contribution ${id} was never pledged`);
    const { fund } = contribution.pledge;
    switch (fact.type) {
      case 'ContributionReceived':
      case 'ContributionRefunded': {
        const { n, amount, credited: booked = amount } = fact.data;
        const source = fact.type === 'ContributionReceived' ? 'received' : 'repaid';
        return [credited(fund, { source, contribution: id, n, quantity: booked })];
      }
      default: {
        const worth = worthOf(contribution);
        // A pledge that nobody signed was never counted.
        if (worth === undefined) return [];
        if (fact.type === 'ContributionSigned') {
          return [credited(fund, { source: 'signed', contribution: id, quantity: worth })];
        }
        return [credited(fund, { source: 'unsigned', contribution: id, quantity: leftOf(contribution, worth) })];
      }
    }
  },
};

/** What of the signed worth did not arrive. */
const leftOf = ({ receipts }: Contribution, worth: Credit['quantity']): Credit['quantity'] => {
  const come = receipts
    .map(({ amount, credited: booked = amount }) => booked)
    .filter((quantity) => sameMeasure(quantity, worth))
    .reduce((sum, quantity) => sum + minorUnits(quantity), 0n);
  const left = minorUnits(worth) - come;
  return quantityOf(worth, left > 0n ? left : 0n);
};
