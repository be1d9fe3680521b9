import { accept, refuse } from '#kernel';
import type { Quantity, TransferKind } from '#vocabulary';
import {
  compare,
  minorUnits,
  periodsOverlap,
  quantityOf,
  rateHolds,
  sameMeasure,
  sumByMeasure,
  zeroLike,
} from '#vocabulary';
import type { Accounts, Sums } from './commitment-accounts.js';
import {
  balanceOf,
  bookedOf,
  currencyIn,
  entered,
  isOwnBooking,
  reaches,
  refundsDueOn,
  rebooked,
  summed,
  sumIn,
  withMovement,
} from './commitment-accounts.js';
import type {
  CommitmentRejection,
  CommitmentState,
  EventContext,
  EventData,
  Outcome,
  Rule,
  Who,
} from './commitment-state.js';
import {
  BOUND,
  isCoordinatorInCharge,
  isProvider,
  isRecipient,
  recipientsOf,
  refused,
  rejection,
  replaced,
  tasksOf,
} from './commitment-state.js';
import { instalmentFault, suspensionFault, withPayment, withRefund } from './commitment-terms.js';
import type { CommitmentEvent, DocumentLink, Side } from './commitment.contract.js';

export type MoneyRejectionCode =
  | 'unknown-transfer'
  | 'already-settled'
  | 'currency-mismatch'
  | 'rate-mismatch'
  | 'onward-mismatch'
  | 'refund-mismatch'
  | 'own-booking'
  | 'over-refund'
  | 'over-onward'
  | 'over-disbursement'
  | 'insufficient-balance'
  | 'below-passed-on'
  | 'cycle'
  | 'period-overlap'
  | 'decision-required'
  | 'open-discrepancies';

/** What later reports say of a transfer, so that no rule goes through all of them. Sums in minor units. */
interface Tally {
  /** What came back of it, in its currency. */
  readonly refunded?: string;
  /** What was passed on of it. */
  readonly onward?: Sums;
  /** Σ amounts and charges of its receipts; absent before the first. */
  readonly accounted?: string;
  /** What its receipts book, by currency; absent before the first. */
  readonly booked?: Sums;
}

/** A figure as it stood before a correction. */
export interface Corrected {
  readonly amount: Quantity;
  readonly date: string;
  readonly reference?: string;
  /** Why and when it was corrected. */
  readonly reason: string;
  readonly at: string;
}

export interface TransferState extends EventData<'TransferReported'> {
  readonly tally?: Tally;
  readonly corrections?: readonly Corrected[];
}

export interface ReceiptState extends Omit<EventData<'ReceiptReported'>, 'discrepancy'> {
  readonly corrections?: readonly Corrected[];
}

interface SettlementStatement {
  readonly party: string;
  readonly amount?: Quantity;
  readonly reason: string;
}

/** What remains of a transfer after its receipts: one per transfer, moved by every further receipt. */
export interface DiscrepancyState {
  readonly n: number;
  readonly transfer: number;
  /** transfer − Σ amounts − Σ charges, as an absolute figure; `short`: less arrived than was sent. */
  readonly difference: Quantity;
  readonly sign: 'short' | 'over';
  /** `settled`: a later receipt made up for it, or (with `agreed`) both sides stated the same. */
  readonly status: 'open' | 'accepted' | 'settled';
  readonly reason?: string;
  readonly statements?: Readonly<Partial<Record<Side, SettlementStatement>>>;
  /** What both sides take as having arrived. */
  readonly agreed?: Quantity;
}

export interface ExpenditureState extends EventData<'ExpenditureReported'> {
  /** The certified report that stands instead. */
  readonly replacedBy?: number;
}

/** What a commitment keeps of money that moved. */
export interface MoneyState {
  readonly transfers: readonly TransferState[];
  readonly receipts: readonly ReceiptState[];
  readonly discrepancies: readonly DiscrepancyState[];
  readonly expenditures: readonly ExpenditureState[];
  /** Whom money was sent to. */
  readonly reached: readonly string[];
  readonly accounts: Accounts;
  /** Net disbursement by provider and currency, in minor units. */
  readonly net: Readonly<Record<string, Sums>>;
  /** Who sent money to whom, refunds and own bookings apart. */
  readonly paths: Readonly<Record<string, readonly string[]>>;
  /** Fixed when it was cancelled; `net` is the provider's net disbursement then. */
  readonly refundsDue: readonly { readonly provider: string; readonly quantity: Quantity; readonly net: string }[];
}

export const NO_MONEY: MoneyState = {
  transfers: [],
  receipts: [],
  discrepancies: [],
  expenditures: [],
  reached: [],
  accounts: {},
  net: {},
  paths: {},
  refundsDue: [],
};

