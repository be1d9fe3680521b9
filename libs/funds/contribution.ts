import type { Actor, CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, refuse } from '#kernel';
import type { Quantity } from '#vocabulary';
import { formatQuantity, minorUnits, quantityOf, rateHolds, sameMeasure } from '#vocabulary';
import type { ContributionEvent, FundReason, FundTerms } from './fund.contract.js';

export type ContributionRejectionCode =
  | 'forbidden'
  | 'not-found'
  | 'already-exists'
  | 'own-fund'
  | 'fund-keeps-no-book'
  | 'decision-required'
  | 'unknown-window'
  | 'unknown-payment'
  | 'not-pledged'
  | 'not-signed'
  | 'contribution-closed'
  | 'fully-received'
  | 'currency-mismatch'
  | 'valuation-required'
  | 'valuation-mismatch'
  | 'over-contribution'
  | 'over-refund'
  | 'insufficient-funds';
export type ContributionRejection = Rejection<ContributionRejectionCode>;

type EventOf<T extends ContributionEvent['type']> = Extract<ContributionEvent, { type: T }>;
type DataOf<T extends ContributionEvent['type']> = EventOf<T>['data'];
export type Pledge = DataOf<'ContributionPledged'>;

export type ContributionStatus = 'pledged' | 'signed' | 'received' | 'closed' | 'cancelled';

/** A contribution: plain JSON, so that boards keep it as it is. */
export interface Contribution {
  readonly pledge: Pledge;
  readonly signed?: DataOf<'ContributionSigned'>;
  readonly payments: readonly DataOf<'ContributionPaid'>[];
  readonly receipts: readonly DataOf<'ContributionReceived'>[];
  readonly refunds: readonly DataOf<'ContributionRefunded'>[];
  readonly ended?: {
    readonly as: 'closed' | 'cancelled';
    readonly party: string;
    readonly reason?: FundReason;
  };
}

export interface ContributionState {
  /** Absent: it does not exist. */
  readonly contribution?: Contribution;
}

/** What the fund's book says of itself at the moment of a command; absent where it keeps none. */
export interface FundFacts {
  readonly administrator?: string;
  readonly currency: string;
  readonly windows: FundTerms['windows'];
  /** What it has not allocated, in its currency. */
  readonly available: Quantity;
}

type Given<T extends ContributionEvent['type'], Left extends string> = Omit<DataOf<T>, Left>;

/** Set where the donor is itself a fund that keeps a book here: what it gives would leave that book unseen. */
interface FromBook {
  readonly donorKeepsBook?: boolean;
}

export type ContributionCommand = { readonly by: CommandContext; readonly fund?: FundFacts } & (
  | ({ readonly type: 'PledgeContribution'; readonly pledge: Omit<Pledge, 'donor'> } & FromBook)
  | ({ readonly type: 'SignContribution' } & Given<'ContributionSigned', 'party'> & FromBook)
  | ({ readonly type: 'ReportPayment' } & Given<'ContributionPaid', 'n'>)
  | ({ readonly type: 'ReportArrival' } & Given<'ContributionReceived', 'n'>)
  | ({ readonly type: 'RefundContribution' } & Given<'ContributionRefunded', 'n'>)
  | { readonly type: 'CloseContribution' }
  | { readonly type: 'CancelContribution'; readonly reason: FundReason }
);
type CommandOf<T extends ContributionCommand['type']> = Extract<ContributionCommand, { type: T }>;
type ContributionDecision = Decision<ContributionEvent, ContributionRejection>;

/** The one table of commands on a contribution: from which states, and by whom. Used by `decide`, `permits` and `actions`. */
export const CONTRIBUTION_COMMANDS = {
  SignContribution: { name: 'sign', from: ['pledged'], who: ['donor'] },
  ReportPayment: { name: 'payments', from: ['signed', 'received'], who: ['donor'] },
  ReportArrival: { name: 'receipts', from: ['signed', 'received'], who: ['desk', 'administrator'] },
  // What is left over is paid back also after the end.
  RefundContribution: { name: 'refunds', from: ['received', 'closed', 'cancelled'], who: ['desk', 'administrator'] },
  CloseContribution: { name: 'close', from: ['signed', 'received'], who: ['donor', 'desk', 'administrator'] },
  CancelContribution: { name: 'cancel', from: ['pledged', 'signed', 'received'], who: ['donor', 'desk'] },
} as const satisfies Partial<
  Record<
    ContributionCommand['type'],
    {
      readonly name: string;
      readonly from: readonly ContributionStatus[];
      readonly who: readonly ('donor' | 'desk' | 'administrator')[];
    }
  >
