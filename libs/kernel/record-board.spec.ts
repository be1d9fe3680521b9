import { expect, test } from '@jest/globals';
import { recordedEvent } from '#kernel-testing';
import { MemoryReadDatabase } from '#read-database';
import type { Decider } from './decider.js';
import { accept } from './decider.js';
import { applyToModel } from './projection-runner.js';
import { boardOf, rowsOf, where } from './record-board.js';

interface Tally {
  readonly of?: string;
  readonly sum: number;
}
type Counted = { readonly type: 'Counted'; readonly data: { readonly of: string; readonly n: number } };

const decider: Decider<Tally, never, Counted, never> = {
  category: 'tally',
  initial: { sum: 0 },
  schemas: { Counted: 1 },
  decide: () => accept(),
  evolve: ({ sum }, { data }) => ({ of: data.of, sum: sum + data.n }),
};
const board = boardOf({ name: 'tallies', version: 1, decider, columns: { whose: ({ of }) => of ?? null } });

const counted = (id: string, revision: number, position: bigint, of: string, n: number) => ({
  ...recordedEvent(`tally-${id}`, revision, { type: 'Counted', data: { of, n } }),
  position,
});
const HISTORY = [
  counted('a', 0, 1n, 'ruth', 2),
  counted('b', 0, 2n, 'mele', 3),
  counted('c', 0, 3n, 'ruth', 5),
  counted('a', 1, 4n, 'ruth', 7),
];

test.each([1, 2, 4])('a board holds each record as it stands, newest first, in batches of %i', (size) => {
  const model = new MemoryReadDatabase().open(board);
  for (let from = 0; from < HISTORY.length; from += size) {
    applyToModel(board, model, HISTORY.slice(from, from + size), (event) => event);
  }
  expect(rowsOf<Tally>(model, [])).toEqual([
    { id: 'c', seq: 3, revision: 0, state: { of: 'ruth', sum: 5 } },
    { id: 'b', seq: 2, revision: 0, state: { of: 'mele', sum: 3 } },
    { id: 'a', seq: 1, revision: 1, state: { of: 'ruth', sum: 9 } },
  ]);
  const ids = (...asked: Parameters<typeof rowsOf>) => rowsOf<Tally>(...asked).map(({ id }) => id);
  expect(ids(model, where('r.whose = ?', 'ruth'))).toEqual(['c', 'a']);
  expect(ids(model, where('r.whose = ?', undefined), { limit: 1 })).toEqual(['c']);
  expect(ids(model, [], { limit: 2, after: 3 })).toEqual(['b', 'a']);
});
