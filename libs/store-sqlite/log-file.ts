import { crc32 } from 'node:zlib';
import type { RecordedEvent } from '#kernel';
import { newId, StoreUnavailableError } from '#kernel';
import type { Database, Statement } from '#sqlite';
import { faultOf, inTransaction } from '#sqlite';

/** Version of the tables below; a log of a newer one is refused, an older one would be migrated here. */
export const LOG_FORMAT = 1;

/** The log was written by a newer version of this program. */
export class NewerLogFormatError extends Error {
  override readonly name = 'NewerLogFormatError';
  constructor(path: string, format: string) {
    super(
      `${path} has log format ${format}, this version reads up to ${LOG_FORMAT}: start the newer version that wrote it, or restore a backup made before the upgrade`,
    );
  }
}

/** Every object of the schema and its SQL, as `sqlite_schema` holds it: the full check compares them. */
export const LOG_SCHEMA: Readonly<Record<string, string>> = {
  meta: `CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID`,
  events: `CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  stream TEXT NOT NULL,
  revision INTEGER NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  metadata TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  UNIQUE (stream, revision)
) STRICT`,
  meta_never_changes: `CREATE TRIGGER meta_never_changes BEFORE UPDATE ON meta
BEGIN SELECT RAISE(ABORT, 'the log is append-only: meta never changes'); END`,
  meta_never_shrinks: `CREATE TRIGGER meta_never_shrinks BEFORE DELETE ON meta
BEGIN SELECT RAISE(ABORT, 'the log is append-only: meta never shrinks'); END`,
  // REPLACE would delete without firing the trigger above on a connection without recursive triggers.
  meta_is_written_once: `CREATE TRIGGER meta_is_written_once BEFORE INSERT ON meta
WHEN EXISTS (SELECT 1 FROM meta WHERE name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'the log is append-only: meta is written once'); END`,
  events_never_change: `CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the log is append-only: events never change'); END`,
  events_never_vanish: `CREATE TRIGGER events_never_vanish BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the log is append-only: events never vanish'); END`,
  events_only_follow: `CREATE TRIGGER events_only_follow BEFORE INSERT ON events
WHEN NEW.position <= (SELECT max(position) FROM events)
  OR NEW.revision IS NOT (SELECT coalesce(max(revision), -1) + 1 FROM events WHERE stream = NEW.stream)
BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event follows the last one'); END`,
};

/** Creates the tables in an empty file, or checks that the file is a log of a format this code reads. Answers the store id. */
export const prepareLog = (database: Database, path: string): string =>
  isEmpty(database)
    ? inTransaction(database, () => {
        for (const sql of Object.values(LOG_SCHEMA)) database.exec(sql);
        const storeId = newId();
        const write = database.prepare('INSERT INTO meta (name, value) VALUES (?, ?)');
        write.run('format', String(LOG_FORMAT));
        write.run('storeId', storeId);
        return storeId;
      })
    : storeIdOf(database, path);

/** The store id of an existing log. @throws {NewerLogFormatError} @throws {StoreUnavailableError} where it is no log. */
export const storeIdOf = (database: Database, path: string): string => {
  const names = database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'meta'").get();
  if ((names as { count: number }).count === 0) throw new StoreUnavailableError(`${path} is not a log of this program`);
  const read = database.prepare('SELECT value FROM meta WHERE name = ?');
  const format = (read.get('format') as { value: string } | undefined)?.value ?? 'unknown';
  if (Number(format) > LOG_FORMAT) throw new NewerLogFormatError(path, format);
  const storeId = (read.get('storeId') as { value: string } | undefined)?.value;
  if (Number(format) !== LOG_FORMAT || storeId === undefined) {
    throw new StoreUnavailableError(`${path} is not a log of this program: format ${format}`);
  }
  return storeId;
};

const isEmpty = (database: Database): boolean =>
  (database.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { count: number }).count === 0;

/** A row as read: an array is cheaper to build than an object per row. */
export type EventRow = readonly [
  position: number,
  stream: string,
  revision: number,
  id: string,
  type: string,
  data: string,
  metadata: string,
];

/** CRC-32 over everything a row says: a flipped bit anywhere in it is found. */
export const checksumOf = (
  position: number,
  stream: string,
  revision: number,
  id: string,
  type: string,
  data: string,
  metadata: string,
): number => crc32(`${position}\n${stream}\n${revision}\n${id}\n${type}\n${data}\n${metadata}`);

/** Technical streams start with `_`, so they fill exactly the range from '_' to before '`'. */
export const DOMAIN_STREAMS = "(stream < '_' OR stream >= '`')";

const COLUMNS = 'position, stream, revision, id, type, data, metadata';

/** A row with the checksum it was written with. */
export type CheckedRow = readonly [...EventRow, checksum: number];

/** The reads of a log, through one connection. Positions stay below 2^53, so they are read as numbers and only then widened. */
export class LogReads {
  private readonly streamPage: Statement;
  private readonly allPage: Statement;
  private readonly checkedPage: Statement;
  private readonly newest: Statement;
  private readonly counting: Statement;

