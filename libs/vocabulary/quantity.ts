import { isCodeOf } from './code-list.js';
import { currencyOf } from './currencies.js';
import {
  compareDecimals,
  decimal,
  fixedDecimal,
  MAX_DIGITS,
  multiplyDecimals,
  readDecimal,
  withoutTrailingZeros,
} from './decimals.js';
import type { Fault, Parsed } from './text.js';
import { isUnit, unitScale } from './units.js';

export const QUANTITIES_VERSION = '1';

export const MEASURES = ['money', 'person-days', 'seats', 'items', 'access', 'undetermined'] as const;
export type Measure = (typeof MEASURES)[number];
export const isMeasure = isCodeOf(MEASURES);

/** How a claimed figure is meant; absent means exact. Rules compute with the figure, views show the qualifier. */
export const QUALIFIERS = ['exact', 'about', 'at-least', 'at-most'] as const;
export type Qualifier = (typeof QUALIFIERS)[number];
export const isQualifier = isCodeOf(QUALIFIERS);

export const UNDETERMINED_CAUSES = ['to-be-assessed', 'not-stated'] as const;
export type UndeterminedCause = (typeof UNDETERMINED_CAUSES)[number];
export const isUndeterminedCause = isCodeOf(UNDETERMINED_CAUSES);

interface Claimed {
  readonly qualifier?: Qualifier;
}
export interface Money extends Claimed {
  readonly measure: 'money';
  /** ISO 4217 alphabetic code. */
  readonly currency: string;
  readonly amount: string;
}
export interface PersonDays extends Claimed {
  readonly measure: 'person-days';
  readonly amount: string;
}
export interface Seats extends Claimed {
  readonly measure: 'seats';
  readonly amount: string;
}
export interface Items extends Claimed {
  readonly measure: 'items';
  readonly unit: string;
  readonly amount: string;
}
export interface Access extends Claimed {
  readonly measure: 'access';
  /** Concurrent uses, or `unlimited`. */
  readonly amount: string;
}
export interface Undetermined {
  readonly measure: 'undetermined';
  readonly why: UndeterminedCause;
}

/**
 * A quantity in its wire form (API.md), which is also how events hold it: amounts are canonical decimal strings.
 * Arithmetic goes through `minorUnits` and back through `quantityOf`; no amount is ever a float.
 */
export type Quantity = Money | PersonDays | Seats | Items | Access | Undetermined;
/** A quantity with a figure (an access amount may still be `unlimited`). */
export type Determinate = Exclude<Quantity, Undetermined>;

/** Arithmetic on quantities that cannot be reckoned together: a bug of the caller, never of its user. */
export class QuantityError extends Error {
  constructor(
    readonly code: 'unlike-measures' | 'not-measurable' | 'unlimited',
    message: string,
  ) {
    super(message);
    this.name = 'QuantityError';
  }
}

export interface QuantityRule {
  /** Refuse zero; true by default. */
  readonly positive?: boolean;
  /** Refuse `undetermined`; false by default. */
  readonly determinate?: boolean;
  /** Accept `unlimited` access; true by default (a need asks a whole number of uses). */
  readonly unlimited?: boolean;
  /** Accept withdrawn currencies: the amount is known from a publication; false by default. */
  readonly published?: boolean;
  /** Only these measures. */
  readonly measures?: readonly Measure[];
}

const FIELDS: Readonly<Record<Measure, readonly string[]>> = {
  money: ['currency', 'amount', 'qualifier'],
  'person-days': ['amount', 'qualifier'],
  seats: ['amount', 'qualifier'],
  items: ['unit', 'amount', 'qualifier'],
  access: ['amount', 'qualifier'],
  undetermined: ['why'],
};

const has = (record: Record<string, unknown>, key: string): boolean =>
  Object.hasOwn(record, key) && record[key] !== undefined;

