import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import type { ConfirmedFigure, Quantity } from '#vocabulary';
import { isRival } from '#vocabulary';
import type { CommitmentShown } from '../samples/evidence.js';
import { Sampling } from '../samples/sampling.js';
import type { ConfirmationLine } from './confirmation.contract.js';

/** A commitment that a party is asked about, or one transfer of it. */
export interface AskedItem {
  readonly commitment: string;
  readonly transfer?: number;
}

const figuresOf = (
  { legs, transfers, deliveries }: CommitmentShown,
  figure: ConfirmedFigure,
): readonly { readonly n: number; readonly books: Quantity }[] => {
  switch (figure) {
    case 'leg':
      return legs.map(({ leg, drawn }) => ({ n: leg, books: drawn }));
    case 'transfer':
      return transfers.map(({ n, amount }) => ({ n, books: amount }));
    case 'delivery':
      return deliveries.map(({ n, quantity }) => ({ n, books: quantity }));
  }
};

/** The figures of one item as they are shown; what has no figure can be confirmed by nobody. Pure. */
export const linesOf = (
  shown: CommitmentShown,
  { commitment, transfer }: AskedItem,
  asks: readonly ConfirmedFigure[],
): readonly ConfirmationLine[] =>
  (transfer === undefined ? asks : (['transfer'] as const)).flatMap((figure) =>
    figuresOf(shown, figure)
      .filter(({ n, books }) => isRival(books) && (transfer === undefined || n === transfer))
      .map(({ n, books }) => ({ commitment, figure, n, books })),
  );

/** What stands in the books of a commitment for an auditor and the party that it asks: both see each of the figures. */
@Injectable()
export class Books {
  constructor(private readonly sampling: Sampling) {}

  /** Undefined where one of the two does not see the commitment. */
  async lines(
    { auditor, asked }: { readonly auditor: Caller; readonly asked: Caller },
    item: AskedItem,
    asks: readonly ConfirmedFigure[],
  ): Promise<readonly ConfirmationLine[] | undefined> {
    const [toAuditor, toAsked] = await Promise.all([
      this.sampling.shown(auditor, item.commitment),
      this.sampling.shown(asked, item.commitment),
    ]);
    if (toAuditor === undefined || toAsked === undefined) return undefined;
    const known = linesOf(toAsked, item, asks);
    return linesOf(toAuditor, item, asks).filter(({ figure, n }) =>
      known.some((line) => line.figure === figure && line.n === n),
    );
  }
}
