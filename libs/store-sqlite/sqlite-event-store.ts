import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import type {
  AppendReceipt,
  EventToAppend,
  ExpectedRevision,
  RecordedEvent,
  SerialisedEvent,
  Subscription,
} from '#kernel';
import { EventStore, LocalDelivery, serialisedAppend, StoreUnavailableError, WrongRevisionError } from '#kernel';
import type { Database, ProcessLock, Statement } from '#sqlite';
import { faultOf, openDatabase } from '#sqlite';
import { lockFolder, logPath } from './data-folder.js';
import { tailFaults } from './log-check.js';
import type { EventRow } from './log-file.js';
import { arrays, checksumOf, LogReads, prepareLog, RESTORE_ADVICE, unavailable } from './log-file.js';
import { RecentEvents } from './recent-events.js';

export interface SqliteEventStoreOptions {
  /** Newest events whose checksums are verified on opening. */
  readonly tailCheck?: number;
  /** Largest size of the log in pages of 4 KiB: lets a test meet a full disk. */
  readonly maxPages?: number;
}

interface Waiting {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly SerialisedEvent[];
  readonly resolve: (receipt: AppendReceipt) => void;
  readonly reject: (error: Error) => void;
}

const TAIL_CHECK = 1_000;
/** A file up to this size has its structure checked at start, at some 2 GB/s; a larger one only by `npm run check`. */
const QUICK_CHECK_BYTES = 256 * 1024 * 1024;
/** Bounds one transaction, so that a flood of appends does not hold the event loop for long. */
const MAX_EVENTS_PER_COMMIT = 2_000;
const CACHED_STREAMS = 50_000;

/**
 * The embedded log: one SQLite file in a data folder, one writing process.
 * All appends of an event-loop turn share one transaction and one fsync; a receipt is given only after it.
 */
export class SqliteEventStore extends EventStore {
  override readonly storeId: string;
  private readonly reads: LogReads;
  private readonly delivery: LocalDelivery;
  private readonly begin: Statement;
  private readonly commit: Statement;
  private readonly rollback: Statement;
  private readonly insert: Statement;
  private readonly lastRevision: Statement;
  private readonly idsFrom: Statement;
  private readonly recent: RecentEvents;
  /** Revisions of streams (-1: there is none) as committed, or as written by the transaction in hand. */
  private readonly revisions = new LRUCache<string, number>({ max: CACHED_STREAMS });
  private waiting: Waiting[] = [];
  private scheduled = false;
  private position: number;
  private domainHead: number;
  /** Set once the file or disk failed in a way that makes further writes unsafe. */
  private broken: StoreUnavailableError | undefined;
  private closing: Promise<void> | undefined;

