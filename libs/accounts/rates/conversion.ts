import type { Decimal } from '#vocabulary';
import { addDays, currencyOf, decimal, fixedDecimal, formatDecimal, MAX_DIGITS } from '#vocabulary';

/** Days a rate stays in force after its own: over weekends and holidays, not longer. */
export const DAYS_IN_FORCE = 7;

/** A rate as the register has it. */
export interface RegisteredRate {
  readonly source: string;
  readonly reference: string;
  readonly base: string;
  readonly currency: string;
  readonly on: string;
  readonly rate: string;
}

/** How one currency is turned into another: through the base both were quoted in. */
export interface Conversion {
  readonly source: string;
  readonly reference: string;
  readonly base: string;
  /** The older of the days that the rates used are of. */
  readonly asOf: string;
  /** The rates used; none for the base itself. */
  readonly used: readonly { readonly currency: string; readonly on: string; readonly rate: string }[];
  /** Units of `to` for one unit of `from` is `above` ÷ `below`, exactly. */
  readonly above: Decimal;
  readonly below: Decimal;
}

const ONE: Decimal = { digits: 1n, scale: 0 };

/** First day whose rate is still in force on `on`. */
export const inForceSince = (on: string): string => addDays(on, -DAYS_IN_FORCE);

/**
 * The conversion from the rates in force of one source and base; undefined where one of the two currencies has none. The base is 1.
 * @param quoted the newest rate in force of each currency
 */
export const conversionOf = (
  from: string,
  to: string,
  quoted: readonly [RegisteredRate | undefined, RegisteredRate | undefined],
  base: string,
): Conversion | undefined => {
  const [of, into] = quoted;
  if ((of === undefined && from !== base) || (into === undefined && to !== base)) return undefined;
  const used = [of, into].filter((rate) => rate !== undefined);
  const [first] = used;
  if (first === undefined) return undefined;
  return {
    source: first.source,
    reference: [...new Set(used.map(({ reference }) => reference))].join('; '),
    base,
    asOf: used.map(({ on }) => on).reduce((a, b) => (a < b ? a : b)),
    used: used.map(({ currency, on, rate }) => ({ currency, on, rate })),
    above: into === undefined ? ONE : decimal(into.rate),
    below: of === undefined ? ONE : decimal(of.rate),
  };
};

/** above ÷ below × amount with `scale` decimals, half up: reckoned in whole numbers, rounded once. */
const quotient = (amount: Decimal, { above, below }: Pick<Conversion, 'above' | 'below'>, scale: number): bigint => {
  const numerator = amount.digits * above.digits * 10n ** BigInt(scale + below.scale);
  const denominator = below.digits * 10n ** BigInt(amount.scale + above.scale);
  return (2n * numerator + denominator) / (2n * denominator);
};

/** The rate as one decimal: exact where it has so few digits, else to as many as a rate may have. */
export const rateText = (conversion: Pick<Conversion, 'above' | 'below'>): string => {
  if (conversion.below.digits === 10n ** BigInt(conversion.below.scale)) {
    return formatDecimal({ digits: conversion.above.digits, scale: conversion.above.scale });
  }
  for (let scale = MAX_DIGITS; scale > 0; scale -= 1) {
    const digits = quotient(ONE, conversion, scale);
    if (digits.toString().length <= MAX_DIGITS) return formatDecimal({ digits, scale });
  }
  return quotient(ONE, conversion, 0).toString();
};

/** The amount in the other currency, to its minor unit, half up. */
export const converted = (amount: Decimal, conversion: Conversion, to: string): string => {
  const scale = currencyOf(to)?.digits ?? 2;
  return fixedDecimal(quotient(amount, conversion, scale), scale);
};
