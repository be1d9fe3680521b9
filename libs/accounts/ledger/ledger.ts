import type { ReadQueries, SqlRow, SqlValue } from '#kernel';
import { addDays } from '#vocabulary';
import type { EntryClass, EntryEvent } from './entry.js';
import { SOURCES } from './entry.js';
import type { KnownCommitment, KnownContribution, KnownFund } from './holder-ledger.projection.js';

/** Sums by currency and class, in signed minor units. */
export type Sums = ReadonlyMap<string, ReadonlyMap<EntryClass, bigint>>;

/** Inclusive days. */
export interface Span {
  readonly from: string;
  readonly to: string;
}

/** One line of a ledger. */
export interface LedgerLine {
  readonly place: LinePlace;
  readonly currency: string;
  readonly class: EntryClass;
  readonly minor: bigint;
  readonly counterparty: string | undefined;
  readonly stream: string;
  readonly about: string;
  readonly number: number | undefined;
  readonly reversal: boolean;
  readonly unreceipted: boolean;
  readonly prior: boolean;
  readonly recordedAt: string;
  readonly note: Readonly<Record<string, unknown>> | undefined;
  readonly events: readonly EntryEvent[];
}

/** Where a line stands among its holder's: by effective day, then as recorded. */
export interface LinePlace {
  readonly day: string;
  readonly position: string;
  readonly nth: number;
}

/** What a holder has in hand of one currency, and since when. */
export interface Advance {
  readonly holder: string;
  readonly currency: string;
  readonly outstanding: bigint;
  /** Oldest first; what is in hand came in last. */
  readonly lots: readonly { readonly day: string; readonly minor: bigint }[];
}

/** Whose ledger, and of which currency or of which fund's money alone. */
export interface LedgerScope {
  readonly holder: string;
  readonly currency?: string;
  readonly fund?: string;
}

const scoped = ({ holder, currency, fund }: LedgerScope): { readonly sql: string; readonly values: SqlValue[] } => ({
  sql: `holder = ?${currency === undefined ? '' : ' AND currency = ?'}${fund === undefined ? '' : " AND instr(' ' || funds || ' ', ?) > 0"}`,
  values: [holder, ...(currency === undefined ? [] : [currency]), ...(fund === undefined ? [] : [` ${fund} `])],
});

const summed = (rows: readonly SqlRow[]): Sums => {
  const sums = new Map<string, Map<EntryClass, bigint>>();
  for (const { currency, class: of, minor } of rows) {
    const classes = sums.get(currency as string) ?? new Map<EntryClass, bigint>();
    sums.set(currency as string, classes);
    classes.set(of as EntryClass, (classes.get(of as EntryClass) ?? 0n) + BigInt(minor as string));
  }
  return sums;
};

/** Sums of the days from `from` to `to`, from the days' own sums. */
export const sumsWithin = (reads: ReadQueries, scope: LedgerScope, { from, to }: Span): Sums => {
  const { sql, values } = scoped(scope);
  return summed(
    reads.all(`SELECT currency, class, minor FROM day_sum WHERE ${sql} AND day >= ? AND day <= ?`, ...values, from, to),
  );
};

/** Sums of everything up to and with a day: whole months, and the days of its own month. */
export const sumsUntil = (reads: ReadQueries, scope: LedgerScope, day: string): Sums => {
  const { sql, values } = scoped(scope);
  const month = day.slice(0, 7);
  return summed([
    ...reads.all(`SELECT currency, class, minor FROM month_sum WHERE ${sql} AND month < ?`, ...values, month),
    ...reads.all(
      `SELECT currency, class, minor FROM day_sum WHERE ${sql} AND day >= ? AND day <= ?`,
      ...values,
      `${month}-01`,
      day,
    ),
  ]);
};

/** Whether a holder has lines in a currency within these days. */
export const hasLines = (reads: ReadQueries, { holder }: LedgerScope, currency: string, { from, to }: Span): boolean =>
  reads.get(
    'SELECT 1 AS there FROM entry WHERE holder = ? AND currency = ? AND day >= ? AND day <= ? LIMIT 1',
    holder,
    currency,
    from,
    to,
  ) !== undefined;

/** What is left in hand by these sums. */
export const balanceOf = (classes: ReadonlyMap<EntryClass, bigint> | undefined): bigint =>
  [...(classes?.values() ?? [])].reduce((sum, minor) => sum + minor, 0n);

