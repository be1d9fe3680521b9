import type { BoardRow, DeadlineSource, Projection, ReadQueries } from '#kernel';
import { boardOf, processCommand, rowsOf, where } from '#kernel';
import type { AllocationCommand, AllocationState } from './allocation.js';
import { allocationDecider, hasEnded } from './allocation.js';

export const ALLOCATION_BOARD = 'allocation-board';

/** A run of which nothing was heard for so long has lost the program that ran it. A program that runs tells of it far more often. */
export const LOST_AFTER_MS = 15 * 60_000;

const deadlineOf = ({ run }: AllocationState): string | null =>
  run === undefined || hasEnded(run) ? null : new Date(Date.parse(run.heardAt) + LOST_AFTER_MS).toISOString();

/** Which allocations were asked for, by whom, and how far each is. */
export const allocationBoard: Projection = boardOf({
  name: ALLOCATION_BOARD,
  version: 3,
  decider: allocationDecider,
  columns: {
    requested_by: ({ run }) => run?.requestedBy ?? null,
    status: ({ run }) => run?.status ?? null,
    deadline: deadlineOf,
  },
});

export interface AllocationFilter {
  /** The party that asked. */
  readonly requestedBy: string;
  readonly status?: string;
}

/** Runs, newest first. */
export const allocationRows = (
  model: ReadQueries,
  { requestedBy, status }: AllocationFilter,
  page: { readonly limit: number; readonly after?: number },
): readonly BoardRow<AllocationState>[] =>
  rowsOf(model, [...where('r.requested_by = ?', requestedBy), ...where('r.status = ?', status)], page);

/** Ends runs of which nothing was heard for long. */
export const lostRuns = (reads: () => ReadQueries): DeadlineSource => ({
  name: 'lost-allocations',
  due: (now, limit) =>
    reads()
      .all(
        'SELECT id, deadline FROM record WHERE deadline <= ? ORDER BY deadline, seq LIMIT ?',
        now.toISOString(),
        limit,
      )
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
