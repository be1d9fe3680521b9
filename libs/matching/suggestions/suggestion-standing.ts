import type { SuggestedPair } from '#commitments/contract';
import type { Quantity } from '#vocabulary';
import { quantityOf, sameMeasure } from '#vocabulary';
import { linePairs, lotOf } from '../rules/lines.js';
import type { Judgement, NeedSide, OfferSide } from '../rules/sides.js';
import { reasonOf } from '../rules/sides.js';

/** Whether a suggestion could be bound now. */
export type SuggestionStanding =
  /** `servable`: how much of the two lines could be bound now, which may be less than is suggested. */
  | { readonly status: 'open'; readonly because: string; readonly servable: Quantity }
  | { readonly status: 'stale'; readonly because: string };

/** The pairing as the desk would be shown it in a list of matches. */
interface Judged {
  readonly pairing: { readonly need: NeedSide; readonly offer: OfferSide };
  readonly judgement: Judgement;
}

const stale = (because: string): SuggestionStanding => ({ status: 'stale', because });

/** Pure. `judged` is absent where need or offer does not stand open. */
export const standingOf = (
  { needLine, offerLine, quantity }: Pick<SuggestedPair, 'needLine' | 'offerLine' | 'quantity'>,
  judged: Judged | undefined,
): SuggestionStanding => {
  if (judged === undefined) return stale('need or offer takes no proposals now');
  const { judgement, pairing } = judged;
  if (judgement.kind === 'blocked') return stale(judgement.blocks.map(({ because }) => because).join('; '));
  const pair = linePairs(pairing.need, pairing.offer).find(
    (each) => each.needLine.line === needLine && each.offerLine.line === offerLine,
  );
  if (pair === undefined) return stale(`line ${offerLine} of the offer serves line ${needLine} of the need no more`);
  const asked = pair.needLine.quantity;
  if (!pair.alike || !sameMeasure(asked, quantity)) return stale('the lines are in another measure now');
  const { available, minimumLot = 0n } = pair.offerLine;
  const { outstanding } = pair.needLine;
  const servable = available === 'unlimited' || outstanding < available ? outstanding : available;
  if (servable === 0n)
    return stale(
      `nothing of line ${outstanding === 0n ? `${needLine} of the need is outstanding` : `${offerLine} of the offer is available`}`,
    );
  if (servable < minimumLot) return stale(`less could be bound than the smallest lot (${lotOf(pair.offerLine)})`);
  return {
    status: 'open',
    because: reasonOf(judgement.score, judgement.components),
    servable: quantityOf(asked, servable),
  };
};
