import type { Span } from '../rules/sides.js';
import type { Key } from './facet-table.js';

/** The value of what admits any. */
export const ANY = '*';
export const WORLD = '001';

export const keysOf = (facet: string, values: readonly string[]): readonly Key[] =>
  values.map((value) => `${facet} ${value}`);

/** `pt-BR` and `pt` are one language (as in `commonLanguages`). */
export const primaryTag = (tag: string): string => tag.toLowerCase().split('-')[0] ?? '';

/** Days since 1970; `-Infinity`, or what is told, for a bound that is open. */
export const dayNumber = (day: string | undefined, open = -Infinity): number =>
  day === undefined ? open : Date.parse(`${day}T00:00:00Z`) / 86_400_000;

/** The bounds of a period; of one that has none, its open ends. */
export const figuresOf = (period: Span | undefined): Readonly<Record<'since' | 'until', number>> => ({
  since: dayNumber(period?.from),
  until: dayNumber(period?.to, Infinity),
});
