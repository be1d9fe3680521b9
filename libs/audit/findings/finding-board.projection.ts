import type { BoardRow, DeadlineSource, Projection, ReadQueries } from '#kernel';
import { boardOf, processCommand, rowsOf, where } from '#kernel';
import { periodEnd } from '#vocabulary';
import type { OwedOnFinding } from './finding.contract.js';
import type { FindingCommand, FindingState } from './finding.js';
import { findingDecider, nextToPass, owedBy } from './finding.js';

export const FINDING_BOARD = 'finding-board';

/** Which findings there are, who has to answer them, and what falls due when. */
export const findingBoard: Projection = boardOf({
  name: FINDING_BOARD,
  version: 1,
  decider: findingDecider,
  columns: {
    owner: ({ finding }) => finding?.owner ?? null,
    auditor: ({ finding }) => finding?.auditor ?? null,
    severity: ({ finding }) => finding?.content.severity ?? null,
    status: ({ finding }) => finding?.status ?? null,
    due: ({ finding }) => finding?.due ?? null,
    owed_by: ({ finding }) => (finding === undefined ? null : (owedBy(finding)[0]?.[1] ?? null)),
    owed: (state) => toPass(state)?.owed ?? null,
    deadline: (state) => {
      const next = toPass(state);
      return next === undefined ? null : periodEnd(next.due);
    },
  },
});

const toPass = ({ finding }: FindingState): ReturnType<typeof nextToPass> =>
  finding === undefined ? undefined : nextToPass(finding);

export interface FindingFilter {
  readonly owner?: string;
  readonly auditor?: string;
  readonly severity?: string;
  readonly status?: string;
  /** Id of a record that the finding is about. */
  readonly record?: string;
  /** Due before this day. */
  readonly dueBefore?: string;
  /** Something is owed, and its day has passed. */
  readonly overdue?: boolean;
}

/** Findings, newest first, whoever may see them; `today` decides what is overdue. */
export const findingRows = (
  model: ReadQueries,
  { owner, auditor, severity, status, record, dueBefore, overdue }: FindingFilter,
  { today, ...page }: { readonly today: string; readonly limit: number; readonly after?: number },
): readonly BoardRow<FindingState>[] =>
  rowsOf(
    model,
    [
      ...where('r.owner = ?', owner),
      ...where('r.auditor = ?', auditor),
      ...where('r.severity = ?', severity),
      ...where('r.status = ?', status),
      ...where(
        "EXISTS (SELECT 1 FROM json_each(r.state, '$.finding.records') a WHERE json_extract(a.value, '$.id') = ?)",
        record,
      ),
      ...where('r.due < ?', dueBefore),
      ...where('(r.owed_by IS NOT NULL AND r.owed_by < ?) = 1', overdue === true ? today : undefined),
      ...where('(r.owed_by IS NOT NULL AND r.owed_by < ?) = 0', overdue === false ? today : undefined),
    ],
    page,
  );

/** Knows when a day passes on which an owner should have answered or acted. */
export const findingDeadlines = (reads: () => ReadQueries): DeadlineSource => ({
  name: 'finding-deadlines',
  due: (now, limit) =>
    reads()
      .all(
        'SELECT id, owed, deadline FROM record WHERE deadline <= ? ORDER BY deadline, seq LIMIT ?',
        now.toISOString(),
        limit,
      )
      .map((row) => {
        const owed = row.owed as OwedOnFinding;
        return {
          due: row.deadline as string,
          command: processCommand({
            decider: findingDecider,
            id: row.id as string,
            key: `overdue ${owed}`,
            command: (by): FindingCommand => ({ type: 'FallOverdue', by, owed }),
          }),
        };
      }),
});
