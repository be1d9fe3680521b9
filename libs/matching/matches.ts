import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import { Clock } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import type { Role } from '#vocabulary';
import { partyKind } from '#vocabulary';
import { CallerDirectory } from '#web';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { providersOf } from './match-index.projection.js';
import { MatchIndex, reasonsAgainst } from './match-index.js';
import type { Block, Component, Judgement, NeedSide, Served } from './ruleset.js';
import { byRank, judge, RULESET_VERSION } from './ruleset.js';

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
}

export interface MatchList {
  readonly items: readonly Match[];
  readonly blocked: readonly BlockedPairing[];
  readonly ruleset: string;
  /** Position of the log that the index stood at. */
  readonly asOf: string;
}

const OFFICE_OF: Readonly<Record<string, Role>> = {
  state: 'donor-desk',
  donor: 'donor-desk',
  fund: 'donor-desk',
  agency: 'implementer',
  network: 'network-host',
};

/** Matches of one record, for one caller: never with a record that the caller may not see. */
@Injectable()
export class Matches {
  constructor(
    private readonly index: MatchIndex,
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly directory: CallerDirectory,
    private readonly clock: Clock,
  ) {}

  /** Offers that could serve need `id`. undefined where the caller may not see the need's lines. */
  async forNeed(caller: Caller, id: string, limit: number, blocked: boolean): Promise<MatchList | undefined> {
    if (!(await this.needs.sight(id, caller)).body) return undefined;
    const asOf = this.index.asOf();
    const indexed = this.index.need(id);
    const pairings: Pairing[] = [];
    if (indexed?.open === true) {
      const need = this.index.needSide(id, indexed);
      const owner = indexed.filer === caller.party || indexed.beneficiaries.includes(caller.party);
      const recipient = await this.recipient(indexed);
      for (const [offerId, offer] of this.index.liveOffers()) {
        if (!(await this.offers.sees(offerId, caller))) continue;
        const providers = await this.providers(offer);
        const judgement = await this.judged(need, offerId, offer, providers, recipient);
        if (owner || !blockedBySight(judgement)) {
          pairings.push({ id: offerId, judgement, conditions: offer.content.conditions });
        }
      }
    }
    return answer(pairings, limit, blocked, asOf);
  }

  /** Needs that offer `id` could serve. undefined where the caller may not see the offer. */
  async forOffer(caller: Caller, id: string, limit: number, blocked: boolean): Promise<MatchList | undefined> {
    if (!(await this.offers.sees(id, caller))) return undefined;
    const asOf = this.index.asOf();
    const offer = this.index.offer(id);
    const pairings: Pairing[] = [];
    if (offer !== undefined && (offer.status === 'open' || offer.status === 'suspended')) {
      const owner = providersOf(offer).includes(caller.party);
      const providers = await this.providers(offer);
      for (const [needId, indexed] of this.index.liveNeeds()) {
        if (!(await this.needs.sight(needId, caller)).body) continue;
        const need = this.index.needSide(needId, indexed);
        const judgement = await this.judged(need, id, offer, providers, await this.recipient(indexed));
        if (owner || !blockedBySight(judgement)) {
          pairings.push({ id: needId, judgement, conditions: offer.content.conditions });
        }
      }
    }
    return answer(pairings, limit, blocked, asOf);
  }

  private async judged(
    need: NeedSide,
    offerId: string,
    offer: IndexedOffer,
    providers: readonly Caller[],
    recipient: Caller,
  ): Promise<Judgement> {
    const sovereigns = providers.map(({ sovereign }) => sovereign);
    return judge(need, this.index.offerSide(offerId, offer, sovereigns), {
      now: this.clock.now().toISOString(),
      providerSeesNeed: await this.seesNeed(need.id, providers),
      recipientSeesOffer: await this.offers.sees(offerId, recipient),
      earmarkReasons: reasonsAgainst(offer, need),
    });
  }

  /** Any provider may propose: what one of them sees is enough. */
  private async seesNeed(needId: string, providers: readonly Caller[]): Promise<boolean> {
    for (const provider of providers) if ((await this.needs.sight(needId, provider)).body) return true;
    return false;
  }

  private providers(offer: IndexedOffer): Promise<readonly Caller[]> {
    return Promise.all(
      providersOf(offer).map((party) =>
        this.asIf(party, OFFICE_OF[partyKind(party as `donor:${string}`)] ?? 'donor-desk'),
      ),
    );
  }

  private async recipient({ filer }: IndexedNeed): Promise<Caller> {
    return this.asIf(filer, filer.startsWith('network:') ? 'network-host' : 'npc');
  }

  /** The caller that an office of `party` would be: what one side may see of the other's record. */
  private async asIf(party: string, role: Role): Promise<Caller> {
    if (party === '') return ANONYMOUS;
    return this.directory.resolve({ party, roles: [role], issuer: '', subject: '' }, this.clock.now());
  }
}

interface Pairing {
  readonly id: string;
  readonly judgement: Judgement;
  readonly conditions: Match['conditions'];
}

/** Only the two owners are told that the other side may not see their record: to others it would tell whom a label names. */
const blockedBySight = (judgement: Judgement): boolean =>
  judgement.kind === 'blocked' && judgement.blocks.some(({ code }) => code === 'visibility');

const answer = (pairings: readonly Pairing[], limit: number, withBlocked: boolean, asOf: string): MatchList => ({
  items: pairings
    .flatMap(({ id, judgement, conditions }) =>
      judgement.kind === 'match'
        ? [{ id, score: judgement.score, coverage: judgement.coverage, components: judgement.components, conditions }]
        : [],
    )
    .sort(byRank)
    .slice(0, limit),
  blocked: withBlocked
    ? pairings
        .flatMap(({ id, judgement }) => (judgement.kind === 'blocked' ? [{ id, blocks: judgement.blocks }] : []))
        .slice(0, limit)
    : [],
  ruleset: RULESET_VERSION,
  asOf,
});
