import type { EventStore, LogLineage } from '#kernel';
import {
  backoffMs,
  type BusSubscription,
  failureOf,
  Feed,
  MessageBus,
  pause,
  type RecordedEvent,
  type StuckMessage,
} from '#kernel';
import { Checkpoints } from './checkpoints.js';

/** Something an operator should hear of; nothing is lost, everything is tried again. */
export type BusAlarm =
  | { readonly kind: 'feed-broken'; readonly subscription: string; readonly error: unknown }
  | {
      readonly kind: 'handler-failed';
      readonly subscription: string;
      readonly event: RecordedEvent;
      readonly error: unknown;
      readonly attempts: number;
    }
  | { readonly kind: 'checkpoint-lost'; readonly error: unknown }
  | { readonly kind: 'checkpoint-unsaved'; readonly subscription: string; readonly error: unknown };

export interface LocalMessageBusOptions {
  /** Whose checkpoints count: `store`'s own unless told. */
  readonly lineage?: LogLineage;
  readonly alarm?: (alarm: BusAlarm) => void;
  /** Events not yet handled, per subscription, at which reading on pauses. */
  readonly window?: number;
  /** Wait before the second attempt, and most to wait before any, in milliseconds. */
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

const WINDOW = 1_000;
const MAX_BATCH = 500;
/** Events handled before the checkpoint is saved: handled again after a crash, at most, which writes nothing. */
const SAVE_AFTER = 64;
/** Events passed over before the checkpoint is saved for their sake alone. */
const SAVE_AFTER_PASSED = 5_000;

/**
 * The bus of one process. Subscriptions made in one turn share one feed of the log, so that it is parsed once. Events of one stream
 * are handled in order, streams side by side; an event whose handler keeps failing holds up its own stream, and its own
 * subscription only once the window is full.
 */
export class LocalMessageBus extends MessageBus {
  private readonly checkpoints: Checkpoints;
  private readonly subscriptions = new Map<string, LocalSubscription>();
  private readonly ending = new AbortController();
  private readonly feeds: Feed[] = [];
  private newcomers: LocalSubscription[] = [];
  private forming: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;

  /** @param checkpointFile losing it is harmless; `:memory:` starts from the log's beginning every time */
  constructor(
    private readonly store: EventStore,
    checkpointFile: string,
    private readonly options: LocalMessageBusOptions = {},
  ) {
    super();
    this.checkpoints = new Checkpoints(checkpointFile, (error) => {
      options.alarm?.({ kind: 'checkpoint-lost', error });
    });
  }

  override subscribe(
    name: string,
    handles: readonly string[],
    handler: (event: RecordedEvent) => Promise<void>,
    isUnknown: (type: string) => boolean = () => false,
  ): BusSubscription {
    if (this.subscriptions.has(name)) throw new Error(`${name} is subscribed already`);
    if (this.newcomers.length === 0) this.forming = this.forming.then(() => this.form());
    // A checkpoint says nothing about another log.
    const key = `${this.options.lineage?.id ?? this.store.storeId}/${name}`;
    const { store, checkpoints, options, forming } = this;
    const subscription = new LocalSubscription({
      name,
      key,
      handles,
      isUnknown,
      handler,
      store,
      checkpoints,
      options,
      forming,
    });
    this.newcomers.push(subscription);
    this.subscriptions.set(name, subscription);
    return subscription;
  }

  /** Stops every subscription after the events in hand. */
  override close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    this.ending.abort();
    await Promise.all([...this.subscriptions.values()].map((subscription) => subscription.stop()));
    await Promise.all(this.feeds.map((feed) => feed.stop()));
    this.checkpoints.close();
  }

  private async form(): Promise<void> {
    const members = this.newcomers;
    this.newcomers = [];
    const head = await this.head(members);
    if (head === undefined) return;
    for (const member of members) member.begin(head);
    // Who starts from nothing has a long way: those that are nearly there do not go it again.
    this.follow(members.filter(({ position }) => position > 0n));
    this.follow(members.filter(({ position }) => position === 0n));
  }

  /** The end of the log, however long it takes to be told; undefined when the bus closes first. */
  private async head(members: readonly LocalSubscription[]): Promise<bigint | undefined> {
    const { signal } = this.ending;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        return await this.store.head();
      } catch (error) {
        for (const member of members) member.broken(error);
        await pause(backoffMs(attempt, this.options.firstBackoffMs, this.options.maxBackoffMs), signal);
      }
    }
    return undefined;
  }

  private follow(members: readonly LocalSubscription[]): void {
    const [first] = members;
    if (first === undefined) return;
    const after = members.reduce((least, { position }) => (position < least ? position : least), first.position);
    const feed = new Feed(
      this.store,
      after,
      async (batch) => {
        for (const member of members) await member.takeShared(batch);
      },
      {
        maxBatch: MAX_BATCH,
        broken: (error) => {
          for (const member of members) member.broken(error);
        },
      },
    );
    this.feeds.push(feed);
  }
}

interface Waiter {
  readonly position: bigint;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface SubscriptionParts {
  readonly name: string;
  readonly key: string;
  readonly handles: readonly string[];
  readonly isUnknown: (type: string) => boolean;
  readonly handler: (event: RecordedEvent) => Promise<void>;
  readonly store: EventStore;
  readonly checkpoints: Checkpoints;
  readonly options: LocalMessageBusOptions;
  readonly forming: Promise<void>;
}

class LocalSubscription implements BusSubscription {
  readonly name: string;
  private readonly handles: ReadonlySet<string>;
  private readonly window: number;
  private readonly ending = new AbortController();
  /** Position of every event given out and not handled yet, oldest first. */
  private readonly open = new Set<bigint>();
  /** The last event given out of each stream that has one open: the next waits for it. */
  private readonly tails = new Map<string, Promise<void>>();
  private readonly failing = new Map<bigint, StuckMessage>();
  private waiters: Waiter[] = [];
  private stopping: Promise<void> | undefined;
  /** Once a full window holds it up it goes on alone, so that it holds up nobody else. */
  private alone: Feed | undefined;
  private delivered = 0n;
  private saved = 0n;
  private unsaved = 0;
  private passed = 0;
  private changed: (() => void) | undefined;

