import { Injectable } from '@nestjs/common';
import { Networks } from '#directory/contract';
import { Clock, ProjectionRunner } from '#kernel';
import { earmarkReasons } from '#offers/contract';
import { dateOf } from '#vocabulary';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { MATCH_INDEX } from './match-index.projection.js';
import type { NeedSide } from './rules/sides.js';
import type { Standing } from './standing.js';
import { dayAt, PastStanding, weightsAt, workAt } from './standing.js';

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
    const { position } = this.runner.statuses().find(({ name }) => name === MATCH_INDEX) ?? { position: 0n };
    return String(position);
  }

  /** The newest event that the index took account of; undefined while there is none. */
  readUpTo(): { readonly stream: string; readonly revision: number; readonly eventId: string } | undefined {
    const row = this.model().get('SELECT stream, revision, event FROM latest');
    return row === undefined
      ? undefined
      : { stream: row.stream as string, revision: Number(row.revision), eventId: row.event as string };
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

  /** How things stand now. */
  now(): Standing {
    const today = dateOf(this.clock.now());
    const networks = new Map<string, readonly string[]>();
    const model = this.model();
    const asOf = this.asOf();
    return {
      asOf,
      today,
      need: (id) => this.need(id),
      offer: (id) => this.offer(id),
      liveNeeds: () => this.liveNeeds(),
      liveOffers: () => this.liveOffers(),
      weights: (version) => weightsAt(model, version, BigInt(asOf)),
      networksOf: (party) => {
        const known = networks.get(party) ?? this.networks.networksOf(party, today);
        networks.set(party, known);
        return known;
      },
      work: (providers, beneficiaries) => workAt(model, providers, beneficiaries, BigInt(asOf)),
    };
  }

  /**
   * How things stood at a position of the log, judged for `on` (the position's own day unless told). Undefined for a position that the
   * index has not come to.
   */
  at(position: bigint, on?: string): Standing | undefined {
    if (position > BigInt(this.asOf())) return undefined;
    const model = this.model();
    return new PastStanding(model, position, on ?? dayAt(model, position) ?? dateOf(this.clock.now()));
  }

  private model(): ReturnType<ProjectionRunner['model']> {
    return this.runner.model(MATCH_INDEX);
  }

  private one(id: string): IndexedNeed | IndexedOffer | undefined {
    const row = this.runner.model(MATCH_INDEX).get('SELECT revision FROM side WHERE id = ?', id);
    return row === undefined ? undefined : this.doc(id, row.revision as number);
  }

  private live(kind: 'need' | 'offer', owner: string | undefined): (readonly [string, IndexedNeed | IndexedOffer])[] {
    const model = this.runner.model(MATCH_INDEX);
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
      .model(MATCH_INDEX)
      .all('SELECT id, revision FROM side WHERE kind = ? AND live = 1 AND eligible = 1 ORDER BY id', kind)
      .map(({ id, revision }) => [id as string, this.doc(id as string, revision as number)]);
  }

  private doc(id: string, revision: number): IndexedNeed | IndexedOffer {
    const known = this.parsed.get(id);
    if (known?.revision === revision) return known.doc;
    const row = this.runner.model(MATCH_INDEX).get('SELECT doc FROM side WHERE id = ?', id);
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
