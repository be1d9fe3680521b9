import type { ProcessCommand } from '#kernel';
import { processCommand } from '#kernel';
import type { DraftFromClaim } from '#reported/contract';
import { DraftFactory } from '#reported/contract';
import type { OfferCommand } from './offer.js';
import { offerDecider } from './offer.js';

/** Drafts an offer from a reported one that its donor claims. The draft is the claimant's, whoever carries the command. */
export class ClaimedOffers extends DraftFactory {
  override readonly kind = 'offer';

  override draft(claim: DraftFromClaim): ProcessCommand {
    if (claim.kind !== 'offer') throw new Error(`a claimed ${claim.kind} is no offer`);
    const { id, claimant, claimedFrom, content } = claim;
    return processCommand({
      decider: offerDecider,
      id,
      key: 'draft',
      command: (by): OfferCommand => ({ type: 'DraftOffer', by: { ...by, actor: claimant }, content, claimedFrom }),
      refused: ({ code, detail }) => {
        // The request and the process both see to it: the second finds it done.
        if (code === 'already-exists') return [];
        throw new Error(`the claimed offer ${id} was refused: ${code}, ${detail}`);
      },
    });
  }
}
