import { floats } from './floats.js';
import type { Arc, NeedLine, OfferLine, Problem } from './problem.js';
import type { CompiledSolver } from './solver.js';

/** Lines handed to the thread at once: more would hold up the event loop that hands them. */
const LINES = 1_000;
/** Pairs, which cross as bare numbers. */
const PAIRS = 10_000;

/** A problem on its way to the thread. What is said of pairs in words stays behind: the thread has no use for it. */
export type Handed =
  | { readonly kind: 'needs'; readonly needs: readonly NeedLine[] }
  | { readonly kind: 'offers'; readonly offers: readonly OfferLine[] }
  | { readonly kind: 'arcs'; readonly need: Float64Array; readonly offer: Float64Array; readonly score: Float64Array }
  /** The last piece; with the compiled solver. */
  | {
      readonly kind: 'whole';
      readonly rest: Omit<Problem, 'needs' | 'offers' | 'arcs'>;
      readonly solver?: CompiledSolver;
    };

/** A problem in pieces. */
export function* pieces(
  { needs, offers, arcs, ...rest }: Problem,
  solver: CompiledSolver | undefined,
): Generator<Handed> {
  for (const page of pages(needs, LINES)) yield { kind: 'needs', needs: page };
  for (const page of pages(offers, LINES)) yield { kind: 'offers', offers: page };
  for (const page of pages(arcs, PAIRS)) {
    const column = (field: 'need' | 'offer' | 'score'): Float64Array =>
      floats(page.length, (place) => page[place]?.[field] ?? Number.NaN);
    yield {
      kind: 'arcs',
      need: column('need'),
      offer: column('offer'),
      score: column('score'),
    };
  }
  yield { kind: 'whole', rest, ...(solver === undefined ? {} : { solver }) };
}

/** The problem of which these are all pieces. */
export const assembled = (handed: readonly Handed[]): Problem => {
  const last = handed.at(-1);
  if (last?.kind !== 'whole') throw new Error('the problem was not handed over whole');
  const arcs: Arc[] = [];
  for (const piece of handed) {
    if (piece.kind !== 'arcs') continue;
    piece.need.forEach((need, place) => {
      arcs.push({ need, offer: piece.offer[place] ?? -1, score: piece.score[place] ?? Number.NaN, because: '' });
    });
  }
  return {
    ...last.rest,
    needs: handed.flatMap((piece) => (piece.kind === 'needs' ? piece.needs : [])),
    offers: handed.flatMap((piece) => (piece.kind === 'offers' ? piece.offers : [])),
    arcs,
  };
};

function* pages<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}
