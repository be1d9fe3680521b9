import { Injectable } from '@nestjs/common';
import { ProjectionRunner, TURN_MS } from '#kernel';
import type { Sought } from './facets/facet-table.js';
import { FacetTable } from './facets/facet-table.js';
import { facetsOfNeed } from './facets/need-facets.js';
import { facetsOfOffer } from './facets/offer-facets.js';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { MATCH_INDEX } from './match-index.projection.js';

/** Rows taken at once. */
const PAGE = 128;

/**
 * Open needs and offers in memory, by their facets. It follows the read model, which follows the log: one pass over its rows at first,
 * then those that moved. What it finds is as of the last event of its read model whenever `catchUp` has answered true in the same turn.
 */
@Injectable()
export class LiveIndex {
  private offers = new FacetTable();
  private needs = new FacetTable();
  private position = 0n;

  constructor(private readonly runner: ProjectionRunner) {}

  /** Takes in what moved, for a few milliseconds at the most; true once nothing is left to take in. */
  catchUp(): boolean {
    const model = this.runner.model(MATCH_INDEX);
    const newest = model.get('SELECT MAX(moved) AS moved FROM side')?.moved ?? 0;
    // A read model that was built anew of another log: nothing of the old one stands.
    if (BigInt(newest as number) < this.position) this.forget();
    if (this.position === 0n) {
      this.offers.loading();
      this.needs.loading();
    }
    const until = performance.now() + TURN_MS;
    do {
      const rows = model.all(
        'SELECT id, kind, live, moved, doc FROM side WHERE moved > ? ORDER BY moved LIMIT ?',
        this.position,
        PAGE,
      );
      for (const { id, kind, live, moved, doc } of rows) {
        this.take(id as string, kind as 'need' | 'offer', live === 1 ? (doc as string) : undefined);
        this.position = BigInt(moved as number);
      }
      if (rows.length < PAGE) {
        this.offers.loaded();
        this.needs.loaded();
        return true;
      }
    } while (performance.now() < until);
    return false;
  }

  /** Ids of open and suspended offers that may have what is sought: all of them where nothing is. */
  offerIds(sought?: Sought): readonly string[] {
    return sought === undefined ? this.offers.all() : this.offers.find(sought);
  }

  /** Ids of open needs that may have what is sought: all of them where nothing is. */
  needIds(sought?: Sought): readonly string[] {
    return sought === undefined ? this.needs.all() : this.needs.find(sought);
  }

  private take(id: string, kind: 'need' | 'offer', doc: string | undefined): void {
    const table = kind === 'need' ? this.needs : this.offers;
    if (doc === undefined) table.remove(id);
    else {
      const read = JSON.parse(doc) as IndexedNeed & IndexedOffer;
      table.put(id, kind === 'need' ? facetsOfNeed(read) : facetsOfOffer(read));
    }
  }

  private forget(): void {
    this.offers = new FacetTable();
    this.needs = new FacetTable();
    this.position = 0n;
  }
}
