import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type {
  DeadlineSource,
  Projection,
  ProjectionBatch,
  ReadQueries,
  ReadTransaction,
  RecordedEvent,
  SqlRow,
  SqlValue,
} from '#kernel';
import { idOfStream, processCommand, ReadModelUnavailableError } from '#kernel';
import type { NeedEvent } from '#needs/contract';
import type { OfferEvent } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import { isDeterminate, lastInstant, stateOfParty } from '#vocabulary';
import type { CommitmentEvent } from './commitment.contract.js';
import { ProposalFigures } from './commitment.contract.js';
import { CLOSINGS, OpenProposals } from './commitment-progress.process.js';
import type { CommitmentState } from './commitment.js';
import { commitmentDecider, deadlineOf } from './commitment.js';
import { involvedIn } from './commitment.view.js';
import { CONTRIBUTION_EVENTS, FIGURE_SCHEMA, writeContribution, writeFigures } from './totals-rows.js';

export const COMMITMENT_BOARD = 'commitment-board';

export type BoardFacet = 'state' | 'region' | 'network' | 'kind' | 'instrument' | 'donor';
export type BoardSort = 'newest' | 'oldest' | 'deadline';

/** A row of the board: the record as its stream tells it, up to `revision`. */
export interface BoardRow {
  readonly id: string;
  readonly seq: number;
  readonly revision: number;
  readonly deadline: string;
  readonly state: CommitmentState;
}

type Proposal = Extract<CommitmentEvent, { type: 'CommitmentProposed' }>['data'];
type Facets = readonly (readonly [facet: BoardFacet, value: string])[];

const facetsOf = ({ providers, beneficiaries, legs, earmarkFacts }: Proposal): Facets => {
  const of = (facet: BoardFacet, values: readonly (string | undefined)[]): Facets =>
    [...new Set(values)].flatMap((value) => (value === undefined ? [] : [[facet, value] as const]));
  return [
    ...of('state', beneficiaries.map(stateOfParty)),
    ...of('donor', providers),
    ...of('region', earmarkFacts.regions),
    ...of('network', [...earmarkFacts.networks, ...beneficiaries.filter((party) => party.startsWith('network:'))]),
    ...of('instrument', earmarkFacts.instruments),
    ...of(
      'kind',
      legs.map(({ needLine }) => earmarkFacts.needLineKinds[String(needLine)]),
    ),
  ];
};

interface Touched {
  readonly seq: bigint | number;
  readonly revision: number;
  readonly state: CommitmentState;
  /** Set where the record is new to the board. */
  readonly facets?: Facets;
}

/** A later deadline than any: rows without one sort last. */
const NEVER = '9999-12-31T23:59:59.999Z';

class Batch implements ProjectionBatch {
  private readonly touched = new Map<string, Touched>();

  constructor(private readonly tx: ReadTransaction) {}

  apply(event: RecordedEvent): void {
    if (event.stream.startsWith('commitment-')) this.applyOwn(idOfStream(event.stream), event);
    else if (event.stream.startsWith('contribution-')) writeContribution(this.tx, event);
    else this.applyOther(event);
  }

  flush(): void {
    for (const [id, touched] of this.touched) this.write(id, touched);
  }

  private applyOwn(id: string, event: RecordedEvent): void {
    const before = this.touched.get(id) ?? this.stored(id);
    const earlier = before?.state ?? commitmentDecider.initial;
    const state = commitmentDecider.evolve(earlier, event as unknown as RecordedEvent<CommitmentEvent>);
    writeFigures(this.tx, id, earlier, state, event);
    const facets = event.type === 'CommitmentProposed' ? facetsOf(event.data as Proposal) : before?.facets;
    this.touched.set(id, {
      seq: before?.seq ?? event.position,
      revision: event.revision,
      state,
      ...(facets === undefined ? {} : { facets }),
    });
  }

