import { suggestedCommitmentId } from '#commitments/contract';
import type { Projection, ReadQueries, ReadTransaction, RecordedEvent, SqlRow } from '#kernel';
import { derivedId, idOfStream } from '#kernel';
import type { Quantity } from '#vocabulary';
import type { AllocationEvent, SharedLine } from '../allocation/allocation.contract.js';

export const SUGGESTIONS = 'suggestions';

/**
 * A pair of a run is one suggestion, whoever of the offer's providers it was shared with. Not of its number in the run, which could be
 * guessed from the id and would tell how many pairs go before it.
 */
export const suggestionIdOf = (
  allocation: string,
  { needId, needLine, offerId, offerLine }: Omit<SharedLine, 'n' | 'quantity'>,
): string => derivedId('suggestion', allocation, needId, String(needLine), offerId, String(offerLine));

/** A line of a run as one party was told it. */
export interface SuggestionRow {
  readonly id: string;
  /** The order of lists: newest event first, within it as it names them. */
  readonly place: SuggestionPlace;
  readonly needId: string;
  readonly needLine: number;
  readonly offerId: string;
  readonly offerLine: number;
  readonly quantity: Quantity;
  readonly allocationId: string;
  /** When the run began, RFC 3339. */
  readonly ranAt: string;
  readonly sharedBy: string;
  readonly sharedAt: string;
  readonly note?: string;
  /** It became this commitment. */
  readonly commitmentId?: string;
}

export interface SuggestionPlace {
  readonly position: number;
  /** Which line of the event. */
  readonly at: number;
}

const TYPES = ['AllocationStarted', 'AllocationShared'] as const satisfies readonly AllocationEvent['type'][];

/** Answers: which lines of runs a party was told, and which of them it proposed. */
export const suggestions: Projection = {
  name: SUGGESTIONS,
  version: 1,
  handles: [...TYPES, 'CommitmentProposed'],
  schema: `
    CREATE TABLE run (allocation TEXT PRIMARY KEY, started_at TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE suggestion (
      party TEXT NOT NULL,
      id TEXT NOT NULL,
      position INTEGER NOT NULL,
      at INTEGER NOT NULL,
      allocation TEXT NOT NULL,
      ran_at TEXT NOT NULL,
      shared_by TEXT NOT NULL,
      shared_at TEXT NOT NULL,
      note TEXT,
      need TEXT NOT NULL,
      need_line INTEGER NOT NULL,
      offer TEXT NOT NULL,
      offer_line INTEGER NOT NULL,
      quantity TEXT NOT NULL,
      commitment TEXT NOT NULL,
      proposed INTEGER NOT NULL,
      PRIMARY KEY (party, id)
    ) WITHOUT ROWID;
    CREATE INDEX suggestion_by_place ON suggestion (party, position, at);
    CREATE INDEX suggestion_by_commitment ON suggestion (commitment);
  `,
  begin: (tx: ReadTransaction) => ({
    apply: (event: RecordedEvent) => {
      if (event.type === 'CommitmentProposed') {
        tx.run('UPDATE suggestion SET proposed = 1 WHERE commitment = ?', idOfStream(event.stream));
        return;
      }
      // The event's type and data belong together; the envelope's type lost that.
      const fact = { type: event.type, data: event.data } as AllocationEvent;
      const allocation = idOfStream(event.stream);
      if (fact.type === 'AllocationStarted') {
        tx.run(
          'INSERT OR REPLACE INTO run (allocation, started_at) VALUES (?, ?)',
          allocation,
          event.metadata.recordedAt,
        );
      }
      if (fact.type === 'AllocationShared') share(tx, allocation, event, fact.data);
    },
    flush: () => undefined,
  }),
};

const share = (
  tx: ReadTransaction,
  allocation: string,
  { position, metadata }: RecordedEvent,
  { party, lines, note }: Extract<AllocationEvent, { type: 'AllocationShared' }>['data'],
): void => {
  const run = tx.get('SELECT started_at FROM run WHERE allocation = ?', allocation);
  const sharedAt = metadata.recordedAt;
  const ranAt = (run?.started_at as string | undefined) ?? sharedAt;
  for (const [at, line] of lines.entries()) {
    const { needId, needLine, offerId, offerLine, quantity } = line;
    const id = suggestionIdOf(allocation, line);
    const commitment = suggestedCommitmentId(id);
    // Another provider of a joint offer may have proposed it before.
    const proposed = tx.get('SELECT 1 FROM suggestion WHERE commitment = ? AND proposed = 1', commitment) !== undefined;
    tx.run(
      `INSERT OR IGNORE INTO suggestion
        (party, id, position, at, allocation, ran_at, shared_by, shared_at, note, need, need_line, offer, offer_line, quantity, commitment, proposed)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[party, id, position, at, allocation, ranAt, metadata.actor.party, sharedAt, note ?? null],
      ...[needId, needLine, offerId, offerLine, JSON.stringify(quantity), commitment, proposed ? 1 : 0],
    );
  }
};

export interface SuggestionFilter {
  readonly needId?: string;
  readonly offerId?: string;
  readonly allocationId?: string;
  /** Absent: proposed or not. */
  readonly proposed?: boolean;
}

/** What was suggested to a party, whatever it may see of it now: newest first, or oldest first. */
export const suggestionRows = (
  model: ReadQueries,
  party: string,
  { needId, offerId, allocationId, proposed }: SuggestionFilter,
  {
    limit,
    after,
    oldestFirst = false,
  }: { readonly limit: number; readonly after?: SuggestionPlace; readonly oldestFirst?: boolean },
): readonly SuggestionRow[] =>
  model
    .all(
      `SELECT * FROM suggestion
        WHERE party = ?1 AND (?2 IS NULL OR need = ?2) AND (?3 IS NULL OR offer = ?3)
          AND (?4 IS NULL OR allocation = ?4) AND (?5 IS NULL OR proposed = ?5)
          AND (?6 IS NULL OR position ${oldestFirst ? '>' : '<'} ?6 OR (position = ?6 AND at > ?7))
        ORDER BY position ${oldestFirst ? 'ASC' : 'DESC'}, at LIMIT ?8`,
      ...[party, needId ?? null, offerId ?? null, allocationId ?? null],
      proposed === undefined ? null : proposed ? 1 : 0,
      ...[after?.position ?? null, after?.at ?? null, limit],
    )
    .map(rowOf);

/** One that was made to this party. */
export const suggestionRow = (model: ReadQueries, party: string, id: string): SuggestionRow | undefined => {
  const row = model.get('SELECT * FROM suggestion WHERE party = ? AND id = ?', party, id);
  return row === undefined ? undefined : rowOf(row);
};

const rowOf = (row: SqlRow): SuggestionRow => ({
  id: row.id as string,
  place: { position: Number(row.position), at: Number(row.at) },
  needId: row.need as string,
  needLine: Number(row.need_line),
  offerId: row.offer as string,
  offerLine: Number(row.offer_line),
  quantity: JSON.parse(row.quantity as string) as Quantity,
  allocationId: row.allocation as string,
  ranAt: row.ran_at as string,
  sharedBy: row.shared_by as string,
  sharedAt: row.shared_at as string,
  ...(row.note === null ? {} : { note: row.note as string }),
  ...(row.proposed === 1 ? { commitmentId: row.commitment as string } : {}),
});
