import type { Caller } from '#directory/contract';
import { Networks } from '#directory/contract';
import type { SqlValue } from '#kernel';
import { Clock, ProjectionRunner } from '#kernel';
import type { InstrumentCode, Kind, Visibility } from '#vocabulary';
import { dateOf } from '#vocabulary';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { CoverageGrade } from './coverage.js';
import { EligibleProviders } from './need.contract.js';
import type { NeedState, NeedStatus } from './need.js';
import { NEED_BOARD } from './need-board.projection.js';
import type { NeedBonds, SqlText } from './need-sight.js';
import { NO_BONDS, seenNeeds } from './need-sight.js';

export const NEED_SORTS = ['newest', 'oldest', 'rank'] as const;
export type NeedSort = (typeof NEED_SORTS)[number];

/** `network`: needs of the network itself and of its members of today. `from` and `to`: the period shares a day with these. */
export interface NeedFilter {
  readonly state?: string;
  readonly region?: string;
  readonly network?: string;
  readonly kind?: Kind;
  readonly instrument?: InstrumentCode;
  /** Absent: all but dormant ones. */
  readonly status?: NeedStatus;
  readonly coverage?: CoverageGrade;
  readonly visibility?: Visibility;
  readonly q?: string;
  readonly from?: string;
  readonly to?: string;
  readonly sort?: NeedSort;
}

/** Where a page ends: the sort's own value and the order of filing. */
export type NeedKeyset = readonly [value: number, seq: number];

export interface NeedRow {
  readonly id: string;
  readonly revision: number;
  readonly state: NeedState;
  readonly keyset: NeedKeyset;
}

const ORDERS: Readonly<Record<NeedSort, { readonly order: string; readonly after: string }>> = {
  newest: { order: 'n.seq DESC', after: '(0, n.seq) < (?, ?)' },
  oldest: { order: 'n.seq', after: '(0, n.seq) > (?, ?)' },
  rank: { order: 'place, n.seq', after: '(place, n.seq) > (?, ?)' },
};

/** The rank is in the body: whoever sees the summary alone finds the need behind those that are ranked. */
const UNRANKED = Number.MAX_SAFE_INTEGER;

