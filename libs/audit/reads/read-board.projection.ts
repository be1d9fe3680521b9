import type { Projection, ReadQueries } from '#kernel';
import { rowByRow, streamOf } from '#kernel';
import type { ReadEvent } from './read.contract.js';

export const READ_BOARD = 'read-board';

/** Who read a record, and when. */
export const readBoard: Projection = {
  name: READ_BOARD,
  version: 1,
  handles: ['RecordsRead' satisfies ReadEvent['type']],
  schema: `
    CREATE TABLE record_read (
      record TEXT NOT NULL, position INTEGER NOT NULL, minute TEXT NOT NULL, party TEXT NOT NULL, role TEXT NOT NULL, subject TEXT NOT NULL,
      ways TEXT NOT NULL, purposes TEXT NOT NULL, PRIMARY KEY (record, position)
    ) WITHOUT ROWID;
  `,
  begin: rowByRow((tx, event) => {
    const { minute, records, purposes = [] } = event.data as ReadEvent['data'];
    const { party, role, subject = '' } = event.metadata.actor;
    for (const { kind, id, ways } of records) {
      tx.run(
        'INSERT OR IGNORE INTO record_read (record, position, minute, party, role, subject, ways, purposes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        ...[streamOf(kind, id), event.position, minute, party, role, subject],
        ...[JSON.stringify(ways), JSON.stringify(purposes)],
      );
    }
  }),
};

/** A reading of a record by one person in one minute. */
export interface Reading {
  readonly position: number;
  readonly minute: string;
  readonly party: string;
  readonly role: string;
  readonly subject: string;
  readonly ways: readonly string[];
  readonly purposes: readonly string[];
}

/** Readings of a record, newest first. */
export const readingsOf = (
  model: ReadQueries,
  record: string,
  limit: number,
  before: number = Number.MAX_SAFE_INTEGER,
): readonly Reading[] =>
  model
    .all(
      `SELECT position, minute, party, role, subject, ways, purposes FROM record_read
       WHERE record = ? AND position < ? ORDER BY position DESC LIMIT ?`,
      record,
      before,
      limit,
    )
    .map(({ position, minute, party, role, subject, ways, purposes }) => ({
      position: Number(position),
      minute: String(minute),
      party: String(party),
      role: String(role),
      subject: String(subject),
      ways: JSON.parse(String(ways)) as string[],
      purposes: JSON.parse(String(purposes)) as string[],
    }));