>;
export type ContributionCommandType = keyof typeof CONTRIBUTION_COMMANDS;
export const CONTRIBUTION_COMMAND_TYPES = Object.keys(CONTRIBUTION_COMMANDS) as readonly ContributionCommandType[];

type Asking = Pick<Actor, 'party' | 'role'>;

/** True where this party in this role may send the command; `administrator` is the fund's, as its book says now. */
export const mayOnContribution = (
  type: ContributionCommandType,
  { party, role }: Asking,
  { donor, fund }: Pick<Pledge, 'donor' | 'fund'>,
  administrator: string | undefined,
): boolean =>
  (CONTRIBUTION_COMMANDS[type].who as readonly string[]).some((who) => {
    if (who === 'administrator') return party === administrator && (role === 'fiscal-agent' || role === 'implementer');
    return role === 'donor-desk' && party === (who === 'donor' ? donor : fund);
  });

const sumOf = (quantities: readonly (Quantity | undefined)[]): bigint =>
  quantities.reduce((total, each) => total + (each === undefined ? 0n : minorUnits(each)), 0n);

/** What arrived, in the currency of the contribution, without charges; what was paid back is not taken off. */
export const receivedOf = ({ pledge, receipts }: Contribution): Quantity =>
  quantityOf(pledge.amount, sumOf(receipts.map(({ amount }) => amount)));

/** How much of it has come: charges on the way are the bank's, not a shortfall of the donor's. */
export const arrivalOf = ({ pledge, receipts }: Contribution): 'none' | 'part' | 'full' => {
  if (receipts.length === 0) return 'none';
  const come = sumOf(receipts.flatMap(({ amount, charges }) => [amount, charges]));
  return come >= minorUnits(pledge.amount) ? 'full' : 'part';
};

/** What it is worth to the fund once signed: as valued, or as pledged; undefined before. */
export const worthOf = ({ pledge, signed }: Contribution): Quantity | undefined =>
  signed === undefined ? undefined : (signed.valued?.quantity ?? pledge.amount);

export const statusOf = ({ signed, receipts, ended }: Contribution): ContributionStatus => {
  if (ended !== undefined) return ended.as;
  if (receipts.length > 0) return 'received';
  return signed === undefined ? 'pledged' : 'signed';
};

/** True where any further sum would go beyond what was pledged. */
const isExhausted = (type: ContributionCommandType, contribution: Contribution): boolean => {
  const { pledge, payments } = contribution;
  const paid = sumOf(payments.map(({ amount }) => amount));
  return (
    (type === 'ReportPayment' && paid >= minorUnits(pledge.amount)) ||
    (type === 'ReportArrival' && minorUnits(receivedOf(contribution)) >= minorUnits(pledge.amount))
  );
};

/** True where the lifecycle allows the command now. */
export const allowsOnContribution = (type: ContributionCommandType, contribution: Contribution): boolean =>
  (CONTRIBUTION_COMMANDS[type].from as readonly ContributionStatus[]).includes(statusOf(contribution)) &&
  !isExhausted(type, contribution) &&
  !(type === 'CancelContribution' && arrivalOf(contribution) === 'full') &&
  !(type === 'RefundContribution' && contribution.receipts.length === 0);

const evolve = (state: ContributionState, event: RecordedEvent<ContributionEvent>): ContributionState => {
  // The envelope keeps type and data apart; together they are one of our events.
  const fact = event as unknown as ContributionEvent;
  if (fact.type === 'ContributionPledged') {
    return { contribution: { pledge: fact.data, payments: [], receipts: [], refunds: [] } };
  }
  const { contribution: before } = state;
  if (before === undefined) return state;
  switch (fact.type) {
    case 'ContributionSigned':
      return { contribution: { ...before, signed: fact.data } };
    case 'ContributionPaid':
      return { contribution: { ...before, payments: [...before.payments, fact.data] } };
    case 'ContributionReceived':
      return { contribution: { ...before, receipts: [...before.receipts, fact.data] } };
    case 'ContributionRefunded':
      return { contribution: { ...before, refunds: [...before.refunds, fact.data] } };
    case 'ContributionClosed':
      return { contribution: { ...before, ended: { as: 'closed', ...fact.data } } };
    case 'ContributionCancelled':
      return { contribution: { ...before, ended: { as: 'cancelled', ...fact.data } } };
    default:
      return state;
  }
};