/** Reads of the need board: each with the rows and parts the caller may see, and no others. */
@Injectable()
export class NeedBoard {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly clock: Clock,
    private readonly networks: Networks,
    @Optional() @Inject(EligibleProviders) private readonly eligible?: EligibleProviders,
  ) {}

  /** How the caller stands to one need. */
  async bonds(caller: Caller, id: string): Promise<NeedBonds> {
    return (await this.bondsOf(caller, [id])).get(id) ?? NO_BONDS;
  }

  /** The bonds of many needs at once, for a page of a list. */
  async bondsOf(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, NeedBonds>> {
    if (caller.anonymous) return new Map();
    const eligible = await this.eligibleFor(caller);
    const lines = new Map<string, number[]>();
    const rows = this.model().all(
      'SELECT need, lines FROM need_party WHERE party = ? AND need IN (SELECT value FROM json_each(?))',
      caller.party,
      JSON.stringify(ids),
    );
    for (const row of rows) {
      const need = row.need as string;
      lines.set(need, [...(lines.get(need) ?? []), ...(JSON.parse(row.lines as string) as number[])]);
    }
    return new Map(ids.map((id) => [id, { lines: lines.get(id), eligible: eligible.has(id) }]));
  }

  /** Needs as they stand on the board, in no order; those it has not heard of are left out. */
  states(ids: readonly string[]): ReadonlyMap<string, NeedState> {
    const rows = this.model().all(
      'SELECT id, doc FROM need WHERE id IN (SELECT value FROM json_each(?))',
      JSON.stringify(ids),
    );
    return new Map(rows.map((row) => [row.id as string, JSON.parse(row.doc as string) as NeedState]));
  }

  /** True where the caller's party is a provider, agency or signatory of the commitment. */
  isPartyOf(caller: Caller, commitment: string): boolean {
    if (caller.anonymous) return false;
    const found = this.model().get(
      'SELECT 1 FROM need_party WHERE commitment = ? AND party = ?',
      commitment,
      caller.party,
    );
    return found !== undefined;
  }

  /** Answers, of the ids it is given, those whose body the caller sees. What is asked of other contexts is asked once. */
  async bodiesSeenBy(caller: Caller): Promise<(ids: readonly string[]) => ReadonlySet<string>> {
    const { summary, body } = seenNeeds(caller, await this.eligibleFor(caller), this.clock.now().toISOString());
    return (ids) =>
      new Set(
        this.model()
          .all(
            `SELECT n.id FROM need n
             WHERE n.id IN (SELECT value FROM json_each(?)) AND ${summary.sql} AND ${body.sql}`,
            JSON.stringify(ids),
            ...summary.parameters,
            ...body.parameters,
          )
          .map(({ id }) => id as string),
      );
  }

  /** At most `limit` needs that the caller sees and the filter admits, behind `after`. */
  async list(caller: Caller, filter: NeedFilter, limit: number, after?: NeedKeyset): Promise<readonly NeedRow[]> {
    const seen = seenNeeds(caller, await this.eligibleFor(caller), this.clock.now().toISOString());
    const clauses = [seen.summary, ...this.filtering(filter, seen.body)];
    const sort = filter.sort ?? 'newest';
    const place =
      sort === 'rank'
        ? is(`CASE WHEN ${seen.body.sql} THEN n.rank ELSE ${UNRANKED} END`, ...seen.body.parameters)
        : is('0');
    if (after !== undefined) clauses.push({ sql: ORDERS[sort].after, parameters: after });
    const rows = this.model().all(
      `SELECT n.seq, n.id, n.revision, ${place.sql} AS place, n.doc FROM need n
       WHERE ${clauses.map(({ sql }) => sql).join(' AND ')} ORDER BY ${ORDERS[sort].order} LIMIT ?`,
      ...place.parameters,
      ...clauses.flatMap(({ parameters }) => parameters),
      limit,
    );
    return rows.map((row) => ({
      id: row.id as string,
      revision: row.revision as number,
      state: JSON.parse(row.doc as string) as NeedState,
      keyset: [row.place as number, row.seq as number],
    }));
  }

  private *filtering(filter: NeedFilter, body: SqlText): Generator<SqlText> {
    const { state, region, network, kind, instrument, status, coverage, visibility, q, from, to } = filter;
    if (state !== undefined) yield facet('state', [state]);
    if (region !== undefined) yield facet('region', [region]);
    if (network !== undefined) {
      yield facet('beneficiary', [network, ...this.networks.countedMembers(network, dateOf(this.clock.now()))]);
    }
    if (kind !== undefined) yield facet('kind', [kind]);
    if (instrument !== undefined) yield facet('instrument', [instrument]);
    yield status === undefined ? is("n.status <> 'dormant'") : is('n.status = ?', status);
    if (coverage !== undefined) yield is('n.coverage = ?', coverage);
    if (visibility !== undefined) yield is('n.label = ?', visibility);
    if (from !== undefined) yield is('n.period_to >= ?', from);
    if (to !== undefined) yield is('n.period_from <= ?', to);
    if (q !== undefined) yield* matching(q, body);
  }

  private async eligibleFor(caller: Caller): Promise<ReadonlySet<string>> {
    return caller.anonymous || this.eligible === undefined ? new Set() : this.eligible.needsFor(caller);
  }

  private model(): ReturnType<ProjectionRunner['model']> {
    return this.runner.model(NEED_BOARD);
  }
}

const is = (sql: string, ...parameters: readonly SqlValue[]): SqlText => ({ sql, parameters });

const facet = (name: string, values: readonly string[]): SqlText =>
  is(
    `EXISTS (SELECT 1 FROM need_facet f WHERE f.need = n.seq AND f.facet = '${name}' AND f.value IN (SELECT value FROM json_each(?)))`,
    JSON.stringify(values),
  );

/** Whole words, all of them, anywhere in what the caller sees of the need; what holds no word finds nothing. */
function* matching(q: string, body: SqlText): Generator<SqlText> {
  const words = q.match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu);
  if (words === null) yield is('0');
  for (const word of words ?? []) {
    yield is(
      `(n.seq IN (SELECT rowid FROM need_words WHERE need_words MATCH ?)
        OR (n.seq IN (SELECT rowid FROM need_words WHERE need_words MATCH ?) AND ${body.sql}))`,
      `summary : "${word}"`,
      `body : "${word}"`,
      ...body.parameters,
    );
  }
}
