import { accept, refuse } from '#kernel';
import type { Quantity, TransferKind } from '#vocabulary';
import { add, minorUnits, quantityOf, sameMeasure, subtract, zeroLike } from '#vocabulary';
import type { CommitmentState, EventContext, EventData, Outcome, Rule, Who } from './commitment-state.js';
import { BOUND, isCoordinatorInCharge, recipientsOf, replaced, tasksOf } from './commitment-state.js';
import type { CommitmentEvent } from './commitment.contract.js';

export type MoneyRejectionCode =
  | 'unknown-transfer'
  | 'already-settled'
  | 'currency-mismatch'
  | 'onward-mismatch'
  | 'refund-mismatch'
  | 'over-refund'
  | 'over-disbursement'
  | 'open-discrepancies';

export type TransferState = EventData<'TransferReported'>;
export type ReceiptState = Omit<EventData<'ReceiptReported'>, 'discrepancy'>;

/** What remains of a transfer after its receipts: one per transfer, moved by every further receipt. */
export interface DiscrepancyState {
  readonly n: number;
  readonly transfer: number;
  /** transfer − Σ amounts − Σ charges, as an absolute figure; `short`: less arrived than was sent. */
  readonly difference: Quantity;
  readonly sign: 'short' | 'over';
  /** `settled`: a later receipt made up for it. */
  readonly status: 'open' | 'accepted' | 'settled';
  readonly reason?: string;
}

/** What a commitment keeps of money that moved. */
export interface MoneyState {
  readonly transfers: readonly TransferState[];
  readonly receipts: readonly ReceiptState[];
  readonly discrepancies: readonly DiscrepancyState[];
}

export const NO_MONEY: MoneyState = { transfers: [], receipts: [], discrepancies: [] };

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
  | { readonly type: 'AcceptDiscrepancy'; readonly n: number; readonly reason: string };

type CommandOf<T extends MoneyCommand['type']> = Extract<MoneyCommand, { type: T }>;

/** Money moves from a side, a named agency, or whoever an earlier transfer reached. */
const mayPay = (state: CommitmentState, who: Who): boolean =>
  state.providers.includes(who.party) ||
  recipientsOf(state).includes(who.party) ||
  tasksOf(state, who.party).length > 0 ||
  state.transfers.some(({ to }) => to === who.party);

/** Rows of COMMITMENT_RULES. */
export const MONEY_RULES = {
  ReportTransfer: { segment: 'transfers', from: BOUND, otherwise: 'not-binding', who: mayPay },
  ReportReceipt: {
    segment: 'receipts',
    from: BOUND,
    otherwise: 'not-binding',
    who: (state, who) => state.transfers.some(({ to }) => to === who.party),
  },
  AcceptDiscrepancy: {
    segment: 'accept-discrepancy',
    from: BOUND,
    otherwise: 'not-binding',
    who: isCoordinatorInCharge,
  },
} as const satisfies Readonly<Record<MoneyCommand['type'], Rule>>;

/** Whether there is something to do for a command that its row allows; undefined: always. */
export const hasMoneyTask = (type: MoneyCommand['type'], state: CommitmentState): boolean =>
  type !== 'AcceptDiscrepancy' || openDiscrepancies(state).length > 0;

export const decideMoney = (command: MoneyCommand, state: CommitmentState, who: Who): Outcome => {
  switch (command.type) {
    case 'ReportTransfer':
      return reportTransfer(command, state, who.party);
    case 'ReportReceipt':
      return reportReceipt(command, state, who.party);
    case 'AcceptDiscrepancy':
      return acceptDiscrepancy(command, state);
  }
};

/** The state after an event of money; undefined where it is another's. */
export const afterMoney = (
  state: CommitmentState,
  event: CommitmentEvent,
  _context: EventContext,
): CommitmentState | undefined => {
  switch (event.type) {
    case 'TransferReported':
      return { ...state, transfers: [...state.transfers, event.data] };
    case 'ReceiptReported':
      return afterReceipt(state, event.data);
    case 'DiscrepancyAccepted':
      return {
        ...state,
        discrepancies: replaced(state.discrepancies, event.data.n, (item) => ({
          ...item,
          status: 'accepted',
          reason: event.data.reason,
        })),
      };
    default:
      return undefined;
  }
};

