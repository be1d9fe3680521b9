import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { Turns } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import type { InstrumentCode, Kind } from '#vocabulary';
import { stateParty } from '#vocabulary';
import type { HeldStanding } from '../held-standing.js';
import type { IndexedNeed, IndexedOffer } from '../match-index.projection.js';
import { ownersOf, providersOf } from '../match-index.projection.js';
import type { MatchRequest } from '../matches.js';
import { Matches } from '../matches.js';
import { NEWEST } from '../rules/rulesets.js';
import { BoardSights } from '../sights.js';
import type { Standing } from '../standing.js';
import { needSide } from '../standing.js';
import type { MatchSet, ToldMatch } from './match-changes.js';
import { keyOf, toldMatch } from './match-changes.js';

/** Which pairings are watched. Parts of the need are asked as the list of needs asks them. */
export interface Watch {
  /** `own` unless told: those of the caller's party, from either side; `all`: of every need that the caller sees. */
  readonly records?: 'own' | 'all';
  /** That need's alone, whoever's it is. */
  readonly needId?: string;
  /** That offer's alone, whoever's it is. */
  readonly offerId?: string;
  readonly state?: string;
  readonly region?: string;
  readonly network?: string;
  readonly kind?: Kind;
  readonly instrument?: InstrumentCode;
  /** A provider of the offer. */
  readonly donor?: string;
}

/** Records of which one watch takes the matches. */
export const MOST_WATCHED = 200;

/** More records are watched than one reading can look at. */
export class TooManyWatchedError extends Error {
  override readonly name = 'TooManyWatchedError';
}

interface WatchedRecords {
  readonly needs: readonly string[];
  readonly offers: readonly string[];
}

/** All matches of a watch at once, the same as the lists of its records have. */
@Injectable()
export class WatchedMatches {
  constructor(
    private readonly matches: Matches,
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
  ) {}

  /** @throws {TooManyWatchedError} */
  async at(caller: Caller, watch: Watch, standing: HeldStanding): Promise<MatchSet> {
    const found = new Map<string, ToldMatch>();
    const { needs, offers } = await this.records(caller, watch, standing);
    const request: MatchRequest = {
      standing,
      ruleset: NEWEST,
      limit: Infinity,
      withBlocked: false,
      sights: new BoardSights(this.needs, this.offers),
    };
    const turns = new Turns();
    for (const needId of needs) {
      await turns.pass();
      const list = await this.matches.forNeed(caller, needId, request);
      for (const match of list?.items ?? []) found.set(keyOf(needId, match.id), toldMatch(needId, match.id, match));
    }
    for (const offerId of offers) {
      await turns.pass();
      const list = await this.matches.forOffer(caller, offerId, request);
      for (const match of list?.items ?? []) found.set(keyOf(match.id, offerId), toldMatch(match.id, offerId, match));
    }
    return new Map([...found].filter(([, { needId, offerId }]) => watches(watch, caller, standing, needId, offerId)));
  }

  private async records(caller: Caller, watch: Watch, standing: HeldStanding): Promise<WatchedRecords> {
    const { needId, offerId, records } = watch;
    if (needId !== undefined) return { needs: [needId].filter((id) => standing.need(id) !== undefined), offers: [] };
    if (offerId !== undefined) return { needs: [], offers: [offerId].filter((id) => standing.offer(id) !== undefined) };
    const ids = records === 'all' ? await this.seen(caller, standing.needIds()) : standing.needIdsOf(caller.party);
    const needs: string[] = [];
    const turns = new Turns();
    for (const id of ids) {
      await turns.pass();
      const need = standing.need(id);
      if (need !== undefined && admitsNeed(watch, id, need, standing)) needs.push(id);
    }
    const offers =
      records === 'all'
        ? []
        : standing.offerIdsOf(caller.party).filter((id) => {
            const offer = standing.offer(id);
            return offer !== undefined && admitsOffer(watch, offer);
          });
    // Counted of what the caller sees alone: the refusal tells nothing of the rest.
    if (needs.length + offers.length > MOST_WATCHED) throw new TooManyWatchedError();
    return { needs, offers };
  }

  private async seen(caller: Caller, ids: readonly string[]): Promise<readonly string[]> {
    const seen = (await this.needs.bodiesSeenBy(caller))(ids);
    return ids.filter((id) => seen.has(id));
  }
}

/** Whether the watch takes in the pairing of two records that stand open. */
export const watches = (watch: Watch, caller: Caller, standing: Standing, needId: string, offerId: string): boolean => {
  const [need, offer] = [standing.need(needId), standing.offer(offerId)];
  if (need === undefined || offer === undefined) return false;
  const { records, needId: ofNeed = needId, offerId: ofOffer = offerId } = watch;
  const whose =
    records === 'all' ||
    watch.needId !== undefined ||
    watch.offerId !== undefined ||
    ownersOf(need).includes(caller.party) ||
    ownersOf(offer).includes(caller.party);
  return (
    whose &&
    ofNeed === needId &&
    ofOffer === offerId &&
    admitsNeed(watch, needId, need, standing) &&
    admitsOffer(watch, offer)
  );
};

const admitsNeed = (watch: Watch, id: string, need: IndexedNeed, standing: Standing): boolean => {
  const { state, region, network, kind, instrument } = watch;
  if (kind !== undefined && !need.content.kinds.includes(kind)) return false;
  if (instrument !== undefined && !need.content.instruments.includes(instrument)) return false;
  if (state === undefined && region === undefined && network === undefined) return true;
  const { beneficiaries, regions, networks } = needSide(id, need, standing);
  return (
    (state === undefined || beneficiaries.includes(stateParty(state))) &&
    (region === undefined || regions.includes(region)) &&
    (network === undefined || networks.includes(network))
  );
};

const admitsOffer = ({ donor }: Watch, offer: IndexedOffer): boolean =>
  donor === undefined || providersOf(offer).includes(donor);
