import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Networks } from '#directory/contract';
import { Clock, ProjectionRunner } from '#kernel';
import { earmarkReasons } from '#offers/contract';
import { dateOf } from '#vocabulary';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { MATCH_INDEX } from './match-index.projection.js';
import type { NeedSide } from './rules/sides.js';
import type { Standing } from './standing.js';

/** Judged by the ruleset itself, line by line or with sentences of its own, or (implementer types) a condition of the proposal. */
const JUDGED_ELSEWHERE: ReadonlySet<string> = new Set(['instrument', 'period', 'kind', 'implementer-type']);

/** Records that are kept parsed: many times those of a list. */
const PARSED = 5_000;

/** The match index read as the ruleset wants it: sides of pairings, parsed once per revision. */
@Injectable()
export class MatchIndex {
  private readonly parsed = new LRUCache<string, { revision: number; doc: IndexedNeed | IndexedOffer }>({
    max: PARSED,
  });

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

  /** Open needs of one filer or beneficiary. */
  liveNeeds(owner: string): (readonly [string, IndexedNeed])[] {
    return this.live('need', owner) as (readonly [string, IndexedNeed])[];
  }

  /** Open and suspended offers of one provider. */
  liveOffers(owner: string): (readonly [string, IndexedOffer])[] {
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

  /** The need as the index has it, unless it moved after `position`. */
  needUpTo(id: string, position: bigint): IndexedNeed | undefined {
    return this.one(id, 'need', position) as IndexedNeed | undefined;
  }

  /** The offer as the index has it, unless it moved after `position`. */
  offerUpTo(id: string, position: bigint): IndexedOffer | undefined {
    return this.one(id, 'offer', position) as IndexedOffer | undefined;
  }

  /** Networks of parties today, each asked for once. */
  memberships(): Pick<Standing, 'networksOf'> {
    const today = dateOf(this.clock.now());
    const known = new Map<string, readonly string[]>();
    return {
      networksOf: (party) => {
        const networks = known.get(party) ?? this.networks.networksOf(party, today);
        known.set(party, networks);
        return networks;
      },
    };
  }

  private model(): ReturnType<ProjectionRunner['model']> {
    return this.runner.model(MATCH_INDEX);
  }

  private one(id: string, kind: 'need' | 'offer', position: bigint): IndexedNeed | IndexedOffer | undefined {
    const row = this.model().get(
      'SELECT revision FROM side WHERE id = ? AND kind = ? AND moved <= ?',
      id,
      kind,
      position,
    );
    return row === undefined ? undefined : this.doc(id, row.revision as number);
  }

  private live(kind: 'need' | 'offer', owner: string): (readonly [string, IndexedNeed | IndexedOffer])[] {
    return this.model()
      .all(
        'SELECT s.id, s.revision FROM side_owner o JOIN side s ON s.id = o.id ' +
          'WHERE o.owner = ? AND s.kind = ? AND s.live = 1 ORDER BY s.id',
        owner,
        kind,
      )
      .map(({ id, revision }) => [id as string, this.doc(id as string, revision as number)]);
  }

  private eligible(kind: 'need' | 'offer'): (readonly [string, IndexedNeed | IndexedOffer])[] {
    // By that index: told to order by id, SQLite takes the one of all that is live, and reads it whole whenever a record's sight is asked.
    const few = 'SELECT id, revision FROM side INDEXED BY side_eligible WHERE kind = ? AND live = 1 AND eligible = 1';
    return this.model()
      .all(`${few} ORDER BY id`, kind)
      .map(({ id, revision }) => [id as string, this.doc(id as string, revision as number)]);
  }

  private doc(id: string, revision: number): IndexedNeed | IndexedOffer {
    const known = this.parsed.get(id);
    if (known?.revision === revision) return known.doc;
    const row = this.model().get('SELECT doc FROM side WHERE id = ?', id);
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
