/** An exact decimal: `digits` × 10^-`scale`. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** Most digits an amount, rate, share or percentage may have, fraction included. */
export const MAX_DIGITS = 15;

const PLAIN = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;

/**
 * Reads a plain decimal text: digits with at most one point, no sign, exponent, space, grouping or leading zeros.
 * Gives the decimal, or one message that names the fix.
 */
export function readDecimal(value: unknown, maxScale: number = MAX_DIGITS): Decimal | string {
  if (typeof value === 'number') return 'must be a decimal string such as "12.5", not a JSON number: put it in quotes';
  if (typeof value !== 'string') return 'must be a decimal string such as "12.5"';
  const match = PLAIN.exec(value);
  if (match === null) {
    return 'must be a plain decimal such as "12.5": digits with at most one point, no sign, exponent, space, separator or leading zero';
  }
  const [, whole = '', fraction = ''] = match;
  // A lone 0 before the point is notation, not a digit of the number.
  if ((whole === '0' ? 0 : whole.length) + fraction.length > MAX_DIGITS)
    return `must have at most ${MAX_DIGITS} digits, fraction included`;
  if (fraction.length > maxScale) {
    return maxScale === 0
      ? 'must be a whole number, without a decimal point'
      : `must have at most ${maxScale} decimal${maxScale === 1 ? '' : 's'}`;
  }
  return { digits: BigInt(whole + fraction), scale: fraction.length };
}

/** The decimal a trusted text stands for (our own events). Throws RangeError on anything `readDecimal` refuses. */
export function decimal(text: string): Decimal {
  const read = readDecimal(text);
  if (typeof read === 'string') throw new RangeError(`${JSON.stringify(text)} ${read}`);
  return read;
}

/** Writes digits × 10^-scale with exactly `scale` decimals. */
export function fixedDecimal(digits: bigint, scale: number): string {
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/** Drops superfluous zeros of a fraction: `40.0` → `40`, `1.50` → `1.5`. */
export function withoutTrailingZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** The shortest text of a decimal. */
export function formatDecimal({ digits, scale }: Decimal): string {
  return withoutTrailingZeros(fixedDecimal(digits, scale));
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.digits * 10n ** BigInt(scale - a.scale), b.digits * 10n ** BigInt(scale - b.scale), scale];
}

export function compareDecimals(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = aligned(a, b);
  return { digits: x + y, scale };
}

export function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  return { digits: a.digits * b.digits, scale: a.scale + b.scale };
}

const ZERO: Decimal = { digits: 0n, scale: 0 };
const ONE: Decimal = { digits: 1n, scale: 0 };
const HUNDRED: Decimal = { digits: 100n, scale: 0 };

/** What is wrong with a rate of exchange or valuation (a decimal string above 0); undefined when it is fine. */
export function rateFault(value: unknown): string | undefined {
  const read = readDecimal(value);
  if (typeof read === 'string') return read;
  return compareDecimals(read, ZERO) > 0 ? undefined : 'must be greater than 0';
}

/** What is wrong with a percentage (a decimal string above 0, at most 100); undefined when it is fine. */
export function percentFault(value: unknown): string | undefined {
  const read = readDecimal(value);
  if (typeof read === 'string') return read;
  if (compareDecimals(read, ZERO) <= 0) return 'must be greater than 0';
  return compareDecimals(read, HUNDRED) <= 0 ? undefined : 'must be at most 100';
}

/** What is wrong with a share of a whole (a decimal string above 0, at most 1); undefined when it is fine. */
export function shareFault(value: unknown): string | undefined {
  const read = readDecimal(value);
  if (typeof read === 'string') return read;
  if (compareDecimals(read, ZERO) <= 0) return 'must be greater than 0';
  return compareDecimals(read, ONE) <= 0
    ? undefined
    : 'must be at most 1: a share is a fraction of the whole, such as "0.25"';
}
