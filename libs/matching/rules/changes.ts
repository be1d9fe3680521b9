import type { Earmark } from '#offers/contract';
import type { BlockCode, NeedSide, OfferSide, Pairing } from './sides.js';

/** One change that one side could make to its record. */
export interface Change {
  readonly side: 'need' | 'offer';
  /** The rule it answers. */
  readonly code: BlockCode;
  /** In words: "this offer: add Melanesia (054) to the regions". */
  readonly change: string;
  /** How much it gives away, 1 the least: of two sets of equally many changes the one that gives away less is the smaller. */
  readonly breadth: number;
  /** The line of the offer it is about; a set that is about two of them is never the smallest (see `smallest-unlock.ts`). */
  readonly line?: number;
  /** The pairing as it would be. */
  readonly apply: (pairing: Pairing) => Pairing;
}

/** What a side would have to decide, before its words are put together. */
type Proposed = Omit<Change, 'side' | 'code' | 'change' | 'apply'> & { readonly code: BlockCode; readonly to: string };

/** A change of the need. */
export const ofNeed = (
  { to, ...proposed }: Proposed,
  changed: (need: NeedSide, pairing: Pairing) => NeedSide,
): Change => ({
  ...proposed,
  side: 'need',
  change: `this need: ${to}`,
  apply: (pairing) => ({ ...pairing, need: changed(pairing.need, pairing) }),
});

/** A change of the offer. */
export const ofOffer = (
  { to, ...proposed }: Proposed,
  changed: (offer: OfferSide, pairing: Pairing) => OfferSide,
): Change => ({
  ...proposed,
  side: 'offer',
  change: `this offer: ${to}`,
  apply: (pairing) => ({ ...pairing, offer: changed(pairing.offer, pairing) }),
});

/** A change of the offer's earmark alone. */
export const ofEarmark = (proposed: Proposed, changed: (earmark: Earmark, pairing: Pairing) => Earmark): Change =>
  ofOffer(proposed, (offer, pairing) => ({ ...offer, earmark: changed(offer.earmark, pairing) }));

const breadthOf = (changes: readonly Change[]): number => changes.reduce((sum, { breadth }) => sum + breadth, 0);

const wordsOf = (changes: readonly Change[]): string =>
  changes
    .map(({ change }) => change)
    .sort()
    .join('\n');

/** Fewer changes first, then what gives away less, then by their words: one order whatever the order of search. */
export const bySize = (a: readonly Change[], b: readonly Change[]): number =>
  a.length - b.length ||
  breadthOf(a) - breadthOf(b) ||
  (wordsOf(a) < wordsOf(b) ? -1 : wordsOf(a) > wordsOf(b) ? 1 : 0);

/** The pairing after all of them. */
export const applied = (pairing: Pairing, changes: readonly Change[]): Pairing =>
  changes.reduce((current, { apply }) => apply(current), pairing);