export const openDiscrepancies = (state: CommitmentState): DiscrepancyState[] =>
  state.discrepancies.filter(({ status }) => status === 'open');

type TransferLike = Pick<TransferState, 'kind' | 'from' | 'to' | 'onward' | 'of'>;

/**
 * What a transfer adds to a party's net disbursement, as a sign: 1 for its own payments, 0 for what it passes on for others, books
 * with itself or has no part in. A refund undoes what its transfer did, also where that was a refund; passing a refund on undoes the refund.
 */
export const disbursementSign = (state: CommitmentState, party: string, transfer: TransferLike): bigint => {
  // Of a transfer that is not on the record nothing is undone.
  const undone = (n: number | undefined): bigint =>
    state.transfers.filter((known) => known.n === n).reduce((_, known) => -disbursementSign(state, party, known), 0n);
  if (transfer.kind === 'refund') return undone(transfer.of);
  if (transfer.from !== party || transfer.from === transfer.to) return 0n;
  const source = state.transfers.find(({ n }) => n === transfer.onward);
  if (source === undefined) return 1n;
  return source.kind === 'refund' ? undone(source.n) : 0n;
};

/** The net disbursement of a provider in a currency, in minor units. */
const netDisbursement = (state: CommitmentState, provider: string, currency: Quantity): bigint =>
  state.transfers
    .filter(({ amount }) => sameMeasure(amount, currency))
    .reduce((net, each) => net + disbursementSign(state, provider, each) * minorUnits(each.amount), 0n);

/** Money of this currency that is bound now, in minor units; undefined where the commitment has no money leg at all. */
const moneyBound = (state: CommitmentState, currency: Quantity): bigint | undefined => {
  const legs = state.legs.filter(({ drawn }) => drawn.measure === 'money');
  if (legs.length === 0) return undefined;
  const cancelled = state.status === 'cancelled' || state.closedAs === 'cancelled';
  return legs
    .filter(({ drawn }) => sameMeasure(drawn, currency))
    .reduce((sum, leg) => sum + minorUnits(cancelled ? leg.deliveredDrawn : leg.drawn), 0n);
};

const reportTransfer = (
  { kind, from, to, amount, leg, onward, of, date, reference }: CommandOf<'ReportTransfer'>,
  state: CommitmentState,
  party: string,
): Outcome => {
  if (party !== from) return refuse('forbidden', 'A transfer is reported by its payer.', 'from');
  if (leg !== undefined && !state.legs.some((known) => known.leg === leg)) {
    return refuse('unknown-leg', `The commitment has no leg ${leg}.`, 'leg');
  }
  if (onward !== undefined) {
    const source = state.transfers.find(({ n }) => n === onward);
    if (source === undefined) return refuse('unknown-transfer', `There is no transfer ${onward}.`, 'onward');
    if (source.to !== from) {
      return refuse('onward-mismatch', `Transfer ${onward} went to ${source.to}, who alone passes it on.`, 'onward');
    }
  }
  if (of !== undefined) {
    const reversed = state.transfers.find(({ n }) => n === of);
    if (reversed === undefined) return refuse('unknown-transfer', `There is no transfer ${of}.`, 'of');
    if (reversed.from !== to || reversed.to !== from) {
      return refuse('refund-mismatch', `A refund goes back the way transfer ${of} came.`, 'of');
    }
    if (!sameMeasure(reversed.amount, amount)) {
      return refuse('currency-mismatch', `Transfer ${of} was in another currency.`, 'amount.currency');
    }
    const back = state.transfers.filter((refund) => refund.of === of).map((refund) => minorUnits(refund.amount));
    if (back.reduce((sum, minor) => sum + minor, minorUnits(amount)) > minorUnits(reversed.amount)) {
      return refuse('over-refund', `More would come back than transfer ${of} sent.`, 'amount');
    }
  }
  const asked = { kind, from, to, ...(onward === undefined ? {} : { onward }), ...(of === undefined ? {} : { of }) };
  if (state.providers.includes(from) && disbursementSign(state, from, asked) === 1n) {
    const bound = moneyBound(state, amount);
    if (bound !== undefined && netDisbursement(state, from, amount) + minorUnits(amount) > bound) {
      return refuse('over-disbursement', 'More would be paid out than the money legs of this currency bind.', 'amount');
    }
  }
  return accept({
    type: 'TransferReported',
    data: {
      n: state.transfers.length + 1,
      kind,
      from,
      to,
      amount,
      ...(leg === undefined ? {} : { leg }),
      ...(onward === undefined ? {} : { onward }),
      ...(of === undefined ? {} : { of }),
      date,
      ...(reference === undefined ? {} : { reference }),
    },
  });
};

