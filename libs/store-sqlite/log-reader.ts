import { existsSync } from 'node:fs';
import type { RecordedEvent } from '#kernel';
import { StoreUnavailableError } from '#kernel';
import type { Database } from '#sqlite';
import { openDatabase } from '#sqlite';
import { logPath } from './data-folder.js';
import { LogReads, storeIdOf, unavailable } from './log-file.js';

/** A log opened for reading only, also while a server writes to it: for tools. Reads as `EventStore` does. */
export class SqliteLogReader {
  /** @throws {NewerLogFormatError} @throws {StoreUnavailableError} where the folder holds no log that can be read */
  static open(folder: string): SqliteLogReader {
    const path = logPath(folder);
    if (!existsSync(path)) throw new StoreUnavailableError(`there is no log in ${folder}`);
    let database: Database | undefined;
    try {
      database = openDatabase(path, { readOnly: true });
      return new SqliteLogReader(database, storeIdOf(database, path), new LogReads(database, path));
    } catch (error) {
      database?.close();
      throw unavailable(error, path);
    }
  }

  private constructor(
    private readonly database: Database,
    readonly storeId: string,
    private readonly reads: LogReads,
  ) {}

  async readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]> {
    return this.reads.readStream(stream, from, limit);
  }

  async readAll(after: bigint, limit: number): Promise<RecordedEvent[]> {
    return this.reads.readAll(after, limit);
  }

  async head(): Promise<bigint> {
    return BigInt(this.reads.head());
  }

  async close(): Promise<void> {
    if (this.database.isOpen) this.database.close();
  }
}
