import type { Quantity } from '#vocabulary';
import { lastInstant, minorUnits, quantityOf } from '#vocabulary';
import type { CommitmentState, EventData } from './commitment-state.js';
import { recipientsOf } from './commitment-state.js';
import type { TransferState } from './commitment-money.js';

/** What adds to a holder's balance (I9). */
const INFLOWS = ['received', 'own', 'interest', 'income', 'refundsReceived', 'gain'] as const;
/** What takes from it. */
const OUTFLOWS = ['passedOn', 'fees', 'charges', 'refundsPaid', 'spent', 'loss'] as const;

export type Column = (typeof INFLOWS)[number] | (typeof OUTFLOWS)[number];

/** Sums in minor units, written in digits (a state is JSON); absent is nothing. */
export type Account = Readonly<Partial<Record<Column, string>>>;

/** By party and currency. */
export type Accounts = Readonly<Record<string, Readonly<Record<string, Account>>>>;

/** By currency, in minor units written in digits. */
export type Sums = Readonly<Record<string, string>>;

/** The currency of what moved, which is always money. */
export const currencyIn = (quantity: Quantity): string =>
  (quantity as Extract<Quantity, { measure: 'money' }>).currency;

/** A sum of a currency, which may be negative. */
export const moneyOf = (currency: string, minor: bigint): Quantity =>
  quantityOf({ measure: 'money', currency, amount: '0' }, minor);

export const sumIn = (sums: Sums | undefined, currency: string): bigint => BigInt(sums?.[currency] ?? '0');

export const summed = (sums: Sums | undefined, currency: string, minor: bigint): Sums => ({
  ...sums,
  [currency]: String(sumIn(sums, currency) + minor),
});

const columnOf = (account: Account | undefined, column: Column): bigint => BigInt(account?.[column] ?? '0');

export const accountOf = ({ accounts }: Pick<CommitmentState, 'accounts'>, party: string, currency: string): Account =>
  accounts[party]?.[currency] ?? {};

const balanced = (account: Account): bigint =>
  INFLOWS.reduce((sum, column) => sum + columnOf(account, column), 0n) -
  OUTFLOWS.reduce((sum, column) => sum + columnOf(account, column), 0n);

/** What a party holds of a currency, in minor units: of its own money, as a provider, it holds less than nothing. */
export const balanceOf = (state: Pick<CommitmentState, 'accounts'>, party: string, currency: string): bigint =>
  balanced(accountOf(state, party, currency));

/** The accounts with one entry more. */
export const entered = (
  accounts: Accounts,
  party: string,
  column: Column,
  currency: string,
  minor: bigint,
): Accounts => {
  const account = accountOf({ accounts }, party, currency);
  return {
    ...accounts,
    [party]: {
      ...accounts[party],
      [currency]: { ...account, [column]: String(columnOf(account, column) + minor) },
    },
  };
};

type Movement = Pick<TransferState, 'kind' | 'from' | 'to' | 'onward' | 'effect'>;

/** What a holder books with itself. */
const ownColumn = ({ kind, effect }: Movement): Column | undefined => {
  switch (kind) {
    case 'fee':
      return 'fees';
    case 'bank-charge':
      return 'charges';
    case 'interest':
      return 'interest';
    case 'programme-income':
      return 'income';
    case 'exchange-difference':
      return effect === 'gain' ? 'gain' : 'loss';
    default:
      return undefined;
  }
};

/** Where a movement between two parties stands with the payer. */
const paidColumn = (kind: Movement['kind']): Column => {
  switch (kind) {
    case 'refund':
      return 'refundsPaid';
    case 'fee':
      return 'fees';
    case 'bank-charge':
      return 'charges';
    default:
      return 'passedOn';
  }
};

/** Where it stands with the receiver. */
const reachedColumn = (kind: Movement['kind']): Column => {
  switch (kind) {
    case 'refund':
      return 'refundsReceived';
    case 'interest':
      return 'interest';
    case 'programme-income':
      return 'income';
    default:
      return 'received';
  }
};

export const isOwnBooking = ({ from, to }: Pick<Movement, 'from' | 'to'>): boolean => from === to;

/** A State that co-finances pays its own money in: it has not come through the commitment. */
const isOwnMoney = (state: CommitmentState, { kind, from, onward }: Movement): boolean =>
  kind === 'contribution' && onward === undefined && recipientsOf(state).includes(from);

