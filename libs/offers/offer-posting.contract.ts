import type { Decision, Rejection, Transactor } from '#kernel';
import { refuse, supposed } from '#kernel';
import type { OfferEvent } from './offer.contract.js';
import type { OfferChanges, OfferState } from './offer.js';
import { deskRoleOf, offerDecider } from './offer.js';

// What an offer is posted and amended with, for those who ask what would be if it were.
export { AmendOfferDto, changesOf, contentOf, PostOfferDto } from './offer.dto.js';
export { DESK_ROLES } from './offer.js';
export type { OfferChanges } from './offer.js';

/** An offer as its desk's commands would leave it, each judged by the offer's own rules on what those before it left. Nothing is written. */
export class SupposedOffer {
  private constructor(private state: OfferState) {}

  /** The offer as its stream has it. */
  static async of(transactor: Pick<Transactor, 'load'>, id: string): Promise<SupposedOffer> {
    return new SupposedOffer((await transactor.load(offerDecider, id)).state);
  }

  /** What an amendment of it would write at `at` (RFC 3339 UTC), nothing where it changes nothing; or why it would be refused. */
  amend(changes: OfferChanges, at: string): Decision<OfferEvent, Rejection> {
    return this.decided({ type: 'AmendOffer', changes }, at);
  }

  /** What taking it up again would write. */
  resume(at: string): Decision<OfferEvent, Rejection> {
    return this.decided({ type: 'ResumeOffer' }, at);
  }

  private decided(
    asked: { readonly type: 'AmendOffer'; readonly changes: OfferChanges } | { readonly type: 'ResumeOffer' },
    at: string,
  ): Decision<OfferEvent, Rejection> {
    const { summary } = this.state;
    if (summary === undefined) return refuse('not-found', 'There is no such offer.');
    const actor = { party: summary.provider, role: deskRoleOf(summary.provider) ?? 'donor-desk' };
    const decision = offerDecider.decide({ ...asked, by: { actor, at, effectiveAt: at } }, this.state);
    if (decision.kind === 'accepted') {
      for (const event of decision.events) this.state = offerDecider.evolve(this.state, supposed(event, at));
    }
    return decision;
  }
}
