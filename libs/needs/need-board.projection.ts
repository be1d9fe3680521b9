import type { CommitmentEvent } from '#commitments/contract';
import type { DesignationClock } from '#directory/contract';
import type { DeadlineSource, DueDeadline, Projection, ReadQueries, ReadTransaction, RecordedEvent } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import { stateOf, stateOfParty } from '#vocabulary';
import { gradeOf } from './coverage.js';
import type { NeedEvent } from './need.contract.js';
import type { NeedState } from './need.js';
import { hasLiveCommitments, needDecider, nextDeadline, principalOf } from './need.js';
import { labelOf } from './need-sight.js';

export const NEED_BOARD = 'need-board';

type ProposedData = Extract<CommitmentEvent, { type: 'CommitmentProposed' }>['data'];

interface Touched {
  readonly seq: bigint | number;
  revision: number;
  state: NeedState;
  /** It has a row already. */
  readonly stored: boolean;
  /** The content may have changed: facets and words are written anew. */
  rewritten: boolean;
}

const REWRITING: readonly string[] = [
  'NeedDrafted',
  'NeedAmended',
  'NeedRatified',
  'NeedObjected',
  'ParticipationConsented',
  'ParticipationWithdrawn',
] satisfies NeedEvent['type'][];

/** Every value of every facet of a need. */
const facetsOf = (id: string, need: NeedState): readonly (readonly [facet: string, value: string])[] => {
  const { beneficiaries, content } = need;
  const { owners, invited } = labelOf(id, need);
  const of = (facet: string, values: readonly string[]): (readonly [string, string])[] =>
    [...new Set(values)].map((value) => [facet, value] as const);
  const states = beneficiaries.map(stateOfParty).filter((code) => code !== undefined);
  return [
    ...of('owner', owners),
    ...of('invited', invited),
    ...of('beneficiary', beneficiaries),
    ...of('state', states),
    ...of(
      'region',
      states.flatMap((code) => stateOf(code)?.regions ?? []),
    ),
    ...of('kind', [...content.kinds, ...content.lines.map(({ kind }) => kind)]),
    ...of('instrument', content.instruments),
    ...of('named', content.named),
  ];
};

const wordsOf = ({ content: { problem, outcome, lines } }: NeedState): string =>
  [problem, outcome, ...lines.map(({ description }) => description)].filter((text) => text !== undefined).join('\n');

const COLUMNS = [
  'revision',
  'status',
  'opened',
  'submitted',
  'summary',
  'body',
  'public_from',
  'label',
  'coverage',
  'rank',
  'period_from',
  'period_to',
  'deadline',
  'due_command',
  'doc',
] as const;
// Not REPLACE: that looks for what it would replace in every unique index, and writes them all anew.
const INSERT_NEED = `INSERT INTO need (${COLUMNS.join(', ')}, id, seq) VALUES (${COLUMNS.map(() => '?').join(', ')}, ?, ?)`;
const UPDATE_NEED = `UPDATE need SET ${COLUMNS.map((column) => `${column} = ?`).join(', ')} WHERE id = ? AND seq = ?`;

class Batch {
  private readonly touched = new Map<string, Touched>();
  private readonly parties: (readonly [need: string, commitment: string, party: string, lines: string])[] = [];

  constructor(private readonly tx: ReadTransaction) {}

  apply(event: RecordedEvent): void {
    const id = idOfStream(event.stream);
    if (event.type === 'CommitmentProposed') {
      this.proposed(id, event.data as ProposedData);
      return;
    }
    const before = this.touched.get(id) ?? this.stored(id);
    const state = needDecider.evolve(before?.state ?? needDecider.initial, event as RecordedEvent<NeedEvent>);
    const rewritten = (before?.rewritten ?? false) || REWRITING.includes(event.type);
    const { seq = event.position, stored = false } = before ?? {};
    this.touched.set(id, { seq, revision: event.revision, state, stored, rewritten });
  }

  flush(): void {
    for (const [id, touched] of this.touched) this.write(id, touched);
    for (const [need, commitment, party, lines] of this.parties) {
      this.tx.run(
        'INSERT OR IGNORE INTO need_party (need, party, commitment, lines) VALUES (?, ?, ?, ?)',
        need,
        party,
        commitment,
        lines,
      );
    }
  }

  private stored(id: string): Touched | undefined {
    const row = this.tx.get('SELECT seq, revision, doc FROM need WHERE id = ?', id);
    if (row === undefined) return undefined;
    const state = JSON.parse(row.doc as string) as NeedState;
    return { seq: row.seq as number, revision: row.revision as number, state, stored: true, rewritten: false };
  }

  private proposed(commitment: string, data: ProposedData): void {
    const { needId, providers, implementer, fiscalAgent, signatories, legs } = data;
    const parties = new Set([...providers, ...signatories]);
    for (const agency of [implementer, fiscalAgent]) if (agency !== undefined) parties.add(agency);
    const lines = JSON.stringify([...new Set(legs.map(({ needLine }) => needLine))]);
    for (const party of parties) this.parties.push([needId, commitment, party, lines]);
  }

