import type { Caller } from '#directory/contract';
import { ANY_PARTY } from '#directory/contract';
import type { Folded, LifeCycleRule, RecordedEvent } from '#kernel';
import type { MandateReach, RecordKind, PastView } from '#web';
import { RecordSight } from '#web';
import { Injectable } from '@nestjs/common';
import type { OfferEvent } from './offer.contract.js';
import type { OfferCommand, OfferRejection, OfferState } from './offer.js';
import { offerDecider, providersOf } from './offer.js';
import { OfferBoard } from './offer-board.js';
import { offerRuleOf } from './offer-rules.js';
import type { Bonds } from './offer-sight.js';
import { seesOffer } from './offer-sight.js';
import { isDesk, labelOf, offerEventFor, offerView, pastOfferView } from './offer.view.js';

const NONE: Bonds = { party: false, eligible: false };

/** How offers are served: who sees them, who may act on them, and what they look like to whom. */
@Injectable()
export class OfferRecords implements RecordKind<OfferState, OfferCommand, OfferEvent, OfferRejection> {
  readonly decider = offerDecider;
  readonly path = '/v1/offers';

  constructor(
    private readonly board: OfferBoard,
    private readonly sight: RecordSight,
  ) {}

  exists({ summary }: OfferState): boolean {
    return summary !== undefined;
  }

  async sees(caller: Caller, id: string, { summary }: OfferState): Promise<boolean> {
    if (summary === undefined) return false;
    const label = labelOf(id, summary);
    // Most offers are public or the caller's own: what joins streams is asked only where it counts.
    return seesOffer(caller, label, NONE) || seesOffer(caller, label, await this.board.bonds(caller, id));
  }

  /** Answers, of the ids it is given, those that the caller sees. */
  seenBy(caller: Caller): Promise<(ids: readonly string[]) => ReadonlySet<string>> {
    return this.board.seenBy(caller);
  }

  isBeforehand({ summary }: OfferState): boolean {
    return summary?.status === 'draft';
  }

  mandated(id: string, { summary }: OfferState): MandateReach {
    return { owners: summary === undefined ? [] : providersOf(summary), ids: [id] };
  }

  async isRestricted(_caller: Caller, id: string, state: OfferState): Promise<boolean> {
    return !(await this.sees(ANY_PARTY, id, state));
  }

  permits(caller: Caller, _command: OfferCommand['type'], { summary }: OfferState): boolean {
    return summary !== undefined && isDesk(caller, summary);
  }

  async view(caller: Caller, id: string, { state: { summary } }: Folded<OfferState>): Promise<object> {
    if (summary === undefined) return {};
    return offerView(caller, id, summary, await this.board.bonds(caller, id));
  }

  /** A past offer is seen under its label of then, by whoever sees it now. */
  async lookBack(caller: Caller, id: string, { summary: now }: OfferState): Promise<PastView<OfferState>> {
    const bonds = await this.board.bonds(caller, id);
    return {
      of: ({ summary }) =>
        now !== undefined && summary !== undefined && seesOffer(caller, labelOf(id, summary), bonds)
          ? pastOfferView(caller, id, summary, now, bonds)
          : null,
    };
  }

  ruleOf(event: RecordedEvent<OfferEvent>): LifeCycleRule {
    return offerRuleOf(event);
  }

  async maskEvent(
    caller: Caller,
    { summary }: OfferState,
    event: RecordedEvent<OfferEvent>,
  ): Promise<object | undefined> {
    if (summary === undefined) return undefined;
    const id = event.stream.slice(event.stream.indexOf('-') + 1);
    const bonds = await this.board.bonds(caller, id);
    const { commitment } = event.data as { readonly commitment?: string };
    const knows = commitment !== undefined && (await this.knows(caller, commitment));
    return offerEventFor(caller, id, summary, bonds, event, () => knows);
  }

  /** Its parties know a commitment, and auditors where a mandate opens it: one on the offer opens none on a sealed need. */
  private async knows(caller: Caller, commitment: string): Promise<boolean> {
    if (this.board.isPartyOf(caller, commitment)) return true;
    return caller.mandates.length > 0 && (await this.sight.sees(caller, 'commitment', commitment));
  }
}
