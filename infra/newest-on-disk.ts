import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewestEvent, NewestOfStreams } from '#evidence';
import { type Database, inTransaction, openDatabase, type Statement } from '#sqlite';

/** Where the newest events of streams lie that memory has no room for. */
interface Spilled {
  readonly folder: string;
  readonly database: Database;
  readonly find: Statement;
  readonly keep: Statement;
}

const IN_MEMORY = 20_000;

/** In memory, and beyond so many in a file that is gone with the process: a log has as many streams as records. */
export class NewestOnDisk implements NewestOfStreams {
  private readonly pending = new Map<string, NewestEvent>();
  private spilled: Spilled | undefined;

  /** @param inMemory how many streams are held in memory at most */
  constructor(private readonly inMemory = IN_MEMORY) {}

  get(stream: string): NewestEvent | undefined {
    const pending = this.pending.get(stream);
    if (pending !== undefined) return pending;
    const row = this.spilled?.find.get(stream) as { readonly revision: number; readonly hash: string } | undefined;
    return row === undefined ? undefined : { revision: row.revision, entryHash: row.hash };
  }

  set(stream: string, newest: NewestEvent): void {
    this.pending.set(stream, newest);
    if (this.pending.size < this.inMemory) return;
    const { database, keep } = (this.spilled ??= openSpilled());
    inTransaction(database, () => {
      for (const [name, { revision, entryHash }] of this.pending) keep.run(name, revision, entryHash);
    });
    this.pending.clear();
  }

  close(): void {
    if (this.spilled === undefined) return;
    this.spilled.database.close();
    rmSync(this.spilled.folder, { recursive: true, force: true });
  }
}

const openSpilled = (): Spilled => {
  const folder = mkdtempSync(join(tmpdir(), 'pledgebook-verify-'));
  const database = openDatabase(join(folder, 'newest.sqlite'), { synchronous: 'OFF' });
  database.exec('CREATE TABLE newest (stream TEXT PRIMARY KEY, revision INTEGER, hash TEXT) STRICT, WITHOUT ROWID');
  return {
    folder,
    database,
    find: database.prepare('SELECT revision, hash FROM newest WHERE stream = ?'),
    keep: database.prepare('INSERT OR REPLACE INTO newest (stream, revision, hash) VALUES (?, ?, ?)'),
  };
};
