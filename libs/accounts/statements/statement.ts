import type { Caller } from '#directory/contract';
import type { ReadQueries } from '#kernel';
import { categoryOfStream, idOfStream } from '#kernel';
import type { Quantity } from '#vocabulary';
import { currencyOf, fixedDecimal, minorUnits } from '#vocabulary';
import type { EntryClass } from '../ledger/entry.js';
import { USES } from '../ledger/entry.js';
import type { LedgerLine, LedgerScope, Span } from '../ledger/ledger.js';
import {
  balanceOf,
  commitmentsOf,
  contributionsTo,
  dayBefore,
  fundOf,
  hasLines,
  sumsUntil,
  sumsWithin,
} from '../ledger/ledger.js';

/** Whether the reader sees a record: asked before an id or a counterparty of it is named. */
export type Sees = (category: string, id: string) => Promise<boolean>;

const SOURCE_NAMES = {
  received: 'received',
  ownMoney: 'own',
  interest: 'interest',
  income: 'income',
  refundsReceived: 'refund-received',
  exchangeGains: 'exchange-gain',
} as const satisfies Readonly<Record<string, EntryClass>>;

const USE_NAMES = {
  passedOn: 'passed-on',
  fees: 'fee',
  charges: 'charge',
  refundsPaid: 'refund-paid',
  spent: 'spent',
  exchangeLosses: 'exchange-loss',
} as const satisfies Readonly<Record<string, EntryClass>>;

/** As what an origin of money pays it out; what came back to it is a refund. */
const PAID_OUT = ['passed-on', 'fee', 'charge'] as const satisfies readonly EntryClass[];

/** Sources and uses of one currency; amounts are decimal texts. */
export interface CurrencyStatement {
  readonly currency: string;
  readonly opening: string;
  readonly sources: Readonly<Record<keyof typeof SOURCE_NAMES, string>>;
  readonly uses: Readonly<Record<keyof typeof USE_NAMES, string>>;
  readonly closing: string;
  /** opening + sources − uses − closing: the days' sums against the months'. */
  readonly difference: string;
  readonly reconciles: boolean;
  /** What an origin of money paid out less what came back to it; a donor has no account here. */
  readonly netPaid?: string;
}

/** The figure of minor units as text, `-12.50`. */
export const textOf = (currency: string, minor: bigint): string =>
  fixedDecimal(minor, currencyOf(currency)?.digits ?? 0);

const moneyText = (currency: string, minor: bigint): Quantity => ({
  measure: 'money',
  currency,
  amount: textOf(currency, minor),
});

/** Opening, sources, uses and closing of each currency that moved, or that something is left of. */
export const currenciesOf = (
  reads: ReadQueries,
  scope: LedgerScope,
  { from, to }: Span,
  asDonor: boolean,
): readonly CurrencyStatement[] => {
  const before = sumsUntil(reads, scope, dayBefore(from));
  const within = sumsWithin(reads, scope, { from, to });
  const after = sumsUntil(reads, scope, to);
  const currencies = [...new Set([...before.keys(), ...within.keys(), ...after.keys()])].sort();
  return currencies.flatMap((currency): CurrencyStatement[] => {
    const moved = within.get(currency);
    const [opening, closing] = [balanceOf(before.get(currency)), balanceOf(after.get(currency))];
    const stood = opening === 0n && closing === 0n && [...(moved?.values() ?? [])].every((minor) => minor === 0n);
    // Sums of nothing are left where a receipt in another currency took the place of what was sent.
    if (stood && (moved === undefined || !hasLines(reads, scope, currency, { from, to }))) return [];
    const text = (minor: bigint): string => textOf(currency, minor);
    const of = (each: EntryClass): bigint => moved?.get(each) ?? 0n;
    const used = (each: EntryClass): string => text(-of(each));
    const difference = opening + balanceOf(moved) - closing;
    return [
      {
        currency,
        opening: text(opening),
        sources: mapped(SOURCE_NAMES, (each) => text(of(each))),
        uses: mapped(USE_NAMES, used),
        closing: text(closing),
        difference: text(difference),
        reconciles: difference === 0n,
        ...(asDonor ? { netPaid: text(-PAID_OUT.reduce((sum, each) => sum + of(each), of('refund-received'))) } : {}),
      },
    ];
  });
};

const mapped = <K extends string>(
  names: Readonly<Record<K, EntryClass>>,
  figure: (of: EntryClass) => string,
): Record<K, string> =>
  Object.fromEntries((Object.entries(names) as [K, EntryClass][]).map(([name, of]) => [name, figure(of)])) as Record<
    K,
    string
  >;