export type MoneyCommand =
  | {
      readonly type: 'ReportTransfer';
      readonly kind: TransferKind;
      readonly from: string;
      readonly to: string;
      readonly amount: Quantity;
      readonly leg?: number;
      readonly onward?: number;
      /** The transfer a refund reverses. */
      readonly of?: number;
      readonly instalment?: number;
      readonly effect?: 'gain' | 'loss';
      readonly date: string;
      readonly reference?: string;
    }
  | {
      readonly type: 'ReportReceipt';
      readonly transfer: number;
      readonly amount: Quantity;
      readonly credited?: Quantity;
      readonly rate?: string;
      readonly charges?: Quantity;
      readonly date: string;
      readonly reference?: string;
    }
  | {
      /** What is left out stays as it was. */
      readonly type: 'CorrectTransfer';
      readonly n: number;
      readonly amount?: Quantity;
      readonly leg?: number;
      readonly instalment?: number;
      readonly date?: string;
      readonly reference?: string;
      readonly reason: string;
    }
  | {
      /** What is left out stays as it was; `credited` and `rate` go together. */
      readonly type: 'CorrectReceipt';
      readonly n: number;
      readonly amount?: Quantity;
      readonly credited?: Quantity;
      readonly rate?: string;
      readonly charges?: Quantity;
      readonly date?: string;
      readonly reference?: string;
      readonly reason: string;
    }
  | { readonly type: 'AcceptDiscrepancy'; readonly n: number; readonly reason: string }
  | {
      readonly type: 'SettleDiscrepancy';
      readonly n: number;
      /** What arrived; all that was sent where absent. */
      readonly amount?: Quantity;
      readonly reason: string;
    }
  | {
      readonly type: 'ReportExpenditure';
      readonly kind: 'interim' | 'certified';
      readonly from: string;
      readonly to: string;
      readonly lines: EventData<'ExpenditureReported'>['lines'];
      readonly invoices?: readonly string[];
      readonly date: string;
      readonly reference?: string;
      readonly document?: DocumentLink;
    };

type CommandOf<T extends MoneyCommand['type']> = Extract<MoneyCommand, { type: T }>;

const isReached = ({ reached }: CommitmentState, { party }: Who): boolean => reached.includes(party);

/** Money moves from a side, a named agency, or whoever an earlier transfer reached. */
const mayPay = (state: CommitmentState, who: Who): boolean =>
  state.providers.includes(who.party) ||
  recipientsOf(state).includes(who.party) ||
  tasksOf(state, who.party).length > 0 ||
  isReached(state, who);

/** Rows of COMMITMENT_RULES. */
export const MONEY_RULES = {
  ReportTransfer: { segment: 'transfers', from: BOUND, otherwise: 'not-binding', who: mayPay },
  CorrectTransfer: { segment: 'correct-transfer', from: BOUND, otherwise: 'not-binding', who: mayPay },
  ReportReceipt: { segment: 'receipts', from: BOUND, otherwise: 'not-binding', who: isReached },
  CorrectReceipt: { segment: 'correct-receipt', from: BOUND, otherwise: 'not-binding', who: isReached },
  ReportExpenditure: { segment: 'expenditures', from: BOUND, otherwise: 'not-binding', who: mayPay },
  AcceptDiscrepancy: {
    segment: 'accept-discrepancy',
    from: BOUND,
    otherwise: 'not-binding',
    who: isCoordinatorInCharge,
  },
  SettleDiscrepancy: {
    segment: 'settle-discrepancy',
    from: BOUND,
    otherwise: 'not-binding',
    // Whoever is at an end of a transfer was reached by it, or pays.
    who: mayPay,
  },
} as const satisfies Readonly<Record<MoneyCommand['type'], Rule>>;

/** Whether there is something to do for a command that its row allows. */
export const hasMoneyTask = (type: MoneyCommand['type'], state: CommitmentState, who: Who): boolean => {
  switch (type) {
    case 'ReportTransfer':
    case 'ReportReceipt':
      return true;
    case 'CorrectTransfer':
      return state.transfers.some((transfer) => transfer.from === who.party && !isAnswered(transfer));
    case 'CorrectReceipt':
      return state.receipts.some((receipt) => receipt.party === who.party && !isBuiltOn(state, receipt));
    case 'ReportExpenditure':
      return (
        Object.keys(state.accounts[who.party] ?? {}).some((currency) => balanceOf(state, who.party, currency) > 0n) ||
        // What was spent to the last cent is certified later.
        state.expenditures.some(
          ({ party, kind, replacedBy }) => party === who.party && kind === 'interim' && replacedBy === undefined,
        )
      );
    case 'AcceptDiscrepancy':
      return openDiscrepancies(state).length > 0;
    case 'SettleDiscrepancy':
      return openDiscrepancies(state).some((discrepancy) => endOf(state, discrepancy, who) !== undefined);
  }
};

export const decideMoney = (command: MoneyCommand, state: CommitmentState, who: Who): Outcome => {
  switch (command.type) {
    case 'ReportTransfer':
      return reportTransfer(command, state, who.party);
    case 'CorrectTransfer':
      return correctTransfer(command, state, who.party);
    case 'ReportReceipt':
      return reportReceipt(command, state, who.party);
    case 'CorrectReceipt':
      return correctReceipt(command, state, who.party);
    case 'AcceptDiscrepancy':
      return acceptDiscrepancy(command, state);
    case 'SettleDiscrepancy':
      return settleDiscrepancy(command, state, who);
    case 'ReportExpenditure':
      return reportExpenditure(command, state, who.party);
  }
};

