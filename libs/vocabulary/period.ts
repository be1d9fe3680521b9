import { addDays, dateFault, isRealDate } from './moments.js';
import type { Fault, Parsed } from './text.js';

/** Inclusive UTC days, `YYYY-MM-DD`. */
export interface Period {
  readonly from: string;
  readonly to: string;
}

/** A period that may lack a bound; an absent one is open. */
export interface OpenPeriod {
  readonly from?: string;
  readonly to?: string;
}

export interface PeriodRule {
  /** Accept a period that lacks one bound; false by default. */
  readonly open?: boolean;
}

/** Reads a period from untrusted JSON: existing dates, not backwards; every fault at once. */
export function parsePeriod(input: unknown, rule: { readonly open: true }): Parsed<OpenPeriod>;
export function parsePeriod(input: unknown, rule?: PeriodRule): Parsed<Period>;
export function parsePeriod(input: unknown, { open = false }: PeriodRule = {}): Parsed<OpenPeriod> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return {
      ok: false,
      faults: [{ path: '', message: 'must be a period such as {"from":"2026-01-01","to":"2026-12-31"}' }],
    };
  }
  const { from, to, ...others } = input as Record<string, unknown>;
  const faults: Fault[] = Object.keys(others).map((path) => ({
    path,
    message: 'is not a field of a period: remove it (known: from, to)',
  }));
  if (open && from === undefined && to === undefined) faults.push({ path: '', message: 'must have from, to or both' });
  for (const [path, value] of Object.entries({ from, to })) {
    const message = open && value === undefined ? undefined : dateFault(value);
    if (message !== undefined) faults.push({ path, message });
  }
  if (isRealDate(from) && isRealDate(to) && from > to)
    faults.push({ path: 'to', message: `must not be before from (${from})` });
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, value: { ...(isRealDate(from) ? { from } : {}), ...(isRealDate(to) ? { to } : {}) } };
}

/** The first instant of a day: 00:00 UTC, ISO 8601. */
export function periodStart(from: string): string {
  return `${from}T00:00:00.000Z`;
}

/** The instant a period that ends with this day is over: 24:00 UTC, ISO 8601. */
export function periodEnd(to: string): string {
  // 9999-12-31 has no following day in four digits; its last millisecond is close enough to never.
  return to === '9999-12-31' ? '9999-12-31T23:59:59.999Z' : `${addDays(to, 1)}T00:00:00.000Z`;
}

/** True when the two periods share a day; an absent bound is open. */
export function periodsOverlap(a: OpenPeriod, b: OpenPeriod): boolean {
  return (a.from ?? '') <= (b.to ?? '9999-12-31') && (b.from ?? '') <= (a.to ?? '9999-12-31');
}

/** True when the day falls within the period; an absent bound is open. */
export function periodHolds({ from, to }: OpenPeriod, day: string): boolean {
  return (from ?? '') <= day && day <= (to ?? '9999-12-31');
}
