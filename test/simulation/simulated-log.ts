import type {
  AppendReceipt,
  EventToAppend,
  ExpectedRevision,
  RecordedEvent,
  SerialisedEvent,
  Subscription,
} from '#kernel';
import { EventStore, serialisedAppend, StoreUnavailableError, WrongRevisionError } from '#kernel';
import { frozen } from '#kernel-testing';
import type { Request, Scheduler } from './scheduler.js';

/** An append as it was asked for, whether or not it is stored. */
export interface AskedAppend {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly EventToAppend[];
}

export interface Witness {
  /** Before anything is stored or refused. */
  asked(append: AskedAppend): void;
  /** After it was stored, in the order of the log. */
  stored(events: readonly RecordedEvent[], append: AskedAppend): void;
}

/**
 * The log that all nodes of a simulation share. By itself it answers at once and never fails. Events are parsed once and frozen: a
 * reader that changed one would throw.
 */
export class SimulatedLog extends EventStore {
  override readonly storeId = '00000000-0000-7000-8000-000000000000';
  /** Events of domain streams, in the order of their positions. */
  readonly events: RecordedEvent[] = [];
  private readonly streams = new Map<string, RecordedEvent[]>();
  private readonly sleepers = new Set<() => void>();
  private last = 0n;

  constructor(private readonly witness?: Witness) {
    super();
  }

  /** Position of the newest event, of whatever stream. */
  get position(): bigint {
    return this.last;
  }

  get names(): readonly string[] {
    return [...this.streams.keys()];
  }

  eventsOf(stream: string): readonly RecordedEvent[] {
    return this.streams.get(stream) ?? [];
  }

  /** @throws {WrongRevisionError} */
  store(append: AskedAppend, serialised: readonly SerialisedEvent[]): AppendReceipt {
    const { stream, expected } = append;
    const rows = this.streams.get(stream) ?? [];
    if (rows.length - 1 !== expected) {
      const earlier = rows.slice(expected + 1, expected + 1 + serialised.length);
      const last = earlier.at(-1);
      if (last === undefined || !serialised.every((event, index) => event.id === earlier[index]?.id)) {
        throw new WrongRevisionError(stream, expected, rows.length - 1);
      }
      return { revision: last.revision, position: last.position };
    }
    this.streams.set(stream, rows);
    const added = serialised.map(({ id, type, data, metadata }, index) =>
      frozen<RecordedEvent>({
        id,
        stream,
        type,
        data: JSON.parse(data) as object,
        metadata: JSON.parse(metadata) as RecordedEvent['metadata'],
        revision: rows.length + index,
        // Positions of real logs are not dense either.
        position: this.last + 3n * BigInt(index + 1),
      }),
    );
    rows.push(...added);
    this.last += 3n * BigInt(added.length);
    if (!stream.startsWith('_')) this.events.push(...added);
    this.witness?.stored(added, append);
    this.wake();
    return { revision: rows.length - 1, position: this.last };
  }

  page(after: bigint, limit: number): RecordedEvent[] {
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.events[middle]?.position ?? 0n) <= after) low = middle + 1;
      else high = middle;
    }
    return this.events.slice(low, low + Math.max(limit, 0));
  }

  pageOf(stream: string, from: number, limit: number): RecordedEvent[] {
    const start = Math.max(from, 0);
    return this.eventsOf(stream).slice(start, start + Math.max(limit, 0));
  }

  get newest(): bigint {
    return this.events.at(-1)?.position ?? 0n;
  }

  /** Called once, when something was stored or `wake` was called. */
  untilWoken(sleeper: () => void): void {
    this.sleepers.add(sleeper);
  }

  wake(): void {
    const woken = [...this.sleepers];
    this.sleepers.clear();
    for (const sleeper of woken) sleeper();
  }

  /** Says that this append is on its way. */
  asked(append: AskedAppend): void {
    this.witness?.asked(append);
  }

  override async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly EventToAppend[],
  ): Promise<AppendReceipt> {
    return this.store({ stream, expected, events }, serialisedAppend(stream, expected, events));
  }

  override async readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]> {
    return this.pageOf(stream, from, limit);
  }

  override async readAll(after: bigint, limit: number): Promise<RecordedEvent[]> {
    return this.page(after, limit);
  }

  override async head(): Promise<bigint> {
    return this.newest;
  }

  override subscribeToAll(): Subscription {
    throw new Error('nodes subscribe through a connection of their own');
  }

  override async close(): Promise<void> {
    this.wake();
  }
}

