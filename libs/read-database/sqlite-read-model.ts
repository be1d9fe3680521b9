import { createHash } from 'node:crypto';
import {
  messageOf,
  type Projection,
  type ReadModel,
  ReadModelUnavailableError,
  type ReadTransaction,
  type SqlRow,
  type SqlValue,
} from '#kernel';
import {
  type Database,
  faultOf,
  inTransaction,
  integrityFaults,
  openDatabase,
  type SqliteFault,
  type Statement,
} from '#sqlite';

/** Name, version and tables: what a model is made from. */
export type ModelOf = Pick<Projection, 'name' | 'version' | 'schema'>;

/** The file does not hold this model: of another log, of other tables, or damaged. It is to be thrown away. */
export class UnusableModelError extends Error {
  override readonly name = 'UnusableModelError';
}

// One row. Named with an underscore so that no projection's table is in its way.
const META = `
  CREATE TABLE _model (
    one INTEGER PRIMARY KEY CHECK (one = 1), schema TEXT NOT NULL, origin TEXT NOT NULL, position INTEGER NOT NULL,
    clean INTEGER NOT NULL, current INTEGER NOT NULL
  ) STRICT;
`;
/** Pages of write-ahead log (16 MiB) before they are copied: a catch-up writes the same pages again and again. */
const WAL_PAGES = 4_000;
/** Page cache of a model, used only as far as it has pages: what a catch-up keeps writing to must stay in it. */
const CACHE_KIB = 32_768;

/** Faults that say nothing about what was to be written. */
const OF_THE_DISK: ReadonlySet<SqliteFault> = new Set(['full', 'io', 'busy', 'read-only', 'cannot-open']);

/** A read model in a SQLite database of its own. */
export class SqliteReadModel implements ReadModel {
  private readonly statements = new Map<string, Statement>();
  private readonly transaction: ReadTransaction;
  private position: bigint;

  private constructor(private readonly database: Database) {
    const row = this.get('SELECT CAST(position AS TEXT) AS position FROM _model');
    this.position = BigInt(String(row?.position));
    this.transaction = {
      get: (sql, ...parameters) => this.get(sql, ...parameters),
      all: (sql, ...parameters) => this.all(sql, ...parameters),
      run: (sql, ...parameters) => {
        this.statement(sql).run(...parameters);
      },
    };
  }

  /**
   * Opens the model in `path`, creating it where the file is absent or empty: as the current one or, `beside`, not yet.
   * @throws {UnusableModelError} and errors of SQLite: the file is to be thrown away then
   */
  static open(path: string, { schema }: ModelOf, origin: string, beside = false): SqliteReadModel {
    const database = openDatabase(path, { synchronous: 'NORMAL', cacheKib: CACHE_KIB, walAutoCheckpoint: WAL_PAGES });
    try {
      const hash = createHash('sha256').update(schema).digest('hex');
      const tables = database.prepare('SELECT count(*) AS n FROM sqlite_master').get() as { n: number };
      if (tables.n === 0) {
        inTransaction(database, () => {
          database.exec(META);
          database.exec(schema);
          database.prepare('INSERT INTO _model VALUES (1, ?, ?, 0, 1, ?)').run(hash, origin, beside ? 0 : 1);
        });
      }
      const meta = database.prepare('SELECT * FROM _model').get() as Record<string, unknown>;
      if (meta.schema !== hash) throw new UnusableModelError('its tables are not those of this version');
      if (meta.origin !== origin) throw new UnusableModelError('it was built from another log');
      // A look at every page takes long: only where nobody closed the file.
      const faults = meta.clean === 1 ? [] : integrityFaults(database, 'quick');
      if (faults[0] !== undefined) throw new UnusableModelError(faults[0]);
      database.exec('UPDATE _model SET clean = 0');
      return new SqliteReadModel(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Whether the model counts; one that is still being built beside another does not. */
  get isCurrent(): boolean {
    return this.get('SELECT current FROM _model')?.current === 1;
  }

  /** Makes a model built beside another the one that counts, durably. */
  promote(): void {
    this.database.exec('PRAGMA synchronous = FULL; UPDATE _model SET current = 1; PRAGMA synchronous = NORMAL');
  }

  get checkpoint(): bigint {
    return this.position;
  }

  get(sql: string, ...parameters: readonly SqlValue[]): SqlRow | undefined {
    const statement = this.statement(sql);
    return exactly(statement, () => statement.get(...parameters) as SqlRow | undefined, smallerRow);
  }

  all(sql: string, ...parameters: readonly SqlValue[]): SqlRow[] {
    const statement = this.statement(sql);
    return exactly(
      statement,
      () => statement.all(...parameters) as SqlRow[],
      (rows) => rows.map((row) => smallerRow(row)),
    );
  }

  commit(checkpoint: bigint, work: (tx: ReadTransaction) => void): void {
    try {
      inTransaction(this.database, () => {
        work(this.transaction);
        this.statement('UPDATE _model SET position = ?').run(checkpoint);
      });
    } catch (error) {
      const fault = faultOf(error);
      if (fault === undefined || !OF_THE_DISK.has(fault)) throw error;
      throw new ReadModelUnavailableError(`a read model cannot be written (${fault}): free space, or check the disk`, {
        cause: error,
      });
    }
    this.position = checkpoint;
  }

  close(): void {
    if (!this.database.isOpen) return;
    try {
      // The driver keeps a closed file open while its statements wait for garbage collection, so SQLite would not tidy up itself.
      this.database.exec('UPDATE _model SET clean = 1; PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      // A full disk, say: the file is examined at the next start, as if nobody had closed it.
      if (faultOf(error) === undefined) throw error;
    } finally {
      this.statements.clear();
      this.database.close();
    }
  }

  private statement(sql: string): Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }
}

/** Reads integers as numbers; a result that holds one beyond 2^53 is read again, with bigints just for those. */
const exactly = <T>(statement: Statement, read: () => T, smaller: (result: T) => T): T => {
  try {
    return read();
  } catch (error) {
    if (!messageOf(error).includes('too large to be represented as a JavaScript number')) throw error;
  }
  statement.setReadBigInts(true);
  try {
    return smaller(read());
  } finally {
    statement.setReadBigInts(false);
  }
};

const isSafe = (value: bigint): boolean => value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;

const smallerRow = <T extends SqlRow | undefined>(row: T): T =>
  Object.fromEntries(
    Object.entries(row ?? {}).map(([name, value]) => [
      name,
      typeof value === 'bigint' && isSafe(value) ? Number(value) : value,
    ]),
  ) as T;
