import { CURRENCY_ROWS } from './currencies.data.js';

export const CURRENCIES_VERSION = '1';

export interface Currency {
  /** ISO 4217 alphabetic code. */
  readonly code: string;
  readonly name: string;
  /** Digits of the minor unit: 2 for USD, 0 for JPY, 3 for KWD. */
  readonly digits: number;
  /** Month the code was withdrawn (`YYYY-MM`); a published amount may still be in it, a new one may not. */
  readonly withdrawn?: string;
}

const byCode = new Map<string, Currency>();
for (const [code, [digits, name, withdrawn]] of Object.entries<readonly [number | null, string, string?]>(
  CURRENCY_ROWS,
)) {
  // Without a minor unit there is no exact integer to count in (XDR, XSU, XUA).
  if (digits !== null) byCode.set(code, { code, name, digits, ...(withdrawn === undefined ? {} : { withdrawn }) });
}

/** The currency of a code, withdrawn ones included; undefined when unknown or without a minor unit. */
export function currencyOf(code: unknown): Currency | undefined {
  return typeof code === 'string' ? byCode.get(code) : undefined;
}

/** Codes in which a new amount may be stated, in alphabetical order. */
export const ACTIVE_CURRENCIES: readonly string[] = [...byCode.values()]
  .filter((currency) => currency.withdrawn === undefined)
  .map((currency) => currency.code)
  .sort();