/** The state after an event of money; undefined where it is another's. */
export const afterMoney = (
  state: CommitmentState,
  event: CommitmentEvent,
  { effectiveAt }: EventContext,
): CommitmentState | undefined => {
  switch (event.type) {
    case 'TransferReported':
      return tallied({ ...state, transfers: [...state.transfers, event.data] }, event.data, 1n);
    case 'TransferCorrected':
      return afterTransferCorrection(state, event.data, effectiveAt);
    case 'ReceiptReported': {
      const { discrepancy, ...receipt } = event.data;
      return afterReceipt({ ...state, receipts: [...state.receipts, receipt] }, receipt, discrepancy);
    }
    case 'ReceiptCorrected':
      return afterReceiptCorrection(state, event.data, effectiveAt);
    case 'DiscrepancyAccepted':
      return withDiscrepancy(state, event.data.n, (item) => ({
        ...item,
        status: 'accepted',
        reason: event.data.reason,
      }));
    case 'DiscrepancySettlementStated': {
      const { n, side, ...statement } = event.data;
      return withDiscrepancy(state, n, (item) => ({ ...item, statements: { ...item.statements, [side]: statement } }));
    }
    case 'DiscrepancySettled': {
      const { n, amount } = event.data;
      return withDiscrepancy(state, n, (item) => ({
        ...item,
        status: 'settled',
        agreed: amount ?? transferOf(state, item.transfer)?.amount ?? zeroLike(item.difference),
      }));
    }
    case 'ExpenditureReported':
      return afterExpenditure(state, event.data);
    default:
      return undefined;
  }
};

const withDiscrepancy = (
  state: CommitmentState,
  n: number,
  change: (item: DiscrepancyState) => DiscrepancyState,
): CommitmentState => ({ ...state, discrepancies: replaced(state.discrepancies, n, change) });

export const openDiscrepancies = (state: CommitmentState): DiscrepancyState[] =>
  state.discrepancies.filter(({ status }) => status === 'open');

/** Numbers follow each other, so a transfer stands at its number; a replay by effective time may lack some. */
export const transferOf = (
  { transfers }: Pick<CommitmentState, 'transfers'>,
  n: number | undefined,
): TransferState | undefined => {
  if (n === undefined) return undefined;
  const there = transfers[n - 1];
  return there?.n === n ? there : transfers.find((transfer) => transfer.n === n);
};

const withTransfer = (
  state: CommitmentState,
  n: number,
  change: (transfer: TransferState) => TransferState,
): CommitmentState => {
  const index = state.transfers[n - 1]?.n === n ? n - 1 : state.transfers.findIndex((transfer) => transfer.n === n);
  const there = state.transfers[index];
  return there === undefined ? state : { ...state, transfers: state.transfers.with(index, change(there)) };
};

type TransferLike = Pick<TransferState, 'kind' | 'from' | 'to' | 'onward' | 'of'>;

/**
 * What a transfer adds to a party's net disbursement, as a sign: 1 for its own payments, 0 for what it passes on for others, books
 * with itself or has no part in. A refund undoes what its transfer did, also where that was a refund; passing a refund on undoes the refund.
 */
export const disbursementSign = (
  state: Pick<CommitmentState, 'transfers'>,
  party: string,
  transfer: TransferLike,
): bigint => {
  // Of a transfer that is not on the record nothing is undone.
  const undone = (known: TransferLike | undefined): bigint =>
    known === undefined ? 0n : -disbursementSign(state, party, known);
  if (transfer.kind === 'refund') return undone(transferOf(state, transfer.of));
  if (transfer.from !== party || isOwnBooking(transfer)) return 0n;
  const source = transferOf(state, transfer.onward);
  if (source === undefined) return 1n;
  return source.kind === 'refund' ? undone(source) : 0n;
};

/** Money of this currency that is bound now, in minor units; undefined where the commitment has no money leg at all. */
const moneyBound = (state: CommitmentState, currency: Quantity): bigint | undefined => {
  const legs = state.legs.filter(({ drawn }) => drawn.measure === 'money');
  if (legs.length === 0) return undefined;
  const cancelled = state.status === 'cancelled' || state.closedAs === 'cancelled';
  return legs
    .filter(({ drawn }) => sameMeasure(drawn, currency))
    .reduce((sum, leg) => sum + minorUnits(cancelled ? leg.deliveredDrawn : leg.drawn), 0n);
};

const tallyOf = (state: CommitmentState, n: number, change: (tally: Tally) => Tally): CommitmentState =>
  withTransfer(state, n, (transfer) => ({ ...transfer, tally: change(transfer.tally ?? {}) }));

/** Counts a transfer wherever a rule looks (`sign` −1: takes it out again). */
const tallied = (before: CommitmentState, transfer: TransferState, sign: 1n | -1n): CommitmentState => {
  const { n, to, kind, amount, of, onward } = transfer;
  const minor = sign * minorUnits(amount);
  const currency = currencyIn(amount);
  let net = before.net;
  for (const provider of before.providers) {
    const its = disbursementSign(before, provider, transfer);
    if (its !== 0n) net = { ...net, [provider]: summed(net[provider], currency, its * minor) };
  }
  let state: CommitmentState = {
    ...before,
    net,
    accounts: withMovement(before, transfer, sign),
    reached: before.reached.includes(to) ? before.reached : [...before.reached, to],
    paths: withPath(before.paths, transfer),
  };
  const reversed = transferOf(state, of);
  if (reversed !== undefined) {
    state = tallyOf(state, reversed.n, (tally) => ({
      ...tally,
      refunded: String(BigInt(tally.refunded ?? '0') + minor),
    }));
    state = withReversal(state, reversed, amount, sign);
  }
  if (onward !== undefined) {
    state = tallyOf(state, onward, (tally) => ({ ...tally, onward: summed(tally.onward, currency, minor) }));
  }
  if (kind === 'refund') return state;
  // What came back of it moves with it: it has come off the instalment already.
  const kept = quantityOf(amount, minorUnits(amount) - cameBack(before, transfer));
  return withPayment(state, { ...transfer, n, amount: kept }, sign === 1n ? 1 : -1);
};

