import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Database, openDatabase } from '#sqlite';

const SCHEMA =
  'CREATE TABLE IF NOT EXISTS checkpoint (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID';

/**
 * How far each subscription has come. Losing the file is harmless: everything is handled again, and handling twice writes once;
 * so a file that cannot be read is thrown away.
 */
export class Checkpoints {
  private readonly database: Database;

  constructor(path: string, discarded: (error: unknown) => void) {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
    this.database = opened(path, discarded);
  }

  read(name: string): bigint {
    const row = this.database
      .prepare('SELECT CAST(position AS TEXT) AS position FROM checkpoint WHERE name = ?')
      .get(name);
    return row === undefined ? 0n : BigInt((row as { position: string }).position);
  }

  save(name: string, position: bigint): void {
    this.database
      .prepare('INSERT INTO checkpoint VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position')
      .run(name, position);
  }

  close(): void {
    this.database.close();
  }
}

const opened = (path: string, discarded: (error: unknown) => void): Database => {
  try {
    return create(path);
  } catch (error) {
    discarded(error);
    for (const companion of ['', '-wal', '-shm']) rmSync(path + companion, { force: true });
    return create(path);
  }
};

const create = (path: string): Database => {
  const database = openDatabase(path, { synchronous: 'NORMAL', cacheKib: 256 });
  try {
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};
