import type { Caller } from '#directory/contract';
import type { Actor, ProcessCommand } from '#kernel';
import { processCommand, Transactor } from '#kernel';
import { Injectable } from '@nestjs/common';
import type { OfferContent, OfferFacts } from './offer.contract.js';
import { OfferReader } from './offer.contract.js';
import type { OfferCommand } from './offer.js';
import { offerDecider } from './offer.js';
import { OfferRecords } from './offer-records.js';

/** Reads an offer for other contexts from its own stream. */
@Injectable()
export class StreamOfferReader extends OfferReader {
  constructor(
    private readonly transactor: Transactor,
    private readonly records: OfferRecords,
  ) {
    super();
  }

  override async facts(offerId: string): Promise<OfferFacts | undefined> {
    const { summary } = (await this.transactor.load(offerDecider, offerId)).state;
    if (summary === undefined) return undefined;
    const { lines, earmark, conditions, period } = summary.content;
    return {
      offerId,
      status: summary.status,
      provider: summary.provider,
      lines,
      earmark,
      conditions,
      ...(period === undefined ? {} : { period }),
    };
  }

  override async sees(offerId: string, caller: Caller): Promise<boolean> {
    const { state } = await this.transactor.load(offerDecider, offerId);
    return this.records.sees(caller, offerId, state);
  }
}

/** The command that makes a claimed publication a draft of its claimant; asked again it writes nothing. */
export const draftOfferCommand = (claim: {
  readonly id: string;
  readonly claimant: Actor;
  readonly claimedFrom: string;
  readonly content: OfferContent;
}): ProcessCommand => {
  const { id, claimant, claimedFrom, content } = claim;
  return processCommand({
    decider: offerDecider,
    id,
    key: 'draft',
    command: (by): OfferCommand => ({ type: 'DraftOffer', by, content, claimedFrom, claimant }),
  });
};
