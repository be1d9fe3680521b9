import type { ContributionEvent } from '#funds/contract';
import type { ReadTransaction, RecordedEvent } from '#kernel';
import { idOfStream } from '#kernel';
import { lastInstant } from '#vocabulary';
import type { CommitmentEvent } from './commitment.contract.js';
import type { CommitmentState } from './commitment.js';
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

const write = (tx: ReadTransaction, record: string, event: RecordedEvent, deltas: readonly FigureDelta[]): void => {
  deltas.forEach(({ figure, measure, minor, worth, needLine, transfer, provider, uncounted, on }, nth) => {
    tx.run(
      `INSERT INTO figure (position, nth, record, figure, measure, minor, of_measure, of_minor, need_line, transfer, provider,
         uncounted, effective_on, recorded_at, event, type) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
    );
  });
};

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
