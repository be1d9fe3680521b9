import type { IndexedNeed, IndexedOffer } from '../match-index.projection.js';
import { isLive } from '../match-index.projection.js';
import type { RulesetVersion } from '../rules/rulesets.js';
import type { NeedSide, OfferSide } from '../rules/sides.js';
import type { Standing } from '../standing.js';
import { needSide, offerSide } from '../standing.js';
import type { Weights } from '../rules/weighted-parts.js';
import type { Supposition } from './supposing.js';

/** Records whose matches are asked for, by id or reference. */
export interface AskedRecords {
  readonly needs: readonly string[];
  readonly offers: readonly string[];
  /** All others are to be judged with them, not only those that may match. */
  readonly withBlocked: boolean;
}

/**
 * How things would stand. Made in the turn that `standing` was asked for: the ids that the answer is made of are taken then, so that two
 * of these over one standing tell of one position, whatever is written meanwhile.
 */
export class SupposedStanding implements Standing {
  readonly asOf: string;
  readonly today: string;
  private readonly allNeeds: readonly string[];
  private readonly allOffers: readonly string[];
  private readonly candidates = new Map<string, readonly string[]>();

  constructor(
    private readonly standing: Standing,
    private readonly supposition: Supposition,
    { needs, offers, withBlocked }: AskedRecords,
  ) {
    this.asOf = standing.asOf;
    this.today = standing.today;
    this.allNeeds = withBlocked ? this.withSupposed(standing.needIds(), supposition.needs) : [];
    this.allOffers = withBlocked ? this.withSupposed(standing.offerIds(), supposition.offers) : [];
    for (const id of needs) {
      const doc = this.need(id);
      if (doc === undefined) continue;
      const found = standing.offersFor(needSide(id, doc, standing), false);
      this.candidates.set(id, this.withSupposed(found, supposition.offers));
    }
    for (const id of offers) {
      const doc = this.offer(id);
      if (doc === undefined) continue;
      this.candidates.set(id, this.withSupposed(standing.needsFor(offerSide(id, doc, []), false), supposition.needs));
    }
  }

  need(id: string): IndexedNeed | undefined {
    return this.supposition.needs.get(id) ?? this.standing.need(id);
  }

  offer(id: string): IndexedOffer | undefined {
    return this.supposition.offers.get(id) ?? this.standing.offer(id);
  }

  needIds(): readonly string[] {
    return this.allNeeds;
  }

  offerIds(): readonly string[] {
    return this.allOffers;
  }

  needsFor({ id }: OfferSide): readonly string[] {
    return this.candidates.get(id) ?? [];
  }

  offersFor({ id }: NeedSide): readonly string[] {
    return this.candidates.get(id) ?? [];
  }

  weights(version: RulesetVersion): Weights {
    return this.standing.weights(version);
  }

  networksOf(party: string): readonly string[] {
    return this.standing.networksOf(party);
  }

  work(providers: readonly string[], beneficiaries: readonly string[]): readonly string[] {
    return this.standing.work(providers, beneficiaries);
  }

  /** These ids, and those of what would stand open beside them. */
  private withSupposed(
    ids: readonly string[],
    supposed: ReadonlyMap<string, IndexedNeed | IndexedOffer>,
  ): readonly string[] {
    if (supposed.size === 0) return ids;
    const live = new Set([...supposed].flatMap(([id, doc]) => (isLive(doc) ? [id] : [])));
    const stay = ids.filter((id) => live.delete(id) || !supposed.has(id));
    return [...stay, ...live];
  }
}