  /**
   * Opens the folder's log for writing and reading; creates both where absent.
   * @throws {DataFolderInUseError} @throws {NewerLogFormatError} @throws {StoreUnavailableError} where the file is damaged or unusable
   */
  static open(folder: string, options: SqliteEventStoreOptions = {}): SqliteEventStore {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = lockFolder(folder);
    const path = logPath(folder);
    let database: Database | undefined;
    try {
      // Restricted records are in it; SQLite gives the files beside it the same mode.
      if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
      database = openDatabase(path, { synchronous: 'FULL', cacheKib: 65_536, walAutoCheckpoint: 4_000 });
      const storeId = prepareLog(database, path);
      const faults = tailFaults(database, options.tailCheck ?? TAIL_CHECK, statSync(path).size <= QUICK_CHECK_BYTES);
      if (faults.length > 0) {
        throw new StoreUnavailableError(`the log ${path} is damaged (${faults.join('; ')}): ${RESTORE_ADVICE}`);
      }
      if (options.maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${options.maxPages}`);
      return new SqliteEventStore(database, lock, path, storeId);
    } catch (error) {
      database?.close();
      lock.release();
      throw unavailable(error, path);
    }
  }

  private constructor(
    private readonly database: Database,
    private readonly lock: ProcessLock,
    private readonly path: string,
    storeId: string,
  ) {
    super();
    this.storeId = storeId;
    this.reads = new LogReads(database, path);
    this.begin = database.prepare('BEGIN IMMEDIATE');
    this.commit = database.prepare('COMMIT');
    this.rollback = database.prepare('ROLLBACK');
    this.insert = database.prepare(
      'INSERT INTO events (position, stream, revision, id, type, data, metadata, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.lastRevision = arrays(database.prepare('SELECT coalesce(max(revision), -1) FROM events WHERE stream = ?'));
    this.idsFrom = arrays(
      database.prepare('SELECT id, position FROM events WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?'),
    );
    const newest = arrays(database.prepare('SELECT coalesce(max(position), 0) FROM events')).get() as [number];
    this.position = newest[0];
    this.domainHead = this.reads.head();
    this.recent = new RecentEvents(this.domainHead);
    this.delivery = new LocalDelivery((after, limit) => this.allAfter(after, limit), BigInt(this.domainHead));
  }

  override async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly EventToAppend[],
  ): Promise<AppendReceipt> {
    this.assertWritable();
    const serialised = serialisedAppend(stream, expected, events);
    return new Promise<AppendReceipt>((resolve, reject) => {
      this.waiting.push({ stream, expected, events: serialised, resolve, reject });
      this.schedule();
    });
  }

  override async readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]> {
    this.assertOpen();
    const known = this.revisions.get(stream);
    if (known !== undefined && from > known) return [];
    const recent = this.recent.ofStream(stream, from, limit);
    if (recent !== undefined) return recent;
    const page = this.reads.readStream(stream, from, limit);
    const last = page.at(-1)?.revision ?? (from === 0 ? -1 : undefined);
    // Short of a full page the stream has ended: nobody needs to look for its end again.
    if (last !== undefined && page.length < limit) this.revisions.set(stream, last);
    return page;
  }

  override async readAll(after: bigint, limit: number): Promise<RecordedEvent[]> {
    this.assertOpen();
    return this.allAfter(after, limit);
  }

  override async head(): Promise<bigint> {
    this.assertOpen();
    return BigInt(this.domainHead);
  }

  override subscribeToAll(
    after: bigint,
    handler: (batch: readonly RecordedEvent[]) => Promise<void>,
    options: { readonly maxBatch?: number } = {},
  ): Subscription {
    this.assertOpen();
    return this.delivery.subscribe(after, handler, options.maxBatch);
  }

  /** Stops subscriptions, lets appends already made finish, releases the folder. Handlers in hand may still append until they return. */
  override close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await this.delivery.stop();
    while (this.waiting.length > 0) this.flush();
    this.database.close();
    this.lock.release();
  }

  private allAfter(after: bigint, limit: number): RecordedEvent[] {
    return this.recent.after(Number(after), limit) ?? this.reads.readAll(after, limit);
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    // After this turn's I/O callbacks: every request parsed in the turn joins the commit.
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    const batch = this.takeBatch();
    if (batch.length === 0) return;
    if (this.waiting.length > 0) this.schedule();
    if (this.broken !== undefined) {
      for (const append of batch) append.reject(this.broken);
      return;
    }
    const before = { position: this.position, domainHead: this.domainHead };
    const settle: (() => void)[] = [];
    try {
      this.begin.run();
      for (const append of batch) settle.push(this.write(append));
      this.commit.run();
    } catch (error) {
      this.undo(before);
      const reason = this.failure(error);
      for (const append of batch) append.reject(reason);
      return;
    }
    for (const answer of settle) answer();
    if (this.domainHead !== before.domainHead) this.delivery.advance(BigInt(this.domainHead));
  }

  private takeBatch(): Waiting[] {
    let events = 0;
    let count = 0;
    for (; count < this.waiting.length && events < MAX_EVENTS_PER_COMMIT; count += 1) {
      events += this.waiting[count]?.events.length ?? 0;
    }
    if (count < this.waiting.length) return this.waiting.splice(0, count);
    const batch = this.waiting;
    this.waiting = [];
    return batch;
  }

  /** Writes one append into the open transaction; the answer is given by calling the result, after the commit. */
  private write({ stream, expected, events, resolve, reject }: Waiting): () => void {
    const current = this.revisions.get(stream) ?? (this.lastRevision.get(stream) as [number])[0];
    if (current !== expected) {
      const first = this.firstReceipt(stream, expected, events);
      return () => {
        if (first === undefined) reject(new WrongRevisionError(stream, expected, current));
        else resolve(first);
      };
    }
    let revision = current;
    const rows: EventRow[] = [];
    for (const { id, type, data, metadata } of events) {
      revision += 1;
      this.position += 1;
      const checksum = checksumOf(this.position, stream, revision, id, type, data, metadata);
      this.insert.run(this.position, stream, revision, id, type, data, metadata, checksum);
      rows.push([this.position, stream, revision, id, type, data, metadata]);
    }
    this.revisions.set(stream, revision);
    if (!stream.startsWith('_')) this.domainHead = this.position;
    const receipt = { revision, position: BigInt(this.position) };
    return () => {
      this.recent.add(stream, rows);
      resolve(receipt);
    };
  }

  /** The receipt of an earlier append of the same ids at the same place; the stream itself remembers it, for ever. */
  private firstReceipt(
    stream: string,
    expected: ExpectedRevision,
    events: readonly SerialisedEvent[],
  ): AppendReceipt | undefined {
    const stored = this.idsFrom.all(stream, expected, events.length) as [id: string, position: number][];
    const last = stored.at(-1);
    if (last === undefined || !events.every((event, index) => event.id === stored[index]?.[0])) return undefined;
    return { revision: expected + events.length, position: BigInt(last[1]) };
  }

  private undo(before: { readonly position: number; readonly domainHead: number }): void {
    this.position = before.position;
    this.domainHead = before.domainHead;
    this.revisions.clear();
    try {
      if (this.database.isTransaction) this.rollback.run();
    } catch (error) {
      this.broken = new StoreUnavailableError(`the log ${this.path} cannot be used until the server restarts`, {
        cause: error,
      });
    }
  }

  private failure(error: unknown): Error {
    const reason = unavailable(error, this.path);
    const fault = faultOf(error);
    // After a failed fsync the kernel may have dropped the pages: only a fresh start can tell what is on disk.
    if ((fault === 'io' || fault === 'corrupt') && reason instanceof StoreUnavailableError) this.broken ??= reason;
    return reason;
  }

  private assertOpen(): void {
    if (!this.database.isOpen) throw new StoreUnavailableError(`the log ${this.path} is closed`);
  }

  private assertWritable(): void {
    this.assertOpen();
    if (this.broken !== undefined) throw this.broken;
  }
}
