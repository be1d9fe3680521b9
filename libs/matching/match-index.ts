import { Injectable } from '@nestjs/common';
import { Networks } from '#directory/contract';
import { Clock, ProjectionRunner } from '#kernel';
import { earmarkReasons } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import { dateOf, isDeterminate, isRival, isUnlimited, minorUnits, stateOf, stateOfParty } from '#vocabulary';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { countedBeneficiaries } from './match-index.projection.js';
import type { NeedSide, OfferSide } from './ruleset.js';

/** Judged by the ruleset itself, line by line or with sentences of its own, or (implementer types) a condition of the proposal. */
const JUDGED_ELSEWHERE: ReadonlySet<string> = new Set(['instrument', 'period', 'kind', 'implementer-type']);

/** The match index read as the ruleset wants it: sides of pairings, parsed once per revision. */
@Injectable()
export class MatchIndex {
  private readonly parsed = new Map<string, { revision: number; doc: IndexedNeed | IndexedOffer }>();

  constructor(
    private readonly runner: ProjectionRunner,
    private readonly networks: Networks,
    private readonly clock: Clock,
  ) {}

  /** Position of the log that the index stands at, as decimal text. */
  asOf(): string {
    const { position } = this.runner.statuses().find(({ name }) => name === 'match-index') ?? { position: 0n };
    return String(position);
  }

  need(id: string): IndexedNeed | undefined {
    return this.one(id) as IndexedNeed | undefined;
  }

  offer(id: string): IndexedOffer | undefined {
    return this.one(id) as IndexedOffer | undefined;
  }

  /** Open needs; of one filer or beneficiary where `owner` is given. */
  liveNeeds(owner?: string): (readonly [string, IndexedNeed])[] {
    return this.live('need', owner) as (readonly [string, IndexedNeed])[];
  }

  /** Open and suspended offers; of one provider where `owner` is given. */
  liveOffers(owner?: string): (readonly [string, IndexedOffer])[] {
    return this.live('offer', owner) as (readonly [string, IndexedOffer])[];
  }

  /** Open needs of which a part is labelled `eligible`. */
  eligibleNeeds(): (readonly [string, IndexedNeed])[] {
    return this.eligible('need') as (readonly [string, IndexedNeed])[];
  }

  /** Open and suspended offers labelled `eligible`. */
  eligibleOffers(): (readonly [string, IndexedOffer])[] {
    return this.eligible('offer') as (readonly [string, IndexedOffer])[];
  }

  needSide(id: string, need: IndexedNeed): NeedSide {
    const { content, reserved } = need;
    const beneficiaries = countedBeneficiaries(need);
    const today = dateOf(this.clock.now());
    const memberships = Object.fromEntries(
      beneficiaries.map((party) => [party, this.networks.networksOf(party, today)]),
    );
    const states = beneficiaries.flatMap((party) => stateOfParty(party) ?? []);
    return {
      id,
      beneficiaries,
      sovereigns: states,
      networks: [
        ...new Set([
          ...beneficiaries.filter((party) => party.startsWith('network:')),
          ...Object.values(memberships).flat(),
        ]),
      ],
      memberships,
      regions: [...new Set(states.flatMap((code) => stateOf(code)?.regions ?? []))],
      kinds: content.kinds,
      instruments: content.instruments,
      traffickingNexus: content.traffickingNexus,
      urgency: content.urgency,
      ...(content.period === undefined ? {} : { period: content.period }),
      ...(content.languages === undefined ? {} : { languages: content.languages }),
      lines: content.lines.map(({ line, kind, quantity }) => ({
        line,
        kind,
        quantity,
        outstanding: left(quantity, reserved[line]),
      })),
    };
  }

  /** `sovereigns` are those of its providers, in their order; undefined for one that belongs to no State. */
  offerSide(id: string, offer: IndexedOffer, sovereigns: readonly (string | undefined)[]): OfferSide {
    const { content, status, reserved } = offer;
    return {
      id,
      provider: offer.provider,
      sovereigns,
      suspended: status === 'suspended',
      earmark: content.earmark,
      conditions: content.conditions,
      ...(content.period === undefined ? {} : { period: content.period }),
      ...(content.languages === undefined ? {} : { languages: content.languages }),
      lines: content.lines.map(({ line, kinds, capacity, minimumLot }) => ({
        line,
        kinds,
        capacity,
        available: isUnlimited(capacity) ? ('unlimited' as const) : left(capacity, reserved[line]),
        ...(minimumLot === undefined || !isDeterminate(capacity)
          ? {}
          : { minimumLot: minorUnits({ ...capacity, amount: minimumLot }) }),
      })),
    };
  }

  private one(id: string): IndexedNeed | IndexedOffer | undefined {
    const row = this.runner.model('match-index').get('SELECT revision FROM side WHERE id = ?', id);
    return row === undefined ? undefined : this.doc(id, row.revision as number);
  }

  private live(kind: 'need' | 'offer', owner: string | undefined): (readonly [string, IndexedNeed | IndexedOffer])[] {
    const model = this.runner.model('match-index');
    const rows =
      owner === undefined
        ? model.all('SELECT id, revision FROM side WHERE kind = ? AND live = 1 ORDER BY id', kind)
        : model.all(
            'SELECT s.id, s.revision FROM side_owner o JOIN side s ON s.id = o.id ' +
              'WHERE o.owner = ? AND s.kind = ? AND s.live = 1 ORDER BY s.id',
            owner,
            kind,
          );
    return rows.map(({ id, revision }) => [id as string, this.doc(id as string, revision as number)]);
  }

  private eligible(kind: 'need' | 'offer'): (readonly [string, IndexedNeed | IndexedOffer])[] {
    return this.runner
      .model('match-index')
      .all('SELECT id, revision FROM side WHERE kind = ? AND live = 1 AND eligible = 1 ORDER BY id', kind)
      .map(({ id, revision }) => [id as string, this.doc(id as string, revision as number)]);
  }

  private doc(id: string, revision: number): IndexedNeed | IndexedOffer {
    const known = this.parsed.get(id);
    if (known?.revision === revision) return known.doc;
    const row = this.runner.model('match-index').get('SELECT doc FROM side WHERE id = ?', id);
    const doc = JSON.parse(row?.doc as string) as IndexedNeed | IndexedOffer;
    this.parsed.set(id, { revision, doc });
    return doc;
  }
}

/** What the earmark says against the need's beneficiaries, regions, networks or nexus, in sentences. */
export const reasonsAgainst = ({ content }: IndexedOffer, need: NeedSide): string[] =>
  earmarkReasons(content, { ...need, needLineKinds: {} }, [])
    .filter(({ code }) => !JUDGED_ELSEWHERE.has(code))
    .map(({ because }) => because);

/** What is left of a line, never below zero (a need that allows oversubscription may be reserved beyond what it asks). */
const left = (quantity: Quantity, reserved: string | undefined): bigint => {
  if (!isRival(quantity)) return 0n;
  const rest = minorUnits(quantity) - BigInt(reserved ?? '0');
  return rest > 0n ? rest : 0n;
};
