import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type {
  AppendReceipt,
  EventToAppend,
  ExpectedRevision,
  RecordedEvent,
  Subscription,
  SubscriptionOptions,
} from '#kernel';
import {
  EventStore,
  newId,
  NO_STREAM,
  pause,
  serialisedAppend,
  StoreUnavailableError,
  technicalEvent,
  WrongRevisionError,
} from '#kernel';
import { EventWriter } from './event-writer.js';
import { CallFailure, unavailable } from './failures.js';
import type { Patience } from './kurrent-connection.js';
import { KurrentConnection } from './kurrent-connection.js';
import type { BreakListener } from './kurrent-subscription.js';
import { KurrentSubscription } from './kurrent-subscription.js';
import { LogHead } from './log-head.js';
import { positionOf, recordedOf, storedStreamOf } from './recorded.js';
import { allRequest, streamRequest, subscriptionRequest } from './requests.js';
import { ServerSettings } from './server-settings.js';
import { StreamNames } from './stream-names.js';

export interface KurrentEventStoreOptions {
  /** Connection string, `esdb://host:2113?tls=false` or `esdb+discover://…`. Stores of one process on one url share a client. */
  readonly url: string;
  /** Letters and digits that set this log's streams apart from those of other logs on the server. */
  readonly prefix?: string;
  /** Only a log that is there: where there is none it is refused instead of begun. */
  readonly existing?: boolean;
  /** How long to wait for the server: 5 s each where absent. Taken from the first store of the process on this url. */
  readonly patience?: Partial<Patience>;
  /** How long to find out, in milliseconds, what became of an append that the server did not answer. */
  readonly settleMs?: number;
  /** Silence of a subscription, in milliseconds, after which the log is asked whether there was nothing to say. */
  readonly muteMs?: number;
  /** Told of every break of a subscription that is not routine; it is taken up again after a capped backoff. */
  readonly broken?: BreakListener;
}

const SETTLE_MS = 10_000;
const MUTE_MS = 10_000;
const MAX_BATCH = 500;
/** Holds the log's own id. */
const IDENTITY_STREAM = '_log';
/** Positions are signed on the server. */
const LAST_POSITION = 2n ** 63n - 1n;
const SMALLEST_READ = 64;

/** The log on KurrentDB or EventStoreDB. */
export class KurrentEventStore extends EventStore {
  private readonly writer: EventWriter;
  private readonly headOfLog: LogHead;
  private readonly settings: ServerSettings;
  private readonly subscriptions = new Set<KurrentSubscription>();
  private readonly appends = new Set<Promise<unknown>>();
  private readonly ending = new AbortController();
  private closing: Promise<void> | undefined;
  private closed = false;
  private id = '';

  /**
   * Opens the log, and gives it an id where it is new.
   * @throws {StoreUnavailableError} where the server cannot be reached or denies access @throws {RangeError} for a url or prefix that is none
   */
  static async open(options: KurrentEventStoreOptions): Promise<KurrentEventStore> {
    const names = new StreamNames(options.prefix);
    const store = new KurrentEventStore(options, names, KurrentConnection.open(options.url, options.patience));
    try {
      await store.identify();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  private constructor(
    private readonly options: KurrentEventStoreOptions,
    private readonly names: StreamNames,
    private readonly connection: KurrentConnection,
  ) {
    super();
    this.writer = new EventWriter(connection, options.settleMs ?? SETTLE_MS, this.ending.signal);
    this.settings = new ServerSettings(connection, this.writer);
    this.headOfLog = new LogHead(connection.calls, names, connection.patience.readMs);
  }

  override get storeId(): string {
    return this.id;
  }

  override async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly EventToAppend[],
  ): Promise<AppendReceipt> {
    this.assertOpen();
    const serialised = serialisedAppend(stream, expected, events);
    const appending = this.writer.append(stream, this.names.stored(stream), expected, serialised);
    this.appends.add(appending);
    try {
      const receipt = await appending;
      if (!stream.startsWith('_')) this.headOfLog.seen(receipt.position);
      return receipt;
    } finally {
      this.appends.delete(appending);
    }
  }

  /**
   * Lets a technical stream show no more than its newest `count` events: a checkpoint is read for its newest event alone. Nobody's history
   * is ever cut short: a domain stream is refused.
   * @throws {RangeError} @throws {StoreUnavailableError}
   */
  async keepNewest(stream: string, count: number): Promise<void> {
    this.assertOpen();
    if (!stream.startsWith('_')) throw new RangeError(`${stream} is history, which is kept whole`);
    if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`${count} is no number of events to keep`);
    await this.settings.keepNewest(this.names.stored(stream), count);
  }

  /**
   * Gives accounts of `group` the whole log, and everybody else but admins nothing: for an admin's connection, before services start.
   * Answers what was not so before, as sentences. An insecure server keeps the rules and enforces none.
   * @throws {StoreUnavailableError}
   */
  async grantTo(group: string): Promise<readonly string[]> {
    this.assertOpen();
    return this.settings.grant(group);
  }