/** A line as a reader sees it: of a record hidden from it the figure alone. */
export interface ShownLine {
  readonly date: string;
  readonly class: EntryClass;
  readonly side: 'source' | 'use';
  /** Signed: what the balance grew by. */
  readonly figure: Quantity;
  readonly recordedAt?: string;
  readonly counterparty?: string;
  readonly record?: { readonly kind: string; readonly id: string };
  readonly about?: string;
  readonly number?: number;
  readonly priorPeriod: boolean;
  readonly unreceipted: boolean;
  readonly reversal: boolean;
  readonly note?: Readonly<Record<string, unknown>>;
  readonly masked?: true;
  readonly events: readonly {
    readonly eventId: string;
    readonly position: string;
    readonly type: string;
    readonly record: { readonly kind: string; readonly id: string };
  }[];
}

const recordOf = (stream: string): { readonly kind: string; readonly id: string } => ({
  kind: categoryOfStream(stream),
  id: idOfStream(stream),
});

export const shownLine = async (line: LedgerLine, sees: Sees): Promise<ShownLine> => {
  const record = recordOf(line.stream);
  const figure = {
    date: line.place.day,
    class: line.class,
    side: (USES as readonly EntryClass[]).includes(line.class) ? ('use' as const) : ('source' as const),
    figure: moneyText(line.currency, line.minor),
    priorPeriod: line.prior,
    unreceipted: line.unreceipted,
    reversal: line.reversal,
  };
  if (!(await sees(record.kind, record.id))) return { ...figure, masked: true, events: [] };
  return {
    ...figure,
    recordedAt: line.recordedAt,
    ...(line.counterparty === undefined ? {} : { counterparty: line.counterparty }),
    record,
    about: line.about,
    ...(line.number === undefined ? {} : { number: line.number }),
    ...(line.note === undefined ? {} : { note: line.note }),
    events: line.events.map(({ eventId, position, type, stream }) => ({
      eventId,
      position,
      type,
      record: recordOf(stream),
    })),
  };
};

/** What `sees` answers, asked once per record. */
export const rememberedSight = (
  caller: Caller,
  sight: { sees(caller: Caller, category: string, id: string): Promise<boolean> },
): Sees => {
  const known = new Map<string, Promise<boolean>>();
  return (category, id) => {
    const key = `${category} ${id}`;
    const answer = known.get(key) ?? sight.sees(caller, category, id);
    known.set(key, answer);
    return answer;
  };
};

type Minor = Readonly<Record<string, string>>;

const quantities = (minor: Minor): readonly Quantity[] =>
  Object.entries(minor)
    .filter(([, each]) => each !== '0')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, each]) => moneyText(currency, BigInt(each)));

const plus = (a: Minor, b: Minor, sign = 1n): Minor => {
  const sums: Record<string, string> = { ...a };
  for (const [currency, each] of Object.entries(b)) {
    sums[currency] = String(BigInt(sums[currency] ?? '0') + sign * BigInt(each));
  }
  return sums;
};

const minorOf = (quantity: Quantity): Minor =>
  quantity.measure === 'money' ? { [quantity.currency]: String(minorUnits(quantity)) } : {};

/** What stands beside a fund's statement, as of now: who gave, what was allocated, what it still has to pay. */
export const fundInformation = async (reads: ReadQueries, fund: string, sees: Sees): Promise<object> => {
  interface Given {
    readonly donor: string | null;
    readonly pledged: Minor;
    readonly signed: Minor;
    readonly received: Minor;
    readonly refunded: Minor;
  }
  const givers = new Map<string | null, Given>();
  for (const [id, { donor, pledged, signed, received, refunded }] of contributionsTo(reads, fund)) {
    const shown = (await sees('contribution', id)) ? donor : null;
    const known = givers.get(shown) ?? { donor: shown, pledged: {}, signed: {}, received: {}, refunded: {} };
    givers.set(shown, {
      donor: shown,
      pledged: plus(known.pledged, minorOf(pledged)),
      signed: signed ? plus(known.signed, minorOf(pledged)) : known.signed,
      received: plus(known.received, received),
      refunded: plus(known.refunded, refunded),
    });
  }
  const { decided = {}, used = {}, released = {}, open = {} } = fundOf(reads, fund) ?? {};
  let outstanding: Minor = {};
  let joint = 0;
  for (const [, { providers, drawn, paid, status }] of commitmentsOf(reads, fund)) {
    if (status !== 'bound') continue;
    // What several give together without shares is divided by nobody.
    if (providers.length > 1) joint += 1;
    else outstanding = plus(outstanding, plus(drawn, paid, -1n));
  }
  return {
    contributions: [...givers.values()]
      .sort((a, b) => ((a.donor ?? '~') < (b.donor ?? '~') ? -1 : 1))
      .map(({ donor, ...figures }) => ({
        ...(donor === null ? { masked: true } : { donor }),
        ...Object.fromEntries(Object.entries(figures).map(([name, minor]) => [name, quantities(minor)])),
      })),
    allocations: {
      decided: quantities(decided),
      used: quantities(used),
      released: quantities(released),
      open: quantities(open),
    },
    commitmentsOutstanding: quantities(outstanding),
    jointCommitments: joint,
  };
};