/** What came back of a transfer, less what of that was sent back again. Minor units. */
const cameBack = (state: Pick<CommitmentState, 'transfers'>, { n, tally }: TransferState): bigint =>
  tally?.refunded === undefined
    ? 0n
    : state.transfers
        .filter(({ of }) => of === n)
        .reduce((sum, refund) => sum + minorUnits(refund.amount) - cameBack(state, refund), 0n);

/** What comes back opens the instalment it had paid; what undoes a refund pays it again. */
const withReversal = (
  state: CommitmentState,
  transfer: TransferState,
  amount: Quantity,
  sign: 1n | -1n,
): CommitmentState => {
  const undone = transfer.kind === 'refund' ? transferOf(state, transfer.of) : undefined;
  return undone === undefined
    ? withRefund(state, transfer, amount, sign === 1n ? 1 : -1)
    : withReversal(state, undone, amount, sign === 1n ? -1n : 1n);
};

const withPath = (paths: CommitmentState['paths'], transfer: TransferLike): CommitmentState['paths'] => {
  const { from, to, kind } = transfer;
  const known = paths[from] ?? [];
  return kind === 'refund' || isOwnBooking(transfer) || known.includes(to)
    ? paths
    : { ...paths, [from]: [...known, to] };
};

/** A transfer that was receipted is answered: from then on the two sides settle what differs. */
const isAnswered = ({ tally }: TransferState): boolean => tally?.accounted !== undefined;

const reportTransfer = (
  { kind, from, to, amount, leg, onward, of, instalment, effect, date, reference }: CommandOf<'ReportTransfer'>,
  state: CommitmentState,
  party: string,
): Outcome => {
  if (party !== from) return refuse('forbidden', 'A transfer is reported by its payer.', 'from');
  const transfer: EventData<'TransferReported'> = {
    n: state.transfers.length + 1,
    kind,
    from,
    to,
    amount,
    ...(leg === undefined ? {} : { leg }),
    ...(onward === undefined ? {} : { onward }),
    ...(of === undefined ? {} : { of }),
    ...(instalment === undefined ? {} : { instalment }),
    ...(effect === undefined ? {} : { effect }),
    date,
    ...(reference === undefined ? {} : { reference }),
  };
  const fault = transferFault(state, transfer);
  return fault === undefined ? accept({ type: 'TransferReported', data: transfer }) : refused(fault);
};

/** What is wrong with a transfer on a record that does not count it yet. */
const transferFault = (state: CommitmentState, transfer: TransferState): CommitmentRejection | undefined =>
  referenceFault(state, transfer) ??
  (transfer.kind === 'refund' || isOwnBooking(transfer) ? undefined : suspensionFault(state, transfer.date)) ??
  instalmentFault(state, transfer) ??
  disbursementFault(state, transfer) ??
  balanceFault(state, transfer);

const referenceFault = (state: CommitmentState, transfer: TransferState): CommitmentRejection | undefined => {
  const { leg, onward, of, amount } = transfer;
  if (leg !== undefined && !state.legs.some((known) => known.leg === leg)) {
    return rejection('unknown-leg', `The commitment has no leg ${leg}.`, 'leg');
  }
  return (
    (onward === undefined ? undefined : onwardFault(state, transfer, onward)) ??
    (of === undefined ? undefined : refundFault(state, transfer, of, amount))
  );
};

/** No more is passed on of a transfer than its receiver has of it, in the currency it is booked in. */
const onwardFault = (
  state: CommitmentState,
  { from, amount }: TransferState,
  onward: number,
): CommitmentRejection | undefined => {
  const source = transferOf(state, onward);
  if (source === undefined) return rejection('unknown-transfer', `There is no transfer ${onward}.`, 'onward');
  if (source.to !== from) {
    return rejection('onward-mismatch', `Transfer ${onward} went to ${source.to}, who alone passes it on.`, 'onward');
  }
  const currency = currencyIn(amount);
  const booked = bookedOf(source);
  if (!Object.hasOwn(booked, currency)) {
    return rejection(
      'currency-mismatch',
      `Transfer ${onward} is booked in ${Object.keys(booked).join(' and ')}: book what was exchanged, and leave onward out.`,
      'amount.currency',
    );
  }
  return sumIn(source.tally?.onward, currency) + minorUnits(amount) > sumIn(booked, currency)
    ? rejection('over-onward', `More would be passed on than arrived of transfer ${onward}.`, 'amount')
    : undefined;
};

const refundFault = (
  state: CommitmentState,
  { from, to }: TransferState,
  of: number,
  amount: Quantity,
): CommitmentRejection | undefined => {
  const reversed = transferOf(state, of);
  if (reversed === undefined) return rejection('unknown-transfer', `There is no transfer ${of}.`, 'of');
  if (isOwnBooking(reversed)) {
    return rejection('own-booking', `Transfer ${of} is booked by its holder with itself: nothing comes back.`, 'of');
  }
  if (reversed.from !== to || reversed.to !== from) {
    return rejection('refund-mismatch', `A refund goes back the way transfer ${of} came.`, 'of');
  }
  if (!sameMeasure(reversed.amount, amount)) {
    return rejection('currency-mismatch', `Transfer ${of} was in another currency.`, 'amount.currency');
  }
  return BigInt(reversed.tally?.refunded ?? '0') + minorUnits(amount) > minorUnits(reversed.amount)
    ? rejection('over-refund', `More would come back than transfer ${of} sent.`, 'amount')
    : undefined;
};