/** The accounts after a transfer (`sign` −1: without it). What reached the receiver is what receipts say, as sent before any. */
export const withMovement = (state: CommitmentState, transfer: TransferState, sign: 1n | -1n): Accounts => {
  const currency = currencyIn(transfer.amount);
  const minor = sign * minorUnits(transfer.amount);
  if (isOwnBooking(transfer)) {
    const column = ownColumn(transfer);
    return column === undefined ? state.accounts : entered(state.accounts, transfer.from, column, currency, minor);
  }
  let accounts = entered(state.accounts, transfer.from, paidColumn(transfer.kind), currency, minor);
  if (isOwnMoney(state, transfer)) accounts = entered(accounts, transfer.from, 'own', currency, minor);
  for (const [booked, sum] of Object.entries(bookedOf(transfer))) {
    accounts = entered(accounts, transfer.to, reachedColumn(transfer.kind), booked, sign * BigInt(sum));
  }
  return accounts;
};

/** What the receiver has of a transfer, by the currency it is booked in: what its receipts say, all that was sent before the first. */
export const bookedOf = ({ amount, tally }: Pick<TransferState, 'amount' | 'tally'>): Sums =>
  tally?.booked ?? { [currencyIn(amount)]: String(minorUnits(amount)) };

/** The accounts after what reached the receiver is booked otherwise. */
export const rebooked = (accounts: Accounts, transfer: TransferState, booked: Sums): Accounts => {
  if (isOwnBooking(transfer)) return accounts;
  const column = reachedColumn(transfer.kind);
  let now = accounts;
  for (const [currency, sum] of Object.entries(bookedOf(transfer))) {
    now = entered(now, transfer.to, column, currency, -BigInt(sum));
  }
  for (const [currency, sum] of Object.entries(booked)) {
    now = entered(now, transfer.to, column, currency, BigInt(sum));
  }
  return now;
};

/** Whether money can flow from one party to the other along transfers that are no refunds. */
export const reaches = (paths: CommitmentState['paths'], from: string, to: string): boolean => {
  const seen = new Set<string>();
  const waiting = [from];
  for (let party = waiting.pop(); party !== undefined; party = waiting.pop()) {
    if (party === to) return true;
    if (seen.has(party)) continue;
    seen.add(party);
    waiting.push(...(paths[party] ?? []));
  }
  return false;
};

type RefundDue = NonNullable<EventData<'CommitmentCancelled'>['refundsDue']>[number];

/**
 * What providers are due back when the commitment is cancelled: per currency of its money legs, what they paid out, net, beyond the money
 * delivered. Providers who paid in one currency share it by what each paid; what does not divide falls to the first of them.
 */
export const refundsDueOn = (state: CommitmentState): readonly RefundDue[] =>
  paidBeyond(state, ({ deliveredDrawn }) => deliveredDrawn);

/** What providers paid out, net, beyond what money legs bind of each currency; nothing where no leg is money. */
const paidBeyond = (
  state: CommitmentState,
  bound: (leg: CommitmentState['legs'][number]) => Quantity,
): readonly RefundDue[] => {
  const sums = new Map<string, bigint>();
  for (const leg of state.legs) {
    if (leg.drawn.measure !== 'money') continue;
    const { currency } = leg.drawn;
    sums.set(currency, (sums.get(currency) ?? 0n) + minorUnits(bound(leg)));
  }
  if (sums.size === 0) return [];
  // An amendment may have taken the last leg of a currency that was paid.
  for (const currency of state.providers.flatMap((provider) => Object.keys(state.net[provider] ?? {}))) {
    if (!sums.has(currency)) sums.set(currency, 0n);
  }
  return [...sums].flatMap(([currency, most]) => {
    const paid = state.providers
      .map((provider) => ({ provider, net: sumIn(state.net[provider], currency) }))
      .filter(({ net }) => net > 0n);
    const total = paid.reduce((sum, { net }) => sum + net, 0n);
    if (total <= most) return [];
    const due = total - most;
    const shares = paid.map(({ provider, net }) => ({ provider, share: (due * net) / total }));
    const rest = due - shares.reduce((sum, { share }) => sum + share, 0n);
    return shares
      .map(({ provider, share }, index) => ({
        provider,
        quantity: moneyOf(currency, share + (index === 0 ? rest : 0n)),
      }))
      .filter(({ quantity }) => minorUnits(quantity) > 0n);
  });
};

/**
 * What is due back: what a cancellation fixed, with what has come back since; while there was none, what is paid beyond the money legs
 * since an amendment took from them (I3).
 */