  override async readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]> {
    this.assertOpen();
    // The server takes 0 for an error.
    if (limit < 1) return [];
    const request = streamRequest(this.names.stored(stream), Math.max(from, 0), limit);
    return this.reading(`the stream ${stream} cannot be read`, async () => {
      const events: RecordedEvent[] = [];
      const take = (message: ReadResp): 'more' => {
        const event = message.getEvent()?.getEvent();
        if (event !== undefined) events.push(recordedOf(event, stream));
        return 'more';
      };
      await this.connection.calls.read(request, take, this.connection.patience.readMs);
      return events;
    });
  }

  override async readAll(after: bigint, limit: number): Promise<RecordedEvent[]> {
    this.assertOpen();
    if (limit < 1 || after > LAST_POSITION) return [];
    return this.reading('the log cannot be read', () => this.page(after, limit));
  }

  override async head(): Promise<bigint> {
    this.assertOpen();
    return this.reading('the log cannot be read', () => this.headOfLog.find());
  }

  override subscribeToAll(
    after: bigint,
    handler: (batch: readonly RecordedEvent[]) => Promise<void>,
    options: SubscriptionOptions = {},
  ): Subscription {
    this.assertOpen();
    const maxBatch = options.maxBatch ?? MAX_BATCH;
    if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) throw new RangeError(`a batch of ${maxBatch} events`);
    const subscription: KurrentSubscription = new KurrentSubscription(
      {
        connection: this.connection,
        names: this.names,
        head: this.headOfLog,
        handler,
        passed: options.passed,
        maxBatch,
        muteMs: this.options.muteMs ?? MUTE_MS,
        broken: this.options.broken ?? (() => undefined),
        ended: () => this.subscriptions.delete(subscription),
      },
      after,
    );
    this.subscriptions.add(subscription);
    return subscription;
  }

  /**
   * Stops subscriptions, waits for appends already made, gives the connection back. Handlers in hand may still append until they return.
   * Appends that the server does not answer are given up after the time that an answer may take.
   */
  override close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.stop()));
    const appends = Promise.allSettled(this.appends);
    const settled = new AbortController();
    void appends.then(() => {
      settled.abort();
    });
    await pause(this.connection.patience.appendMs, settled.signal);
    this.ending.abort();
    await appends;
    this.closed = true;
    await this.connection.close();
  }

  private async page(after: bigint, limit: number): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    const { calls, patience } = this.connection;
    let last = after;
    let seen = 0;
    let from = after;
    const take = (message: ReadResp, end: bigint): 'more' | 'enough' => {
      const resolved = message.getEvent();
      const event = resolved?.getEvent() ?? resolved?.getLink();
      if (event === undefined) return 'more';
      seen += 1;
      const position = positionOf(event);
      if (position <= last) return 'more';
      last = position;
      const stream = this.names.ownDomain(storedStreamOf(event));
      if (stream !== undefined) events.push(recordedOf(event, stream));
      return events.length < limit && position < end ? 'more' : 'enough';
    };
    // One more than asked for: a read begins with the event it is to come after.
    const count = Math.max(limit + 1, SMALLEST_READ);
    try {
      await calls.read(allRequest(after, count), (message) => take(message, LAST_POSITION), patience.readMs);
      if (events.length === limit || seen < count) return events;
      from = last;
    } catch (error) {
      if (!(error instanceof CallFailure) || error.kind !== 'no-boundary') throw error;
      // No record begins there, but whoever asks is to have what comes after it: found by coming from the start.
      from = 0n;
    }
    // Reads have no filter on the server, subscriptions have: one passes over whatever lies before the next of our events.
    const head = await this.headOfLog.find();
    if (head <= last) return events;
    const onwards = subscriptionRequest(from, this.names.domainRegex);
    await calls.read(onwards, (message) => take(message, head), patience.readMs);
    return events;
  }

  /** A read that met a broken connection is tried once more: the client replaces a connection only after a call failed on it. */
  private async reading<T>(what: string, read: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof CallFailure)) throw error;
        if (error.kind !== 'broken' || attempt > 1 || this.closed) throw unavailable(what, error);
      }
    }
  }

  /** Reads the log's id, or writes one: whoever comes second reads the first one's. */
  private async identify(): Promise<void> {
    for (;;) {
      const [known] = await this.readStream(IDENTITY_STREAM, 0, 1);
      if (known !== undefined) {
        this.id = (known.data as { readonly id: string }).id;
        return;
      }
      if (this.options.existing === true)
        throw new StoreUnavailableError(`there is no log under the prefix ${this.options.prefix ?? 'of this server'}`);
      const id = newId();
      try {
        await this.append(IDENTITY_STREAM, NO_STREAM, [technicalEvent(id, 'LogNamed', { id }, new Date())]);
      } catch (error) {
        if (!(error instanceof WrongRevisionError)) throw error;
      }
    }
  }

  private assertOpen(): void {
    if (this.closed) throw new StoreUnavailableError('the log is closed');
  }
}