/** Lines of a holder within these days, in order, after `place`. */
export const linesOf = (
  reads: ReadQueries,
  { holder, currency }: LedgerScope,
  { from, to }: Span,
  place: LinePlace | undefined,
  limit: number,
): readonly LedgerLine[] =>
  reads
    .all(
      `SELECT day, position, nth, currency, class, minor, counterparty, stream, about, number, reversal, unreceipted, prior, recorded, note, events
        FROM entry WHERE holder = ?${currency === undefined ? '' : ' AND currency = ?'} AND day >= ? AND day <= ?
        ${place === undefined ? '' : 'AND (day, position, nth) > (?, ?, ?)'}
        ORDER BY day, position, nth LIMIT ?`,
      holder,
      ...(currency === undefined ? [] : [currency]),
      // The first condition keeps the search from starting at the first day on every page.
      place?.day ?? from,
      to,
      ...(place === undefined ? [] : [place.day, BigInt(place.position), place.nth]),
      limit,
    )
    .map((row) => ({
      place: { day: row.day as string, position: String(row.position), nth: Number(row.nth) },
      currency: row.currency as string,
      class: row.class as EntryClass,
      minor: BigInt(row.minor as string),
      counterparty: (row.counterparty as string | null) ?? undefined,
      stream: row.stream as string,
      about: row.about as string,
      number: row.number === null ? undefined : Number(row.number),
      reversal: row.reversal === 1,
      unreceipted: row.unreceipted === 1,
      prior: row.prior === 1,
      recordedAt: row.recorded as string,
      note: row.note === null ? undefined : (JSON.parse(row.note as string) as Record<string, unknown>),
      events: JSON.parse(row.events as string) as readonly EntryEvent[],
    }));

/**
 * What a holder has received by a day and neither spent, passed on nor given back: first in, first out, so that what is left came in
 * last. Currencies without anything in hand are left out: a provider that pays from its own budget has none.
 */
export const advancesOf = (reads: ReadQueries, scope: LedgerScope, on: string): readonly Advance[] => {
  const { sql, values } = scoped(scope);
  return [...sumsUntil(reads, scope, on)].flatMap(([currency, classes]): Advance[] => {
    const outstanding = balanceOf(classes);
    if (outstanding <= 0n) return [];
    const lots: { day: string; minor: bigint }[] = [];
    let open = outstanding;
    const rows = reads.all(
      `SELECT day, class, minor FROM day_sum WHERE ${sql} AND currency = ? AND day <= ?
        AND class IN (${SOURCES.map(() => '?').join(', ')}) ORDER BY day DESC`,
      ...values,
      currency,
      on,
      ...SOURCES,
    );
    for (const { day, minor } of rows) {
      if (open <= 0n) break;
      const came = BigInt(minor as string);
      // A day's net below nothing (a reversal without its entry) is no money in hand.
      if (came <= 0n) continue;
      const part = came < open ? came : open;
      const last = lots.at(-1);
      if (last !== undefined && last.day === day) last.minor += part;
      else lots.push({ day: day as string, minor: part });
      open -= part;
    }
    return [{ holder: scope.holder, currency, outstanding, lots: lots.reverse() }];
  });
};

/** Who holds or held money of this fund, the fund itself left out. */
export const holdersOf = (reads: ReadQueries, fund: string): readonly string[] =>
  reads
    .all('SELECT holder FROM holder_of WHERE fund = ? AND holder <> ? ORDER BY holder', fund, fund)
    .map(({ holder }) => holder as string);

/** Ids of the fund's commitments by which this holder came to its money. */
export const commitmentsThrough = (reads: ReadQueries, fund: string, holder: string): readonly string[] =>
  reads
    .all(
      `SELECT id FROM record_of WHERE fund = ? AND kind = 'commitment'
        AND 'commitment-' || id IN (SELECT DISTINCT stream FROM entry WHERE holder = ?) ORDER BY id`,
      fund,
      holder,
    )
    .map(({ id }) => id as string);

const docOf = (reads: ReadQueries, name: string): unknown => {
  const row = reads.get('SELECT doc FROM fact WHERE name = ?', name);
  return row === undefined ? undefined : (JSON.parse(row.doc as string) as unknown);
};

export const fundOf = (reads: ReadQueries, fund: string): KnownFund | undefined =>
  docOf(reads, `fund ${fund}`) as KnownFund | undefined;

const recordsOf = (reads: ReadQueries, fund: string, kind: string): readonly (readonly [id: string, doc: unknown])[] =>
  reads
    .all('SELECT id FROM record_of WHERE fund = ? AND kind = ? ORDER BY id', fund, kind)
    .map(({ id }) => [id as string, docOf(reads, `${kind} ${id as string}`)] as const);

export const contributionsTo = (reads: ReadQueries, fund: string): readonly (readonly [string, KnownContribution])[] =>
  recordsOf(reads, fund, 'contribution') as readonly (readonly [string, KnownContribution])[];

export const commitmentsOf = (reads: ReadQueries, fund: string): readonly (readonly [string, KnownCommitment])[] =>
  recordsOf(reads, fund, 'commitment') as readonly (readonly [string, KnownCommitment])[];

/** The day before. */
export const dayBefore = (day: string): string => (day <= '0001-01-01' ? day : addDays(day, -1));
