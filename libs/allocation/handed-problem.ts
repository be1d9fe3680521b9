import type { Arc, NeedLine, OfferLine, Problem } from './problem.js';

/** Lines and pairs handed to the thread at once: more would hold up the event loop that hands them. */
const PAGE = 1_000;

/** A problem on its way to the thread. */
export type Handed =
  | { readonly kind: 'needs'; readonly needs: readonly NeedLine[] }
  | { readonly kind: 'offers'; readonly offers: readonly OfferLine[] }
  | { readonly kind: 'arcs'; readonly arcs: readonly Arc[] }
  /** The last piece. */
  | { readonly kind: 'whole'; readonly rest: Omit<Problem, 'needs' | 'offers' | 'arcs'> };

/** A problem in pieces. */
export function* pieces({ needs, offers, arcs, ...rest }: Problem): Generator<Handed> {
  for (const page of pages(needs)) yield { kind: 'needs', needs: page };
  for (const page of pages(offers)) yield { kind: 'offers', offers: page };
  for (const page of pages(arcs)) yield { kind: 'arcs', arcs: page };
  yield { kind: 'whole', rest };
}

/** The problem of which these are all pieces. */
export const assembled = (handed: readonly Handed[]): Problem => {
  const last = handed.at(-1);
  if (last?.kind !== 'whole') throw new Error('the problem was not handed over whole');
  return {
    ...last.rest,
    needs: handed.flatMap((piece) => (piece.kind === 'needs' ? piece.needs : [])),
    offers: handed.flatMap((piece) => (piece.kind === 'offers' ? piece.offers : [])),
    arcs: handed.flatMap((piece) => (piece.kind === 'arcs' ? piece.arcs : [])),
  };
};

function* pages<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < all.length; start += PAGE) yield all.slice(start, start + PAGE);
}
