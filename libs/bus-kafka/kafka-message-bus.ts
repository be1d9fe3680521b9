import {
  backoffMs,
  type BusSubscription,
  type DeadLetter,
  type EventStore,
  lastEventOf,
  MessageBus,
  pause,
  type RecordedEvent,
  StoreUnavailableError,
} from '#kernel';
import type { KafkaBusAlarm } from './alarms.js';
import type { Broker, OffsetRange } from './broker.js';
import { BrokerError } from './broker.js';
import { DeadLetters } from './dead-letters.js';
import { ProcessSubscription, type SubscriptionOptions } from './process-subscription.js';
import { checkpointOf, WAKE_UPS } from './technical-stream.js';
import { type Category, TopicNames } from './topic-names.js';

export interface KafkaMessageBusOptions extends SubscriptionOptions {
  /** What topics and groups begin with (`pledgebook`). */
  readonly prefix?: string;
  /** Every category of streams with the types of its events: a process reads the topics of those that it handles. */
  readonly categories: readonly Category[];
  readonly alarm?: (alarm: KafkaBusAlarm) => void;
}

/** How a process stands on this instance. */
export interface ProcessStanding {
  readonly name: string;
  readonly position: bigint;
  /** Partitions of its topics that this instance owns. */
  readonly partitions: number;
  /** Messages taken in and not handled. */
  readonly inHand: number;
  /** Messages of this instance's partitions that are not handled. */
  readonly lag: bigint;
  readonly retrying: number;
  readonly deadLetters: number;
}

const POLL_FIRST_MS = 5;
const POLL_MAX_MS = 50;

/**
 * The bus of the services shape. Each process is a consumer group on the topics of the categories it handles; a message says only which
 * event of the log to look at. Events of one stream are handled in order, streams side by side, each event at least once.
 */
export class KafkaMessageBus extends MessageBus {
  private readonly names: TopicNames;
  private readonly letters: DeadLetters;
  private readonly subscriptions = new Map<string, ProcessSubscription>();
  private readonly alarm: (alarm: KafkaBusAlarm) => void;
  private forwardedTo = 0n;
  private closing: Promise<void> | undefined;
  /** Offsets being asked for, and those to be asked for next: what is asked together is asked once. */
  private asking: Promise<unknown> = Promise.resolve();
  private next:
    { readonly topics: Set<string>; readonly answer: Promise<ReadonlyMap<string, readonly OffsetRange[]>> } | undefined;

  /**
   * @param broker not closed by the bus: it may be shared with the relay and with other buses
   * @throws {RangeError} for a prefix that no topic can begin with
   */
  constructor(
    private readonly store: EventStore,
    private readonly broker: Broker,
    private readonly options: KafkaMessageBusOptions,
  ) {
    super();
    this.names = new TopicNames(options.prefix);
    this.alarm = options.alarm ?? (() => undefined);
    this.letters = new DeadLetters(broker, this.names, (error) => {
      this.alarm({ kind: 'broken', subscription: 'dead-letters', error });
    });
  }

  /** @throws {Error} for a name subscribed already, or an event type that no category has */
  override subscribe(
    name: string,
    handles: readonly string[],
    handler: (event: RecordedEvent) => Promise<void>,
    isUnknown: (type: string) => boolean = () => false,
  ): BusSubscription {
    if (this.closing !== undefined) throw new Error('the bus is closed');
    if (this.subscriptions.has(name)) throw new Error(`${name} is subscribed already`);
    const subscription = new ProcessSubscription({
      process: name,
      handles,
      isUnknown,
      handler,
      topics: this.topicsOf(name, handles),
      store: this.store,
      broker: this.broker,
      names: this.names,
      deadLetters: this.letters,
      alarm: this.alarm,
      forwarded: (position, signal) => this.forwarded(position, signal),
      ranges: (topics) => this.ranges(topics),
      options: this.options,
    });
    this.subscriptions.set(name, subscription);
    return subscription;
  }

  /** What processes gave up on, of every instance. */
  override deadLetters(): Promise<readonly DeadLetter[]> {
    return answered(async () => {
      await this.letters.upToDate();
      return this.letters.all();
    });
  }

  /**
   * Asks that `process` takes up `stream` again, or everything it gave up on; answers what was asked for. It is done by the instance
   * that owns the stream, in order with what comes; a letter goes when its stream was handled to its end.
   */
  override replay(process: string, stream?: string): Promise<readonly DeadLetter[]> {
    return answered(() => this.letters.replay(process, stream));
  }

  /** How every process stands on this instance. */
  standings(): readonly ProcessStanding[] {
    const letters = this.letters.all();
    return [...this.subscriptions].map(([name, { position, stuck, standing }]) => ({
      name,
      position,
      ...standing,
      retrying: stuck.length,
      deadLetters: letters.filter(({ process }) => process === name).length,
    }));
  }

  /** Stops every subscription after the events in hand. */
  override close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    await Promise.all([...this.subscriptions.values()].map((subscription) => subscription.stop()));
    await this.letters.close();
  }

  private topicsOf(name: string, handles: readonly string[]): readonly string[] {
    const { categories } = this.options;
    for (const type of handles) {
      if (!categories.some(({ types }) => types.includes(type))) {
        throw new Error(`${name} handles ${type}, which is an event of no category the bus knows`);
      }
    }
    return categories
      .filter(({ types }) => types.some((type) => handles.includes(type)))
      .map((category) => this.names.restricted(category.name));
  }

  /** The relay's checkpoint is in the log: whoever relays, its word is there. */
  private async forwarded(position: bigint, signal: AbortSignal): Promise<boolean> {
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      if (this.forwardedTo >= position) return true;
      try {
        const saved = checkpointOf(await lastEventOf(this.store, WAKE_UPS));
        if (saved > this.forwardedTo) this.forwardedTo = saved;
        if (saved >= position) return true;
      } catch (error) {
        this.alarm({ kind: 'broken', subscription: 'relay-checkpoint', error });
      }
      await pause(backoffMs(attempt, POLL_FIRST_MS, POLL_MAX_MS), signal);
    }
    return false;
  }

  /** Asked together, asked once: processes wait for a position all at the same time. */
  private ranges(topics: readonly string[]): Promise<ReadonlyMap<string, readonly OffsetRange[]>> {
    if (this.next === undefined) {
      const wanted = new Set<string>();
      const answer = this.asking
        .catch(() => undefined)
        .then(() => {
          this.next = undefined;
          return this.broker.ranges([...wanted]);
        });
      this.asking = answer;
      this.next = { topics: wanted, answer };
    }
    for (const topic of topics) this.next.topics.add(topic);
    const { answer } = this.next;
    return answer.then((all) => new Map(topics.map((topic) => [topic, all.get(topic) ?? []])));
  }
}

/** What is asked for a person must end: with the bus's word that it cannot be asked now. */
const answered = async <T>(ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    throw error instanceof BrokerError ? new StoreUnavailableError('Kafka does not answer', { cause: error }) : error;
  }
};
