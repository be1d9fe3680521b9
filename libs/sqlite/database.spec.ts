import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyInto, faultOf, inTransaction, integrityFaults, openDatabase, takeProcessLock } from './database.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pledgebook-sqlite-'));
  path = join(folder, 'test.sqlite');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const faultIn = (work: () => unknown): unknown => {
  try {
    work();
    return undefined;
  } catch (error) {
    return faultOf(error);
  }
};

it('opens in WAL mode with full durability unless told otherwise', () => {
  const database = openDatabase(path);
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
  database.close();
  const other = openDatabase(path, { synchronous: 'NORMAL' });
  expect(other.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 1 });
  other.close();
});

it('leaves one whole file behind on close, although statements are still alive', () => {
  const database = openDatabase(path);
  database.exec('CREATE TABLE t (a)');
  const insert = database.prepare('INSERT INTO t VALUES (?)');
  for (let n = 0; n < 100; n += 1) insert.run('x'.repeat(1_000));
  database.close();
  const alone = join(folder, 'alone.sqlite');
  copyFileSync(path, alone);
  const again = openDatabase(alone);
  expect(again.prepare('SELECT count(*) AS count FROM t').get()).toEqual({ count: 100 });
  again.close();
});

it('keeps all of a transaction or nothing of it', () => {
  const database = openDatabase(path);
  database.exec('CREATE TABLE t (a UNIQUE)');
  const insert = database.prepare('INSERT INTO t VALUES (?)');
  inTransaction(database, () => insert.run(1));
  const fault = faultIn(() =>
    inTransaction(database, () => {
      insert.run(2);
      insert.run(1);
    }),
  );
  expect(fault).toBe('constraint');
  expect(database.isTransaction).toBe(false);
  expect(database.prepare('SELECT a FROM t').all()).toEqual([{ a: 1 }]);
  database.close();
});

it('names the fault of an error, whichever call met it', () => {
  const database = openDatabase(path);
  database.exec('CREATE TABLE t (a)');
  const reader = openDatabase(path, { readOnly: true });
  expect(faultIn(() => reader.exec('INSERT INTO t VALUES (1)'))).toBe('read-only');
  database.exec('BEGIN IMMEDIATE');
  const second = openDatabase(path, { timeout: 0 });
  expect(faultIn(() => second.exec('BEGIN IMMEDIATE'))).toBe('busy');
  database.exec('ROLLBACK; PRAGMA max_page_count = 3');
  expect(faultIn(() => database.prepare('INSERT INTO t VALUES (zeroblob(99999))').run())).toBe('full');
  expect(faultIn(() => openDatabase(join(folder, 'none', 'test.sqlite')))).toBe('cannot-open');
  const text = join(folder, 'text');
  writeFileSync(text, 'not a database '.repeat(100));
  expect(faultIn(() => openDatabase(text))).toBe('corrupt');
  expect(faultIn(() => openDatabase(text, { readOnly: true }).prepare('SELECT 1 FROM t').all())).toBe('corrupt');
  expect(faultIn(() => database.exec('SELEC'))).toBe('other');
  expect(faultOf(new Error('database or disk is full'))).toBeUndefined();
  for (const open of [database, reader, second]) open.close();
});

it('copies a database that is being written, whole', () => {
  const database = openDatabase(path);
  database.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)');
  const reader = openDatabase(path, { readOnly: true });
  const copy = join(folder, 'copy.sqlite');
  database.exec('BEGIN IMMEDIATE; INSERT INTO t VALUES (2)');
  copyInto(reader, copy);
  database.exec('COMMIT');
  const copied = openDatabase(copy, { readOnly: true });
  expect(copied.prepare('SELECT a FROM t').all()).toEqual([{ a: 1 }]);
  expect(integrityFaults(copied, 'full')).toEqual([]);
  for (const open of [database, reader, copied]) open.close();
});

it('finds a row that breaks the rules of its table', () => {
  const database = openDatabase(path);
  database.exec('CREATE TABLE t (a CHECK (a > 0)); PRAGMA ignore_check_constraints = ON; INSERT INTO t VALUES (-1)');
  database.exec('PRAGMA ignore_check_constraints = OFF');
  expect(integrityFaults(database, 'full')).toEqual(['CHECK constraint failed in t']);
  database.close();
});

it('gives a lock to one holder at a time, and leaves nothing but its file', () => {
  const lock = join(folder, 'lock');
  const first = takeProcessLock(lock);
  expect(first).toBeDefined();
  expect(takeProcessLock(lock)).toBeUndefined();
  expect(readdirSync(folder)).toEqual(['lock']);
  first?.release();
  first?.release();
  const next = takeProcessLock(lock);
  expect(next).toBeDefined();
  next?.release();
});
