import { addDays, dateFault, isRealDate } from './moments.js';
import type { Fault, Parsed } from './text.js';

/** Inclusive UTC days, `YYYY-MM-DD`. */
export interface Period {
  readonly from: string;
  readonly to: string;
}

/** Reads a period from untrusted JSON: two existing dates, not backwards; every fault at once. */
export function parsePeriod(input: unknown): Parsed<Period> {
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
  for (const [path, value] of [
    ['from', from],
    ['to', to],
  ] as const) {
    const message = dateFault(value);
    if (message !== undefined) faults.push({ path, message });
  }
  if (isRealDate(from) && isRealDate(to)) {
    if (from > to) faults.push({ path: 'to', message: `must not be before from (${from})` });
    else if (faults.length === 0) return { ok: true, value: { from, to } };
  }
  return { ok: false, faults };
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
export function periodsOverlap(a: Partial<Period>, b: Partial<Period>): boolean {
  return (a.from ?? '') <= (b.to ?? '9999-12-31') && (b.from ?? '') <= (a.to ?? '9999-12-31');
}

/** True when the day falls within the period; an absent bound is open. */
export function periodHolds(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  day: string,
): boolean {
  return (from ?? '') <= day && day <= (to ?? '9999-12-31');
}
