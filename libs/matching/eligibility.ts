import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { Clock } from '#kernel';
import { EligibleProviders } from '#needs/contract';
import { EligibleOffers } from '#offers/contract';
import { stateOfParty } from '#vocabulary';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { providersOf } from './match-index.projection.js';
import { MatchIndex, reasonsAgainst } from './match-index.js';
import { couldMatch } from './rules/first-rulesets.js';
import type { Standing } from './standing.js';
import { needSide, offerSide } from './standing.js';

/** DOMAIN, visibility `eligible`: only a record older than this opens records of that label to its party. */
const OLDER_THAN_MS = 24 * 3_600_000;

/** Which records labelled `eligible` a caller's own open records open to it. Figures do not count: see `couldMatch`. */
@Injectable()
export class Eligibility {
  constructor(
    private readonly index: MatchIndex,
    private readonly clock: Clock,
  ) {}

  needsFor(caller: Caller): ReadonlySet<string> {
    // Few records have the label: whoever has many of its own is not asked for them while there is none.
    const labelled = this.index.eligibleNeeds();
    if (labelled.length === 0) return new Set();
    const since = this.since();
    const mine = this.index
      .liveOffers(caller.party)
      .filter(([, { openedAt, status }]) => status === 'open' && openedAt <= since);
    if (mine.length === 0) return new Set();
    const standing = this.index.memberships();
    return new Set(
      labelled
        .filter(([id, need]) =>
          mine.some(([offerId, offer]) => this.pairs(standing, id, need, offerId, offer, sovereignsOf(offer, caller))),
        )
        .map(([id]) => id),
    );
  }

  offersFor(caller: Caller): ReadonlySet<string> {
    const labelled = this.index.eligibleOffers();
    if (labelled.length === 0) return new Set();
    const since = this.since();
    const mine = this.index.liveNeeds(caller.party).filter(([, { openedAt }]) => openedAt <= since);
    if (mine.length === 0) return new Set();
    const standing = this.index.memberships();
    return new Set(
      labelled
        .filter(([id, offer]) =>
          mine.some(([needId, need]) => this.pairs(standing, needId, need, id, offer, sovereignsOf(offer))),
        )
        .map(([id]) => id),
    );
  }

  private pairs(
    standing: Pick<Standing, 'networksOf'>,
    needId: string,
    need: IndexedNeed,
    offerId: string,
    offer: IndexedOffer,
    sovereigns: readonly (string | undefined)[],
  ): boolean {
    const side = needSide(needId, need, standing);
    return couldMatch(side, offerSide(offerId, offer, sovereigns), {
      now: this.clock.now().toISOString(),
      providerSeesNeed: true,
      recipientSeesOffer: true,
      earmarkReasons: reasonsAgainst(offer, side),
    });
  }

  private since(): string {
    return new Date(this.clock.now().getTime() - OLDER_THAN_MS).toISOString();
  }
}

/** Of the caller what its directory entry says, of other providers what their id says. */
const sovereignsOf = (offer: IndexedOffer, caller?: Caller): readonly (string | undefined)[] =>
  providersOf(offer).map((party) => (party === caller?.party ? caller.sovereign : stateOfParty(party)));

@Injectable()
export class IndexedEligibleProviders extends EligibleProviders {
  constructor(private readonly eligibility: Eligibility) {
    super();
  }

  override async needsFor(caller: Caller): Promise<ReadonlySet<string>> {
    return this.eligibility.needsFor(caller);
  }
}

@Injectable()
export class IndexedEligibleOffers extends EligibleOffers {
  constructor(private readonly eligibility: Eligibility) {
    super();
  }

  override async for(caller: Caller): Promise<ReadonlySet<string>> {
    return this.eligibility.offersFor(caller);
  }
}