const reportReceipt = (
  { transfer, amount, credited, rate, charges, date, reference }: CommandOf<'ReportReceipt'>,
  state: CommitmentState,
  party: string,
): Outcome => {
  const sent = state.transfers.find(({ n }) => n === transfer);
  if (sent === undefined) return refuse('unknown-transfer', `There is no transfer ${transfer}.`, 'transfer');
  if (sent.to !== party) return refuse('forbidden', 'A receipt is reported by the holder of the money.', 'transfer');
  if (!sameMeasure(sent.amount, amount)) {
    return refuse('currency-mismatch', 'What arrived is stated in the transfer’s currency.', 'amount.currency');
  }
  if (charges !== undefined && !sameMeasure(sent.amount, charges)) {
    return refuse('currency-mismatch', 'Charges are stated in the transfer’s currency.', 'charges.currency');
  }
  const accounted = state.receipts
    .filter((receipt) => receipt.transfer === transfer)
    .reduce(withReceipt, charges === undefined ? amount : add(amount, charges));
  const remaining = minorUnits(subtract(sent.amount, accounted));
  const n =
    state.discrepancies.find((discrepancy) => discrepancy.transfer === transfer)?.n ?? state.discrepancies.length + 1;
  return accept({
    type: 'ReceiptReported',
    data: {
      n: state.receipts.length + 1,
      transfer,
      party,
      amount,
      ...(credited === undefined ? {} : { credited }),
      ...(rate === undefined ? {} : { rate }),
      ...(charges === undefined ? {} : { charges }),
      date,
      ...(reference === undefined ? {} : { reference }),
      ...(remaining === 0n
        ? {}
        : {
            discrepancy: {
              n,
              quantity: quantityOf(amount, remaining < 0n ? -remaining : remaining),
              sign: remaining > 0n ? ('short' as const) : ('over' as const),
            },
          }),
    },
  });
};

const withReceipt = (sum: Quantity, { amount, charges }: ReceiptState): Quantity =>
  charges === undefined ? add(sum, amount) : add(add(sum, amount), charges);

const acceptDiscrepancy = ({ n, reason }: CommandOf<'AcceptDiscrepancy'>, state: CommitmentState): Outcome => {
  const discrepancy = state.discrepancies.find((known) => known.n === n);
  if (discrepancy === undefined) return refuse('not-found', `There is no discrepancy ${n}.`);
  if (discrepancy.status !== 'open') return refuse('already-settled', `Discrepancy ${n} is ${discrepancy.status}.`);
  return accept({ type: 'DiscrepancyAccepted', data: { n, reason } });
};

const afterReceipt = (
  state: CommitmentState,
  { discrepancy, ...receipt }: EventData<'ReceiptReported'>,
): CommitmentState => {
  const { transfer } = receipt;
  const others = state.discrepancies.filter((known) => known.transfer !== transfer);
  const known = state.discrepancies.find((earlier) => earlier.transfer === transfer);
  const now: DiscrepancyState | undefined =
    discrepancy !== undefined
      ? { n: discrepancy.n, transfer, difference: discrepancy.quantity, sign: discrepancy.sign, status: 'open' }
      : known === undefined
        ? undefined
        : { ...known, difference: zeroLike(known.difference), status: 'settled' };
  return {
    ...state,
    receipts: [...state.receipts, receipt],
    discrepancies: now === undefined ? others : [...others, now].sort((a, b) => a.n - b.n),
  };
};