/** The net disbursement of the providers together stays within the money legs (I3): a joint offer promises them once. */
const disbursementFault = (state: CommitmentState, transfer: TransferState): CommitmentRejection | undefined => {
  const { from, amount } = transfer;
  if (!state.providers.includes(from) || disbursementSign(state, from, transfer) !== 1n) return undefined;
  const bound = moneyBound(state, amount);
  const paid = state.providers.reduce(
    (sum, provider) => sum + sumIn(state.net[provider], currencyIn(amount)),
    minorUnits(amount),
  );
  return bound !== undefined && paid > bound
    ? rejection('over-disbursement', 'More would be paid out than the money legs of this currency bind.', 'amount')
    : undefined;
};

/** Nobody but a provider pays what it does not hold, and money never runs in a circle (I9). */
const balanceFault = (state: CommitmentState, transfer: TransferState): CommitmentRejection | undefined => {
  const { from, to, kind } = transfer;
  if (
    kind !== 'refund' &&
    !isOwnBooking(transfer) &&
    !(state.paths[from] ?? []).includes(to) &&
    reaches(state.paths, to, from)
  ) {
    return rejection('cycle', `Money of ${to} has reached ${from} already: what goes back is a refund.`, 'to');
  }
  // Income is welcome also where a book is below nothing from before this rule.
  return overdrawn(state.accounts, withMovement(state, transfer, 1n), state, from)
    ? rejection('insufficient-balance', `${from} holds less of it than that: report first what it received.`, 'amount')
    : undefined;
};

const correctTransfer = (
  { n, amount, leg, instalment, date, reference, reason }: CommandOf<'CorrectTransfer'>,
  state: CommitmentState,
  party: string,
): Outcome => {
  const there = transferOf(state, n);
  if (there === undefined) return refuse('not-found', `There is no transfer ${n}.`);
  if (there.from !== party) return refuse('forbidden', 'A transfer is corrected by its payer.');
  if (isAnswered(there)) {
    return refuse('already-answered', `${there.to} has receipted transfer ${n}: settle what differs.`);
  }
  const corrected: TransferState = {
    ...there,
    ...(amount === undefined ? {} : { amount }),
    ...(leg === undefined ? {} : { leg }),
    ...(instalment === undefined ? {} : { instalment }),
    ...(date === undefined ? {} : { date }),
    ...(reference === undefined ? {} : { reference }),
  };
  // All rules again, on a record that has never counted it.
  const without = tallied(state, there, -1n);
  const fault = transferFault(without, corrected) ?? builtOnFault(state, without, there, corrected);
  if (fault !== undefined) return refused(fault);
  return accept({
    type: 'TransferCorrected',
    data: {
      n,
      amount: corrected.amount,
      ...(corrected.leg === undefined ? {} : { leg: corrected.leg }),
      ...(corrected.instalment === undefined ? {} : { instalment: corrected.instalment }),
      date: corrected.date,
      ...(corrected.reference === undefined ? {} : { reference: corrected.reference }),
      reason,
    },
  });
};

/** What was refunded or passed on of a transfer, or spent of it, stays covered by its corrected figure. */
const builtOnFault = (
  state: CommitmentState,
  without: CommitmentState,
  there: TransferState,
  corrected: TransferState,
): CommitmentRejection | undefined => {
  const currency = currencyIn(corrected.amount);
  const covered = (passed: string, sum: string): boolean =>
    BigInt(sum) <= (passed === currency ? minorUnits(corrected.amount) : 0n);
  const { refunded = '0', onward = {} } = corrected.tally ?? {};
  if (!covered(currencyIn(there.amount), refunded)) {
    return rejection('over-refund', `More has come back of transfer ${there.n}.`, 'amount');
  }
  const isCovered = Object.entries(onward).every(([passed, sum]) => covered(passed, sum));
  return isCovered && !overdrawn(state.accounts, withMovement(without, corrected, 1n), without, there.to)
    ? undefined
    : rejection('below-passed-on', `${there.to} has passed on or used more of transfer ${there.n}.`, 'amount');
};

/** Whether a holder would have less than nothing of a currency, and less than before; a provider's money is its own. */
const overdrawn = (
  before: Accounts,
  after: Accounts,
  { providers }: Pick<CommitmentState, 'providers'>,
  party: string,
): boolean =>
  !providers.includes(party) &&
  Object.keys({ ...after[party] }).some((currency) => {
    const balance = balanceOf({ accounts: after }, party, currency);
    return balance < 0n && balance < balanceOf({ accounts: before }, party, currency);
  });

const afterTransferCorrection = (
  state: CommitmentState,
  { n, reason, ...now }: EventData<'TransferCorrected'>,
  at: string,
): CommitmentState => {
  const there = transferOf(state, n);
  if (there === undefined) return state;
  const { leg: _leg, instalment: _instalment, reference, corrections = [], ...rest } = there;
  const earlier: Corrected = {
    amount: there.amount,
    date: there.date,
    ...(reference === undefined ? {} : { reference }),
    reason,
    at,
  };
  const corrected: TransferState = { ...rest, ...now, corrections: [...corrections, earlier] };
  return tallied(
    withTransfer(tallied(state, there, -1n), n, () => corrected),
    corrected,
    1n,
  );
};

type ReceiptLike = Pick<ReceiptState, 'amount' | 'credited' | 'charges'>;

const accountedBy = ({ amount, charges }: ReceiptLike): bigint =>
  minorUnits(amount) + (charges === undefined ? 0n : minorUnits(charges));

/** What is booked of a transfer with one receipt more (`sign` −1: fewer). A currency that nothing is booked in is left out. */
const bookedWith = (tally: Tally | undefined, { amount, credited = amount }: ReceiptLike, sign: 1n | -1n): Sums =>
  Object.fromEntries(
    Object.entries(summed(tally?.booked, currencyIn(credited), sign * minorUnits(credited))).filter(
      ([, sum]) => sum !== '0',
    ),
  );