  private write(id: string, { seq, revision, state, stored, rewritten }: Touched): void {
    const { content, status, opened, reservations } = state;
    const { visibility, submitted, publicFrom } = labelOf(id, state);
    const deadline = nextDeadline(state);
    this.tx.run(
      stored ? UPDATE_NEED : INSERT_NEED,
      revision,
      status,
      opened ? 1 : 0,
      submitted ? 1 : 0,
      visibility.summary,
      visibility.body,
      publicFrom,
      content.visibility.summary,
      gradeOf(content.lines, reservations),
      content.rank ?? Number.MAX_SAFE_INTEGER,
      content.period?.from ?? '',
      content.period?.to ?? '9999-12-31',
      deadline?.due ?? null,
      deadline?.command ?? null,
      JSON.stringify(state),
      id,
      seq,
    );
    if (!rewritten) return;
    if (stored) {
      this.tx.run('DELETE FROM need_facet WHERE need = ?', seq);
      this.tx.run('DELETE FROM need_words WHERE rowid = ?', seq);
    }
    for (const [facet, value] of facetsOf(id, state)) {
      this.tx.run('INSERT INTO need_facet (need, facet, value) VALUES (?, ?, ?)', seq, facet, value);
    }
    this.tx.run('INSERT INTO need_words (rowid, summary, body) VALUES (?, ?, ?)', seq, content.title, wordsOf(state));
  }
}

/** Answers: which needs are there, as each of them stands, who sees which part, and when is the next deadline. */
export const needBoard: Projection = {
  name: NEED_BOARD,
  version: 3,
  handles: [...Object.keys(needDecider.schemas), 'CommitmentProposed'],
  schema: `
    CREATE TABLE need (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      revision INTEGER NOT NULL,
      status TEXT NOT NULL,
      opened INTEGER NOT NULL,
      submitted INTEGER NOT NULL,
      summary TEXT NOT NULL,
      body TEXT NOT NULL,
      public_from TEXT NOT NULL,
      label TEXT NOT NULL,
      coverage TEXT NOT NULL,
      rank INTEGER NOT NULL,
      period_from TEXT NOT NULL,
      period_to TEXT NOT NULL,
      deadline TEXT,
      due_command TEXT,
      doc TEXT NOT NULL
    );
    CREATE INDEX need_by_rank ON need (rank, seq);
    CREATE INDEX need_by_deadline ON need (deadline) WHERE deadline IS NOT NULL;
    CREATE TABLE need_facet (
      need INTEGER NOT NULL,
      facet TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (need, facet, value)
    ) WITHOUT ROWID;
    CREATE TABLE need_party (
      need TEXT NOT NULL,
      party TEXT NOT NULL,
      commitment TEXT NOT NULL,
      lines TEXT NOT NULL,
      PRIMARY KEY (need, party, commitment)
    ) WITHOUT ROWID;
    CREATE INDEX need_party_by_commitment ON need_party (commitment, party);
    CREATE VIRTUAL TABLE need_words USING fts5 (
      summary, body, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
    );
  `,
  begin: (tx) => new Batch(tx),
};

/** A commitment on a need that was merged into one of these, through however many, is live: the survivor answers for it. */
const isGroupLive = (reads: ReadQueries, absorbed: readonly string[]): boolean => {
  const known = new Set<string>();
  for (let ids = absorbed; ids.length > 0;) {
    for (const id of ids) known.add(id);
    const needs = reads
      .all('SELECT doc FROM need WHERE id IN (SELECT value FROM json_each(?))', JSON.stringify(ids))
      .map(({ doc }) => JSON.parse(doc as string) as NeedState);
    if (needs.some(hasLiveCommitments)) return true;
    ids = needs.flatMap((need) => need.absorbed).filter((id) => !known.has(id));
  }
  return false;
};

const dueOf = async (
  reads: ReadQueries,
  row: Readonly<Record<string, unknown>>,
  now: Date,
  designations: Pick<DesignationClock, 'standstillMs'>,
): Promise<DueDeadline[]> => {
  const id = row.id as string;
  const deadline = row.deadline as string;
  if (row.due_command === 'OpenNeed') {
    const open = processCommand({
      decider: needDecider,
      id,
      key: 'open',
      command: (by) => ({ type: 'OpenNeed', by }),
    });
    return [{ due: deadline, command: open }];
  }
  const need = JSON.parse(row.doc as string) as NeedState;
  const { reaffirmBy, absorbed } = need;
  if (isGroupLive(reads, absorbed)) return [];
  // The clock stands still while nobody can act for the State: the deadline moves on by as much.
  const standstillMs = await designations.standstillMs(principalOf(need), reaffirmBy, now.toISOString());
  const moved = new Date(Date.parse(deadline) + standstillMs);
  if (moved > now) return [];
  const fall = processCommand({
    decider: needDecider,
    id,
    key: 'fall-dormant',
    command: (by) => ({ type: 'FallDormant', by, standstillMs }),
  });
  return [{ due: moved.toISOString(), command: fall }];
};

/** Knows when a submitted need opens and when an open one that nobody reaffirms falls dormant. */
export const needDeadlines = (
  reads: () => ReadQueries,
  designations: Pick<DesignationClock, 'standstillMs'>,
): DeadlineSource => ({
  name: 'need-deadlines',
  due: async (now, limit) => {
    const due: DueDeadline[] = [];
    let passed = 0;
    while (due.length < limit) {
      const rows = reads().all(
        'SELECT id, deadline, due_command, doc FROM need WHERE deadline <= ? ORDER BY deadline, seq LIMIT ? OFFSET ?',
        now.toISOString(),
        limit - due.length,
        passed,
      );
      if (rows.length === 0) break;
      passed += rows.length;
      // Needs whose clock stands still are passed over, however many: none behind them waits for them.
      for (const row of rows) due.push(...(await dueOf(reads(), row, now, designations)));
    }
    return due;
  },
});
