import { parse } from 'csv-parse/sync';
import type { DayOfRates } from './published-rates.js';

/** Most days that one request takes. */
const BATCH = 60;

/**
 * Reads the European Central Bank's file of reference rates: a row per day, a column per currency, units for one euro, `N/A` or nothing
 * where a currency was not quoted. Answers batches for `POST /v1/rates`, oldest day first, none across two years.
 * @throws {RangeError} where the text is no such file
 */
export const readEcbFile = (text: string): readonly (readonly DayOfRates[])[] => {
  const [header = [], ...rows] = parse(text, { relaxColumnCount: true, skipEmptyLines: true, trim: true, bom: true });
  const [first, ...currencies] = header;
  if (first !== 'Date') throw new RangeError('the first column of the file must be Date');
  const days = rows
    .map(([on = '', ...figures]): DayOfRates => {
      if (!/^\d{4}-\d{2}-\d{2}$/.test(on))
        throw new RangeError(`${JSON.stringify(on)} is not a day written YYYY-MM-DD`);
      const rates = currencies.flatMap((currency, index) => {
        const rate = figures[index] ?? '';
        return currency === '' || rate === '' || rate === 'N/A' ? [] : [{ currency, rate }];
      });
      return { on, rates };
    })
    .filter(({ rates }) => rates.length > 0)
    .sort((a, b) => (a.on < b.on ? -1 : 1));
  const batches: DayOfRates[][] = [];
  for (const day of days) {
    const last = batches.at(-1);
    if (last === undefined || last.length === BATCH || last[0]?.on.slice(0, 4) !== day.on.slice(0, 4)) {
      batches.push([day]);
    } else last.push(day);
  }
  return batches;
};