/** Reads a quantity from untrusted JSON; gives it in canonical form, or every fault with a path inside the quantity. */
export function parseQuantity(input: unknown, rule: QuantityRule = {}): Parsed<Quantity> {
  const { positive = true, determinate = false, unlimited = true, published = false, measures = MEASURES } = rule;
  const allowed = MEASURES.filter(
    (measure) => measures.includes(measure) && !(determinate && measure === 'undetermined'),
  );
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return fail([
      { path: '', message: 'must be a quantity such as {"measure":"money","currency":"USD","amount":"180000.00"}' },
    ]);
  }
  const fields = input as Record<string, unknown>;
  const measure = Object.hasOwn(fields, 'measure') ? fields.measure : undefined;
  if (!isMeasure(measure)) return fail([{ path: 'measure', message: `must be one of ${allowed.join(', ')}` }]);
  const faults: Fault[] = [];
  if (!allowed.includes(measure)) {
    faults.push({
      path: 'measure',
      message: `must be ${allowed.length === 1 ? '' : 'one of '}${allowed.join(', ')} here`,
    });
  }
  for (const name of Object.keys(fields)) {
    if (name !== 'measure' && !FIELDS[measure].includes(name)) {
      faults.push({
        path: name,
        message: `is not a field of a quantity in ${measure}: remove it (known: ${FIELDS[measure].join(', ')})`,
      });
    }
  }
  if (measure === 'undetermined') {
    const why = fields.why;
    if (!isUndeterminedCause(why))
      faults.push({ path: 'why', message: `must be one of ${UNDETERMINED_CAUSES.join(', ')}` });
    return faults.length === 0 && isUndeterminedCause(why) ? { ok: true, value: { measure, why } } : fail(faults);
  }

  let scale: number | undefined = FIXED_SCALES[measure];
  if (measure === 'money') {
    const currency = currencyOf(fields.currency);
    if (currency === undefined) {
      faults.push({
        path: 'currency',
        message: 'must be an ISO 4217 code with a minor unit, in capitals, such as USD',
      });
    } else if (currency.withdrawn !== undefined && !published) {
      faults.push({
        path: 'currency',
        message: `${currency.code} was withdrawn in ${currency.withdrawn}: state the amount in a currency in use`,
      });
    }
    scale = currency?.digits;
  }
  if (measure === 'items') {
    if (isUnit(fields.unit)) scale = unitScale(fields.unit);
    else
      faults.push({
        path: 'unit',
        message:
          'must be a unit in the singular such as marking-machine: lower-case letters, digits and hyphens, at most 40',
      });
  }
  if (has(fields, 'qualifier') && !isQualifier(fields.qualifier)) {
    faults.push({ path: 'qualifier', message: `must be one of ${QUALIFIERS.join(', ')}` });
  }

  let amount = '';
  if (measure === 'access' && fields.amount === 'unlimited') {
    amount = 'unlimited';
    if (!unlimited) faults.push({ path: 'amount', message: 'must be a whole number of uses here, not unlimited' });
    if (has(fields, 'qualifier') && fields.qualifier !== 'exact') {
      faults.push({ path: 'qualifier', message: 'must be left out: unlimited is not a figure' });
    }
  } else if (!has(fields, 'amount')) {
    faults.push({
      path: 'amount',
      message: `must be given, as a decimal string${measure === 'access' ? ' or "unlimited"' : ''}`,
    });
  } else {
    const read = readDecimal(fields.amount, scale);
    if (typeof read === 'string') faults.push({ path: 'amount', message: read });
    else if (positive && read.digits === 0n) faults.push({ path: 'amount', message: 'must be greater than 0' });
    else if (scale !== undefined) amount = amountText(measure, scale, read.digits * 10n ** BigInt(scale - read.scale));
  }
  if (faults.length > 0) return fail(faults);

  const claimed = isQualifier(fields.qualifier) ? { qualifier: fields.qualifier } : {};
  if (measure === 'money')
    return { ok: true, value: { measure, currency: fields.currency as string, amount, ...claimed } };
  if (measure === 'items') return { ok: true, value: { measure, unit: fields.unit as string, amount, ...claimed } };
  return { ok: true, value: { measure, amount, ...claimed } };
}

