import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { Turns } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import { RecordSight } from '#web';
import { Asking } from './asking.js';
import type { IndexedOffer } from './match-index.projection.js';
import { isLive, ownersOf, providersOf } from './match-index.projection.js';
import { reasonsAgainst } from './match-index.js';
import { Offices } from './offices.js';
import type { Change } from './rules/changes.js';
import type { Opening } from './rules/opening.js';
import { openingOf } from './rules/opening.js';
import { NEWEST, RULESETS, type RulesetVersion } from './rules/rulesets.js';
import type { Block, BlockCode, Component, Judgement, NeedSide, Pairing, Served } from './rules/sides.js';
import { byRank } from './rules/sides.js';
import { smallestUnlock } from './rules/smallest-unlock.js';
import type { Sights } from './sights.js';
import { StreamSights } from './sights.js';
import type { Standing } from './standing.js';
import { needSide, offerSide, sovereignsOf } from './standing.js';

/** One pairing that could be bound now, as API.md shows it; `id` is the other record's. */
export interface Match {
  readonly id: string;
  readonly score: number;
  readonly coverage: readonly Served[];
  readonly components: readonly Component[];
  readonly conditions: IndexedOffer['content']['conditions'];
}

export interface BlockedPairing {
  readonly id: string;
  readonly blocks: readonly Block[];
  /** The smallest set of changes that would open it; null where no change could. Of rulesets that reckon it. */
  readonly unlock?: readonly Change[] | null;
}

export interface MatchList {
  readonly items: readonly Match[];
  readonly blocked: readonly BlockedPairing[];
  /** The one change that would open the most, where there is no match at all; of rulesets that reckon it. */
  readonly opening?: Opening | null;
  readonly ruleset: RulesetVersion;
  /** Position of the log that is answered for. */
  readonly asOf: string;
  /** The UTC day that is answered for. */
  readonly on: string;
}

/** What is asked of matches. */
export interface MatchRequest {
  /** How things stand, or stood. */
  readonly standing: Standing;
  readonly ruleset: RulesetVersion;
  /** Pairings at the most, of either kind. */
  readonly limit: number;
  /** Blocked ones at the most, where fewer are wanted. */
  readonly blockedLimit?: number;
  readonly withBlocked: boolean;
  /** Asked of the records' own streams unless told. */
  readonly sights?: Sights;
}

/** What stands, or stood, between the two records of a pairing, as far as the caller may know. */
export interface Hindrance {
  readonly code: BlockCode | 'need-not-open' | 'not-shown';
  readonly because: string;
}

/** Whatever of the two it is, and whether a record was ever there: like a 404. */
export const NOT_SHOWN: Hindrance = {
  code: 'not-shown',
  because: 'the pairing, or one of its records, is not for you to see',
};

interface Judged {
  readonly id: string;
  readonly pairing: Pairing;
  readonly judgement: Judgement;
  readonly conditions: Match['conditions'];
}

/** Matches of one record, for one caller: never with a record that the caller may not see. */
@Injectable()
export class Matches {
  private readonly streams: Sights;

  constructor(
    needs: NeedReader,
    offers: OfferReader,
    private readonly offices: Offices,
    private readonly sight: RecordSight,
  ) {
    this.streams = new StreamSights(needs, offers);
  }

  /** Offers that could serve need `id`. undefined where the caller may not see the need's lines. */
  async forNeed(caller: Caller, id: string, request: MatchRequest): Promise<MatchList | undefined> {
    const { standing, sights = this.streams } = request;
    // In the turn that the standing was asked in: ids and record are of its position.
    const doc = standing.need(id);
    const side = doc?.open === true ? needSide(id, doc, standing) : undefined;
    const ids =
      side === undefined ? [] : request.withBlocked ? standing.offerIds() : standing.offersFor(side, caller.anonymous);
    if (!(await sights.seesNeed(id, caller))) return undefined;
    const judged: Judged[] = [];
    if (doc !== undefined && side !== undefined) {
      const owner = doc.filer === caller.party || doc.beneficiaries.includes(caller.party);
      const asking = new Asking(this.sight, caller, standing, request.ruleset);
      const recipient = await this.offices.recipient(doc);
      const turns = new Turns();
      for (const offerId of ids) {
        await turns.pass();
        if (!(await sights.seesOffer(offerId, caller))) continue;
        const offer = standing.offer(offerId);
        if (offer === undefined) continue;
        const providers = await asking.providers(this.offices, offer);
        const one = await this.judged(asking, sights, side, recipient, { id: offerId, doc: offer }, providers);
        if (owner || !blockedBySight(one.judgement)) judged.push({ ...one, id: offerId });
      }
    }
    return answer(judged, request, 'need');
  }

  /** Needs that offer `id` could serve. undefined where the caller may not see the offer. */
  async forOffer(caller: Caller, id: string, request: MatchRequest): Promise<MatchList | undefined> {
    const { standing, sights = this.streams } = request;
    const doc = standing.offer(id);
    const live = doc !== undefined && isLive(doc);
    const ids = !live
      ? []
      : request.withBlocked
        ? standing.needIds()
        : standing.needsFor(offerSide(id, doc, []), caller.anonymous);
    if (!(await sights.seesOffer(id, caller))) return undefined;
    const judged: Judged[] = [];
    if (live) {
      const owner = providersOf(doc).includes(caller.party);
      const asking = new Asking(this.sight, caller, standing, request.ruleset);
      const providers = await asking.providers(this.offices, doc);
      const turns = new Turns();
      for (const needId of ids) {
        await turns.pass();
        if (!(await sights.seesNeed(needId, caller))) continue;
        const need = standing.need(needId);
        if (need === undefined) continue;
        const side = needSide(needId, need, standing);
        const one = await this.judged(asking, sights, side, await this.offices.recipient(need), { id, doc }, providers);
        if (owner || !blockedBySight(one.judgement)) judged.push({ ...one, id: needId });
      }
    }
    return answer(judged, request, 'offer');
  }