const refundsView = (state: CommitmentState): readonly object[] => {
  const { refundsDue, net, status, closedAs } = state;
  if (status !== 'cancelled' && closedAs !== 'cancelled') {
    return paidBeyond(state, ({ drawn }) => drawn).map(({ provider, quantity }) => ({
      provider,
      quantity,
      paid: moneyOf(currencyIn(quantity), 0n),
      outstanding: quantity,
    }));
  }
  return refundsDue.map(({ provider, quantity, net: then }) => {
    const currency = currencyIn(quantity);
    const back = BigInt(then) - sumIn(net[provider], currency);
    const due = minorUnits(quantity);
    const paid = back < 0n ? 0n : back > due ? due : back;
    return { provider, quantity, paid: moneyOf(currency, paid), outstanding: moneyOf(currency, due - paid) };
  });
};

/** One inflow of a holder: the advance it is part of is used up in the order of dates. */
interface Inflow {
  readonly holder: string;
  readonly currency: string;
  readonly date: string;
  readonly minor: bigint;
}

const inflowsBy = (transfer: TransferState): readonly Inflow[] => {
  const { to: holder, amount } = transfer;
  const date = lastInstant(transfer.date).slice(0, 10);
  if (!isOwnBooking(transfer)) {
    return Object.entries(bookedOf(transfer)).map(([currency, sum]) => ({
      holder,
      currency,
      date,
      minor: BigInt(sum),
    }));
  }
  return INFLOWS.some((column) => column === ownColumn(transfer))
    ? [{ holder, currency: currencyIn(amount), date, minor: minorUnits(amount) }]
    : [];
};

/** What came in on one account, oldest first. */
interface Received {
  readonly inflows: Inflow[];
  total: bigint;
}

/** The inflows of every account. It goes along with a list of transfers that grows: what it has counted it does not look at again. */
export class InflowBook {
  private counted: readonly TransferState[] = [];
  private byAccount = new Map<string, Received>();

  /** Counts all of these transfers, and no others. */
  follow(transfers: readonly TransferState[]): void {
    if (this.counted.some((transfer, index) => transfers[index] !== transfer)) {
      this.counted = [];
      this.byAccount = new Map();
    }
    for (const transfer of transfers.slice(this.counted.length))
      inflowsBy(transfer).forEach((each) => this.count(each));
    this.counted = transfers;
  }

  /** The date of the oldest money that is still there: what came first was used first. */
  oldestOf(holder: string, currency: string, balance: bigint): string | null {
    const { inflows, total } = this.receivedBy(holder, currency);
    if (balance <= 0n) return null;
    // More than came in is there from the first on.
    let used = total - balance;
    const oldest = inflows.find(({ minor }) => (used -= minor) < 0n);
    return oldest?.date ?? null;
  }

  private count(inflow: Inflow): void {
    const received = this.receivedBy(inflow.holder, inflow.currency);
    const later = received.inflows.findLastIndex(({ date }) => date <= inflow.date) + 1;
    received.inflows.splice(later, 0, inflow);
    received.total += inflow.minor;
  }

  private receivedBy(holder: string, currency: string): Received {
    const account = `${holder} ${currency}`;
    const known = this.byAccount.get(account) ?? { inflows: [], total: 0n };
    this.byAccount.set(account, known);
    return known;
  }
}

/**
 * Per holder and currency, where its money came from, where it went and what is left (I9), with the advance not accounted for yet and its age.
 * Providers are left out: what they pay is their own.
 */
export const accountsView = (
  state: CommitmentState,
  inflows = new InflowBook(),
): { readonly balances: readonly object[]; readonly refundsDue: readonly object[] } => {
  const holders = Object.entries(state.accounts).filter(([party]) => !state.providers.includes(party));
  inflows.follow(state.transfers);
  return {
    balances: holders.flatMap(([holder, currencies]) =>
      Object.entries(currencies).map(([currency, account]) => {
        const money = (minor: bigint): Quantity => moneyOf(currency, minor);
        const column = (name: Column): Quantity => money(columnOf(account, name));
        const balance = balanced(account);
        const advance = balance > 0n ? balance : 0n;
        return {
          holder,
          currency,
          received: column('received'),
          own: column('own'),
          interest: column('interest'),
          income: column('income'),
          refundsReceived: column('refundsReceived'),
          passedOn: column('passedOn'),
          fees: column('fees'),
          charges: column('charges'),
          refundsPaid: column('refundsPaid'),
          spent: column('spent'),
          exchange: money(columnOf(account, 'gain') - columnOf(account, 'loss')),
          balance: money(balance),
          advance: {
            outstanding: money(advance),
            oldest: inflows.oldestOf(holder, currency, advance),
          },
        };
      }),
    ),
    refundsDue: refundsView(state),
  };
};
