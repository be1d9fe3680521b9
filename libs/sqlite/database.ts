import { DatabaseSync } from '@photostructure/sqlite';

/** What may be bound to a parameter. Integers beyond 2^53 go in as bigint. */
export type SqlParameter = string | number | bigint | null | Uint8Array;

/** A prepared statement. Rows are objects without a prototype, or arrays after `setReturnArrays(true)`. */
export interface Statement {
  run(...parameters: SqlParameter[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
  get(...parameters: SqlParameter[]): unknown;
  all(...parameters: SqlParameter[]): unknown[];
  iterate(...parameters: SqlParameter[]): IterableIterator<unknown>;
  setReturnArrays(returnArrays: boolean): void;
  setReadBigInts(readBigInts: boolean): void;
}

/** An open connection: the part of `node:sqlite` that this project uses. */
export interface Database {
  readonly isOpen: boolean;
  readonly isTransaction: boolean;
  prepare(sql: string): Statement;
  /** Runs SQL text without parameters; never text made from input. */
  exec(sql: string): void;
  /** Closes and, where writable, folds the write-ahead log into the file. */
  close(): void;
}

export interface OpenOptions {
  readonly readOnly?: boolean;
  /** FULL: a commit is on disk when it returns. NORMAL: a power cut may lose the newest commits, never consistency. */
  readonly synchronous?: 'FULL' | 'NORMAL' | 'OFF';
  /** Page cache, in KiB. */
  readonly cacheKib?: number;
  /** Milliseconds to wait for another process's lock. */
  readonly timeout?: number;
  /** Pages of write-ahead log before they are copied into the main file. */
  readonly walAutoCheckpoint?: number;
}

/**
 * Opens (creates where absent) a database file in WAL mode. `:memory:` opens a private one that is gone on close.
 * @throws an error of SQLite; `faultOf` says which kind.
 */
export const openDatabase = (path: string, options: OpenOptions = {}): Database => {
  const { readOnly = false, synchronous = 'FULL', cacheKib = 16_384, timeout = 5_000, walAutoCheckpoint } = options;
  const database = new DatabaseSync(path, { readOnly, timeout, defensive: true });
  try {
    // The page size only takes effect while the file is still empty.
    if (!readOnly) database.exec('PRAGMA page_size = 4096; PRAGMA journal_mode = WAL');
    database.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA cache_size = ${-cacheKib}; PRAGMA foreign_keys = ON`);
    // Otherwise a REPLACE deletes rows without firing the triggers that guard them.
    database.exec('PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = OFF');
    if (walAutoCheckpoint !== undefined) database.exec(`PRAGMA wal_autocheckpoint = ${walAutoCheckpoint}`);
    return new Connection(database, readOnly);
  } catch (error) {
    database.close();
    throw error;
  }
};

/**
 * The driver does not finalise statements when it closes: SQLite keeps the file open until they are garbage-collected, and
 * never gets to fold the write-ahead log into the main file. So that is done here.
 */
class Connection implements Database {
  constructor(
    private readonly driver: InstanceType<typeof DatabaseSync>,
    private readonly readOnly: boolean,
  ) {}

  get isOpen(): boolean {
    return this.driver.isOpen;
  }

  get isTransaction(): boolean {
    return this.driver.isTransaction;
  }

  prepare(sql: string): Statement {
    return this.driver.prepare(sql);
  }

  exec(sql: string): void {
    this.driver.exec(sql);
  }

  close(): void {
    try {
      if (!this.readOnly && !this.driver.isTransaction) this.driver.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // A full disk, say: nothing is lost, the next opening reads the write-ahead log.
    } finally {
      this.driver.close();
    }
  }
}

/** Runs `work` in one transaction: all of it, or nothing where it throws. */
export const inTransaction = <T>(database: Database, work: () => T): T => {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has already rolled back on some faults (a full disk, say).
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
};

/**
 * What SQLite finds wrong with the file, empty where it is sound. `quick` leaves out the comparison of indexes with their tables.
 * @throws where the file is too damaged to be examined.
 */
export const integrityFaults = (database: Database, depth: 'quick' | 'full'): string[] => {
  const statement = database.prepare(depth === 'quick' ? 'PRAGMA quick_check(20)' : 'PRAGMA integrity_check(20)');
  statement.setReturnArrays(true);
  return statement
    .all()
    .map((row) => String((row as unknown[])[0]))
    .filter((message) => message !== 'ok');
};

/** Writes a consistent, compact copy of the whole database to `target`, which must not exist; writers go on meanwhile. */
export const copyInto = (database: Database, target: string): void => {
  database.prepare('VACUUM INTO ?').run(target);
};

/** A lock on a folder or resource, held by this process until released; the operating system releases it when the process dies. */
export interface ProcessLock {
  release(): void;
}

/**
 * Takes the exclusive lock that `path` (an empty file, created where absent) stands for; undefined where it is held already,
 * by another process or by this one. Never open or copy that file by other means: POSIX drops a process's locks with any close.
 */
export const takeProcessLock = (path: string): ProcessLock | undefined => {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // No journal beside it: nothing is ever written.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (faultOf(error) === 'busy') return undefined;
    throw error;
  }
  return {
    release: () => {
      if (database.isOpen) database.close();
    },
  };
};

/** Kinds of faults a caller can act on. */
export type SqliteFault = 'full' | 'corrupt' | 'io' | 'busy' | 'read-only' | 'cannot-open' | 'constraint' | 'other';

const FAULTS: Readonly<Record<number, SqliteFault>> = {
  5: 'busy',
  6: 'busy',
  8: 'read-only',
  10: 'io',
  11: 'corrupt',
  13: 'full',
  14: 'cannot-open',
  19: 'constraint',
  26: 'corrupt',
};

/** The driver leaves the result code off the errors of `all` and `iterate`: then SQLite's fixed English text has to do. */
const FAULT_TEXTS: readonly (readonly [text: string, fault: SqliteFault])[] = [
  ['database disk image is malformed', 'corrupt'],
  ['file is not a database', 'corrupt'],
  ['database or disk is full', 'full'],
  ['disk I/O error', 'io'],
  ['is locked', 'busy'],
  ['readonly database', 'read-only'],
  ['unable to open database file', 'cannot-open'],
  ['constraint failed', 'constraint'],
];

/** The kind of an error of SQLite; undefined for any other error. */
export const faultOf = (error: unknown): SqliteFault | undefined => {
  // Not `instanceof Error`: the driver's errors may come from another realm.
  if (typeof error !== 'object' || error === null || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') {
    return undefined;
  }
  // The low byte is the primary result code, the rest tells its variants apart.
  if ('errcode' in error && typeof error.errcode === 'number') return FAULTS[error.errcode & 0xff] ?? 'other';
  const message = 'message' in error ? String(error.message) : '';
  return FAULT_TEXTS.find(([text]) => message.includes(text))?.[1] ?? 'other';
};