  /** Why the two were no match at that standing; nothing where they were one, by whom may see what now. */
  async hindrances(
    caller: Caller,
    needId: string,
    offerId: string,
    standing: Standing,
    ruleset: RulesetVersion,
  ): Promise<readonly Hindrance[]> {
    const sights = this.streams;
    const seen = (await sights.seesNeed(needId, caller)) && (await sights.seesOffer(offerId, caller));
    if (!seen) return [NOT_SHOWN];
    const [need, offer] = [standing.need(needId), standing.offer(offerId)];
    if (need === undefined || !isLive(need)) return [{ code: 'need-not-open', because: 'the need is not open' }];
    if (offer === undefined || !isLive(offer)) return [{ code: 'offer-not-open', because: 'the offer is not open' }];
    const asking = new Asking(this.sight, caller, standing, ruleset);
    const { judgement } = await this.judged(
      asking,
      sights,
      needSide(needId, need, standing),
      await this.offices.recipient(need),
      { id: offerId, doc: offer },
      await asking.providers(this.offices, offer),
    );
    if (judgement.kind === 'match') return [];
    const owner = ownersOf(need).includes(caller.party) || ownersOf(offer).includes(caller.party);
    if (blockedBySight(judgement) && !owner) return [NOT_SHOWN];
    return judgement.blocks.map(({ code, because }) => ({ code, because }));
  }

  /**
   * Judges one pairing after the other for a caller that sees both records, by the newest ruleset: as a list of matches would.
   * undefined for a record that does not stand open.
   */
  oneByOne(
    caller: Caller,
    standing: Standing,
  ): (needId: string, offerId: string) => Promise<Pick<Judged, 'pairing' | 'judgement'> | undefined> {
    const asking = new Asking(this.sight, caller, standing, NEWEST);
    return async (needId, offerId) => {
      const need = standing.need(needId);
      const offer = standing.offer(offerId);
      if (need?.open !== true || offer === undefined || !isLive(offer)) return undefined;
      const side = needSide(needId, need, standing);
      const recipient = await this.offices.recipient(need);
      return this.judged(
        asking,
        this.streams,
        side,
        recipient,
        { id: offerId, doc: offer },
        await asking.providers(this.offices, offer),
      );
    };
  }

  private async judged(
    asking: Asking,
    sights: Sights,
    side: NeedSide,
    recipient: Caller,
    offer: { readonly id: string; readonly doc: IndexedOffer },
    providers: readonly Caller[],
  ): Promise<Omit<Judged, 'id'>> {
    const { standing, ruleset } = asking;
    const pairing: Pairing = {
      need: side,
      offer: offerSide(offer.id, offer.doc, sovereignsOf(providers, standing)),
      circumstances: {
        now: standing.today,
        providerSeesNeed: await sightOfAny(sights, side.id, providers),
        recipientSeesOffer: await sights.seesOffer(offer.id, recipient),
        earmarkReasons: reasonsAgainst(offer.doc, side),
        priorWork: await asking.priorWork(providersOf(offer.doc), side.beneficiaries),
      },
    };
    const judgement = RULESETS[ruleset].judge(pairing, asking.weights);
    return { pairing, judgement, conditions: offer.doc.content.conditions };
  }
}

/** Any provider may propose: what one of them sees is enough. */
const sightOfAny = async (sights: Sights, needId: string, providers: readonly Caller[]): Promise<boolean> => {
  for (const provider of providers) if (await sights.seesNeed(needId, provider)) return true;
  return false;
};

/** Only the two owners are told that the other side may not see their record: to others it would tell whom a label names. */
const blockedBySight = (judgement: Judgement): boolean =>
  judgement.kind === 'blocked' && judgement.blocks.some(({ code }) => code === 'visibility');

const answer = (judged: readonly Judged[], request: MatchRequest, of: 'need' | 'offer'): MatchList => {
  const { standing, ruleset, limit, blockedLimit = limit, withBlocked } = request;
  const items = judged.flatMap(({ id, judgement, conditions }) =>
    judgement.kind === 'match'
      ? [{ id, score: judgement.score, coverage: judgement.coverage, components: judgement.components, conditions }]
      : [],
  );
  const blocked = withBlocked ? judged.filter(({ judgement }) => judgement.kind === 'blocked') : [];
  const reckons = RULESETS[ruleset].weighted;
  return {
    items: items.sort(byRank).slice(0, limit),
    blocked: blocked.slice(0, blockedLimit).map(({ id, pairing, judgement }) => ({
      id,
      blocks: judgement.kind === 'blocked' ? judgement.blocks : [],
      ...(reckons ? { unlock: smallestUnlock(pairing) ?? null } : {}),
    })),
    ...(reckons && withBlocked && items.length === 0
      ? {
          opening:
            openingOf(
              blocked.map(({ pairing }) => pairing),
              of,
            ) ?? null,
        }
      : {}),
    ruleset,
    asOf: standing.asOf,
    on: standing.today,
  };
};
