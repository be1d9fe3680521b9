import type { CommitmentEvent } from '#commitments/contract';
import type { Projection, ReadQueries } from '#kernel';
import { idOfStream, rowByRow } from '#kernel';
import type { SampleEvent } from './sample.contract.js';

export const SAMPLE_BOARD = 'sample-board';

/** Which commitments were ever bound, for populations to be made of, and which samples were drawn by whom. */
export const sampleBoard: Projection = {
  name: SAMPLE_BOARD,
  version: 1,
  handles: ['CommitmentBound' satisfies CommitmentEvent['type'], 'SampleDrawn' satisfies SampleEvent['type']],
  schema: `
    CREATE TABLE bound (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
    CREATE TABLE sample (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, auditor TEXT NOT NULL);
    CREATE INDEX sample_by_auditor ON sample (auditor, seq);
  `,
  begin: rowByRow((tx, { type, stream, position, data }) => {
    const id = idOfStream(stream);
    if (type === 'CommitmentBound') {
      tx.run('INSERT OR IGNORE INTO bound (seq, id) VALUES (?, ?)', position, id);
      return;
    }
    const { auditor } = data as SampleEvent['data'];
    tx.run('INSERT OR IGNORE INTO sample (seq, id, auditor) VALUES (?, ?, ?)', position, id, auditor);
  }),
};

/** Commitments that were ever bound, oldest first. */
export const boundCommitments = (
  model: ReadQueries,
  limit: number,
  after: number,
): readonly { readonly seq: number; readonly id: string }[] =>
  model
    .all('SELECT seq, id FROM bound WHERE seq > ? ORDER BY seq LIMIT ?', after, limit)
    .map(({ seq, id }) => ({ seq: Number(seq), id: id as string }));

/** Samples of an auditor, newest first. */
export const samplesOf = (
  model: ReadQueries,
  auditor: string,
  limit: number,
  after: number = Number.MAX_SAFE_INTEGER,
): readonly { readonly seq: number; readonly id: string }[] =>
  model
    .all('SELECT seq, id FROM sample WHERE auditor = ? AND seq < ? ORDER BY seq DESC LIMIT ?', auditor, after, limit)
    .map(({ seq, id }) => ({ seq: Number(seq), id: id as string }));
