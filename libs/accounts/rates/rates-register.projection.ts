import type { Projection, ReadQueries, SqlRow, SqlValue } from '#kernel';
import { rowByRow } from '#kernel';
import type { AccountsEvent } from '../accounts.contract.js';
import type { Conversion, RegisteredRate } from './conversion.js';
import { conversionOf, inForceSince } from './conversion.js';

export const RATES_REGISTER = 'rates-register';

/** Answers: which rate did a source publish for a currency and a day, and which is in force. */
export const ratesRegister: Projection = {
  name: RATES_REGISTER,
  version: 1,
  handles: ['RatesRecorded'],
  schema: `
    CREATE TABLE rate (
      source TEXT NOT NULL,
      base TEXT NOT NULL,
      currency TEXT NOT NULL,
      day TEXT NOT NULL,
      rate TEXT NOT NULL,
      reference TEXT NOT NULL,
      event TEXT NOT NULL,
      PRIMARY KEY (source, base, currency, day)
    ) WITHOUT ROWID;
    CREATE INDEX rate_by_day ON rate (day, source, base, currency);
  `,
  begin: rowByRow((tx, event) => {
    const { source, base, on, reference, rates } = event.data as AccountsEvent['data'];
    for (const { currency, rate } of rates) {
      // The first recorded stands: a conversion once made can be made again.
      tx.run(
        'INSERT OR IGNORE INTO rate (source, base, currency, day, rate, reference, event) VALUES (?, ?, ?, ?, ?, ?, ?)',
        source,
        base,
        currency,
        on,
        rate,
        reference,
        event.id,
      );
    }
  }),
};

export interface RateFilter {
  readonly source?: string;
  readonly base?: string;
  readonly currency?: string;
  readonly on?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Where a page goes on: the last rate shown. */
export type RatePlace = readonly [day: string, source: string, base: string, currency: string];

/** Rates of a filter, the newest day first. */
export const ratePage = (
  reads: ReadQueries,
  { source, base, currency, on, from, to }: RateFilter,
  place: RatePlace | undefined,
  limit: number,
): readonly RegisteredRate[] => {
  const terms = ['1'];
  const parameters: SqlValue[] = [];
  const term = (sql: string, ...values: readonly (string | undefined)[]): void => {
    const given = values.filter((value) => value !== undefined);
    if (given.length < values.length) return;
    terms.push(sql);
    parameters.push(...given);
  };
  term('source = ?', source);
  term('base = ?', base);
  term('currency = ?', currency);
  term('day = ?', on);
  term('day >= ?', from);
  term('day <= ?', to);
  if (place !== undefined) {
    const [day, ...rest] = place;
    term('(day < ? OR (day = ? AND (source, base, currency) > (?, ?, ?)))', day, day, ...rest);
  }
  return reads
    .all(
      `SELECT source, base, currency, day, rate, reference FROM rate WHERE ${terms.join(' AND ')}
        ORDER BY day DESC, source, base, currency LIMIT ?`,
      ...parameters,
      limit,
    )
    .map(rateOf);
};

const rateOf = (row: SqlRow): RegisteredRate => ({
  source: row.source as string,
  reference: row.reference as string,
  base: row.base as string,
  currency: row.currency as string,
  on: row.day as string,
  rate: row.rate as string,
});

/** The rate in force: the latest of the day or up to seven days before. */
const inForce = (
  reads: ReadQueries,
  source: string,
  base: string,
  currency: string,
  on: string,
): RegisteredRate | undefined => {
  const row = reads.get(
    `SELECT source, base, currency, day, rate, reference FROM rate
      WHERE source = ? AND base = ? AND currency = ? AND day <= ? AND day >= ? ORDER BY day DESC LIMIT 1`,
    source,
    base,
    currency,
    on,
    inForceSince(on),
  );
  return row === undefined ? undefined : rateOf(row);
};

/** Every conversion that a source's rates in force allow on that day; several bases of one source count as one each. */
export const conversionsOn = (
  reads: ReadQueries,
  {
    from,
    to,
    on,
    source,
  }: { readonly from: string; readonly to: string; readonly on: string; readonly source?: string },
): readonly Conversion[] =>
  reads
    .all(
      'SELECT DISTINCT source, base FROM rate WHERE day <= ? AND day >= ? AND (? IS NULL OR source = ?) ORDER BY source, base',
      on,
      inForceSince(on),
      source ?? null,
      source ?? null,
    )
    .flatMap((row) => {
      const [named, base] = [row.source as string, row.base as string];
      const rate = (currency: string): RegisteredRate | undefined =>
        currency === base ? undefined : inForce(reads, named, base, currency, on);
      return conversionOf(from, to, [rate(from), rate(to)], base) ?? [];
    });

/** The currencies among these that no source in question quotes in force on that day. */
export const unquoted = (
  reads: ReadQueries,
  currencies: readonly string[],
  on: string,
  source: string | undefined,
): readonly string[] =>
  currencies.filter(
    (currency) =>
      reads.get(
        `SELECT 1 AS found FROM rate WHERE (currency = ? OR base = ?) AND day <= ? AND day >= ?
          AND (? IS NULL OR source = ?) LIMIT 1`,
        currency,
        currency,
        on,
        inForceSince(on),
        source ?? null,
        source ?? null,
      ) === undefined,
  );
