import type { Caller } from '#directory/contract';
import type { ReadQueries } from '#kernel';
import { ProjectionRunner, recentlyUsed, Turns, yieldToLoop } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import type { DuplicateVerdict, Kind } from '#vocabulary';
import { RecordSight } from '#web';
import { Injectable } from '@nestjs/common';
import type { Candidate, PairedRecord } from './duplicate.contract.js';
import type { Judged } from './duplicate.js';
import { duplicateIdOf, inOrder } from './duplicate.js';
import { DUPLICATE_TRAITS } from './duplicate-traits.projection.js';
import type { Traits } from './likeness.js';
import { evidenceOf, strengthOf } from './likeness.js';

export interface DuplicateFilter {
  readonly state?: string;
  readonly kind?: Kind;
  readonly about?: Candidate['about'];
  /** `none`: not judged yet. */
  readonly verdict?: DuplicateVerdict | 'none';
}

/** A pair as it is listed: found now, or judged earlier. */
export interface ListedPair {
  readonly id: string;
  readonly candidate: Candidate;
  readonly judged?: Judged;
  /** Of the last verdict. */
  readonly revision?: number;
  /** Where a page goes on behind it. */
  readonly place: PairPlace;
}

/** States in order, the strongest pairs of each first. */
export interface PairPlace {
  readonly state: string;
  readonly strength: number;
  readonly id: string;
}

/** Of a State the records that changed last are compared, and no more of them: each is compared with each. */
export const MOST_COMPARED = 200;

interface Compared {
  readonly record: PairedRecord;
  readonly traits: Traits;
}

type Sees = (records: readonly PairedRecord[]) => Promise<ReadonlySet<string>>;

const behind = (place: PairPlace, { state, strength, id }: PairPlace): boolean =>
  place.state !== state ? place.state > state : place.strength !== strength ? place.strength < strength : place.id > id;

/** Pairs that look alike, among the records that a caller sees, and those that were judged. */
@Injectable()
export class Duplicates {
  private readonly parsed = recentlyUsed<string, { readonly since: number | bigint; readonly traits: Traits }>(20_000);
  /** Where the pair of an id was last found: a hint, looked at again before it is believed. */
  private readonly found = recentlyUsed<string, readonly [PairedRecord, PairedRecord]>(20_000);

  constructor(
    private readonly runner: ProjectionRunner,
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly sight: RecordSight,
  ) {}

  /** At most `limit` pairs behind `after`. */
  async list(
    caller: Caller,
    filter: DuplicateFilter,
    limit: number,
    after: PairPlace | undefined,
  ): Promise<readonly ListedPair[]> {
    const sees = await this.seeing(caller);
    const pairs: ListedPair[] = [];
    for (const state of this.states(filter, after?.state)) {
      const here = (await this.ofState(state, filter, sees))
        .filter(({ place }) => after === undefined || behind(place, after))
        .sort((a, b) => (behind(a.place, b.place) ? 1 : -1));
      pairs.push(...here);
      if (pairs.length >= limit) return pairs.slice(0, limit);
      await yieldToLoop();
    }
    return pairs;
  }

  /** The pair as it is found now, where the caller sees both records and nobody has judged it. */
  async find(caller: Caller, id: string): Promise<Candidate | undefined> {
    const sees = await this.seeing(caller);
    const hint = this.found.get(id);
    if (hint !== undefined) {
      const candidate = this.candidateOf(hint);
      if (candidate !== undefined && (await sees(hint)).size === hint.length) return candidate;
    }
    for (const state of this.states({}, undefined)) {
      const pairs = await this.ofState(state, { verdict: 'none' }, sees);
      const pair = pairs.find((each) => each.id === id);
      if (pair !== undefined) return pair.candidate;
      await yieldToLoop();
    }
    return undefined;
  }

  /** True where the caller sees both records. */
  async sees(caller: Caller, { records }: Candidate): Promise<boolean> {
    return (await (await this.seeing(caller))(records)).size === records.length;
  }

  private states({ state }: DuplicateFilter, from: string | undefined): readonly string[] {
    if (state !== undefined) return [state];
    return this.reads
      .all(
        `SELECT state FROM (SELECT DISTINCT state FROM place UNION SELECT DISTINCT state FROM judged_place)
         WHERE state >= ? ORDER BY state`,
        from ?? '',
      )
      .map((row) => row.state as string);
  }

  private async ofState(state: string, filter: DuplicateFilter, sees: Sees): Promise<readonly ListedPair[]> {
    const judged = await this.judgedOf(state, sees);
    const known = new Set(judged.map(({ id }) => id));
    const fresh =
      filter.verdict === undefined || filter.verdict === 'none' ? await this.freshOf(state, filter, sees) : [];
    const unjudged = fresh.filter(({ id }) => !known.has(id) && !this.isJudged(id));
    return [...(filter.verdict === 'none' ? [] : judged), ...unjudged].filter(
      ({ candidate, judged: word }) =>
        // A pair of several States stands with the first, and wherever its State is asked for.
        (filter.state !== undefined || candidate.states[0] === state) &&
        (filter.kind === undefined || candidate.kinds.includes(filter.kind)) &&
        (filter.about === undefined || candidate.about === filter.about) &&
        (filter.verdict === undefined || filter.verdict === 'none' || word?.verdict === filter.verdict),
    );
  }

