import type { Caller } from '#directory/contract';
import { ProjectionRunner } from '#kernel';
import type { InstrumentCode, Kind } from '#vocabulary';
import { Injectable } from '@nestjs/common';
import { boardRows, COMMITMENT_BOARD } from './commitment-board.projection.js';
import type { BoardFacet, BoardFilter, BoardPlace, BoardSort } from './commitment-board.projection.js';
import { CommitmentRecords } from './commitment-records.js';
import type { CommitmentStatus } from './commitment.js';

/** What a list asks for, as the query names it. */
export interface CommitmentFilter {
  readonly state?: string;
  readonly donor?: string;
  readonly needId?: string;
  readonly offerId?: string;
  readonly status?: CommitmentStatus;
  readonly region?: string;
  readonly network?: string;
  readonly kind?: Kind;
  readonly instrument?: InstrumentCode;
  readonly from?: string;
  readonly to?: string;
  readonly sort?: BoardSort;
}

const FACETS: readonly BoardFacet[] = ['state', 'donor', 'region', 'network', 'kind', 'instrument'];

const filterOf = (filter: CommitmentFilter): BoardFilter => ({
  facets: FACETS.flatMap((facet) => {
    const value = filter[facet];
    return value === undefined ? [] : [[facet, [value]] as const];
  }),
  ...(filter.needId === undefined ? {} : { needId: filter.needId }),
  ...(filter.offerId === undefined ? {} : { offerId: filter.offerId }),
  ...(filter.status === undefined ? {} : { status: [filter.status] }),
  ...(filter.from === undefined ? {} : { from: filter.from }),
  ...(filter.to === undefined ? {} : { to: filter.to }),
});

export interface Page {
  readonly items: readonly object[];
  /** Where the next page goes on; undefined where there is none. */
  readonly last: BoardPlace | undefined;
}

/** Lists of commitments: only what the caller sees, page by page. */
@Injectable()
export class CommitmentBoard {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly records: CommitmentRecords,
  ) {}

  /**
   * Up to `limit` commitments the caller sees, after `place`. The query narrows to what it can at most see; each row is then judged
   * as `GET` judges it, and hidden ones neither fill the page nor make a next one.
   */
  async page(caller: Caller, filter: CommitmentFilter, limit: number, place?: BoardPlace): Promise<Page> {
    const wanted = filterOf(filter);
    const sort = filter.sort ?? 'newest';
    const chunk = limit + 1;
    const items: object[] = [];
    let last: BoardPlace | undefined;
    for (let from = place; ;) {
      const rows = boardRows(this.runner.model(COMMITMENT_BOARD), caller, wanted, sort, from, chunk);
      for (const { id, seq, deadline, revision, state } of rows) {
        from = { seq, deadline };
        if (!(await this.records.sees(caller, id, state))) continue;
        if (items.length === limit) return { items, last };
        items.push({ ...this.records.show(caller, id, state, await this.records.label(state)), revision });
        last = from;
      }
      if (rows.length < chunk) return { items, last: undefined };
    }
  }
}