const decide = (command: ContributionCommand, { contribution }: ContributionState): ContributionDecision => {
  if (command.type === 'PledgeContribution') return pledge(command, contribution);
  if (contribution === undefined) return refuse('not-found', 'There is no such contribution.');
  const { actor } = command.by;
  if (!mayOnContribution(command.type, actor, contribution.pledge, command.fund?.administrator)) {
    return refuse(
      'forbidden',
      `${CONTRIBUTION_COMMANDS[command.type].name} is for the ${CONTRIBUTION_COMMANDS[command.type].who.join(' or ')}.`,
    );
  }
  const refusal = statusRefusal(command.type, contribution);
  if (refusal !== undefined) return refusal;
  switch (command.type) {
    case 'SignContribution':
      return sign(command, contribution);
    case 'ReportPayment':
      return pay(command, contribution);
    case 'ReportArrival':
      return receive(command, contribution);
    case 'RefundContribution':
      return refund(command, contribution);
    case 'CloseContribution':
      return accept({ type: 'ContributionClosed', data: { party: actor.party } });
    case 'CancelContribution':
      return accept({ type: 'ContributionCancelled', data: { party: actor.party, reason: command.reason } });
  }
};

const statusRefusal = (type: ContributionCommandType, contribution: Contribution): ContributionDecision | undefined => {
  if (allowsOnContribution(type, contribution)) return undefined;
  const status = statusOf(contribution);
  if (type === 'RefundContribution') return refuse('over-refund', 'Nothing has arrived that could be paid back.');
  if (status === 'closed' || status === 'cancelled')
    return refuse('contribution-closed', `The contribution is ${status}.`);
  if (type === 'SignContribution') return refuse('not-pledged', 'The contribution is signed already.');
  if (type === 'CancelContribution')
    return refuse('fully-received', 'The whole has arrived: close it, or pay it back.');
  if (isExhausted(type, contribution)) {
    const whole = formatQuantity(contribution.pledge.amount);
    return refuse(
      'over-contribution',
      `The whole of ${whole} is there: what is more is another contribution.`,
      'amount',
    );
  }
  return refuse('not-signed', 'The donor has not signed the contribution yet.');
};

const pledge = (
  { by: { actor }, fund, pledge: given, donorKeepsBook }: CommandOf<'PledgeContribution'>,
  contribution: Contribution | undefined,
): ContributionDecision => {
  if (actor.role !== 'donor-desk') return refuse('forbidden', 'A contribution is pledged by the desk of its donor.');
  if (contribution !== undefined) return refuse('already-exists', 'A contribution with this id exists already.');
  if (actor.party === given.fund) return refuse('own-fund', 'A fund does not contribute to itself.', 'fund');
  if (fund === undefined) return refuse('fund-keeps-no-book', `${given.fund} keeps no book here.`, 'fund');
  if (donorKeepsBook === true) return undecided();
  if (given.window !== undefined && !fund.windows.some(({ code }) => code === given.window)) {
    return refuse('unknown-window', `The fund has no window ${given.window}.`, 'window');
  }
  return accept({ type: 'ContributionPledged', data: { ...given, donor: actor.party } });
};

const isIn = (currency: string, quantity: Quantity): boolean =>
  quantity.measure === 'money' && quantity.currency === currency;

/** Books money in the fund's currency: as it is, or with the rate it was turned at. The fund keeps a book: contributions go to no other. */
const conversionRefusal = (
  currency: string,
  amount: Quantity,
  { credited, rate }: { readonly credited?: Quantity; readonly rate?: string },
  names: { readonly credited: string; readonly rate: string },
): ContributionDecision | undefined => {
  if (isIn(currency, amount)) {
    return credited === undefined && rate === undefined
      ? undefined
      : refuse('valuation-mismatch', `The money is in ${currency} already: leave rate and value out.`, names.credited);
  }
  if (credited === undefined || rate === undefined) {
    return refuse('valuation-required', `Say what it is in ${currency}, and the rate.`, names.credited);
  }
  if (!isIn(currency, credited))
    return refuse('currency-mismatch', `The fund accounts in ${currency}.`, names.credited);
  return rateHolds(amount, rate, credited)
    ? undefined
    : refuse(
        'valuation-mismatch',
        `${formatQuantity(amount)} at ${rate} are not ${formatQuantity(credited)}.`,
        names.rate,
      );
};

/** A fund's book signs under a decision alone, and decisions are for needs: else it would allocate again what it gave away. */
const undecided = (): ContributionDecision =>
  refuse('decision-required', 'A fund that keeps a book signs under a decision of its body, and that is for a need.');