  private isJudged(id: string): boolean {
    return this.reads.get('SELECT 1 FROM judged WHERE id = ?', id) !== undefined;
  }

  private async judgedOf(state: string, sees: Sees): Promise<readonly ListedPair[]> {
    const rows = this.reads
      .all(
        'SELECT j.id, j.revision, j.doc FROM judged_place p JOIN judged j ON j.id = p.id WHERE p.state = ? ORDER BY j.id',
        state,
      )
      .map((row) => ({
        id: row.id as string,
        revision: row.revision as number,
        judged: JSON.parse(row.doc as string) as Judged,
      }));
    const seen = await sees(rows.flatMap(({ judged }) => judged.candidate.records));
    return rows
      .filter(({ judged }) => judged.candidate.records.every(({ id }) => seen.has(id)))
      .map(({ id, revision, judged }) => {
        const { candidate } = judged;
        return { id, candidate, judged, revision, place: { state, strength: strengthOf(candidate.evidence), id } };
      });
  }

  private async freshOf(state: string, { about }: DuplicateFilter, sees: Sees): Promise<readonly ListedPair[]> {
    const pairs: ListedPair[] = [];
    const turns = new Turns();
    for (const each of ['needs', 'promises'] as const) {
      if (about !== undefined && about !== each) continue;
      const compared = await this.comparedIn(state, each, sees);
      for (const [at, a] of compared.entries()) {
        for (const b of compared.slice(at + 1)) {
          await turns.pass();
          const candidate = candidateBetween(a, b);
          if (candidate === undefined) continue;
          const id = duplicateIdOf(...candidate.records);
          this.found.set(id, candidate.records);
          pairs.push({ id, candidate, place: { state, strength: strengthOf(candidate.evidence), id } });
        }
      }
    }
    return pairs;
  }

  /** The records of a State that the caller sees, those that changed last first. */
  private async comparedIn(state: string, about: Candidate['about'], sees: Sees): Promise<readonly Compared[]> {
    const rows = this.reads.all(
      `SELECT r.id, r.kind, r.since FROM place p JOIN record r ON r.id = p.id
       WHERE p.state = ? AND p.about = ? ORDER BY r.since DESC`,
      state,
      about,
    );
    const records = rows.map(({ id, kind, since }) => ({
      record: { kind: kind as PairedRecord['kind'], id: id as string },
      since: since as number | bigint,
    }));
    const seen = await sees(records.map(({ record }) => record));
    return records
      .filter(({ record }) => seen.has(record.id))
      .slice(0, MOST_COMPARED)
      .flatMap(({ record, since }) => {
        const traits = this.traits(record.id, since);
        return traits === undefined ? [] : [{ record, traits }];
      });
  }

  private candidateOf(records: readonly [PairedRecord, PairedRecord]): Candidate | undefined {
    const [a, b] = records.map((record): Compared | undefined => {
      const traits = this.traits(record.id);
      return traits === undefined ? undefined : { record, traits };
    });
    return a === undefined || b === undefined ? undefined : candidateBetween(a, b);
  }

  private traits(id: string, since?: number | bigint): Traits | undefined {
    const known = this.parsed.get(id);
    if (known !== undefined && known.since === since) return known.traits;
    const row = this.reads.get('SELECT since, traits FROM record WHERE id = ?', id);
    if (row === undefined || row.traits === null) return undefined;
    const traits = JSON.parse(row.traits as string) as Traits;
    this.parsed.set(id, { since: row.since as number | bigint, traits });
    return traits;
  }

  private async seeing(caller: Caller): Promise<Sees> {
    const [bodies, offers] = [await this.needs.bodiesSeenBy(caller), await this.offers.seenBy(caller)];
    return async (records) => {
      const of = (kind: PairedRecord['kind']): readonly string[] =>
        records.flatMap((record) => (record.kind === kind ? [record.id] : []));
      const seen = new Set([...bodies(of('need')), ...offers(of('offer'))]);
      for (const id of of('commitment')) if (await this.sight.sees(caller, 'commitment', id)) seen.add(id);
      return seen;
    };
  }

  private get reads(): ReadQueries {
    return this.runner.model(DUPLICATE_TRAITS);
  }
}

const candidateBetween = (one: Compared, other: Compared): Candidate | undefined => {
  const records = inOrder(one.record, other.record);
  const [a, b] = records[0] === one.record ? [one.traits, other.traits] : [other.traits, one.traits];
  const evidence = evidenceOf(a, b);
  return evidence === undefined
    ? undefined
    : {
        about: a.about,
        records,
        states: a.states.filter((state) => b.states.includes(state)),
        kinds: a.kinds.filter((kind) => b.kinds.includes(kind)),
        evidence,
        parties: [...new Set([...a.parties, ...b.parties])].sort(),
      };
};