function fail(faults: Fault[]): { ok: false; faults: Fault[] } {
  return { ok: false, faults };
}

const FIXED_SCALES: Readonly<Partial<Record<Measure, number>>> = { 'person-days': 1, seats: 0, access: 0 };

/** Decimals this quantity is counted to. */
function scaleOf(quantity: Determinate): number {
  if (quantity.measure === 'money') {
    const currency = currencyOf(quantity.currency);
    if (currency === undefined)
      throw new QuantityError('not-measurable', `no minor unit is known for ${quantity.currency}`);
    return currency.digits;
  }
  return quantity.measure === 'items' ? unitScale(quantity.unit) : (FIXED_SCALES[quantity.measure] ?? 0);
}

/** Money keeps its minor digits (`180000.00`), other measures drop superfluous zeros (`40`). */
function amountText(measure: Measure, scale: number, minor: bigint): string {
  const fixed = fixedDecimal(minor, scale);
  // Where padding alone would pass the digit limit, the shorter text is what `parseQuantity` reads back.
  return measure === 'money' && fixed.replace(/[-.]/g, '').length <= MAX_DIGITS ? fixed : withoutTrailingZeros(fixed);
}

/** True when the quantity has a figure, or is unlimited access. */
export function isDeterminate(quantity: Quantity): quantity is Determinate {
  return quantity.measure !== 'undetermined';
}

/** True for unlimited access, which is outside every capacity rule. */
export function isUnlimited(quantity: Quantity): boolean {
  return quantity.measure === 'access' && quantity.amount === 'unlimited';
}

/** True when using some leaves less: everything measurable but unlimited access. */
export function isRival(quantity: Quantity): quantity is Determinate {
  return isDeterminate(quantity) && !isUnlimited(quantity);
}

/** True when the two may be added: same measure, and same currency or unit. Undetermined is like nothing. */
export function sameMeasure(a: Quantity, b: Quantity): boolean {
  if (a.measure === 'undetermined') return false;
  if (a.measure === 'money') return b.measure === 'money' && a.currency === b.currency;
  if (a.measure === 'items') return b.measure === 'items' && a.unit === b.unit;
  return a.measure === b.measure;
}

/**
 * The exact figure in minor units: cents, tenths of a person-day, grams of a tonne, whole pieces.
 * Throws QuantityError `not-measurable` for an undetermined quantity and `unlimited` for unlimited access.
 */
export function minorUnits(quantity: Quantity): bigint {
  if (!isDeterminate(quantity)) throw new QuantityError('not-measurable', 'an undetermined quantity has no figure');
  if (isUnlimited(quantity)) throw new QuantityError('unlimited', 'unlimited access has no figure');
  const scale = scaleOf(quantity);
  const negative = quantity.amount.startsWith('-');
  const [whole = '', fraction = ''] = quantity.amount.slice(negative ? 1 : 0).split('.');
  // Own sums may pass the digit limit of a claimed amount, so this does not go through `readDecimal`.
  if (!/^[0-9]+$/.test(whole) || !/^[0-9]*$/.test(fraction) || fraction.length > scale) {
    throw new QuantityError(
      'not-measurable',
      `${JSON.stringify(quantity.amount)} is not an amount of ${quantity.measure}`,
    );
  }
  const digits = BigInt(whole + fraction.padEnd(scale, '0'));
  return negative ? -digits : digits;
}