/** The transfer's tally with one receipt more, or fewer. */
const receipted = (
  tally: Tally | undefined,
  receipt: ReceiptLike,
  sign: 1n | -1n,
): Tally & Required<Pick<Tally, 'accounted' | 'booked'>> => ({
  ...tally,
  accounted: String(BigInt(tally?.accounted ?? '0') + sign * accountedBy(receipt)),
  booked: bookedWith(tally, receipt, sign),
});

type Discrepancy = NonNullable<EventData<'ReceiptReported'>['discrepancy']>;

/** What remains of a transfer once its receipts account for so much; undefined where nothing does. */
const discrepancyOf = (state: CommitmentState, sent: TransferState, accounted: bigint): Discrepancy | undefined => {
  const remaining = minorUnits(sent.amount) - accounted;
  if (remaining === 0n) return undefined;
  return {
    n: state.discrepancies.find((discrepancy) => discrepancy.transfer === sent.n)?.n ?? state.discrepancies.length + 1,
    quantity: quantityOf(sent.amount, remaining < 0n ? -remaining : remaining),
    sign: remaining > 0n ? 'short' : 'over',
  };
};

/** What is wrong with a receipt on a transfer whose tally does not count it yet. */
const receiptFault = (
  state: CommitmentState,
  sent: TransferState,
  receipt: ReceiptLike & Pick<ReceiptState, 'rate'>,
  tally: ReturnType<typeof receipted>,
): CommitmentRejection | undefined => {
  const { amount, credited, rate, charges } = receipt;
  if (!sameMeasure(sent.amount, amount)) {
    return rejection('currency-mismatch', 'What arrived is stated in the transfer’s currency.', 'amount.currency');
  }
  if (charges !== undefined && !sameMeasure(sent.amount, charges)) {
    return rejection('currency-mismatch', 'Charges are stated in the transfer’s currency.', 'charges.currency');
  }
  if (credited !== undefined && rate !== undefined && !rateHolds(amount, rate, credited)) {
    return rejection('rate-mismatch', 'amount × rate is not what is credited.', 'rate');
  }
  const { booked } = tally;
  for (const [currency, passed] of Object.entries(tally.onward ?? {})) {
    if (BigInt(passed) > sumIn(booked, currency)) {
      return rejection('below-passed-on', `More of transfer ${sent.n} was passed on than that.`, 'amount');
    }
  }
  const accounts = rebooked(state.accounts, sent, booked);
  return overdrawn(state.accounts, accounts, state, sent.to)
    ? rejection('below-passed-on', `${sent.to} has used more of it than that.`, 'amount')
    : undefined;
};

const reportReceipt = (
  { transfer, amount, credited, rate, charges, date, reference }: CommandOf<'ReportReceipt'>,
  state: CommitmentState,
  party: string,
): Outcome => {
  const sent = transferOf(state, transfer);
  if (sent === undefined) return refuse('unknown-transfer', `There is no transfer ${transfer}.`, 'transfer');
  if (sent.to !== party) return refuse('forbidden', 'A receipt is reported by the holder of the money.', 'transfer');
  if (isOwnBooking(sent)) {
    return refuse(
      'own-booking',
      `Transfer ${transfer} is booked by its holder with itself: nothing arrives.`,
      'transfer',
    );
  }
  const receipt = {
    n: state.receipts.length + 1,
    transfer,
    party,
    amount,
    ...(credited === undefined ? {} : { credited }),
    ...(rate === undefined ? {} : { rate }),
    ...(charges === undefined ? {} : { charges }),
    date,
    ...(reference === undefined ? {} : { reference }),
  };
  const tally = receipted(sent.tally, receipt, 1n);
  const fault = receiptFault(state, sent, receipt, tally);
  if (fault !== undefined) return refused(fault);
  const discrepancy = discrepancyOf(state, sent, BigInt(tally.accounted));
  return accept({
    type: 'ReceiptReported',
    data: { ...receipt, ...(discrepancy === undefined ? {} : { discrepancy }) },
  });
};

/** A receipt stands once its money was passed on, or once its discrepancy was accepted or settled by both. */
const isBuiltOn = (state: CommitmentState, { transfer }: ReceiptState): boolean =>
  Object.values(transferOf(state, transfer)?.tally?.onward ?? {}).some((passed) => passed !== '0') ||
  state.discrepancies.some(
    (discrepancy) =>
      discrepancy.transfer === transfer && (discrepancy.status === 'accepted' || discrepancy.agreed !== undefined),
  );

const correctReceipt = (command: CommandOf<'CorrectReceipt'>, state: CommitmentState, party: string): Outcome => {
  const { n, reason } = command;
  const there = state.receipts.find((receipt) => receipt.n === n);
  const sent = transferOf(state, there?.transfer);
  if (there === undefined || sent === undefined) return refuse('not-found', `There is no receipt ${n}.`);
  if (there.party !== party) return refuse('forbidden', 'A receipt is corrected by who reported it.');
  if (isBuiltOn(state, there)) {
    return refuse('already-answered', `Receipt ${n} stands: its money was passed on, or its difference is settled.`);
  }
  const { amount = there.amount, date = there.date, reference = there.reference, charges = there.charges } = command;
  // A new credit comes with its own rate; the old rate belongs to the old credit.
  const { credited = there.credited, rate } =
    command.credited === undefined && command.rate === undefined ? there : command;
  const corrected = {
    amount,
    ...(credited === undefined ? {} : { credited }),
    ...(rate === undefined ? {} : { rate }),
    ...(charges === undefined ? {} : { charges }),
  };
  const tally = receipted(receipted(sent.tally, there, -1n), corrected, 1n);
  const fault = receiptFault(state, sent, corrected, tally);
  if (fault !== undefined) return refused(fault);
  const discrepancy = discrepancyOf(state, sent, BigInt(tally.accounted));
  return accept({
    type: 'ReceiptCorrected',
    data: {
      n,
      transfer: sent.n,
      ...corrected,
      date,
      ...(reference === undefined ? {} : { reference }),
      reason,
      ...(discrepancy === undefined ? {} : { discrepancy }),
    },
  });
};