  constructor(
    database: Database,
    private readonly path: string,
  ) {
    this.streamPage = arrays(
      database.prepare(`SELECT ${COLUMNS} FROM events WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?`),
    );
    this.allPage = arrays(
      database.prepare(
        `SELECT ${COLUMNS} FROM events WHERE position > ? AND ${DOMAIN_STREAMS} ORDER BY position LIMIT ?`,
      ),
    );
    this.checkedPage = arrays(
      database.prepare(
        `SELECT ${COLUMNS}, checksum FROM events WHERE position > ? AND ${DOMAIN_STREAMS} ORDER BY position LIMIT ?`,
      ),
    );
    this.newest = arrays(
      database.prepare(`SELECT position FROM events WHERE ${DOMAIN_STREAMS} ORDER BY position DESC LIMIT 1`),
    );
    this.counting = arrays(
      database.prepare(`SELECT count(*), count(*) FILTER (WHERE NOT ${DOMAIN_STREAMS}) FROM events`),
    );
  }

  readStream(stream: string, from: number, limit: number): RecordedEvent[] {
    return this.page(() => this.streamPage.all(stream, from, rowsOf(limit)));
  }

  readAll(after: bigint, limit: number): RecordedEvent[] {
    return this.page(() => this.allPage.all(Number(after), rowsOf(limit)));
  }

  /** As `readAll`, each event against its checksum. @throws {StoreUnavailableError} naming one that does not match */
  readChecked(after: bigint, limit: number): RecordedEvent[] {
    return this.page(() => {
      const rows = this.checkedPage.all(Number(after), rowsOf(limit)) as CheckedRow[];
      for (const [position, stream, revision, id, type, data, metadata, checksum] of rows) {
        if (checksumOf(position, stream, revision, id, type, data, metadata) === checksum) continue;
        throw new StoreUnavailableError(
          `the log ${this.path} is damaged (the event at position ${position} does not match its checksum): ${RESTORE_ADVICE}`,
        );
      }
      return rows;
    });
  }

  /** How many events there are, of domain and of technical streams. */
  counts(): { readonly domain: number; readonly technical: number } {
    try {
      const [all, technical] = this.counting.get() as [number, number];
      return { domain: all - technical, technical };
    } catch (error) {
      throw unavailable(error, this.path);
    }
  }

  /** Position of the newest domain event, 0 where there is none. */
  head(): number {
    try {
      return (this.newest.get() as [number] | undefined)?.[0] ?? 0;
    } catch (error) {
      throw unavailable(error, this.path);
    }
  }

  private page(read: () => unknown): RecordedEvent[] {
    try {
      return (read() as (EventRow | CheckedRow)[]).map(recorded);
    } catch (error) {
      throw unavailable(error, this.path);
    }
  }
}

/** SQLite takes a negative limit for none at all, and refuses an infinite one. */
const rowsOf = (limit: number): number => Math.min(Math.max(limit, 0), Number.MAX_SAFE_INTEGER);

/** The statement's rows as arrays. */
export const arrays = (statement: Statement): Statement => {
  statement.setReturnArrays(true);
  return statement;
};

/** A row as the event it holds, with objects of its own. */
export const recorded = (row: EventRow | CheckedRow): RecordedEvent => ({
  id: row[3],
  stream: row[1],
  type: row[4],
  data: JSON.parse(row[5]) as object,
  metadata: JSON.parse(row[6]) as RecordedEvent['metadata'],
  revision: row[2],
  position: BigInt(row[0]),
});

/** What a person is told to do about a damaged log. */
export const RESTORE_ADVICE =
  'stop the server, keep the folder as it is, run `npm run check`, and restore the newest backup into an empty folder with `npm run restore -- <backup>`';

/** Any error of the engine as the port's error, in words a person can act on. */
export const unavailable = (error: unknown, path: string): Error => {
  if (error instanceof StoreUnavailableError || error instanceof NewerLogFormatError) return error;
  if (error instanceof SyntaxError) {
    return new StoreUnavailableError(`the log ${path} is damaged (an event is not JSON): ${RESTORE_ADVICE}`, {
      cause: error,
    });
  }
  const fault = faultOf(error);
  const detail = messageOf(error);
  if (fault === undefined) return error instanceof Error ? error : new Error(detail, { cause: error });
  return new StoreUnavailableError(`${ADVICE[fault](path)} (${detail})`, { cause: error });
};

/** An error's own words, also where it comes from another realm (the driver's do in tests). */
export const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);

const ADVICE: Readonly<Record<NonNullable<ReturnType<typeof faultOf>>, (path: string) => string>> = {
  full: (path) => `the disk that holds ${path} is full, nothing was written: free space, then repeat the request`,
  corrupt: (path) => `the log ${path} is damaged: ${RESTORE_ADVICE}`,
  io: (path) => `the disk that holds ${path} failed: check the disk, then restart the server`,
  busy: (path) => `another program keeps ${path} locked: end it, then repeat the request`,
  'read-only': (path) =>
    `${path} may not be written: check the permissions of the data folder and how its disk is mounted`,
  'cannot-open': (path) => `${path} cannot be opened: check that the data folder exists and its permissions`,
  constraint: (path) => `the log ${path} refused a write that breaks its order`,
  other: (path) => `the log ${path} cannot be used`,
};