/** The quantity of `minor` minor units in the measure of `like`, without a qualifier: a computed figure claims nothing. */
export function quantityOf(like: Quantity, minor: bigint): Determinate {
  if (!isDeterminate(like)) throw new QuantityError('not-measurable', 'an undetermined quantity has no measure');
  const amount = amountText(like.measure, scaleOf(like), minor);
  if (like.measure === 'money') return { measure: 'money', currency: like.currency, amount };
  if (like.measure === 'items') return { measure: 'items', unit: like.unit, amount };
  return { measure: like.measure, amount };
}

/** Nothing, in the measure of `like`. */
export function zeroLike(like: Quantity): Determinate {
  return quantityOf(like, 0n);
}

/** A key equal for quantities that may be added: `money:USD`, `items:tonne`, `seats`. */
export function measureKey(quantity: Quantity): string {
  if (quantity.measure === 'money') return `money:${quantity.currency}`;
  return quantity.measure === 'items' ? `items:${quantity.unit}` : quantity.measure;
}

function requireLike(a: Quantity, b: Quantity): void {
  if (!sameMeasure(a, b))
    throw new QuantityError('unlike-measures', `${measureKey(a)} and ${measureKey(b)} are never reckoned together`);
}

/** a + b. Throws QuantityError on unlike measures, undetermined or unlimited quantities. */
export function add(a: Quantity, b: Quantity): Determinate {
  requireLike(a, b);
  return quantityOf(a, minorUnits(a) + minorUnits(b));
}

/** a − b, which may be negative (a discrepancy). Throws as `add` does. */
export function subtract(a: Quantity, b: Quantity): Determinate {
  requireLike(a, b);
  return quantityOf(a, minorUnits(a) - minorUnits(b));
}

/** The order of two like quantities; unlimited access is the greatest. Throws on unlike or undetermined ones. */
export function compare(a: Quantity, b: Quantity): -1 | 0 | 1 {
  requireLike(a, b);
  if (isUnlimited(a) || isUnlimited(b)) return isUnlimited(a) === isUnlimited(b) ? 0 : isUnlimited(a) ? 1 : -1;
  const [x, y] = [minorUnits(a), minorUnits(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/**
 * The sums of many quantities, one for each measure, currency and unit, in the order they first appear.
 * Undetermined and unlimited quantities have no figure and are left out.
 */
export function sumByMeasure(quantities: Iterable<Quantity>): Determinate[] {
  const sums = new Map<string, { like: Determinate; minor: bigint }>();
  for (const quantity of quantities) {
    if (!isRival(quantity)) continue;
    const key = measureKey(quantity);
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { like: quantity, minor: minorUnits(quantity) });
    else sum.minor += minorUnits(quantity);
  }
  return [...sums.values()].map(({ like, minor }) => quantityOf(like, minor));
}

/** A quantity as people read it: `about 180000.00 USD`, `12 marking-machine`, `to be assessed`. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.measure === 'undetermined') return quantity.why.replaceAll('-', ' ');
  const unit =
    quantity.measure === 'money' ? quantity.currency : quantity.measure === 'items' ? quantity.unit : quantity.measure;
  const qualifier =
    quantity.qualifier === undefined || quantity.qualifier === 'exact'
      ? ''
      : `${quantity.qualifier.replace('-', ' ')} `;
  return `${qualifier}${quantity.amount} ${unit}`;
}

/**
 * Whether `drawn` × `rate` is `credited` within the rounding of the credited minor unit, whichever way it was rounded:
 * the exact product is less than one minor unit away. The rate is credited units per drawn unit.
 */
export function rateHolds(drawn: Quantity, rate: string, credited: Quantity): boolean {
  if (!isRival(drawn) || !isRival(credited)) return false;
  const product = multiplyDecimals({ digits: minorUnits(drawn), scale: scaleOf(drawn) }, decimal(rate));
  const creditedMinor = minorUnits(credited);
  const scale = scaleOf(credited);
  return (
    compareDecimals(product, { digits: creditedMinor - 1n, scale }) > 0 &&
    compareDecimals(product, { digits: creditedMinor + 1n, scale }) < 0
  );
}
