import type { ReadQueries } from '#kernel';
import { Turns } from '#kernel';
import type { Sought } from './facets/facet-table.js';
import { FacetTable } from './facets/facet-table.js';
import { facetsOfNeed, needsSoughtBy } from './facets/need-facets.js';
import { facetsOfOffer, offersSoughtBy } from './facets/offer-facets.js';
import type { LiveIndex } from './live-index.js';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { isLive, ownersOf } from './match-index.projection.js';
import type { MatchIndex } from './match-index.js';
import type { NeedSide, OfferSide } from './rules/sides.js';
import { PastStanding } from './standing.js';

type RecordKind = 'need' | 'offer';

/** Rows taken at once. */
const PAGE = 128;

/**
 * How things stood at a position, held while the log moves on. Of what did not move since, the index in memory finds the candidates; what
 * moved is kept beside it as it stood.
 */
export class HeldStanding extends PastStanding {
  private readonly moved = new Set<string>();
  private readonly needsThen = new FacetTable();
  private readonly offersThen = new FacetTable();
  private takenUpTo: bigint;

  private constructor(
    model: ReadQueries,
    position: bigint,
    today: string,
    private readonly index: MatchIndex,
    private readonly inMemory: LiveIndex,
  ) {
    super(model, position, today);
    this.takenUpTo = position;
  }

  /** @param inMemory caught up with the read model to `position` at least */
  static async at(
    model: ReadQueries,
    position: bigint,
    today: string,
    index: MatchIndex,
    inMemory: LiveIndex,
  ): Promise<HeldStanding> {
    const standing = new HeldStanding(model, position, today, index, inMemory);
    const turns = new Turns();
    while (standing.takePage()) await turns.pass();
    return standing;
  }

  override need(id: string): IndexedNeed | undefined {
    return this.index.needUpTo(id, this.position) ?? super.need(id);
  }

  override offer(id: string): IndexedOffer | undefined {
    return this.index.offerUpTo(id, this.position) ?? super.offer(id);
  }

  override needIds(): readonly string[] {
    return this.found('need');
  }

  override offerIds(): readonly string[] {
    return this.found('offer');
  }

  override needsFor(offer: OfferSide, anonymous: boolean): readonly string[] {
    return this.found(
      'need',
      needsSoughtBy(offer, this.today, (network) => this.countedMembers(network), anonymous),
    );
  }

  override offersFor(need: NeedSide, anonymous: boolean): readonly string[] {
    return this.found('offer', offersSoughtBy(need, this.today, anonymous));
  }

  /** Open needs that the party filed or that count for it, in their order. */
  needIdsOf(party: string): readonly string[] {
    return this.owned('need', party, this.index.liveNeeds(party));
  }

  /** Open and suspended offers of which the party is a provider, in their order. */
  offerIdsOf(party: string): readonly string[] {
    return this.owned('offer', party, this.index.liveOffers(party));
  }

  private owned(kind: RecordKind, party: string, now: readonly (readonly [string, unknown])[]): readonly string[] {
    const then = this.thenOf(kind).filter((id) => {
      const doc = kind === 'need' ? this.need(id) : this.offer(id);
      return doc !== undefined && ownersOf(doc).includes(party);
    });
    return this.together(
      now.map(([id]) => id),
      then,
    );
  }

  private found(kind: RecordKind, sought?: Sought): readonly string[] {
    const then = this.thenOf(kind, sought);
    return this.together(kind === 'need' ? this.inMemory.needIds(sought) : this.inMemory.offerIds(sought), then);
  }

  private together(now: readonly string[], then: readonly string[]): readonly string[] {
    return [...now.filter((id) => !this.moved.has(id)), ...then].sort();
  }

  /** Of the records that moved since, those that stood open then. */
  private thenOf(kind: RecordKind, sought?: Sought): readonly string[] {
    // What moved while this is held is little: it is not waited for.
    while (this.takePage());
    const table = kind === 'need' ? this.needsThen : this.offersThen;
    return sought === undefined ? table.all() : table.find(sought);
  }

  /** Takes in some of what moved since; false once nothing more is known to have. */
  private takePage(): boolean {
    const rows = this.model.all(
      'SELECT id, kind, moved FROM side WHERE moved > ? ORDER BY moved LIMIT ?',
      this.takenUpTo,
      PAGE,
    );
    for (const { id, kind, moved } of rows) {
      this.takenUpTo = BigInt(moved as number);
      if (!this.moved.has(id as string)) this.take(id as string, kind as RecordKind);
    }
    return rows.length === PAGE;
  }

  private take(id: string, kind: RecordKind): void {
    this.moved.add(id);
    if (kind === 'need') {
      const need = super.need(id);
      if (need !== undefined && isLive(need)) this.needsThen.put(id, facetsOfNeed(need));
    } else {
      const offer = super.offer(id);
      if (offer !== undefined && isLive(offer)) this.offersThen.put(id, facetsOfOffer(offer));
    }
  }
}
