import type { Command, Decider, Rejection } from './decider.js';
import { idOfStream } from './decider.js';
import type { DomainEvent, RecordedEvent } from './events.js';
import type { Projection, ReadQueries, SqlValue } from './projection.js';

/** A record as its board holds it. */
export interface BoardRow<S> {
  readonly id: string;
  /** Position of its first event: newest first is the greatest first. */
  readonly seq: number;
  readonly revision: number;
  readonly state: S;
}

interface Touched<S> {
  state: S;
  revision: number;
  readonly seq: bigint | number;
}

/** A board of one kind of record: a row each, its folded state, which must survive JSON, and the columns that lists filter by. */
export const boardOf = <S, C extends Command, E extends DomainEvent, R extends Rejection>({
  name,
  version,
  decider,
  columns,
}: {
  readonly name: string;
  readonly version: number;
  readonly decider: Decider<S, C, E, R>;
  readonly columns: Readonly<Record<string, (state: S) => SqlValue>>;
}): Projection => {
  const names = Object.keys(columns);
  return {
    name,
    version,
    handles: Object.keys(decider.schemas),
    schema: `
      CREATE TABLE record (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        revision INTEGER NOT NULL,
        state TEXT NOT NULL${names.map((column) => `,\n        ${column} TEXT`).join('')}
      );
      ${names.map((column) => `CREATE INDEX record_by_${column} ON record (${column}, seq);`).join('\n      ')}
    `,
    begin: (tx) => {
      const touched = new Map<string, Touched<S>>();
      return {
        apply: (event) => {
          const id = idOfStream(event.stream);
          let entry = touched.get(id);
          if (entry === undefined) {
            const row = tx.get('SELECT seq, revision, state FROM record WHERE id = ?', id);
            entry =
              row === undefined
                ? { state: decider.initial, revision: -1, seq: event.position }
                : { state: JSON.parse(row.state as string) as S, revision: Number(row.revision), seq: Number(row.seq) };
            touched.set(id, entry);
          }
          entry.state = decider.evolve(entry.state, event as RecordedEvent<E>);
          entry.revision = event.revision;
        },
        flush: () => {
          for (const [id, { seq, revision, state }] of touched) {
            tx.run(
              `INSERT OR REPLACE INTO record (seq, id, revision, state${names.map((column) => `, ${column}`).join('')})
               VALUES (?, ?, ?, ?${', ?'.repeat(names.length)})`,
              seq,
              id,
              revision,
              JSON.stringify(state),
              ...names.map((column) => columns[column]?.(state) ?? null),
            );
          }
        },
      };
    },
  };
};

export interface Condition {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** Rows that hold every condition, newest first, after `seq` where a page went before; all of them without a limit. */
export const rowsOf = <S>(
  model: ReadQueries,
  conditions: readonly Condition[],
  { limit = -1, after }: { readonly limit?: number; readonly after?: number } = {},
): readonly BoardRow<S>[] => {
  const all = [...conditions, ...(after === undefined ? [] : [{ sql: 'r.seq < ?', parameters: [after] }])];
  return model
    .all(
      `SELECT r.id, r.seq, r.revision, r.state FROM record r WHERE ${['1', ...all.map(({ sql }) => sql)].join(' AND ')} ORDER BY r.seq DESC LIMIT ?`,
      ...all.flatMap(({ parameters }) => parameters),
      limit,
    )
    .map((row) => ({
      id: row.id as string,
      seq: Number(row.seq),
      revision: Number(row.revision),
      state: JSON.parse(row.state as string) as S,
    }));
};

/** One column of a row equals a value that was asked for; nothing where none was. */
export const where = (sql: string, value: SqlValue | undefined): readonly Condition[] =>
  value === undefined ? [] : [{ sql, parameters: [value] }];
