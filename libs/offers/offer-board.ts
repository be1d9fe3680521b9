import type { Caller } from '#directory/contract';
import { Networks } from '#directory/contract';
import { Clock, ProjectionRunner, type SqlValue } from '#kernel';
import type { InstrumentCode, Kind, Visibility } from '#vocabulary';
import { dateOf, stateOf, stateOfParty, stateParty, STATES } from '#vocabulary';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { OFFER_BOARD, summaryOf } from './offer-board.projection.js';
import type { OfferStatus, OfferSummary } from './offer.js';
import { EligibleOffers } from './offer.contract.js';
import type { Bonds } from './offer-sight.js';
import { seenOffers } from './offer-sight.js';

export const OFFER_SORTS = ['newest', 'oldest', 'ending'] as const;
export type OfferSort = (typeof OFFER_SORTS)[number];

/** `state`, `region` and `network`: offers whose earmark admits that State, a State of that region, members of that network. */
export interface OfferFilter {
  readonly state?: string;
  readonly region?: string;
  readonly network?: string;
  readonly kind?: Kind;
  readonly instrument?: InstrumentCode;
  readonly status?: OfferStatus;
  readonly visibility?: Visibility;
  readonly donor?: string;
  readonly q?: string;
  readonly from?: string;
  readonly to?: string;
  readonly sort?: OfferSort;
}

/** Where a page ends: the sort's own value and the order of posting. */
export type OfferKeyset = readonly [value: string, seq: number];

export interface BoardRow {
  readonly id: string;
  readonly revision: number;
  readonly summary: OfferSummary;
  readonly keyset: OfferKeyset;
}

const ORDERS: Readonly<Record<OfferSort, { readonly order: string; readonly after: string }>> = {
  newest: { order: 'o.seq DESC', after: "? = '' AND o.seq < ?" },
  oldest: { order: 'o.seq', after: "? = '' AND o.seq > ?" },
  ending: { order: 'o.period_to, o.seq', after: '(o.period_to, o.seq) > (?, ?)' },
};