  /** Labels narrow the search for what a caller may see; a closing is remembered as seen. */
  private applyOther(event: RecordedEvent): void {
    const fact = event as unknown as NeedEvent | OfferEvent;
    switch (fact.type) {
      case 'NeedDrafted': {
        this.label(event.stream, fact.data.content.visibility.body);
        return;
      }
      case 'OfferDrafted':
      case 'OfferPosted': {
        this.label(event.stream, fact.data.content.visibility);
        return;
      }
      case 'NeedAmended': {
        this.label(event.stream, fact.data.changes.visibility?.body);
        return;
      }
      case 'OfferAmended': {
        this.label(event.stream, fact.data.changes.visibility);
        return;
      }
      default:
        this.tx.run('INSERT OR REPLACE INTO closing (stream, position) VALUES (?, ?)', event.stream, event.position);
    }
  }

  private label(stream: string, visibility: string | undefined): void {
    if (visibility === undefined) return;
    this.tx.run('INSERT OR REPLACE INTO label (stream, visibility) VALUES (?, ?)', stream, visibility);
  }

  private stored(id: string): Touched | undefined {
    const row = this.tx.get('SELECT seq, revision, doc FROM commitment WHERE id = ?', id);
    return row === undefined
      ? undefined
      : {
          seq: row.seq as number,
          revision: row.revision as number,
          state: JSON.parse(row.doc as string) as CommitmentState,
        };
  }

