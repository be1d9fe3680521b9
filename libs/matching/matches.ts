import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import { RecordSight } from '#web';
import { Asking } from './asking.js';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { providersOf } from './match-index.projection.js';
import { reasonsAgainst } from './match-index.js';
import { Offices } from './offices.js';
import type { Change } from './rules/changes.js';
import type { Opening } from './rules/opening.js';
import { openingOf } from './rules/opening.js';
import { RULESETS, type RulesetVersion } from './rules/rulesets.js';
import type { Block, Component, Judgement, Pairing, Served } from './rules/sides.js';
import { byRank } from './rules/sides.js';
import { smallestUnlock } from './rules/smallest-unlock.js';
import type { Standing } from './standing.js';
import { needSide, offerSide } from './standing.js';

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
  readonly withBlocked: boolean;
}

interface Judged {
  readonly id: string;
  readonly pairing: Pairing;
  readonly judgement: Judgement;
  readonly conditions: Match['conditions'];
}

interface Side<Doc> {
  readonly id: string;
  readonly doc: Doc;
}

/** Matches of one record, for one caller: never with a record that the caller may not see. */
@Injectable()
export class Matches {
  constructor(
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly offices: Offices,
    private readonly sight: RecordSight,
  ) {}

  /** Offers that could serve need `id`. undefined where the caller may not see the need's lines. */
  async forNeed(caller: Caller, id: string, request: MatchRequest): Promise<MatchList | undefined> {
    const { standing } = request;
    // Read in one turn: what is answered is of one position.
    const [doc, offers] = [standing.need(id), standing.liveOffers()];
    if (!(await this.needs.sight(id, caller)).body) return undefined;
    const judged: Judged[] = [];
    if (doc?.open === true) {
      const owner = doc.filer === caller.party || doc.beneficiaries.includes(caller.party);
      const asking = new Asking(this.sight, caller, standing, request.ruleset);
      const recipient = await this.offices.recipient(doc);
      for (const [offerId, offer] of offers) {
        if (!(await this.offers.sees(offerId, caller))) continue;
        const providers = await this.offices.providers(offer);
        const one = await this.judged(asking, { id, doc }, recipient, { id: offerId, doc: offer }, providers);
        if (owner || !blockedBySight(one.judgement)) judged.push({ ...one, id: offerId });
      }
    }
    return answer(judged, request, 'need');
  }

  /** Needs that offer `id` could serve. undefined where the caller may not see the offer. */
  async forOffer(caller: Caller, id: string, request: MatchRequest): Promise<MatchList | undefined> {
    const { standing } = request;
    const [doc, needs] = [standing.offer(id), standing.liveNeeds()];
    if (!(await this.offers.sees(id, caller))) return undefined;
    const judged: Judged[] = [];
    if (doc !== undefined && (doc.status === 'open' || doc.status === 'suspended')) {
      const owner = providersOf(doc).includes(caller.party);
      const asking = new Asking(this.sight, caller, standing, request.ruleset);
      const providers = await this.offices.providers(doc);
      for (const [needId, need] of needs) {
        if (!(await this.needs.sight(needId, caller)).body) continue;
        const recipient = await this.offices.recipient(need);
        const one = await this.judged(asking, { id: needId, doc: need }, recipient, { id, doc }, providers);
        if (owner || !blockedBySight(one.judgement)) judged.push({ ...one, id: needId });
      }
    }
    return answer(judged, request, 'offer');
  }

  private async judged(
    asking: Asking,
    need: Side<IndexedNeed>,
    recipient: Caller,
    offer: Side<IndexedOffer>,
    providers: readonly Caller[],
  ): Promise<Omit<Judged, 'id'>> {
    const { standing, ruleset } = asking;
    const sovereigns = providers.map(({ party, sovereign }) =>
      standing.sovereignOf === undefined ? sovereign : standing.sovereignOf(party),
    );
    const side = needSide(need.id, need.doc, standing);
    const pairing: Pairing = {
      need: side,
      offer: offerSide(offer.id, offer.doc, sovereigns),
      circumstances: {
        now: standing.today,
        providerSeesNeed: await this.seesNeed(need.id, providers),
        recipientSeesOffer: await this.offers.sees(offer.id, recipient),
        earmarkReasons: reasonsAgainst(offer.doc, side),
        priorWork: await asking.priorWork(providersOf(offer.doc), side.beneficiaries),
      },
    };
    const judgement = RULESETS[ruleset].judge(pairing, asking.weights);
    return { pairing, judgement, conditions: offer.doc.content.conditions };
  }

  /** Any provider may propose: what one of them sees is enough. */
  private async seesNeed(needId: string, providers: readonly Caller[]): Promise<boolean> {
    for (const provider of providers) if ((await this.needs.sight(needId, provider)).body) return true;
    return false;
  }
}

/** Only the two owners are told that the other side may not see their record: to others it would tell whom a label names. */
const blockedBySight = (judgement: Judgement): boolean =>
  judgement.kind === 'blocked' && judgement.blocks.some(({ code }) => code === 'visibility');

const answer = (judged: readonly Judged[], request: MatchRequest, of: 'need' | 'offer'): MatchList => {
  const { standing, ruleset, limit, withBlocked } = request;
  const items = judged.flatMap(({ id, judgement, conditions }) =>
    judgement.kind === 'match'
      ? [{ id, score: judgement.score, coverage: judgement.coverage, components: judgement.components, conditions }]
      : [],
  );
  const blocked = withBlocked ? judged.filter(({ judgement }) => judgement.kind === 'blocked') : [];
  const reckons = RULESETS[ruleset].weighted;
  return {
    items: items.sort(byRank).slice(0, limit),
    blocked: blocked.slice(0, limit).map(({ id, pairing, judgement }) => ({
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
