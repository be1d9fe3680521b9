import { describe, expect, it } from '@jest/globals';
import type { Projection } from '#kernel';
import { rowByRow, Upcasting } from '#kernel';
import { MemoryReadDatabase } from '#read-database';
import { counterValues } from './counter.js';
import { dumpOf, projectionScenario } from './projection-scenario.js';
import { recordedEvent } from './records.js';

const history = [3, 1, 4, 1, 5, 9, 2, 6].map((by, index) =>
  recordedEvent(
    `counter-${index % 3}`,
    Math.floor(index / 3),
    { type: 'Raised', data: { by } },
    {},
    BigInt(index * 2 + 1),
  ),
);

const by = (event: { readonly data: object }): number => (event.data as { by: number }).by;

describe('projection scenario', () => {
  it('answers the rows that every way of replaying gives', () => {
    expect(projectionScenario(counterValues, history)).toEqual({
      value: [
        ['counter-0', 6],
        ['counter-1', 12],
        ['counter-2', 13],
      ],
    });
    expect(projectionScenario(() => counterValues, history, { tries: 3 }).value?.length).toBe(3);
    expect(projectionScenario(counterValues, [])).toEqual({ value: [] });
  });

  it('finds a projection that depends on where batches end', () => {
    const lastOfBatch: Projection = {
      ...counterValues,
      begin: (tx) => {
        let last = 0;
        return {
          apply: (event) => (last = by(event)),
          flush: () => {
            tx.run(
              `INSERT INTO value VALUES ('last', ?) ON CONFLICT (stream) DO UPDATE SET value = value + ?`,
              last,
              last,
            );
          },
        };
      },
    };
    expect(() => projectionScenario(lastOfBatch, history)).toThrow('in batches of 1');
  });

  it('finds a projection that keeps what a restart loses', () => {
    const forgetful = (): Projection => {
      let sum = 0;
      return {
        ...counterValues,
        begin: rowByRow((tx, event) => {
          sum += by(event);
          tx.run(`INSERT INTO value VALUES ('sum', ?) ON CONFLICT (stream) DO UPDATE SET value = excluded.value`, sum);
        }),
      };
    };
    expect(() => projectionScenario(forgetful, history)).toThrow('a restart after 1 events changes its rows');
  });

  it('lifts old events', () => {
    const upcasting = new Upcasting([{ type: 'Raised', from: 1, up: () => ({ by: 1 }) }]);
    expect(projectionScenario(counterValues, history.slice(0, 1), { upcasting })).toEqual({
      value: [['counter-0', 1]],
    });
  });

  it('dumps every kind of value and what a full-text index holds', () => {
    const database = new MemoryReadDatabase();
    const model = database.open({
      name: 'kinds',
      version: 1,
      schema: `CREATE TABLE kinds (a ANY); CREATE VIRTUAL TABLE words USING fts5(word); CREATE INDEX kinds_a ON kinds (a);`,
    });
    model.commit(1n, (tx) => {
      tx.run('INSERT INTO kinds VALUES (?), (?), (NULL), (?)', 'x', new Uint8Array([1]), 2);
      tx.run(`INSERT INTO words VALUES ('two'), ('one'), ('one')`);
    });
    expect(dumpOf(model)).toEqual({
      kinds: [[null], [2], [new Uint8Array([1])], ['x']],
      words: [['one'], ['one'], ['two']],
    });
    database.close();
  });
});