/** Reads of the offer board: each with the rows the caller may see, and no others. */
@Injectable()
export class OfferBoard {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly clock: Clock,
    private readonly networks: Networks,
    @Optional() @Inject(EligibleOffers) private readonly eligible?: EligibleOffers,
  ) {}

  /** How the caller stands to one offer. */
  async bonds(caller: Caller, id: string): Promise<Bonds> {
    if (caller.anonymous) return { party: false, eligible: false };
    const party = this.model().get('SELECT 1 FROM offer_party WHERE offer = ? AND party = ?', id, caller.party);
    return { party: party !== undefined, eligible: (await this.eligibleFor(caller)).has(id) };
  }

  /** The bonds of many offers at once, for a page of a list. */
  async bondsOf(caller: Caller, ids: readonly string[]): Promise<ReadonlyMap<string, Bonds>> {
    const eligible = await this.eligibleFor(caller);
    const rows = caller.anonymous
      ? []
      : this.model().all(
          'SELECT DISTINCT offer FROM offer_party WHERE party = ? AND offer IN (SELECT value FROM json_each(?))',
          caller.party,
          JSON.stringify(ids),
        );
    const bound = new Set(rows.map((row) => row.offer));
    return new Map(ids.map((id) => [id, { party: bound.has(id), eligible: eligible.has(id) }]));
  }

  /** True where the caller's party is a side, agency or signatory of the commitment. */
  isPartyOf(caller: Caller, commitment: string): boolean {
    if (caller.anonymous) return false;
    const found = this.model().get(
      'SELECT 1 FROM offer_party WHERE commitment = ? AND party = ?',
      commitment,
      caller.party,
    );
    return found !== undefined;
  }

  /** Answers, of the ids it is given, those that the caller sees. What is asked of other contexts is asked once. */
  async seenBy(caller: Caller): Promise<(ids: readonly string[]) => ReadonlySet<string>> {
    const seen = seenOffers(caller, await this.eligibleFor(caller));
    return (ids) =>
      new Set(
        this.model()
          .all(
            `SELECT o.id FROM offer o WHERE o.id IN (SELECT value FROM json_each(?)) AND ${seen.sql}`,
            JSON.stringify(ids),
            ...seen.parameters,
          )
          .map(({ id }) => id as string),
      );
  }

  /** At most `limit` offers that the caller sees and the filter admits, behind `after`. */
  async list(caller: Caller, filter: OfferFilter, limit: number, after?: OfferKeyset): Promise<readonly BoardRow[]> {
    const seen = seenOffers(caller, await this.eligibleFor(caller));
    const clauses = [seen.sql];
    const parameters: SqlValue[] = [...seen.parameters];
    for (const { sql, values } of this.filtering(filter)) {
      clauses.push(sql);
      parameters.push(...values);
    }
    const sort = filter.sort ?? 'newest';
    if (after !== undefined) {
      clauses.push(`(${ORDERS[sort].after})`);
      parameters.push(...after);
    }
    const rows = this.model().all(
      `SELECT o.seq, o.id, o.revision, o.period_to, o.doc FROM offer o
       WHERE ${clauses.join(' AND ')} ORDER BY ${ORDERS[sort].order} LIMIT ?`,
      ...parameters,
      limit,
    );
    return rows.map((row) => ({
      id: row.id as string,
      revision: row.revision as number,
      summary: summaryOf(row.doc as string),
      keyset: [sort === 'ending' ? (row.period_to as string) : '', row.seq as number],
    }));
  }

  private *filtering(filter: OfferFilter): Generator<{ readonly sql: string; readonly values: readonly SqlValue[] }> {
    const { state, region, network, kind, instrument, status, visibility, donor, q, from, to } = filter;
    if (state !== undefined) {
      yield admits('beneficiary', [state, stateParty(state)]);
      yield admits('region', regionsOf(state));
      yield admits('network', this.networksOf(stateParty(state)));
    }
    if (region !== undefined) {
      const states = STATES.filter(({ regions }) => regions.includes(region)).map(({ code }) => code);
      yield admits(
        'beneficiary',
        states.flatMap((code) => [code, stateParty(code)]),
      );
      yield admits('region', [...new Set(states.flatMap(regionsOf)), region]);
    }
    if (network !== undefined) {
      const members = this.networks.countedMembers(network, dateOf(this.clock.now()));
      const states = members.map(stateOfParty).filter((code) => code !== undefined);
      yield admits('beneficiary', [network, ...members, ...states]);
      yield admits('network', [network]);
    }
    if (kind !== undefined) {
      yield admits('earmark-kind', [kind]);
      yield admits('line-kind', [kind]);
    }
    if (instrument !== undefined) yield admits('instrument', [instrument]);
    if (status !== undefined) yield { sql: 'o.status = ?', values: [status] };
    if (visibility !== undefined) yield { sql: 'o.visibility = ?', values: [visibility] };
    if (donor !== undefined) {
      yield {
        sql: "EXISTS (SELECT 1 FROM offer_facet f WHERE f.offer = o.id AND f.facet = 'provider' AND f.value = ?)",
        values: [donor],
      };
    }
    if (from !== undefined) yield { sql: 'o.period_to >= ?', values: [from] };
    if (to !== undefined) yield { sql: 'o.period_from <= ?', values: [to] };
    if (q !== undefined) yield matching(q);
  }

  private networksOf(party: string): readonly string[] {
    const on = dateOf(this.clock.now());
    return this.networks.networksOf(party, on);
  }

  private async eligibleFor(caller: Caller): Promise<ReadonlySet<string>> {
    return caller.anonymous || this.eligible === undefined ? new Set() : this.eligible.for(caller);
  }

  private model(): ReturnType<ProjectionRunner['model']> {
    return this.runner.model(OFFER_BOARD);
  }
}

const admits = (facet: string, values: readonly string[]): { readonly sql: string; readonly values: SqlValue[] } => ({
  sql: `EXISTS (SELECT 1 FROM offer_facet f WHERE f.offer = o.id AND f.facet = '${facet}'
          AND (f.value = '*' OR f.value IN (SELECT value FROM json_each(?))))`,
  values: [JSON.stringify(values)],
});

/** Whole words, all of them, anywhere in the offer; what holds no word finds nothing. */
const matching = (q: string): { readonly sql: string; readonly values: SqlValue[] } => {
  const words = q.match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu);
  if (words === null) return { sql: '0', values: [] };
  return {
    sql: 'o.seq IN (SELECT rowid FROM offer_words WHERE offer_words MATCH ?)',
    values: [words.map((word) => `"${word}"`).join(' ')],
  };
};

const regionsOf = (state: string): readonly string[] => stateOf(state)?.regions ?? [];