/** Most events that a subscription delivers at once: small, so that the ends of batches fall everywhere. */
const MAX_BATCH = 40;

/** How one node sees the log: everything takes steps, and may fail as a network makes it fail. */
export class LogConnection extends EventStore {
  /** Set while the log is out of this node's reach. */
  cut = false;
  private closed = false;

  constructor(
    private readonly log: SimulatedLog,
    private readonly scheduler: Scheduler,
    /** What becomes of the events of an append on their way; as they are unless a fault is planted. */
    private readonly onTheWay: (events: readonly EventToAppend[]) => readonly EventToAppend[] = (events) => events,
  ) {
    super();
  }

  override get storeId(): string {
    return this.log.storeId;
  }

  override async append(
    stream: string,
    expected: ExpectedRevision,
    given: readonly EventToAppend[],
  ): Promise<AppendReceipt> {
    const events = this.onTheWay(given);
    const serialised = serialisedAppend(stream, expected, events);
    const append = { stream, expected, events };
    this.log.asked(append);
    return this.request('append', stream, () => this.log.store(append, serialised), { isWrite: true });
  }

  override readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]> {
    return this.request('read', stream, () => this.log.pageOf(stream, from, limit));
  }

  override readAll(after: bigint, limit: number): Promise<RecordedEvent[]> {
    return this.request('read', 'all', () => this.log.page(after, limit));
  }

  override head(): Promise<bigint> {
    return this.request('head', 'all', () => this.log.newest);
  }

  override subscribeToAll(
    after: bigint,
    handler: (batch: readonly RecordedEvent[]) => Promise<void>,
    {
      maxBatch = MAX_BATCH,
      passed,
    }: { readonly maxBatch?: number; readonly passed?: (at: bigint) => Promise<void> } = {},
  ): Subscription {
    let stopped = false;
    let cancelWait = (): void => undefined;
    const deliver = async (): Promise<void> => {
      let position = after;
      while (!this.ends(stopped)) {
        const most = this.scheduler.random.between(1, Math.min(maxBatch, MAX_BATCH));
        const notices = passed !== undefined && this.scheduler.random.chance(0.3);
        const found = (): { readonly batch: readonly RecordedEvent[]; readonly seen: bigint } => ({
          batch: this.log.page(position, most),
          seen: this.log.position,
        });
        const { batch, seen } = await this.request('batch', 'all', found, {
          parked: (wake) => {
            const nothing = this.log.newest <= position && !(notices && this.log.position > position);
            if (!nothing || this.cut || this.ends(stopped)) return false;
            cancelWait = wake;
            this.log.untilWoken(wake);
            return true;
          },
        });
        if (this.ends(stopped)) return;
        const last = batch.at(-1);
        if (last !== undefined) {
          await handler(batch);
          ({ position } = last);
        } else if (notices && seen > position) {
          await passed(seen);
          position = seen;
        }
      }
    };
    const done = deliver();
    return {
      done,
      stop: async () => {
        stopped = true;
        cancelWait();
        await done.catch(() => undefined);
      },
    };
  }

  override async close(): Promise<void> {
    this.closed = true;
    this.log.wake();
  }

  private ends(stopped: boolean): boolean {
    return stopped || this.closed;
  }

  private request<T>(
    what: string,
    on: string,
    effect: () => T,
    more: Pick<Request<T>, 'isWrite' | 'parked'> = {},
  ): Promise<T> {
    if (this.closed) return Promise.reject(new StoreUnavailableError('the store is closed'));
    return this.scheduler.request({
      what,
      on,
      effect,
      isCut: () => this.cut,
      failure: () => new StoreUnavailableError(`the log does not answer to ${what} ${on}`),
      ...more,
    });
  }
}
