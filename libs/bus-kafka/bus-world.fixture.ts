import type { BusSubscription, EventStore, EventToAppend, MessageBus, RecordedEvent } from '#kernel';
import { newId } from '#kernel';
import { InMemoryEventStore, recordedEvent } from '#kernel-testing';
import type { KafkaBusAlarm } from './alarms.js';
import type { TopicMessage } from './broker.js';
import { InMemoryBroker } from './in-memory-broker.fixture.js';
import { KafkaMessageBus, type KafkaMessageBusOptions } from './kafka-message-bus.js';
import { Relay, type RelayAlarm, type RelayOptions } from './relay.js';
import { SeveredBroker } from './severed-broker.fixture.js';
import { TopicNames } from './topic-names.js';

export const CATEGORIES = [{ name: 'counter', types: ['Raised', 'Noted'] }];
export const RESTRICTED = 'pledgebook.counter.restricted';
export const PARTNER = 'pledgebook.counter';
export const DEAD_LETTERS = 'pledgebook.dead-letters';

/** Milliseconds where a service takes seconds. */
const FAST = { firstBackoffMs: 1, maxBackoffMs: 2, commitEveryMs: 1, attempts: 3 };
const FAST_RELAY = { firstBackoffMs: 1, maxBackoffMs: 2, checkpointEveryMs: 1, leaseMs: 400 };

export const where = ({ stream, revision }: RecordedEvent): string => `${stream}@${revision}`;

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits turn by turn until something holds. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await nextTurn();
};

/** The places of a stream's events from revision `from` to `to`. */
export const places = (stream: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => `${stream}@${from + n}`);

/** Holds back whoever waits for it until it is opened. */
export const gate = (): { readonly open: () => void; readonly passed: Promise<void> } => {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return {
    open: () => {
      open();
    },
    passed,
  };
};

/** A log, a broker in memory, and what is opened on them, closed together. */
export class BusWorld {
  readonly broker = new InMemoryBroker();
  readonly alarms: KafkaBusAlarm[] = [];
  readonly relayAlarms: RelayAlarm[] = [];
  private readonly buses = new Map<MessageBus, SeveredBroker>();
  private readonly relays: Relay[] = [];

  constructor(
    readonly store: InMemoryEventStore = new InMemoryEventStore(),
    partitions = 3,
  ) {
    const names = new TopicNames();
    this.broker.create(names.restricted('counter'), partitions);
    this.broker.create(names.partner('counter'), partitions);
    this.broker.create(names.deadLetters, 1);
  }

  relay(options: Partial<RelayOptions> = {}, store: EventStore = this.store): Relay {
    const relay = new Relay(store, this.broker, {
      isPublic: () => false,
      alarm: (alarm) => this.relayAlarms.push(alarm),
      ...FAST_RELAY,
      ...options,
    });
    this.relays.push(relay);
    relay.start();
    return relay;
  }

  bus(options: Partial<KafkaMessageBusOptions> = {}): KafkaMessageBus {
    const own = new SeveredBroker(this.broker);
    const bus = new KafkaMessageBus(this.store, own, {
      categories: CATEGORIES,
      alarm: (alarm) => this.alarms.push(alarm),
      ...FAST,
      ...options,
    });
    this.buses.set(bus, own);
    return bus;
  }

  /** Ends a bus as a kill does. */
  async kill(bus: MessageBus): Promise<void> {
    await this.buses.get(bus)?.sever();
  }

  /** Appends events of these types; answers the position of the last. */
  async append(stream: string, ...types: readonly string[]): Promise<bigint> {
    const { length } = await this.store.readStream(stream, 0, 100_000);
    return (await this.store.append(stream, length - 1, types.map(eventOf))).position;
  }

  raise(stream: string, count: number): Promise<bigint> {
    return this.append(stream, ...Array.from({ length: count }, () => 'Raised'));
  }

  /** The messages of a topic with the event each tells of. */
  sent(topic: string): readonly { readonly place: string; readonly id: string }[] {
    return this.broker
      .messagesOf(topic)
      .map((message) => ({ place: placeOf(message), id: message.headers.ce_id ?? '' }));
  }

  alarmsOf<K extends KafkaBusAlarm['kind']>(kind: K): readonly Extract<KafkaBusAlarm, { readonly kind: K }>[] {
    return this.alarms.filter((alarm): alarm is Extract<KafkaBusAlarm, { readonly kind: K }> => alarm.kind === kind);
  }

  async close(): Promise<void> {
    await Promise.all([...this.buses.keys()].map((bus) => bus.close()));
    await Promise.all(this.relays.map((relay) => relay.stop()));
    await this.store.close();
  }
}

const placeOf = ({ key = '', headers }: TopicMessage): string => `${key}@${headers.ce_streamrevision ?? '?'}`;

const eventOf = (type: string): EventToAppend => {
  const { data, metadata } = recordedEvent('counter-1', 0, { type, data: { by: 1 } });
  return { id: newId(), type, data, metadata };
};

/** Subscribes a process that notes where it was called. */
export const noting = (bus: MessageBus, process: string, seen: string[]): BusSubscription =>
  bus.subscribe(process, ['Raised'], async (event) => void seen.push(where(event)));
