import type { Determinate } from '#vocabulary';
import { formatQuantity, minorUnits, quantityOf } from '#vocabulary';

/** The quantity of so many minor units in the measure of a `measureKey`. @throws RangeError for a key that names no measure */
export const quantityIn = (measure: string, minor: bigint): Determinate => quantityOf(likeOf(measure), minor);

/** Minor units of one unit as people count it: 100 for a dollar, 10 for a person-day. */
export const minorPerUnit = (measure: string): bigint => minorUnits({ ...likeOf(measure), amount: '1' });

/** Such a quantity in words: `180000.00 USD`. */
export const inWords = (measure: string, minor: bigint): string => formatQuantity(quantityIn(measure, minor));

/** One unit in words: `USD`, `person-day`, `marking-machine`. */
export const unitIn = (measure: string): string => {
  const [name = '', of] = measure.split(':');
  if (of !== undefined) return of;
  return UNITS[name] ?? name;
};

const UNITS: Readonly<Record<string, string>> = { 'person-days': 'person-day', seats: 'seat', access: 'use' };

const likeOf = (measure: string): Determinate => {
  const colon = measure.indexOf(':');
  const name = colon < 0 ? measure : measure.slice(0, colon);
  const of = measure.slice(colon + 1);
  if (name === 'money' && colon > 0) return { measure: 'money', currency: of, amount: '0' };
  if (name === 'items' && colon > 0) return { measure: 'items', unit: of, amount: '0' };
  if (name === 'person-days' || name === 'seats' || name === 'access') return { measure: name, amount: '0' };
  throw new RangeError(
    `${JSON.stringify(measure)} is no measure: say money:<currency>, items:<unit>, person-days, seats or access`,
  );
};

/** `count` things, with the word for one and for several. */
export const counted = (count: number, one: string, several: string): string =>
  `${count} ${count === 1 ? one : several}`;

/** digits ÷ 10^scale, cut to six places; the shortest text. */
export const decimalOf = (numerator: bigint, denominator: bigint, places = 6): string => {
  const scaled = (numerator * 10n ** BigInt(places)) / denominator;
  const digits = scaled.toString().padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, '');
};

/** A share in words: `41.5 %`. */
export const percentOf = (numerator: bigint, denominator: bigint): string =>
  `${decimalOf(numerator * 100n, denominator, 1)} %`;

/** A number ≥ 0 as a plain decimal of nine significant digits. */
export const plainDecimal = (value: number): string => {
  if (value === 0) return '0';
  const digits = Math.min(100, Math.max(0, 8 - Math.floor(Math.log10(value))));
  const text = value.toFixed(digits);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
};
