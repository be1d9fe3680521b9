import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Projection, ReadDatabase, ReadModel, ReadQueries, RecordedEvent, SqlValue } from '#kernel';
import { applyToModel, Upcasting } from '#kernel';
import { MemoryReadDatabase, SqliteReadDatabase } from '#read-database';

/** Every table's rows, in an order that depends on the rows alone. */
export type ModelDump = Readonly<Record<string, readonly (readonly SqlValue[])[]>>;

/** All rows of all tables of a read model; full-text indexes show what they hold, not how it is segmented. */
export const dumpOf = (model: ReadQueries): ModelDump => {
  const tables = model.all(
    `SELECT name FROM pragma_table_list
     WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_model'
     ORDER BY name`,
  );
  return Object.fromEntries(
    tables.map(({ name }) => {
      const rows = model.all(`SELECT * FROM "${String(name)}"`).map((row) => Object.values(row));
      const keyed = rows.map((row) => ({ row, key: row.map(keyOf).join('\u0001') }));
      keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
      return [String(name), keyed.map(({ row }) => row)];
    }),
  );
};

const keyOf = (value: SqlValue): string =>
  `${value === null ? 'null' : typeof value}:${value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)}`;

export interface ProjectionScenarioOptions {
  readonly upcasting?: Upcasting;
  /** Most batch sizes and restart points tried: all of them for a history this short, else spread evenly. */
  readonly tries?: number;
}

/**
 * Replays `history` in every batch size, with a restart after every event, and with old events delivered again, and asserts that the
 * rows are those of one single batch (I13). Answers the rows, for the test to assert on. A projection that keeps anything outside
 * its tables is passed as a function, called anew at every restart.
 */
export const projectionScenario = (
  projection: Projection | (() => Projection),
  history: readonly RecordedEvent[],
  { upcasting = new Upcasting(), tries = 60 }: ProjectionScenarioOptions = {},
): ModelDump => {
  const make = typeof projection === 'function' ? projection : (): Projection => projection;
  const database = new MemoryReadDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'projection-scenario-'));
  const files = new SqliteReadDatabase(folder);
  const apply = (of: Projection, model: ReadModel, events: readonly RecordedEvent[]): void => {
    applyToModel(of, model, events, (event) => upcasting.lift(event));
  };
  const inMemory = (play: (of: Projection, model: ReadModel) => void): ModelDump => {
    const of = make();
    const model = database.open(of);
    play(of, model);
    const dump = dumpOf(model);
    model.close();
    return dump;
  };
  try {
    const expected = inMemory((of, model) => {
      apply(of, model, history);
    });
    for (const size of spread(history.length, tries)) {
      const dump = inMemory((of, model) => {
        for (let from = 0; from < history.length; from += size) apply(of, model, history.slice(from, from + size));
      });
      assert.deepEqual(dump, expected, `${make().name}: in batches of ${size} its rows differ from those of one batch`);
    }
    for (const point of spread(history.length, tries)) {
      const dump = inMemory((of, model) => {
        apply(of, model, history.slice(0, point));
        // Delivered again: everything so far, alone and in front of what is new.
        apply(of, model, history.slice(0, point));
        apply(of, model, history);
      });
      assert.deepEqual(dump, expected, `${make().name}: old events delivered again after ${point} change its rows`);
    }
    for (const point of spread(history.length, Math.min(tries, 20))) {
      const dump = restarted(make, files, history, point, apply);
      assert.deepEqual(dump, expected, `${make().name}: a restart after ${point} events changes its rows`);
    }
    return expected;
  } finally {
    database.close();
    files.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

const restarted = (
  make: () => Projection,
  files: ReadDatabase,
  history: readonly RecordedEvent[],
  point: number,
  apply: (of: Projection, model: ReadModel, events: readonly RecordedEvent[]) => void,
): ModelDump => {
  // A file per restart point.
  const file = `restarted-${point}`;
  const before = make();
  const model = files.open({ ...before, name: file });
  apply(before, model, history.slice(0, point));
  model.close();
  const after = make();
  const reopened = files.open({ ...after, name: file });
  apply(after, reopened, history.slice(point));
  const dump = dumpOf(reopened);
  reopened.close();
  return dump;
};

/** At most `count` of the whole numbers from 1 to `last`, both ends among them. */
const spread = (last: number, count: number): readonly number[] => {
  if (last <= count) return Array.from({ length: last }, (_, index) => index + 1);
  const step = (last - 1) / (count - 1);
  return [...new Set(Array.from({ length: count }, (_, index) => Math.round(1 + index * step)))];
};
