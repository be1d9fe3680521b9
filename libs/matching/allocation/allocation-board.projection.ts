import type { DeadlineSource, Projection, ReadQueries, ReadTransaction, RecordedEvent } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import type { AllocationEvent } from './allocation.contract.js';
import type { AllocationCommand, AllocationState } from './allocation.js';
import { allocationDecider, hasEnded } from './allocation.js';

export const ALLOCATION_BOARD = 'allocation-board';

/** A run of which nothing was heard for so long has lost the program that ran it. A program that runs tells of it far more often. */
export const LOST_AFTER_MS = 15 * 60_000;

export interface AllocationRow {
  readonly id: string;
  readonly seq: number;
  readonly revision: number;
  readonly state: AllocationState;
}

const deadlineOf = ({ run }: AllocationState): string | null =>
  run === undefined || hasEnded(run) ? null : new Date(Date.parse(run.heardAt) + LOST_AFTER_MS).toISOString();

/** Which allocations were asked for, by whom, and how far each is. */
export const allocationBoard: Projection = {
  name: ALLOCATION_BOARD,
  version: 2,
  handles: Object.keys(allocationDecider.schemas),
  schema: `
    CREATE TABLE run (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      revision INTEGER NOT NULL,
      requested_by TEXT,
      status TEXT,
      deadline TEXT,
      state TEXT NOT NULL
    );
    CREATE INDEX run_by_requester ON run (requested_by, seq);
    CREATE INDEX run_by_deadline ON run (deadline) WHERE deadline IS NOT NULL;
  `,
  begin: (tx: ReadTransaction) => {
    const touched = new Map<string, { readonly seq: bigint | number; revision: number; state: AllocationState }>();
    const stored = (id: string, event: RecordedEvent) => {
      const row = tx.get('SELECT seq, state FROM run WHERE id = ?', id);
      return row === undefined
        ? { seq: event.position, revision: -1, state: allocationDecider.initial }
        : { seq: Number(row.seq), revision: -1, state: JSON.parse(row.state as string) as AllocationState };
    };
    return {
      apply: (event) => {
        const id = idOfStream(event.stream);
        const entry = touched.get(id) ?? stored(id, event);
        entry.state = allocationDecider.evolve(entry.state, event as RecordedEvent<AllocationEvent>);
        entry.revision = event.revision;
        touched.set(id, entry);
      },
      flush: () => {
        for (const [id, { seq, revision, state }] of touched) {
          tx.run(
            'INSERT OR REPLACE INTO run (seq, id, revision, requested_by, status, deadline, state) VALUES (?, ?, ?, ?, ?, ?, ?)',
            seq,
            id,
            revision,
            state.run?.requestedBy ?? null,
            state.run?.status ?? null,
            deadlineOf(state),
            JSON.stringify(state),
          );
        }
      },
    };
  },
};

export interface AllocationFilter {
  /** The party that asked. */
  readonly requestedBy: string;
  readonly status?: string;
}

/** Runs, newest first. */
export const allocationRows = (
  model: ReadQueries,
  { requestedBy, status }: AllocationFilter,
  { limit, after }: { readonly limit: number; readonly after?: number },
): readonly AllocationRow[] =>
  model
    .all(
      `SELECT id, seq, revision, state FROM run
        WHERE requested_by = ?1 AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR seq < ?3)
        ORDER BY seq DESC LIMIT ?4`,
      requestedBy,
      status ?? null,
      after ?? null,
      limit,
    )
    .map((row) => ({
      id: row.id as string,
      seq: Number(row.seq),
      revision: Number(row.revision),
      state: JSON.parse(row.state as string) as AllocationState,
    }));

/** Ends runs of which nothing was heard for long. */
export const lostRuns = (reads: () => ReadQueries): DeadlineSource => ({
  name: 'lost-allocations',
  due: (now, limit) =>
    reads()
      .all('SELECT id, deadline FROM run WHERE deadline <= ? ORDER BY deadline, seq LIMIT ?', now.toISOString(), limit)
      .map((row) => ({
        due: row.deadline as string,
        command: processCommand({
          decider: allocationDecider,
          id: row.id as string,
          key: 'give up',
          command: (by): AllocationCommand => ({ type: 'GiveUpRun', by }),
        }),
      })),
});
