import { copyFileSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyToModel, ProjectionRunner, type ReadDatabase, ReadModelUnavailableError } from '#kernel';
import { counterValues, InMemoryEventStore, recordedEvent } from '#kernel-testing';
import { openDatabase } from '#sqlite';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type DiscardedModel, MemoryReadDatabase, SqliteReadDatabase } from './sqlite-read-database.js';

const root = mkdtempSync(join(tmpdir(), 'read-'));
let folder = root;
let count = 0;
beforeEach(() => {
  folder = join(root, String((count += 1)));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const words = { name: 'words', version: 1, schema: 'CREATE TABLE word (n INTEGER PRIMARY KEY, w ANY);' };
const FILE = 'words-v1.sqlite';

const withDiscards = (origin?: string): { database: SqliteReadDatabase; discarded: DiscardedModel[] } => {
  const discarded: DiscardedModel[] = [];
  const options = { discarded: (model: DiscardedModel) => void discarded.push(model) };
  return {
    database: new SqliteReadDatabase(folder, origin === undefined ? options : { ...options, origin }),
    discarded,
  };
};

const files = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.sqlite'))
    .sort();

const fill = (database: ReadDatabase): void => {
  database.open(words).commit(7n, (tx) => {
    tx.run('INSERT INTO word VALUES (?, ?)', 1, 'one');
  });
};

it('says that a full disk is no fault of the event, keeps what it had, and goes on when there is room', () => {
  const database = new SqliteReadDatabase(folder);
  const model = database.open(words);
  model.commit(7n, (tx) => {
    tx.run('INSERT INTO word VALUES (?, ?)', 1, 'one');
  });
  expect(() => {
    model.commit(8n, (tx) => {
      tx.all('PRAGMA max_page_count = 5');
      for (let n = 2; n < 500; n += 1) tx.run('INSERT INTO word VALUES (?, ?)', n, 'w'.repeat(1_000));
    });
  }).toThrow(ReadModelUnavailableError);
  expect([model.checkpoint, model.all('SELECT n FROM word').length]).toEqual([7n, 1]);
  model.commit(9n, (tx) => {
    tx.all('PRAGMA max_page_count = 1000000');
    for (let n = 2; n < 500; n += 1) tx.run('INSERT INTO word VALUES (?, ?)', n, 'w'.repeat(1_000));
  });
  expect(model.checkpoint).toBe(9n);
  database.close();
});

describe.each([
  ['in files', (): ReadDatabase => new SqliteReadDatabase(folder)],
  ['in memory', (): ReadDatabase => new MemoryReadDatabase()],
])('read models %s', (_where, make) => {
  it('keep rows and checkpoint together, or neither', () => {
    const database = make();
    const model = database.open(words);
    expect(model.checkpoint).toBe(0n);
    model.commit(5n, (tx) => {
      tx.run('INSERT INTO word VALUES (?, ?)', 1, 'one');
      expect(tx.get('SELECT w FROM word WHERE n = ?', 1)).toEqual(expect.objectContaining({ w: 'one' }));
      expect(tx.all('SELECT w FROM word').length).toBe(1);
    });
    expect(() => {
      model.commit(6n, (tx) => {
        tx.run('INSERT INTO word VALUES (?, ?)', 2, 'two');
        throw new Error('half-way');
      });
    }).toThrow('half-way');
    expect(model.checkpoint).toBe(5n);
    expect(model.all('SELECT n FROM word').map(({ n }) => n)).toEqual([1]);
    expect(model.get('SELECT n FROM word WHERE n = 2')).toBeUndefined();
    database.close();
  });

  it('switch to the model built beside', () => {
    const database = make();
    const current = database.open(words);
    current.commit(5n, (tx) => {
      tx.run(`INSERT INTO word VALUES (1, 'old')`);
    });
    const built = database.openBeside(words);
    expect([built.checkpoint, built.all('SELECT * FROM word')]).toEqual([0n, []]);
    built.commit(9n, (tx) => {
      tx.run(`INSERT INTO word VALUES (1, 'new')`);
    });
    expect(current.get('SELECT w FROM word')).toMatchObject({ w: 'old' });
    const switched = database.switchTo(words, current, built);
    expect([switched.checkpoint, switched.get('SELECT w FROM word')]).toMatchObject([9n, { w: 'new' }]);
    database.dropOlder(words);
    switched.close();
    switched.close();
    database.close();
  });

  it('read integers as numbers, and as bigint beyond 2^53, alone', () => {
    const database = make();
    const model = database.open(words);
    model.commit(1n, (tx) => {
      tx.run('INSERT INTO word VALUES (1, ?), (2, ?), (3, ?), (4, NULL)', 2n ** 53n, -(2n ** 60n), 12);
    });
    expect(model.all('SELECT n, w FROM word ORDER BY n').map(({ n, w }) => [n, w])).toEqual([
      [1, 2n ** 53n],
      [2, -(2n ** 60n)],
      [3, 12],
      [4, null],
    ]);
    expect(model.get('SELECT n, w FROM word WHERE n = 1')).toMatchObject({ n: 1, w: 2n ** 53n });
    expect(model.get('SELECT n, w FROM word WHERE n = 3')).toMatchObject({ n: 3, w: 12 });
    database.close();
  });

  it('say what is wrong with a statement', () => {
    const database = make();
    const model = database.open(words);
    expect(() => model.get('SELECT w FROM nowhere')).toThrow('nowhere');
    expect(() => model.get('SELECT abs(-9223372036854775807 - 1)')).toThrow('overflow');
    database.close();
  });
});

describe('read models in files', () => {
  it('are there again after a restart', () => {
    const first = new SqliteReadDatabase(folder);
    fill(first);
    first.close();
    const { database, discarded } = withDiscards();
    const model = database.open(words);
    expect([model.checkpoint, model.get('SELECT w FROM word')]).toMatchObject([7n, { w: 'one' }]);
    expect(discarded).toEqual([]);
    database.close();
  });

  it('survive a process that never closed them', () => {
    const crashed = new SqliteReadDatabase(folder);
    fill(crashed);
    const { database, discarded } = withDiscards();
    expect(database.open(words).checkpoint).toBe(7n);
    expect(discarded).toEqual([]);
    database.close();
    crashed.close();
  });

  it('are thrown away where the file is no database', () => {
    new SqliteReadDatabase(folder).close();
    writeFileSync(join(folder, FILE), 'no database at all'.repeat(500));
    const { database, discarded } = withDiscards();
    expect(database.open(words).checkpoint).toBe(0n);
    expect(discarded).toMatchObject([{ name: 'words', version: 1 }]);
    database.close();
  });

  it('are thrown away where nobody closed the file and pages of it are missing', () => {
    const crashed = new SqliteReadDatabase(folder);
    crashed.open(words).commit(7n, (tx) => {
      for (let n = 0; n < 2_000; n += 1) tx.run('INSERT INTO word VALUES (?, ?)', n, 'word'.repeat(20));
    });
    crashed.close();
    const raw = openDatabase(join(folder, FILE));
    raw.exec('UPDATE _model SET clean = 0');
    raw.close();
    truncateSync(join(folder, FILE), 4096 * 8);
    const { database, discarded } = withDiscards();
    expect(database.open(words).checkpoint).toBe(0n);
    expect(discarded.length).toBe(1);
    database.close();
  });

  it('are thrown away where an index disagrees with its table', () => {
    const database = new SqliteReadDatabase(folder);
    const indexed = { ...words, schema: 'CREATE TABLE t (a CHECK (a > 0));' };
    database.open(indexed);
    database.close();
    const raw = openDatabase(join(folder, FILE));
    raw.exec('PRAGMA ignore_check_constraints = ON; INSERT INTO t VALUES (-1); UPDATE _model SET clean = 0');
    raw.close();
    const { database: next, discarded } = withDiscards();
    expect(next.open(indexed).all('SELECT * FROM t')).toEqual([]);
    expect(discarded).toMatchObject([{ reason: expect.stringContaining('CHECK constraint failed') }]);
    next.close();
  });

  it('are thrown away where they hold other tables, or were built from another log', () => {
    const first = withDiscards('log-1').database;
    fill(first);
    first.close();
    const second = withDiscards('log-2');
    expect(second.database.open(words).checkpoint).toBe(0n);
    expect(second.discarded).toMatchObject([{ reason: 'it was built from another log' }]);
    second.database.close();
    const third = withDiscards('log-2');
    const changed = { ...words, schema: 'CREATE TABLE other (n INTEGER);' };
    expect(third.database.open(changed).all('SELECT * FROM other')).toEqual([]);
    expect(third.discarded).toMatchObject([{ reason: 'its tables are not those of this version' }]);
    third.database.close();
  });

  it('are thrown away without a word where nobody listens', () => {
    new SqliteReadDatabase(folder).close();
    writeFileSync(join(folder, FILE), 'no database at all'.repeat(500));
    const database = new SqliteReadDatabase(folder);
    expect(database.open(words).checkpoint).toBe(0n);
    database.close();
  });

  it('say it where the fault is not the file: tables that cannot be made', () => {
    const database = new SqliteReadDatabase(folder);
    expect(() => database.open({ ...words, schema: 'CREATE TABEL x' })).toThrow('TABEL');
    expect(() => database.open({ ...words, name: 'no/such/folder' })).toThrow();
    database.close();
  });

  it('leave no file of an older version or a broken-off build behind', () => {
    const database = new SqliteReadDatabase(folder);
    database.open(words);
    database.openBeside(words);
    database.open({ ...words, name: 'words-more' });
    const next = { ...words, version: 12 };
    database.open(next);
    database.close();
    expect(files()).toEqual(['words-more-v1.sqlite', 'words-v1.r1.sqlite', 'words-v1.sqlite', 'words-v12.sqlite']);
    const again = new SqliteReadDatabase(folder);
    again.open(words);
    expect(files()).not.toContain('words-v1.r1.sqlite');
    again.dropOlder(next);
    again.close();
    expect(files()).toEqual(['words-more-v1.sqlite', 'words-v12.sqlite']);
  });

  it('open the newest rebuild that was switched to, and leave nothing else', () => {
    const first = new SqliteReadDatabase(folder);
    const original = first.open(words);
    const built = first.switchTo(words, original, first.openBeside(words));
    built.commit(3n, () => undefined);
    first.openBeside(words).commit(2n, () => undefined);
    first.close();
    // As a crash between the switch and the removal would leave it.
    const stale = new SqliteReadDatabase(folder);
    expect(files()).toEqual(['words-v1.r1.sqlite', 'words-v1.r2.sqlite']);
    copyFileSync(join(folder, 'words-v1.r1.sqlite'), join(folder, FILE));
    expect(stale.open(words).checkpoint).toBe(3n);
    expect(files()).toEqual(['words-v1.r1.sqlite']);
    stale.close();
  });

  it('carry a projection runner through restart, rebuild and a new version', async () => {
    const store = new InMemoryEventStore();
    const { type, data, metadata } = recordedEvent('counter-1', 0, { type: 'Raised', data: { by: 2 } });
    const append = async (revision: number): Promise<bigint> =>
      (
        await store.append('counter-1', revision - 1, [
          { id: `00000000-0000-7000-8000-00000000000${revision}`, type, data, metadata },
        ])
      ).position;
    for (const [run, version] of [1, 1, 2].entries()) {
      const database = new SqliteReadDatabase(folder, { origin: store.storeId });
      const runner = new ProjectionRunner(store, database, [{ ...counterValues, version }]);
      await runner.start();
      expect(await runner.waitFor(await append(run), 5_000)).toBe(true);
      await runner.rebuild('counter-values');
      expect(runner.model('counter-values').get('SELECT value FROM value')).toMatchObject({ value: 2 * (run + 1) });
      await runner.stop();
      database.close();
    }
    expect(files()).toEqual(['counter-values-v2.r1.sqlite']);
    await store.close();
  });

  it('commit a batch of a projection in one go', () => {
    const database = new SqliteReadDatabase(folder);
    const model = database.open(counterValues);
    const events = Array.from({ length: 50 }, (_, revision) =>
      recordedEvent('counter-1', revision, { type: 'Raised', data: { by: 1 } }),
    );
    expect(applyToModel(counterValues, model, events, (event) => event)).toBe(true);
    expect([model.checkpoint, model.get('SELECT value FROM value')]).toMatchObject([50n, { value: 50 }]);
    database.close();
  });
});
