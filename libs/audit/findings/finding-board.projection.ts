import type { DeadlineSource, Projection, ReadQueries, ReadTransaction, RecordedEvent, SqlValue } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import { periodEnd } from '#vocabulary';
import type { FindingEvent, OwedOnFinding } from './finding.contract.js';
import type { Finding, FindingCommand, FindingState } from './finding.js';
import { findingDecider, nextToPass, owedBy } from './finding.js';

export const FINDING_BOARD = 'finding-board';

/** Which findings there are, who has to answer them, and what falls due when. */
export const findingBoard: Projection = {
  name: FINDING_BOARD,
  version: 1,
  handles: Object.keys(findingDecider.schemas),
  schema: `
    CREATE TABLE finding (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      revision INTEGER NOT NULL,
      auditor TEXT NOT NULL,
      owner TEXT NOT NULL,
      severity TEXT NOT NULL,
      status TEXT NOT NULL,
      due TEXT NOT NULL,
      owed_by TEXT,
      owed TEXT,
      deadline TEXT,
      state TEXT NOT NULL
    );
    CREATE INDEX finding_by_owner ON finding (owner, seq);
    CREATE INDEX finding_by_deadline ON finding (deadline) WHERE deadline IS NOT NULL;
    CREATE TABLE finding_record (
      finding INTEGER NOT NULL,
      record TEXT NOT NULL,
      PRIMARY KEY (record, finding)
    ) WITHOUT ROWID;
  `,
  begin: (tx: ReadTransaction) => {
    const touched = new Map<string, { readonly seq: bigint | number; revision: number; state: FindingState }>();
    const stored = (id: string, event: RecordedEvent) => {
      const row = tx.get('SELECT seq, state FROM finding WHERE id = ?', id);
      return row === undefined
        ? { seq: event.position, revision: -1, state: findingDecider.initial }
        : { seq: Number(row.seq), revision: -1, state: { finding: JSON.parse(row.state as string) as Finding } };
    };
    return {
      apply: (event) => {
        const id = idOfStream(event.stream);
        const entry = touched.get(id) ?? stored(id, event);
        entry.state = findingDecider.evolve(entry.state, event as RecordedEvent<FindingEvent>);
        entry.revision = event.revision;
        touched.set(id, entry);
      },
      flush: () => {
        for (const [
          id,
          {
            seq,
            revision,
            state: { finding },
          },
        ] of touched) {
          if (finding === undefined) continue;
          const next = nextToPass(finding);
          tx.run(
            `INSERT OR REPLACE INTO finding (seq, id, revision, auditor, owner, severity, status, due, owed_by, owed, deadline, state)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
            seq,
            id,
            revision,
            finding.auditor,
            finding.owner,
            finding.content.severity,
            finding.status,
            finding.due,
            owedBy(finding)[0]?.[1] ?? null,
            next?.owed ?? null,
            next === undefined ? null : periodEnd(next.due),
            JSON.stringify(finding),
          );
          for (const record of finding.records) {
            tx.run('INSERT OR IGNORE INTO finding_record (finding, record) VALUES (?, ?)', seq, record.id);
          }
        }
      },
    };
  },
};

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

export interface FindingRow {
  readonly seq: number;
  readonly id: string;
  readonly revision: number;
  readonly state: { readonly finding: Finding };
}

/** Findings, newest first, whoever may see them; `today` decides what is overdue. */
export const findingRows = (
  model: ReadQueries,
  { owner, auditor, severity, status, record, dueBefore, overdue }: FindingFilter,
  { today, limit, after }: { readonly today: string; readonly limit: number; readonly after?: number | undefined },
): readonly FindingRow[] => {
  const clauses = ['1'];
  const values: SqlValue[] = [];
  const where = (sql: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    clauses.push(sql);
    values.push(value);
  };
  where('owner = ?', owner);
  where('auditor = ?', auditor);
  where('severity = ?', severity);
  where('status = ?', status);
  where('seq IN (SELECT finding FROM finding_record WHERE record = ?)', record);
  where('due < ?', dueBefore);
  where('(owed_by IS NOT NULL AND owed_by < ?) = 1', overdue === true ? today : undefined);
  where('(owed_by IS NOT NULL AND owed_by < ?) = 0', overdue === false ? today : undefined);
  where('seq < ?', after);
  return model
    .all(
      `SELECT seq, id, revision, state FROM finding WHERE ${clauses.join(' AND ')} ORDER BY seq DESC LIMIT ?`,
      ...values,
      limit,
    )
    .map((row) => ({
      seq: Number(row.seq),
      id: row.id as string,
      revision: Number(row.revision),
      state: { finding: JSON.parse(row.state as string) as Finding },
    }));
};

/** Knows when a day passes on which an owner should have answered or acted. */
export const findingDeadlines = (reads: () => ReadQueries): DeadlineSource => ({
  name: 'finding-deadlines',
  due: (now, limit) =>
    reads()
      .all(
        'SELECT id, owed, deadline FROM finding WHERE deadline <= ? ORDER BY deadline, seq LIMIT ?',
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
