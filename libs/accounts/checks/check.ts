import type { Quantity } from '#vocabulary';
import type { Facts, FactType } from './facts.js';

/** One thing that a check found. `records` are streams, `events` what stands behind it. */
export interface Finding {
  readonly severity: 'high' | 'medium' | 'low';
  readonly what: string;
  /** A sentence for people: what was expected, what stands there. */
  readonly because: string;
  readonly parties: readonly string[];
  readonly records: readonly string[];
  readonly events: readonly string[];
  readonly figures: readonly Quantity[];
}

/** What a run of a check may be told; what it is not told has the default that the list shows. */
export interface CheckParameters {
  /** The day it is judged on, YYYY-MM-DD. */
  readonly onDate: string;
  readonly days: number;
}

export interface Check {
  readonly name: string;
  /** What it looks for, for people. */
  readonly looksFor: string;
  /** Whether the day of judgement matters. */
  readonly takesDate: boolean;
  /** What `days` means here, and its default; absent where the check takes none. */
  readonly days?: { readonly means: string; readonly byDefault: number };
  /** The events it reads. */
  readonly reads: readonly FactType[];
  /** Whether it reads whose hands recorded what. */
  readonly readsHands?: boolean;
  /** Whether it reads whom a need is for that a record within the mandate names: it is told wherever the caller sees that need. */
  readonly readsNamedNeeds?: boolean;
  find(facts: Facts, parameters: CheckParameters): readonly Finding[];
}

export const finding = (
  severity: Finding['severity'],
  what: string,
  because: string,
  of: Partial<Pick<Finding, 'parties' | 'records' | 'events' | 'figures'>>,
): Finding => ({ severity, what, because, parties: [], records: [], events: [], figures: [], ...of });