  private write(id: string, { seq, revision, state, facets }: Touched): void {
    this.tx.run(
      `INSERT OR REPLACE INTO commitment (seq, id, revision, need, offer, status, bound, proposed_on, deadline, doc)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      seq,
      id,
      revision,
      state.needId,
      state.offerId,
      state.status ?? '',
      state.boundAt === undefined ? 0 : 1,
      lastInstant(state.proposedAt).slice(0, 10),
      deadlineOf(state)?.due ?? NEVER,
      JSON.stringify(state),
    );
    const involved = involvedIn(state);
    // Whom an amendment took off, or who declined to be named by one, is party to it no more.
    this.tx.run(
      'DELETE FROM commitment_party WHERE commitment = ? AND party NOT IN (SELECT value FROM json_each(?))',
      id,
      JSON.stringify([...involved]),
    );
    for (const party of involved) {
      this.tx.run('INSERT OR IGNORE INTO commitment_party (commitment, party) VALUES (?, ?)', id, party);
    }
    for (const [facet, value] of facets ?? []) {
      this.tx.run(
        'INSERT OR IGNORE INTO commitment_facet (commitment, facet, value) VALUES (?, ?, ?)',
        id,
        facet,
        value,
      );
    }
  }
}

/** Answers: which commitments are there, as each of them stands, for whom, and which deadline comes next. */
export const commitmentBoard: Projection = {
  name: COMMITMENT_BOARD,
  version: 5,
  handles: [
    ...Object.keys(commitmentDecider.schemas),
    'NeedDrafted',
    'NeedAmended',
    'OfferDrafted',
    'OfferPosted',
    'OfferAmended',
    ...CLOSINGS,
    ...CONTRIBUTION_EVENTS,
  ],
  schema: `
    CREATE TABLE commitment (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      revision INTEGER NOT NULL,
      need TEXT NOT NULL,
      offer TEXT NOT NULL,
      status TEXT NOT NULL,
      bound INTEGER NOT NULL,
      proposed_on TEXT NOT NULL,
      deadline TEXT NOT NULL,
      doc TEXT NOT NULL
    );
    CREATE INDEX commitment_by_need ON commitment (need, status);
    CREATE INDEX commitment_by_offer ON commitment (offer, status);
    CREATE INDEX commitment_by_deadline ON commitment (deadline, seq);
    CREATE TABLE commitment_party (
      commitment TEXT NOT NULL,
      party TEXT NOT NULL,
      PRIMARY KEY (commitment, party)
    ) WITHOUT ROWID;
    CREATE TABLE commitment_facet (
      commitment TEXT NOT NULL,
      facet TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (commitment, facet, value)
    ) WITHOUT ROWID;
    CREATE TABLE label (stream TEXT PRIMARY KEY, visibility TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE closing (stream TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
    ${FIGURE_SCHEMA}
  `,
  begin: (tx) => new Batch(tx),
};

export interface Predicate {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/**
 * The rows a caller can at most see: those whom it concerns, and bound ones whose need and offer were not written for fewer.
 * Labels in force are never wider than the written ones, so nothing visible is left out; `sees` has the last word on every row.
 */
export const reachable = (caller: Caller): Predicate => {
  if (hasRole(caller, 'coordinator') || caller.mandates.some(({ everything }) => everything)) {
    return { sql: '1', parameters: [] };
  }
  const parties = new Set(caller.mandates.flatMap((mandate) => [...mandate.parties]));
  if (!caller.anonymous) parties.add(caller.party);
  const records = caller.mandates.flatMap((mandate) => [...mandate.records]);
  const written = (kind: 'need' | 'offer'): string =>
    `EXISTS (SELECT 1 FROM label l WHERE l.stream = '${kind}-' || c.${kind} AND l.visibility ${
      caller.anonymous ? "= 'public'" : "<> 'sealed'"
    })`;
  return {
    sql: `(c.id IN (SELECT value FROM json_each(?))
      OR EXISTS (SELECT 1 FROM commitment_party p WHERE p.commitment = c.id AND p.party IN (SELECT value FROM json_each(?)))
      OR (c.bound = 1 AND ${written('need')} AND ${written('offer')}))`,
    parameters: [JSON.stringify(records), JSON.stringify([...parties])],
  };
};

export interface BoardFilter {
  readonly needId?: string;
  readonly offerId?: string;
  readonly status?: readonly string[];
  readonly facets: readonly (readonly [facet: BoardFacet, values: readonly string[]])[];
  /** Proposed on these UTC days, inclusive. */
  readonly from?: string;
  readonly to?: string;
}

export const filtering = ({ needId, offerId, status, facets, from, to }: BoardFilter): Predicate => {
  const terms: string[] = ['1'];
  const parameters: SqlValue[] = [];
  const term = (sql: string, ...values: readonly SqlValue[]): void => {
    terms.push(sql);
    parameters.push(...values);
  };
  if (needId !== undefined) term('c.need = ?', needId);
  if (offerId !== undefined) term('c.offer = ?', offerId);
  if (status !== undefined) term('c.status IN (SELECT value FROM json_each(?))', JSON.stringify(status));
  if (from !== undefined) term('c.proposed_on >= ?', from);
  if (to !== undefined) term('c.proposed_on <= ?', to);
  for (const [facet, values] of facets) {
    term(
      `EXISTS (SELECT 1 FROM commitment_facet f WHERE f.commitment = c.id AND f.facet = ?
        AND f.value IN (SELECT value FROM json_each(?)))`,
      facet,
      JSON.stringify(values),
    );
  }
  return { sql: terms.join(' AND '), parameters };
};

/** Where a page goes on: the last row shown. */
export interface BoardPlace {
  readonly seq: number;
  readonly deadline: string;
}

const ORDERS: Readonly<Record<BoardSort, { readonly order: string; readonly after: string }>> = {
  newest: { order: 'c.seq DESC', after: 'c.seq < ?' },
  oldest: { order: 'c.seq', after: 'c.seq > ?' },
  deadline: { order: 'c.deadline, c.seq', after: '(c.deadline, c.seq) > (?, ?)' },
};

/**
 * Up to `limit` rows a caller can at most see, in order, after `place`.
 * @param limit rows asked for; fewer mean that there are no more
 */
export const boardRows = (
  reads: ReadQueries,
  caller: Caller,
  filter: BoardFilter,
  sort: BoardSort,
  place: BoardPlace | undefined,
  limit: number,
): readonly BoardRow[] => {
  const may = reachable(caller);
  const fits = filtering(filter);
  const { order, after } = ORDERS[sort];
  const from: SqlValue[] = place === undefined ? [] : sort === 'deadline' ? [place.deadline, place.seq] : [place.seq];
  return reads
    .all(
      `SELECT c.id, c.seq, c.revision, c.deadline, c.doc FROM commitment c
        WHERE ${may.sql} AND ${fits.sql} AND ${place === undefined ? '1' : after} ORDER BY ${order} LIMIT ?`,
      ...may.parameters,
      ...fits.parameters,
      ...from,
      limit,
    )
    .map(rowOf);
};

const rowOf = (row: SqlRow): BoardRow => ({
  id: row.id as string,
  seq: Number(row.seq),
  revision: Number(row.revision),
  deadline: row.deadline as string,
  state: JSON.parse(row.doc as string) as CommitmentState,
});

/** Knows when proposals lapse and deliveries have been met with silence for too long. */
export const commitmentDeadlines = (reads: () => ReadQueries): DeadlineSource => ({
  name: 'commitment-deadlines',
  due: (now, limit) =>
    reads()
      .all(
        'SELECT id, deadline, doc FROM commitment WHERE deadline <= ? ORDER BY deadline, seq LIMIT ?',
        now.toISOString(),
        limit,
      )
      .flatMap((row) => {
        const type = deadlineOf(JSON.parse(row.doc as string) as CommitmentState)?.command;
        if (type === undefined) return [];
        return {
          due: row.deadline as string,
          command: processCommand({
            decider: commitmentDecider,
            id: row.id as string,
            key: type,
            command: (by) => ({ type, by }),
          }),
        };
      }),
});

/** What proposals add to a need's figures, and who is party to what: from the board, behind by its lag. */
export class BoardProposalFigures extends ProposalFigures {
  constructor(private readonly reads: () => ReadQueries) {
    super();
  }

  override indicative(needId: string): Promise<ReadonlyMap<number, readonly Quantity[]>> {
    const figures = new Map<number, Quantity[]>();
    const rows = this.reads().all(
      "SELECT doc FROM commitment WHERE need = ? AND status IN ('proposed', 'accepted') ORDER BY seq",
      needId,
    );
    for (const row of rows) {
      const { hold, legs } = JSON.parse(row.doc as string) as CommitmentState;
      if (hold !== 'held') continue;
      for (const { needLine, credited } of legs)
        if (isDeterminate(credited)) figures.set(needLine, [...(figures.get(needLine) ?? []), credited]);
    }
    return Promise.resolve(figures);
  }

  override isPartyTo(
    caller: Caller,
    record: { readonly needId: string } | { readonly offerId: string },
  ): Promise<boolean> {
    if (caller.anonymous) return Promise.resolve(false);
    const [column, id] = 'needId' in record ? ['need', record.needId] : ['offer', record.offerId];
    const row = this.reads().get(
      `SELECT 1 AS found FROM commitment c JOIN commitment_party p ON p.commitment = c.id
        WHERE c.${column} = ? AND p.party = ? LIMIT 1`,
      id,
      caller.party,
    );
    return Promise.resolve(row !== undefined);
  }
}

const POLL_MS = 5;
/** Longer than any live lag; a projection further behind makes the process try again later. */
const PATIENCE_MS = 10_000;

/** Open proposals from the board, once it has seen the closing that asks for them. */
export class BoardOpenProposals extends OpenProposals {
  constructor(private readonly reads: () => ReadQueries) {
    super();
  }

  override async of(
    record: { readonly needId: string } | { readonly offerId: string },
    position: bigint,
  ): Promise<readonly string[]> {
    const [column, id] = 'needId' in record ? ['need', record.needId] : ['offer', record.offerId];
    for (let waited = 0; !this.hasSeen(`${column}-${id}`, position); waited += POLL_MS) {
      if (waited >= PATIENCE_MS) {
        // Named for what it is, so that no bus takes it for the event's fault.
        throw new ReadModelUnavailableError(`${COMMITMENT_BOARD} has not come to position ${position} yet`);
      }
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS);
      });
    }
    return this.reads()
      .all(`SELECT id FROM commitment WHERE ${column} = ? AND status = 'proposed' ORDER BY seq`, id)
      .map((row) => row.id as string);
  }

  private hasSeen(stream: string, position: bigint): boolean {
    const row = this.reads().get('SELECT position FROM closing WHERE stream = ?', stream);
    return row !== undefined && BigInt(row.position as number | bigint) >= position;
  }
}