  constructor(private readonly parts: SubscriptionParts) {
    this.name = parts.name;
    this.handles = new Set(parts.handles);
    this.window = parts.options.window ?? WINDOW;
  }

  get position(): bigint {
    for (const oldest of this.open) return oldest - 1n;
    return this.delivered;
  }

  get stuck(): readonly StuckMessage[] {
    return [...this.failing.values()];
  }

  async reached(position: bigint): Promise<void> {
    await this.parts.forming;
    if (this.position >= position) return;
    if (this.ending.signal.aborted) throw this.stopped();
    await new Promise<void>((resolve, reject) => {
      this.waiters.push({ position, resolve, reject });
    });
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  /** Takes up the saved checkpoint, unless it lies behind the log's end: then the log was restored from an older copy. */
  begin(head: bigint): void {
    const saved = this.parts.checkpoints.read(this.parts.key);
    this.delivered = saved > head ? 0n : saved;
    this.saved = this.delivered;
  }

  broken(error: unknown): void {
    this.parts.options.alarm?.({ kind: 'feed-broken', subscription: this.name, error });
  }

  async takeShared(batch: readonly RecordedEvent[]): Promise<void> {
    if (this.alone !== undefined || (await this.take(batch, () => this.failing.size > 0))) return;
    if (this.ending.signal.aborted) return;
    this.alone = new Feed(
      this.parts.store,
      this.delivered,
      async (next) => {
        await this.take(next, () => false);
      },
      {
        maxBatch: MAX_BATCH,
        broken: (error) => {
          this.broken(error);
        },
      },
    );
  }

  private async end(): Promise<void> {
    this.ending.abort();
    this.changed?.();
    await this.parts.forming;
    await this.alone?.stop();
    await Promise.all(this.tails.values());
    this.save();
    for (const waiter of this.waiters) waiter.reject(this.stopped());
    this.waiters = [];
  }

  private stopped(): Error {
    return new Error(`${this.name} stopped at ${this.position}`);
  }

  private backoff(attempt: number): number {
    return backoffMs(attempt, this.parts.options.firstBackoffMs, this.parts.options.maxBackoffMs);
  }

  /**
   * Gives a batch out; resolves true once all of it is, not once it is handled: a slow stream holds up no other.
   * False when the window is full and `givesUp` says not to wait for room.
   */
  private async take(batch: readonly RecordedEvent[], givesUp: () => boolean): Promise<boolean> {
    const { signal } = this.ending;
    for (const event of batch) {
      if (event.position <= this.delivered) continue;
      while (this.open.size >= this.window && !signal.aborted) {
        if (givesUp()) return false;
        await new Promise<void>((resolve) => {
          this.changed = resolve;
        });
      }
      // Not given out, so never counted as handled: the next start begins here.
      if (signal.aborted) return true;
      if (this.handles.has(event.type) || this.parts.isUnknown(event.type)) this.giveOut(event);
      else this.passed += 1;
      this.delivered = event.position;
    }
    if (this.passed >= SAVE_AFTER_PASSED) this.save();
    this.wake();
    return true;
  }

  private giveOut(event: RecordedEvent): void {
    this.open.add(event.position);
    const before = this.tails.get(event.stream);
    const tail = before === undefined ? this.handle(event) : before.then(() => this.handle(event));
    this.tails.set(event.stream, tail);
    void tail.then(() => {
      if (this.tails.get(event.stream) === tail) this.tails.delete(event.stream);
    });
  }

  /** Tries until it succeeds or the subscription stops; never rejects. */
  private async handle(event: RecordedEvent): Promise<void> {
    const { signal } = this.ending;
    for (let attempts = 1; !signal.aborted; attempts += 1) {
      try {
        await this.parts.handler(event);
        this.handled(event);
        return;
      } catch (error) {
        this.failed(event, error, attempts);
        await pause(this.backoff(attempts), signal);
      }
    }
  }

  private handled({ position }: RecordedEvent): void {
    this.open.delete(position);
    this.failing.delete(position);
    this.unsaved += 1;
    if (this.unsaved >= SAVE_AFTER) this.save();
    this.changed?.();
    this.wake();
  }

  private failed(event: RecordedEvent, error: unknown, attempts: number): void {
    const { position, id, type } = event;
    const since = this.failing.get(position)?.since ?? new Date().toISOString();
    this.failing.set(position, { position, eventId: id, type, error: failureOf(error), attempts, since });
    this.parts.options.alarm?.({ kind: 'handler-failed', subscription: this.name, event, error, attempts });
    this.changed?.();
  }

  private save(): void {
    const { position } = this;
    this.unsaved = 0;
    this.passed = 0;
    if (position <= this.saved) return;
    try {
      this.parts.checkpoints.save(this.parts.key, position);
      this.saved = position;
    } catch (error) {
      // A full disk, say: what is handled again after a restart writes nothing.
      this.parts.options.alarm?.({ kind: 'checkpoint-unsaved', subscription: this.name, error });
    }
  }

  private wake(): void {
    if (this.waiters.length === 0) return;
    const { position } = this;
    const waiting: Waiter[] = [];
    for (const waiter of this.waiters) {
      if (waiter.position <= position) waiter.resolve();
      else waiting.push(waiter);
    }
    this.waiters = waiting;
  }
}
