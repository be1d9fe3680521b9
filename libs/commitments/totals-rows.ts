import type { ContributionEvent } from '#funds/contract';
import type { ReadTransaction, RecordedEvent, SqlValue } from '#kernel';
import { idOfStream } from '#kernel';
import { lastInstant } from '#vocabulary';
import type { CommitmentEvent } from './commitment.contract.js';
import type { CommitmentState } from './commitment.js';
import { commitmentDecider } from './commitment.js';
import type { ContributionFigures, FigureDelta } from './totals-figures.js';
import { contributionAfter, contributionDeltas, figureDeltas } from './totals-figures.js';

/** Events of funds that are shown beside totals. */
export const CONTRIBUTION_EVENTS: readonly ContributionEvent['type'][] = [
  'ContributionPledged',
  'ContributionSigned',
  'ContributionPaid',
  'ContributionReceived',
  'ContributionRefunded',
  'ContributionClosed',
  'ContributionCancelled',
];

/**
 * The part of the commitment board that totals are summed from: each row is what one event changed in one figure. `of_measure` is set
 * where the row says what another amount is worth; `uncounted` where it is shown beside the total and not in it.
 */
export const FIGURE_SCHEMA = `
    CREATE TABLE figure (
      position INTEGER NOT NULL,
      nth INTEGER NOT NULL,
      record TEXT NOT NULL,
      figure TEXT NOT NULL,
      measure TEXT NOT NULL,
      minor INTEGER NOT NULL,
      of_measure TEXT NOT NULL,
      of_minor INTEGER NOT NULL,
      need_line INTEGER NOT NULL,
      transfer INTEGER NOT NULL,
      provider TEXT NOT NULL,
      uncounted TEXT NOT NULL,
      effective_on TEXT NOT NULL,
      recorded_at TEXT NOT NULL,
      event TEXT NOT NULL,
      type TEXT NOT NULL,
      PRIMARY KEY (position, nth)
    ) WITHOUT ROWID;
    CREATE INDEX figure_by_record ON figure (record);
    CREATE TABLE line_kind (
      commitment TEXT NOT NULL,
      need_line INTEGER NOT NULL,
      kind TEXT NOT NULL,
      PRIMARY KEY (commitment, need_line)
    ) WITHOUT ROWID;
    CREATE TABLE contribution (id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
`;

/** What an event changed, as rows of the table. */
const rowsOf = (record: string, event: RecordedEvent, deltas: readonly FigureDelta[]): readonly SqlValue[][] =>
  deltas.map(({ figure, measure, minor, worth, needLine, transfer, provider, uncounted, on }, nth) => [
    event.position,
    nth,
    record,
    figure,
    measure,
    minor,
    worth?.measure ?? '',
    worth?.minor ?? 0n,
    needLine,
    transfer,
    provider,
    uncounted ?? '',
    on ?? lastInstant(event.metadata.effectiveAt).slice(0, 10),
    event.metadata.recordedAt,
    event.id,
    event.type,
  ]);

const write = (tx: ReadTransaction, record: string, event: RecordedEvent, deltas: readonly FigureDelta[]): void => {
  for (const row of rowsOf(record, event, deltas)) {
    tx.run(
      `INSERT INTO figure (position, nth, record, figure, measure, minor, of_measure, of_minor, need_line, transfer, provider,
         uncounted, effective_on, recorded_at, event, type) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...row,
    );
  }
};

/** Rows of `figure` that are not on record: what these events of one commitment, folded by themselves, add up to. */
export const commitmentFigures = (
  id: string,
  events: readonly RecordedEvent<CommitmentEvent>[],
): readonly SqlValue[][] => {
  let state = commitmentDecider.initial;
  return events.flatMap((event) => {
    const before = state;
    state = commitmentDecider.evolve(state, event);
    return rowsOf(id, event, figureDeltas(before, state, event));
  });
};

/** The same of one contribution to a fund. */
export const contributionFigures = (id: string, events: readonly RecordedEvent[]): readonly SqlValue[][] => {
  let figures: ContributionFigures | undefined;
  return events.flatMap((event) => {
    const before = figures;
    figures = contributionAfter(before, event as unknown as ContributionEvent);
    return rowsOf(id, event, contributionDeltas(before, figures));
  });
};

const COLUMNS = [
  ...(['position', 'nth', 'record', 'figure', 'measure', 'minor', 'of_measure', 'of_minor', 'need_line'] as const),
  ...(['transfer', 'provider', 'uncounted', 'effective_on', 'recorded_at', 'event', 'type'] as const),
];
/** These go through JSON as text, since they may lie beyond what a JSON number holds. */
const WHOLE: readonly string[] = ['position', 'nth', 'minor', 'of_minor', 'need_line', 'transfer'];

/** Puts rows in the place of the table `figure` for one statement: its parameter is `figuresJson` of them. */
export const FIGURES_GIVEN = `WITH figure AS (SELECT ${COLUMNS.map((column, index) =>
  WHOLE.includes(column)
    ? `CAST(json_extract(value, '$[${index}]') AS INTEGER) AS ${column}`
    : `json_extract(value, '$[${index}]') AS ${column}`,
).join(', ')} FROM json_each(?))`;

export const figuresJson = (rows: readonly (readonly SqlValue[])[]): string =>
  JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));

/** Adds what an event changed in its commitment's figures. */
export const writeFigures = (
  tx: ReadTransaction,
  id: string,
  before: CommitmentState,
  after: CommitmentState,
  event: RecordedEvent,
): void => {
  const { type, data } = event as unknown as CommitmentEvent;
  if (type === 'CommitmentProposed' || type === 'AmendmentAgreed') {
    for (const [line, kind] of Object.entries(data.earmarkFacts.needLineKinds)) {
      tx.run('INSERT OR REPLACE INTO line_kind (commitment, need_line, kind) VALUES (?, ?, ?)', id, Number(line), kind);
    }
  }
  write(tx, id, event, figureDeltas(before, after, event));
};

/** Adds what an event of a contribution to a fund changed. */
export const writeContribution = (tx: ReadTransaction, event: RecordedEvent): void => {
  const id = idOfStream(event.stream);
  const row = tx.get('SELECT doc FROM contribution WHERE id = ?', id);
  const before = row === undefined ? undefined : (JSON.parse(row.doc as string) as ContributionFigures);
  const after = contributionAfter(before, event as unknown as ContributionEvent);
  if (after === undefined) return;
  tx.run('INSERT OR REPLACE INTO contribution (id, doc) VALUES (?, ?)', id, JSON.stringify(after));
  write(tx, id, event, contributionDeltas(before, after));
};
