import { join } from 'node:path';
import { contexts } from '#services';
import type { EventStore, Projection, ReadTransaction } from '#kernel';
import { ProjectionRunner, SystemClock, Transactor } from '#kernel';
import { needBoard } from '#needs';
import { SqliteReadDatabase } from '#read-database';
import { openDatabase } from '#sqlite';
import { logPath, SqliteEventStore } from '#store-sqlite';
import type { Folders } from './folders.js';
import type { Turn } from './measure.js';
import { interleaved, rateOf, ratioOf, turn } from './measure.js';
import type { Figure } from './report.js';

const PAGE = 2_000;
const TIMEOUT_MS = 600_000;

/** Rebuilding read models from a log against reading that log and parsing its JSON, and nothing else. */
export const rebuilding = async (
  folders: Folders,
  log: string,
  { rounds }: { readonly rounds: number },
): Promise<readonly Figure[]> => {
  const store = SqliteEventStore.open(log);
  const transactor = new Transactor(store, new SystemClock());
  const deps = {
    store,
    transactor,
    clock: new SystemClock(),
    reads: () => {
      throw new Error('nothing is read while a log is rebuilt');
    },
  };
  const all = contexts.flatMap((context) => context.projections?.(deps) ?? []);
  const head = Number(await store.head());
  const rebuild = (projections: readonly Projection[]): Promise<Turn> =>
    turn(async () => {
      await build(store, folders.fresh('read'), projections);
      return head;
    });
  try {
    const turns = await interleaved(rounds, {
      raw: () => turn(() => scan(log)),
      plain: () => rebuild([withoutSearch(needBoard)]),
      searched: () => rebuild([needBoard]),
      all: () => rebuild(all),
    });
    return [
      { name: 'raw scan and JSON.parse of the log', value: rateOf(turns.raw), unit: 'ev/s' },
      { name: 'need board without full-text search', value: rateOf(turns.plain), unit: 'ev/s' },
      { name: 'need board', value: rateOf(turns.searched), unit: 'ev/s' },
      { name: `all ${all.length} read models together`, value: rateOf(turns.all), unit: 'ev/s' },
      {
        name: 'need board without full-text search : raw scan',
        value: ratioOf(turns.plain, turns.raw),
        unit: 'ratio',
        target: { bound: 'at least', value: 0.4 },
      },
      {
        name: 'need board : raw scan',
        value: ratioOf(turns.searched, turns.raw),
        unit: 'ratio',
        target: { bound: 'at least', value: 0.2 },
      },
      {
        name: '… without it, by processor time',
        value: ratioOf(turns.plain, turns.raw, 'cpuSeconds'),
        unit: 'ratio',
      },
      { name: '… with it, by processor time', value: ratioOf(turns.searched, turns.raw, 'cpuSeconds'), unit: 'ratio' },
      { name: 'all read models : raw scan', value: ratioOf(turns.all, turns.raw), unit: 'ratio' },
    ];
  } finally {
    await store.close();
  }
};

/** The engine and the parser alone, in pages as large as the projections'. */
export const scan = (log: string): number => {
  const database = openDatabase(logPath(log), { readOnly: true, cacheKib: 65_536 });
  const page = database.prepare(
    'SELECT position, stream, revision, id, type, data, metadata FROM events WHERE position > ? ORDER BY position LIMIT ?',
  );
  page.setReturnArrays(true);
  let position = 0;
  let parsed = 0;
  for (
    let rows = page.all(position, PAGE) as RawEvent[];
    rows.length > 0;
    rows = page.all(position, PAGE) as RawEvent[]
  ) {
    for (const [, , , , , data, metadata] of rows) {
      if (typeof JSON.parse(data) === 'object' && typeof JSON.parse(metadata) === 'object') parsed += 1;
    }
    position = rows.at(-1)?.[0] ?? position;
  }
  database.close();
  return parsed;
};

type RawEvent = [number, string, number, string, string, string, string];

/** Builds read models in a folder up to the log's head. */
export const build = async (store: EventStore, folder: string, projections: readonly Projection[]): Promise<void> => {
  const database = new SqliteReadDatabase(join(folder, 'read'), { origin: store.storeId });
  const runner = new ProjectionRunner(store, database, projections, {
    alarm: (alarm) => {
      throw new Error(`a projection stands still: ${alarm.kind}`);
    },
  });
  await runner.start();
  if (!(await runner.waitFor(await store.head(), TIMEOUT_MS))) throw new Error('the rebuild did not come to its end');
  await runner.stop();
  database.close();
};

/** The same projection without its full-text tables: what they cost is the difference. */
const withoutSearch = (projection: Projection): Projection => {
  const declared = /CREATE VIRTUAL TABLE (\w+) USING fts5[^;]*;/g;
  const tables = [...projection.schema.matchAll(declared)].map(([, name = '']) => name);
  if (tables.length === 0) throw new Error(`${projection.name} has no full-text search to leave out`);
  const searched = new Map<string, boolean>();
  const isSearch = (sql: string): boolean => {
    const known = searched.get(sql) ?? tables.some((table) => sql.includes(table));
    searched.set(sql, known);
    return known;
  };
  return {
    ...projection,
    schema: projection.schema.replaceAll(declared, ''),
    begin: (tx) => {
      const plain: ReadTransaction = {
        get: (sql, ...parameters) => tx.get(sql, ...parameters),
        all: (sql, ...parameters) => tx.all(sql, ...parameters),
        run: (sql, ...parameters) => {
          if (!isSearch(sql)) tx.run(sql, ...parameters);
        },
      };
      return projection.begin(plain);
    },
  };
};
