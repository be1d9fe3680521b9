import type { TransferKind } from '#vocabulary';

/** What increases a holder's balance; `own`: what an assisted party pays in of its own. */
export const SOURCES = ['received', 'own', 'interest', 'income', 'refund-received', 'exchange-gain'] as const;
/** What reduces it. */
export const USES = ['passed-on', 'fee', 'charge', 'refund-paid', 'spent', 'exchange-loss'] as const;

export type EntryClass = (typeof SOURCES)[number] | (typeof USES)[number];

/** An event that a figure rests on. */
export interface EntryEvent {
  readonly eventId: string;
  readonly type: string;
  /** Decimal text. */
  readonly position: string;
  /** Stream of the record. */
  readonly stream: string;
}

/** What is to be booked, before its place is known. */
export interface Booking {
  readonly holder: string;
  readonly currency: string;
  /** Effective day, or the month or year where only that is known: it counts from its last day. */
  readonly day: string;
  readonly class: EntryClass;
  /** Signed minor units: what the balance grows by. */
  readonly minor: bigint;
  readonly counterparty?: string;
  /** What it is within its record: a transfer, a receipt, a payment … and its number. */
  readonly about: string;
  readonly number?: number;
  /** Sent according to the payer, not yet said to have arrived by the holder. */
  readonly unreceipted?: boolean;
  /** Said beside the figure and never part of it: charges on the way, the rate booked at, the budget line. */
  readonly note?: Readonly<Record<string, unknown>>;
  readonly events: readonly EntryEvent[];
}

/** How a movement books on its two ends. `own`: where a holder books with itself; undefined: out and in like any other. */
interface Booked {
  readonly out: EntryClass;
  readonly in: EntryClass;
  readonly own?: EntryClass;
}

/** Every kind of movement; an exchange difference says by its effect which way it goes. */
export const BOOKED: Readonly<Record<TransferKind, Booked>> = {
  contribution: { out: 'passed-on', in: 'received' },
  disbursement: { out: 'passed-on', in: 'received' },
  'onward-grant': { out: 'passed-on', in: 'received' },
  fee: { out: 'fee', in: 'received', own: 'fee' },
  refund: { out: 'refund-paid', in: 'refund-received' },
  interest: { out: 'passed-on', in: 'interest', own: 'interest' },
  'programme-income': { out: 'passed-on', in: 'income', own: 'income' },
  'exchange-difference': { out: 'passed-on', in: 'received', own: 'exchange-gain' },
  'bank-charge': { out: 'charge', in: 'received', own: 'charge' },
};

export const isUse = (of: EntryClass): boolean => (USES as readonly string[]).includes(of);

/** The class and sign of what a holder books with itself; undefined for what moves nothing then. */
export const ownBooking = (
  kind: TransferKind,
  effect: 'gain' | 'loss' | undefined,
): { readonly class: EntryClass; readonly sign: bigint } | undefined => {
  const { own } = BOOKED[kind];
  if (own === undefined) return undefined;
  if (kind === 'exchange-difference') {
    return effect === 'gain' ? { class: 'exchange-gain', sign: 1n } : { class: 'exchange-loss', sign: -1n };
  }
  const sign = isUse(own) ? -1n : 1n;
  // A fee given back, interest that a bank took: the class stays, the figure turns.
  return { class: own, sign: effect === undefined || (effect === 'gain') === (sign === 1n) ? sign : -sign };
};