const sign = (
  { by, date, reference, valued, fund, donorKeepsBook }: CommandOf<'SignContribution'>,
  { pledge: { amount } }: Contribution,
): ContributionDecision => {
  if (donorKeepsBook === true) return undecided();
  if (valued !== undefined && fund !== undefined) {
    const names = { credited: 'valued.quantity', rate: 'valued.rate' };
    const refusal = conversionRefusal(fund.currency, amount, { credited: valued.quantity, rate: valued.rate }, names);
    if (refusal !== undefined) return refusal;
  }
  return accept({
    type: 'ContributionSigned',
    data: {
      party: by.actor.party,
      date,
      ...(reference === undefined ? {} : { reference }),
      ...(valued === undefined ? {} : { valued }),
    },
  });
};

const pay = (
  { by: _, type: __, fund: ___, ...given }: CommandOf<'ReportPayment'>,
  { pledge: { amount }, payments }: Contribution,
): ContributionDecision => {
  if (!sameMeasure(given.amount, amount))
    return refuse('currency-mismatch', `The contribution is ${formatQuantity(amount)}.`, 'amount');
  const paid = sumOf(payments.map((payment) => payment.amount)) + minorUnits(given.amount);
  if (paid > minorUnits(amount)) {
    return refuse(
      'over-contribution',
      `More than ${formatQuantity(amount)}: pledge the rest as another contribution.`,
      'amount',
    );
  }
  return accept({ type: 'ContributionPaid', data: { n: payments.length + 1, ...given } });
};

const receive = (
  { by: _, type: __, fund, ...given }: CommandOf<'ReportArrival'>,
  contribution: Contribution,
): ContributionDecision => {
  const {
    pledge: { amount, fund: party },
    payments,
    receipts,
  } = contribution;
  if (fund === undefined) return refuse('fund-keeps-no-book', `${party} keeps no book here.`);
  if (!sameMeasure(given.amount, amount))
    return refuse('currency-mismatch', `The contribution is ${formatQuantity(amount)}.`, 'amount');
  if (given.charges !== undefined && !sameMeasure(given.charges, amount)) {
    return refuse('currency-mismatch', 'Charges are in the currency of the contribution.', 'charges');
  }
  if (given.payment !== undefined && !payments.some(({ n }) => n === given.payment)) {
    return refuse('unknown-payment', `The donor reported no payment ${given.payment}.`, 'payment');
  }
  const come = minorUnits(receivedOf(contribution)) + minorUnits(given.amount);
  if (come > minorUnits(amount)) {
    return refuse(
      'over-contribution',
      `More than ${formatQuantity(amount)}: the donor pledges the rest as another contribution.`,
      'amount',
    );
  }
  const refusal = conversionRefusal(fund.currency, given.amount, given, { credited: 'credited', rate: 'rate' });
  return refusal ?? accept({ type: 'ContributionReceived', data: { n: receipts.length + 1, ...given } });
};

const refund = (
  { by: _, type: __, fund, ...given }: CommandOf<'RefundContribution'>,
  contribution: Contribution,
): ContributionDecision => {
  const {
    pledge: { amount, fund: party },
    refunds,
  } = contribution;
  if (fund === undefined) return refuse('fund-keeps-no-book', `${party} keeps no book here.`);
  if (!sameMeasure(given.amount, amount))
    return refuse('currency-mismatch', `The contribution is ${formatQuantity(amount)}.`, 'amount');
  const left = minorUnits(receivedOf(contribution)) - sumOf(refunds.map((each) => each.amount));
  if (minorUnits(given.amount) > left) {
    return refuse('over-refund', `${formatQuantity(quantityOf(amount, left))} are left of what arrived.`, 'amount');
  }
  const refusal = conversionRefusal(fund.currency, given.amount, given, { credited: 'credited', rate: 'rate' });
  if (refusal !== undefined) return refusal;
  if (minorUnits(given.credited ?? given.amount) > minorUnits(fund.available)) {
    return refuse(
      'insufficient-funds',
      `${formatQuantity(fund.available)} are not allocated: release allocations first.`,
      'amount',
    );
  }
  return accept({ type: 'ContributionRefunded', data: { n: refunds.length + 1, ...given } });
};

const CONTRIBUTION_SCHEMAS = {
  ContributionPledged: 1,
  ContributionSigned: 1,
  ContributionPaid: 1,
  ContributionReceived: 1,
  ContributionRefunded: 1,
  ContributionClosed: 1,
  ContributionCancelled: 1,
} as const;

/** What a donor gives to a fund: pledged, signed, paid and received as separate facts of two sides. */
export const contributionDecider: Decider<
  ContributionState,
  ContributionCommand,
  ContributionEvent,
  ContributionRejection
> = {
  category: 'contribution',
  initial: {},
  schemas: CONTRIBUTION_SCHEMAS,
  decide,
  evolve,
};