/** The books, the tally and the discrepancy of a transfer after its receipts changed; the receipts themselves are the caller's. */
const afterReceipts = (
  state: CommitmentState,
  transfer: number,
  discrepancy: Discrepancy | undefined,
  change: (tally: Tally | undefined) => ReturnType<typeof receipted>,
): CommitmentState => {
  const sent = transferOf(state, transfer);
  const tally = change(sent?.tally);
  const counted =
    sent === undefined
      ? state
      : withTransfer({ ...state, accounts: rebooked(state.accounts, sent, tally.booked) }, transfer, (item) => ({
          ...item,
          tally,
        }));
  const others = state.discrepancies.filter((known) => known.transfer !== transfer);
  const known = state.discrepancies.find((earlier) => earlier.transfer === transfer);
  const now: DiscrepancyState | undefined =
    discrepancy !== undefined
      ? { n: discrepancy.n, transfer, difference: discrepancy.quantity, sign: discrepancy.sign, status: 'open' }
      : known === undefined
        ? undefined
        : { ...known, difference: zeroLike(known.difference), status: 'settled' };
  return {
    ...counted,
    discrepancies: now === undefined ? others : [...others, now].sort((a, b) => a.n - b.n),
  };
};

const afterReceipt = (
  state: CommitmentState,
  receipt: ReceiptState,
  discrepancy: Discrepancy | undefined,
): CommitmentState => afterReceipts(state, receipt.transfer, discrepancy, (tally) => receipted(tally, receipt, 1n));

const afterReceiptCorrection = (
  state: CommitmentState,
  { n, reason, discrepancy, ...now }: EventData<'ReceiptCorrected'>,
  at: string,
): CommitmentState => {
  const there = state.receipts.find((receipt) => receipt.n === n);
  if (there === undefined) return state;
  const { corrections = [], reference, party } = there;
  const earlier: Corrected = {
    amount: there.amount,
    date: there.date,
    ...(reference === undefined ? {} : { reference }),
    reason,
    at,
  };
  const corrected: ReceiptState = { n, party, ...now, corrections: [...corrections, earlier] };
  return afterReceipts(
    { ...state, receipts: replaced(state.receipts, n, () => corrected) },
    now.transfer,
    discrepancy,
    (tally) => receipted(receipted(tally, there, -1n), corrected, 1n),
  );
};

const acceptDiscrepancy = ({ n, reason }: CommandOf<'AcceptDiscrepancy'>, state: CommitmentState): Outcome => {
  const discrepancy = state.discrepancies.find((known) => known.n === n);
  if (discrepancy === undefined) return refuse('not-found', `There is no discrepancy ${n}.`);
  if (discrepancy.status !== 'open') return refuse('already-settled', `Discrepancy ${n} is ${discrepancy.status}.`);
  return accept({ type: 'DiscrepancyAccepted', data: { n, reason } });
};

/** Which side of a difference a party speaks for: the payer's or the receiver's, or its side of the commitment. */
const endOf = (state: CommitmentState, { transfer }: DiscrepancyState, who: Who): Side | undefined => {
  const sent = transferOf(state, transfer);
  if (sent?.from === who.party) return 'provider';
  if (sent?.to === who.party) return 'recipient';
  if (isProvider(state, who)) return 'provider';
  return isRecipient(state, who) ? 'recipient' : undefined;
};

/** Both ends state what arrived; where they state the same, the difference is settled. Books follow receipts alone. */
const settleDiscrepancy = (
  { n, amount, reason }: CommandOf<'SettleDiscrepancy'>,
  state: CommitmentState,
  who: Who,
): Outcome => {
  const discrepancy = state.discrepancies.find((known) => known.n === n);
  if (discrepancy === undefined) return refuse('not-found', `There is no discrepancy ${n}.`);
  const side = endOf(state, discrepancy, who);
  if (side === undefined) return refuse('forbidden', `Discrepancy ${n} is for its payer and its receiver to settle.`);
  if (discrepancy.status !== 'open') return refuse('already-settled', `Discrepancy ${n} is ${discrepancy.status}.`);
  if (amount !== undefined && !sameMeasure(amount, discrepancy.difference)) {
    return refuse('currency-mismatch', 'What arrived is stated in the transfer’s currency.', 'amount.currency');
  }
  const stated = { n, side, party: who.party, ...(amount === undefined ? {} : { amount }), reason };
  const other = discrepancy.statements?.[side === 'provider' ? 'recipient' : 'provider'];
  const sent = transferOf(state, discrepancy.transfer)?.amount ?? zeroLike(discrepancy.difference);
  return other !== undefined && compare(other.amount ?? sent, amount ?? sent) === 0
    ? accept<CommitmentEvent>(
        { type: 'DiscrepancySettlementStated', data: stated },
        { type: 'DiscrepancySettled', data: { n, ...(amount === undefined ? {} : { amount }) } },
      )
    : accept({ type: 'DiscrepancySettlementStated', data: stated });
};

