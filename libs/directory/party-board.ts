import type { SqlValue } from '#kernel';
import { Clock, EventStore, ProjectionRunner, recentlyUsed } from '#kernel';
import type { PartyCategory } from '#vocabulary';
import { dateOf } from '#vocabulary';
import { Injectable } from '@nestjs/common';
import { Problem } from '#web';
import type { Caller } from './caller.js';
import { hasRole } from './caller.js';
import { Networks } from './networks.js';
import type { Designation } from './party.js';
import { PARTIES } from './parties.projection.js';
import type { PartyState } from './party.js';

export interface PartyFilter {
  readonly category?: PartyCategory;
  readonly ofState?: string;
  readonly network?: string;
  readonly q?: string;
}

export interface PartyRow {
  readonly seq: number;
  readonly id: string;
  readonly revision: number;
  readonly state: PartyState;
}

/** Where a designation or mandate stands. */
export interface PaperRow {
  readonly n: number;
  readonly id: string;
  readonly party: string;
  readonly revision: number;
  readonly state: PartyState;
}

/** Milliseconds that the read model is given to come to the end of the log. */
const CATCH_UP_MS = 2_000;
const BEGINNING = Number.MAX_SAFE_INTEGER;

/** Reads of the register of parties. */
@Injectable()
export class PartyBoard {
  // A designation is read right after it was recorded, before the projection has seen it.
  private readonly justRecorded = recentlyUsed<string, string>(10_000);

  constructor(
    private readonly runner: ProjectionRunner,
    private readonly networks: Networks,
    private readonly clock: Clock,
    private readonly store: EventStore,
  ) {}

  /** At most `limit` registered parties, newest first, behind `after`. */
  list({ category, ofState, network, q }: PartyFilter, limit: number, after = BEGINNING): readonly PartyRow[] {
    const clauses = ['registered = 1', 'seq < ?'];
    const values: SqlValue[] = [after];
    const where = (sql: string, value: SqlValue): void => {
      clauses.push(sql);
      values.push(value);
    };
    if (category !== undefined) where('category = ?', category);
    if (ofState !== undefined) where('of_state = ?', ofState);
    if (network !== undefined) {
      const members = this.networks.membersOf(network, dateOf(this.clock.now())).map(({ party }) => party);
      where('id IN (SELECT value FROM json_each(?))', JSON.stringify(members));
    }
    if (q !== undefined) {
      const words = q.match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu);
      if (words === null) return [];
      where(
        'seq IN (SELECT rowid FROM party_words WHERE party_words MATCH ?)',
        words.map((word) => `"${word}"`).join(' '),
      );
    }
    return this.model()
      .all(
        `SELECT seq, id, revision, state FROM party WHERE ${clauses.join(' AND ')} ORDER BY seq DESC LIMIT ?`,
        ...values,
        limit,
      )
      .map(rowOf);
  }

  /** At most `limit` designations or mandates that the caller sees, newest first, behind `after`. */
  papers(
    kind: 'designation' | 'mandate',
    caller: Caller,
    party: string | undefined,
    limit: number,
    after = BEGINNING,
  ): readonly PaperRow[] {
    const clauses = ['p.kind = ?', 'p.n < ?'];
    const values: SqlValue[] = [kind, after];
    if (!hasRole(caller, 'coordinator')) {
      clauses.push(
        kind === 'designation'
          ? 'p.party = ?'
          : `(p.party = ? OR p.owner = ? OR EXISTS (SELECT 1 FROM json_each(party.state, '$.mandates') m, json_each(m.value, '$.scope.parties') s
               WHERE json_extract(m.value, '$.mandate') = p.id AND s.value = ?))`,
      );
      values.push(...(kind === 'designation' ? [caller.party] : [caller.party, caller.party, caller.party]));
    }
    if (party !== undefined) {
      clauses.push('p.party = ?');
      values.push(party);
    }
    return this.model()
      .all(
        `SELECT p.n, p.id AS paper, party.id, party.seq, party.revision, party.state FROM paper p JOIN party ON party.id = p.party
         WHERE ${clauses.join(' AND ')} ORDER BY p.n DESC LIMIT ?`,
        ...values,
        limit,
      )
      .map((row) => {
        const { id, revision, state } = rowOf(row);
        return { n: row.n as number, id: row.paper as string, party: id, revision, state };
      });
  }

  /**
   * In whose record a designation or mandate stands; undefined where there is none. Never behind: what is not found is looked for again at
   * the end of the log, where another instance may have just recorded it.
   */
  async find(paper: string): Promise<string | undefined> {
    const known = this.partyOf(paper);
    if (known !== undefined) return known;
    await this.runner.waitFor(await this.store.head(), CATCH_UP_MS, [PARTIES]);
    return this.partyOf(paper);
  }

  /** The designations that name a subject, over or not, by party. */
  heldBy(subject: string): readonly { readonly party: string; readonly designations: readonly Designation[] }[] {
    return this.model()
      .all(
        `SELECT party.id, party.seq, party.revision, party.state FROM holding JOIN party ON party.id = holding.party
         WHERE holding.subject = ? ORDER BY party.seq`,
        subject,
      )
      .map(rowOf)
      .map(({ id, state }) => ({
        party: id,
        designations: state.designations.filter(({ holder }) => holder === subject),
      }));
  }

  isErased(subject: string): boolean {
    return this.model().get('SELECT 1 FROM erased WHERE subject = ?', subject) !== undefined;
  }

  /** Every subject that was erased. */
  erased(): readonly string[] {
    return this.model()
      .all('SELECT subject FROM erased')
      .map(({ subject }) => subject as string);
  }

  /** Waits a moment until the register shows everything that is in the log. @throws {Problem} 503 `projection-behind` */
  async atTheEndOfTheLog(): Promise<void> {
    if (await this.runner.waitFor(await this.store.head(), CATCH_UP_MS, [PARTIES])) return;
    throw Problem.of('projection-behind', 'The register of parties is behind the log: try again.', {
      headers: { 'retry-after': '1' },
    });
  }

  private partyOf(paper: string): string | undefined {
    const row = this.model().get('SELECT party FROM paper WHERE id = ?', paper);
    return row === undefined ? this.justRecorded.get(paper) : (row.party as string);
  }

  /** Remembers a paper that this process has just recorded. */
  recorded(paper: string, party: string): void {
    this.justRecorded.set(paper, party);
  }

  private model(): ReturnType<ProjectionRunner['model']> {
    return this.runner.model(PARTIES);
  }
}

const rowOf = (row: Readonly<Record<string, SqlValue>>): PartyRow => ({
  seq: row.seq as number,
  id: row.id as string,
  revision: row.revision as number,
  state: JSON.parse(row.state as string) as PartyState,
});
