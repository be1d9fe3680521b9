import { existsSync } from 'node:fs';
import type { RecordedEvent } from '#kernel';
import { StoreUnavailableError } from '#kernel';
import type { Database, ProcessLock } from '#sqlite';
import { openDatabase } from '#sqlite';
import { lockFolder, logPath } from './data-folder.js';
import { LogReads, storeIdOf, unavailable } from './log-file.js';

/** A log opened for reading only, also while a server writes to it: for tools. Reads as `EventStore` does. */
export class SqliteLogReader {
  /** @throws {NewerLogFormatError} @throws {StoreUnavailableError} where the folder holds no log that can be read */
  static open(folder: string): SqliteLogReader {
    return SqliteLogReader.opened(folder, undefined);
  }

  /**
   * As `open`, and nobody writes until `close`: takes the folder's writer lock.
   * @throws {DataFolderInUseError} while a server runs on the folder
   */
  static openAlone(folder: string): SqliteLogReader {
    // Before the lock, which would leave its file in any folder.
    if (!existsSync(logPath(folder))) throw new StoreUnavailableError(`there is no log in ${folder}`);
    return SqliteLogReader.opened(folder, lockFolder(folder));
  }

  private static opened(folder: string, lock: ProcessLock | undefined): SqliteLogReader {
    const path = logPath(folder);
    let database: Database | undefined;
    try {
      if (!existsSync(path)) throw new StoreUnavailableError(`there is no log in ${folder}`);
      database = openDatabase(path, { readOnly: true });
      return new SqliteLogReader(database, storeIdOf(database, path), new LogReads(database, path), lock);
    } catch (error) {
      database?.close();
      lock?.release();
      throw unavailable(error, path);
    }
  }

  private constructor(
    private readonly database: Database,
    readonly storeId: string,
    private readonly reads: LogReads,
    private readonly lock: ProcessLock | undefined,
  ) {}

  async readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]> {
    return this.reads.readStream(stream, from, limit);
  }

  async readAll(after: bigint, limit: number): Promise<RecordedEvent[]> {
    return this.reads.readAll(after, limit);
  }

  /** As `readAll`, each event against its checksum. @throws {StoreUnavailableError} naming one that does not match */
  async readChecked(after: bigint, limit: number): Promise<RecordedEvent[]> {
    return this.reads.readChecked(after, limit);
  }

  /** How many events there are, of domain and of technical streams. */
  counts(): { readonly domain: number; readonly technical: number } {
    return this.reads.counts();
  }

  async head(): Promise<bigint> {
    return BigInt(this.reads.head());
  }

  async close(): Promise<void> {
    if (this.database.isOpen) this.database.close();
    this.lock?.release();
  }
}