/** A certified report stands instead of the interim ones whose days it covers; beside that no day is accounted for twice. */
const reportExpenditure = (
  { kind, from, to, lines, invoices, date, reference, document }: CommandOf<'ReportExpenditure'>,
  state: CommitmentState,
  party: string,
): Outcome => {
  const standing = state.expenditures.filter((known) => known.party === party && known.replacedBy === undefined);
  const isCovered = (known: ExpenditureState): boolean =>
    kind === 'certified' && known.kind === 'interim' && from <= known.from && known.to <= to;
  const overlapping = standing.find((known) => !isCovered(known) && periodsOverlap(known, { from, to }));
  if (overlapping !== undefined) {
    return refuse(
      'period-overlap',
      `Report ${overlapping.n} accounts for days from ${overlapping.from} to ${overlapping.to} already.`,
      'period',
    );
  }
  const replaces = standing.filter(isCovered).map(({ n }) => n);
  const expenditure = {
    n: state.expenditures.length + 1,
    party,
    kind,
    from,
    to,
    lines,
    ...(invoices === undefined ? {} : { invoices }),
    ...(replaces.length === 0 ? {} : { replaces }),
    date,
    ...(reference === undefined ? {} : { reference }),
    ...(document === undefined ? {} : { document }),
  };
  if (overdrawn(state.accounts, afterExpenditure(state, expenditure).accounts, state, party)) {
    return refuse('insufficient-balance', 'More would be spent than is held: report first what was received.', 'lines');
  }
  return accept({ type: 'ExpenditureReported', data: expenditure });
};

const spending = (accounts: Accounts, { party, lines }: EventData<'ExpenditureReported'>, sign: 1n | -1n): Accounts =>
  sumByMeasure(lines.map(({ amount }) => amount)).reduce(
    (now, sum) => entered(now, party, 'spent', currencyIn(sum), sign * minorUnits(sum)),
    accounts,
  );

const afterExpenditure = (state: CommitmentState, expenditure: EventData<'ExpenditureReported'>): CommitmentState => {
  const gone = new Set(expenditure.replaces);
  const before = state.expenditures
    .filter(({ n }) => gone.has(n))
    .reduce((accounts, known) => spending(accounts, known, -1n), state.accounts);
  return {
    ...state,
    accounts: spending(before, expenditure, 1n),
    expenditures: [
      ...state.expenditures.map((known) => (gone.has(known.n) ? { ...known, replacedBy: expenditure.n } : known)),
      expenditure,
    ],
  };
};

/** What a cancellation fixes now as due back to providers. */
export const refundsDueNow = (state: CommitmentState): Pick<EventData<'CommitmentCancelled'>, 'refundsDue'> => {
  const refundsDue = refundsDueOn(state);
  return refundsDue.length === 0 ? {} : { refundsDue };
};

/** What the cancellation fixed as due back, with where each provider stood then. */
export const withRefundsDue = (
  state: CommitmentState,
  refundsDue: EventData<'CommitmentCancelled'>['refundsDue'] = [],
): Pick<MoneyState, 'refundsDue'> => ({
  refundsDue: refundsDue.map(({ provider, quantity }) => ({
    provider,
    quantity,
    net: String(sumIn(state.net[provider], currencyIn(quantity))),
  })),
});

/** What decisions of a fund that keeps its book leave for the need, in its currency; nothing where no decision is for it. */
export interface FundDecision {
  readonly decided?: Quantity;
}

/** What legs draw of an offer, and whose offer it is. */
interface Drawing {
  readonly providers: readonly string[];
  readonly legs: readonly { readonly drawn: Quantity }[];
}

const moneyOf = (legs: Drawing['legs']): Quantity[] =>
  legs.map(({ drawn }) => drawn).filter(({ measure }) => measure === 'money');

/**
 * Whether a fund that keeps its book may sign: a decision for this need stands and leaves as much as the money legs take. Of a joint offer
 * nobody knows the fund's part: a decision is to stand.
 * @param decision undefined for everybody else
 */
export const decisionFault = (
  { providers, legs }: Drawing,
  decision: FundDecision | undefined,
): CommitmentRejection | undefined => {
  if (decision === undefined) return undefined;
  const { decided } = decision;
  const money = moneyOf(legs);
  const covered =
    decided !== undefined &&
    (providers.length > 1 ||
      (money.every((drawn) => sameMeasure(drawn, decided)) &&
        money.reduce((sum, drawn) => sum + minorUnits(drawn), 0n) <= minorUnits(decided)));
  return covered
    ? undefined
    : rejection('decision-required', 'The fund signs under a decision that leaves enough for this need.');
};

/** Whether such a fund may agree to other legs: one that draws more money of it needs the decision that a signature needs. */
export const raiseFault = (
  { providers, legs: before }: Drawing,
  legs: Drawing['legs'],
  decision: FundDecision | undefined,
): CommitmentRejection | undefined => {
  const sumOf = (like: Quantity, of: Drawing['legs']): bigint =>
    moneyOf(of).reduce((sum, drawn) => (sameMeasure(drawn, like) ? sum + minorUnits(drawn) : sum), 0n);
  const raises = moneyOf(legs).some((drawn) => sumOf(drawn, legs) > sumOf(drawn, before));
  return raises ? decisionFault({ providers, legs }, decision) : undefined;
};
