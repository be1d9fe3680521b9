import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import { Clock, ProjectionRunner } from '#kernel';
import type { NeedFacts } from '#needs/contract';
import { NeedReader } from '#needs/contract';
import type { EarmarkedNeed } from '#offers/contract';
import { earmarkReasons, OfferReader } from '#offers/contract';
import type { Role } from '#vocabulary';
import { minorUnits, partyKind, stateOfParty } from '#vocabulary';
import { CallerDirectory } from '#web';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import type { Block, Component, Judgement, NeedSide, OfferSide, Served } from './ruleset.js';
import { byRank, couldMatch, judge, RULESET_VERSION } from './ruleset.js';

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

/** DOMAIN, visibility `eligible`: an offer opens needs of that label to its provider only once it is older than this. */
const ELIGIBLE_AFTER_MS = 24 * 3_600_000;

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
  private readonly parsed = new Map<string, { revision: number; doc: IndexedNeed | IndexedOffer }>();

  constructor(
    private readonly runner: ProjectionRunner,
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly directory: CallerDirectory,
    private readonly clock: Clock,
  ) {}

  /** Offers that could serve need `id`. undefined where the caller may not see the need's lines. */
  async forNeed(caller: Caller, id: string, limit: number, blocked: boolean): Promise<MatchList | undefined> {
    if (!(await this.needs.sight(id, caller)).body) return undefined;
    const asOf = this.asOf();
    const indexed = this.indexed(id) as IndexedNeed | undefined;
    const need = await this.needSide(id, indexed);
    const pairings: Pairing[] = [];
    if (need !== undefined && indexed?.open === true) {
      const owner = indexed.filer === caller.party || indexed.beneficiaries.includes(caller.party);
      const recipient = await this.recipient(indexed);
      for (const [offerId, offer] of this.liveOffers()) {
        if (!(await this.offers.sees(offerId, caller))) continue;
        const provider = await this.provider(offer.provider);
        const judgement = await this.judged(need, offerId, offer, provider, recipient);
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
    const asOf = this.asOf();
    const offer = this.indexed(id) as IndexedOffer | undefined;
    const pairings: Pairing[] = [];
    if (offer !== undefined && (offer.status === 'open' || offer.status === 'suspended')) {
      const owner = offer.provider === caller.party;
      const provider = await this.provider(offer.provider);
      for (const [needId, indexed] of this.liveNeeds()) {
        if (!(await this.needs.sight(needId, caller)).body) continue;
        const need = await this.needSide(needId, indexed);
        if (need === undefined) continue;
        const judgement = await this.judged(need, id, offer, provider, await this.recipient(indexed));
        if (owner || !blockedBySight(judgement)) {
          pairings.push({ id: needId, judgement, conditions: offer.content.conditions });
        }
      }
    }
    return answer(pairings, limit, blocked, asOf);
  }

  /**
   * Whether the caller's party provides an open offer, posted more than 24 hours ago, that could match the need: what the label
   * `eligible` asks (DOMAIN, code lists). Figures do not count: an exhausted offer's provider keeps its sight.
   */
  async isEligible(caller: Caller, facts: NeedFacts): Promise<boolean> {
    if (caller.anonymous) return false;
    const before = new Date(this.clock.now().getTime() - ELIGIBLE_AFTER_MS).toISOString();
    const mine = this.liveOffers(caller.party).filter(
      ([, { postedAt, status }]) => status === 'open' && postedAt <= before,
    );
    const need = needSideOf(facts, undefined);
    return mine.some(([offerId, offer]) =>
      couldMatch(need, offerSideOf(offerId, offer, caller.sovereign), {
        now: this.clock.now().toISOString(),
        providerSeesNeed: true,
        recipientSeesOffer: true,
        earmarkReasons: reasonsAgainst(offer, facts),
      }),
    );
  }

  private asOf(): string {
    const { position } = this.runner.statuses().find(({ name }) => name === 'match-index') ?? { position: 0n };
    return String(position);
  }

  private async judged(
    need: NeedSide & { readonly facts: NeedFacts },
    offerId: string,
    offer: IndexedOffer,
    provider: Caller,
    recipient: Caller,
  ): Promise<Judgement> {
    return judge(need, offerSideOf(offerId, offer, provider.sovereign), {
      now: this.clock.now().toISOString(),
      providerSeesNeed: (await this.needs.sight(need.id, provider)).body,
      recipientSeesOffer: await this.offers.sees(offerId, recipient),
      earmarkReasons: reasonsAgainst(offer, need.facts),
    });
  }

  private async needSide(
    id: string,
    indexed: IndexedNeed | undefined,
  ): Promise<(NeedSide & { readonly facts: NeedFacts }) | undefined> {
    const facts = await this.needs.facts(id);
    return facts === undefined ? undefined : { ...needSideOf(facts, indexed), facts };
  }

  private async provider(party: string): Promise<Caller> {
    return this.asIf(party, OFFICE_OF[partyKind(party as `donor:${string}`)] ?? 'donor-desk');
  }

  private async recipient({ filer }: IndexedNeed): Promise<Caller> {
    return this.asIf(filer, filer.startsWith('network:') ? 'network-host' : 'npc');
  }

  /** The caller that an office of `party` would be: what one side may see of the other's record. */
  private async asIf(party: string, role: Role): Promise<Caller> {
    if (party === '') return ANONYMOUS;
    return this.directory.resolve({ party, roles: [role], issuer: '', subject: '' }, this.clock.now());
  }

  private indexed(id: string): IndexedNeed | IndexedOffer | undefined {
    const row = this.runner.model('match-index').get('SELECT revision FROM side WHERE id = ?', id);
    return row === undefined ? undefined : this.doc(id, row.revision as number);
  }

  private liveNeeds(): (readonly [string, IndexedNeed])[] {
    const rows = this.runner
      .model('match-index')
      .all("SELECT id, revision FROM side WHERE kind = 'need' AND live = 1 ORDER BY id");
    return rows.map(({ id, revision }) => [id as string, this.doc(id as string, revision as number) as IndexedNeed]);
  }

  private liveOffers(provider?: string): (readonly [string, IndexedOffer])[] {
    const model = this.runner.model('match-index');
    const rows =
      provider === undefined
        ? model.all("SELECT id, revision FROM side WHERE kind = 'offer' AND live = 1 ORDER BY id")
        : model.all(
            "SELECT id, revision FROM side WHERE kind = 'offer' AND live = 1 AND provider = ? ORDER BY id",
            provider,
          );
    return rows.map(({ id, revision }) => [id as string, this.doc(id as string, revision as number) as IndexedOffer]);
  }

  /** Parsed once per revision. */
  private doc(id: string, revision: number): IndexedNeed | IndexedOffer {
    const known = this.parsed.get(id);
    if (known?.revision === revision) return known.doc;
    const row = this.runner.model('match-index').get('SELECT doc FROM side WHERE id = ?', id);
    const doc = JSON.parse(row?.doc as string) as IndexedNeed | IndexedOffer;
    this.parsed.set(id, { revision, doc });
    return doc;
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

/** Judged by the ruleset itself, line by line or with sentences of its own, or (implementer types) a condition of the proposal. */
const JUDGED_ELSEWHERE: ReadonlySet<string> = new Set([
  'instrument',
  'period',
  'kind',
  'line-kind',
  'implementer-type',
]);

const reasonsAgainst = (offer: IndexedOffer, facts: NeedFacts): string[] => {
  const need: EarmarkedNeed = {
    beneficiaries: facts.beneficiaries,
    networks: facts.networks,
    regions: facts.regions,
    instruments: facts.instruments,
    traffickingNexus: facts.traffickingNexus,
    needLineKinds: {},
  };
  return earmarkReasons(offer.content, need, [])
    .filter(({ code }) => !JUDGED_ELSEWHERE.has(code))
    .map(({ because }) => because);
};

const needSideOf = (facts: NeedFacts, indexed: IndexedNeed | undefined): NeedSide => ({
  id: facts.needId,
  beneficiaries: facts.beneficiaries,
  sovereigns: facts.beneficiaries.flatMap((party) => stateOfParty(party) ?? []),
  networks: facts.networks,
  regions: facts.regions,
  kinds: facts.kinds,
  instruments: facts.instruments,
  traffickingNexus: facts.traffickingNexus,
  urgency: indexed?.content.urgency ?? 'normal',
  ...(facts.period === undefined ? {} : { period: facts.period }),
  ...(indexed?.content.languages === undefined ? {} : { languages: indexed.content.languages }),
  lines: facts.lines.map(({ line, kind, quantity }) => ({
    line,
    kind,
    quantity,
    outstanding: left(quantity, indexed?.reserved[line]),
  })),
});

const offerSideOf = (id: string, offer: IndexedOffer, sovereign: string | undefined): OfferSide => ({
  id,
  provider: offer.provider,
  ...(sovereign === undefined ? {} : { sovereign }),
  suspended: offer.status === 'suspended',
  earmark: offer.content.earmark,
  conditions: offer.content.conditions,
  ...(offer.content.period === undefined ? {} : { period: offer.content.period }),
  ...(offer.content.languages === undefined ? {} : { languages: offer.content.languages }),
  lines: offer.content.lines.map(({ line, kinds, capacity }) => ({
    line,
    kinds,
    capacity,
    available: left(capacity, offer.reserved[line]),
  })),
});

/** What is left of a line, never below zero (a need that allows oversubscription may be reserved beyond what it asks). */
const left = (quantity: Parameters<typeof minorUnits>[0], reserved: string | undefined): bigint => {
  if (quantity.measure === 'undetermined' || quantity.measure === 'access') return 0n;
  const rest = minorUnits(quantity) - BigInt(reserved ?? '0');
  return rest > 0n ? rest : 0n;
};
