import type { Caller } from '#directory/contract';
import { Transactor } from '#kernel';
import { Injectable } from '@nestjs/common';
import type { OfferFacts } from './offer.contract.js';
import { OfferReader } from './offer.contract.js';
import { offerDecider, providersOf } from './offer.js';
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
    const { lines, earmark, conditions, period, visibility } = summary.content;
    return {
      offerId,
      status: summary.status,
      provider: summary.provider,
      providers: providersOf(summary),
      lines,
      earmark,
      conditions,
      visibility,
      ...(period === undefined ? {} : { period }),
    };
  }

  override async sees(offerId: string, caller: Caller): Promise<boolean> {
    const { state } = await this.transactor.load(offerDecider, offerId);
    return this.records.sees(caller, offerId, state);
  }

  override seenBy(caller: Caller): Promise<(offerIds: readonly string[]) => ReadonlySet<string>> {
    return this.records.seenBy(caller);
  }
}
