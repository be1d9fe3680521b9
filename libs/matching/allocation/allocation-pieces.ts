import type { Answer, Conflict, Outcome, Progress } from '#allocation';
import { quantityIn } from '#allocation';
import type { AllocationEvent, AllocationPiece, AllocationSummary, ConflictingBound } from './allocation.contract.js';
import { inPieces } from './in-pieces.js';

type End = Extract<AllocationEvent, { type: 'AllocationEnded' }>['data'];

/** A piece, and which of its list it is. */
export interface NumberedPiece {
  readonly n: number;
  readonly piece: AllocationPiece;
}

/** The lists of an answer in pieces, in the order of recording. */
export const piecesOf = (answer: Answer): readonly NumberedPiece[] => [
  ...split(
    'pairs',
    answer.pairs.map(({ measure, quantity, ...pair }) => ({ ...pair, quantity: quantityIn(measure, quantity) })),
  ),
  ...split(
    'unmet',
    answer.unmet.map(({ measure, quantity, ...line }) => ({ ...line, quantity: quantityIn(measure, quantity) })),
  ),
  ...split(
    'prices',
    answer.prices.map(({ measure, ...price }) => ({ ...price, per: measure })),
  ),
  ...split('left-out', answer.leftOut),
  ...answer.certificate.map((text, n) => ({ n, piece: { part: 'certificate' as const, text } })),
];

type ListPiece = Exclude<AllocationPiece, { readonly part: 'certificate' }>;

const split = <P extends ListPiece['part']>(
  part: P,
  items: Extract<ListPiece, { readonly part: P }>['items'],
): NumberedPiece[] =>
  // The items are of the list that `part` names; the union lost that.
  inPieces<object>(items).map((piece, n) => ({ n, piece: { part, items: piece } as unknown as AllocationPiece }));

/** The header of the answer. */
export const endOf = (outcome: Exclude<Outcome, { status: 'cancelled' }>): End => {
  const { answer } = outcome;
  const summary = answer === undefined ? {} : { summary: summaryOf(answer) };
  switch (outcome.status) {
    case 'done':
      return { outcome: 'done', ...summary };
    case 'limit':
      return { outcome: 'done', because: outcome.because, ...summary };
    case 'failed':
      return { outcome: 'failed', because: outcome.because, ...summary };
    case 'infeasible':
      return {
        outcome: 'infeasible',
        because: outcome.because,
        conflicts: outcome.conflicts.map((list) => list.map((bound) => conflictOf(bound))),
        ...summary,
      };
  }
};

const conflictOf = ({ measure, quantity, ...bound }: Conflict): ConflictingBound => ({
  ...bound,
  quantity: quantityIn(measure, quantity),
});

const summaryOf = ({ value, bound, fairness, floors, notes, certificateSha256 }: Answer): AllocationSummary => {
  const figures = <T extends { readonly measure: string; readonly outstanding: bigint; readonly served: bigint }>({
    measure,
    outstanding,
    served,
    ...rest
  }: T) => ({
    ...rest,
    outstanding: quantityIn(measure, outstanding),
    served: quantityIn(measure, served),
  });
  return {
    value,
    bound,
    fairness: {
      equalShares: fairness.equalShares.map(({ measure, ...share }) => ({ ...share, per: measure })),
      leastServed: fairness.leastServed.map(figures),
      states: fairness.states.map(figures),
      regions: fairness.regions.map(figures),
    },
    floors: floors.map(({ measure, outstanding, asked, ...floor }) => ({
      ...floor,
      outstanding: quantityIn(measure, outstanding),
      asked: quantityIn(measure, asked),
    })),
    notes,
    certificateSha256,
  };
};

/** How far a run is, as its event says it. */
export const progressOf = ({
  parts,
  ofParts,
  arcs,
  ofArcs,
}: Progress): Required<Extract<AllocationEvent, { type: 'AllocationProgressed' }>['data']> => ({
  parts,
  ofParts,
  pairs: arcs,
  ofPairs: ofArcs,
});
