import type { Conflict, EqualShare, Fairness, FloorReport, LeftOut, Pair, Price, Unmet } from './outcome.js';

/**
 * What a run tells while it goes on, in pieces small enough that whoever listens is never held up. Pairs, unmet lines, prices and
 * certificate of a part count only once `part` has followed them.
 */
export type Finding =
  | {
      readonly kind: 'divided';
      readonly parts: number;
      readonly arcs: number;
      readonly leftOut: readonly LeftOut[];
      readonly floors: readonly FloorReport[];
      readonly notes: readonly string[];
    }
  | { readonly kind: 'certificate'; readonly text: string }
  /** `arcs`: their places in the problem, where it stands why they fit. */
  | { readonly kind: 'pairs'; readonly pairs: readonly Pair[]; readonly arcs: readonly number[] }
  | { readonly kind: 'unmet'; readonly unmet: readonly Unmet[] }
  | { readonly kind: 'prices'; readonly prices: readonly Price[] }
  | PartFinding
  | { readonly kind: 'fairness'; readonly fairness: Fairness }
  /** All parts were looked at. */
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly because: string };

/** A part is through, or (part −1) the lines outside every part were told. */
export interface PartFinding {
  readonly kind: 'part';
  readonly part: number;
  readonly arcs: number;
  /** Places in the problem of its need lines, where it was solved. */
  readonly solved: readonly number[];
  readonly objective: bigint;
  readonly bound: bigint;
  readonly share?: EqualShare;
  readonly ended?:
    | { readonly status: 'limit' | 'failed'; readonly because: string }
    | { readonly status: 'infeasible'; readonly because: string; readonly conflict: readonly Conflict[] };
  readonly note?: string;
}
