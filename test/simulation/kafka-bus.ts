import type { KafkaBusAlarm } from '#bus-kafka';
import { KafkaMessageBus, Relay, TopicNames } from '#bus-kafka';
import type { EventStore, MessageBus, RecordedEvent } from '#kernel';
import { categoryOfStream } from '#kernel';
import { BrokenRuleError } from './inspector.js';
import type { Inspector } from './inspector.js';
import type { Owner, Scheduler } from './scheduler.js';
import type { SimulatedLog } from './simulated-log.js';
import { BrokerConnection, SimulatedKafka } from './simulated-kafka.js';
import { missingIn } from './topics-check.js';

export interface CategoryOfStreams {
  readonly name: string;
  readonly types: readonly string[];
}

/** Longer than a service's: it is renewed and looked at seldomer, and steps are what a run is made of. */
const LEASE_MS = 20_000;

/** Records that partners may read: offers, as everybody's are in a run. */
const isPublic = ({ stream }: RecordedEvent): boolean => categoryOfStream(stream) === 'offer';

/** The bus and the relay of the services shape, as they are, on a broker in memory. */
export class KafkaTopics {
  private readonly kafka: SimulatedKafka;
  private readonly names = new TopicNames();

  constructor(
    scheduler: Scheduler,
    private readonly log: SimulatedLog,
    private readonly categories: readonly CategoryOfStreams[],
    partitions: number,
    private readonly inspector: Inspector,
  ) {
    this.kafka = new SimulatedKafka(scheduler);
    this.kafka.create(this.names.deadLetters, 1);
    for (const { name } of categories) {
      this.kafka.create(this.names.restricted(name), partitions);
      this.kafka.create(this.names.partner(name), partitions);
    }
  }

  /** A node's bus and its relay, which begins to forward or to stand by. Called in a step of the node's own. */
  open(store: EventStore, owner: Owner, isCut: () => boolean): MessageBus {
    const broker = new BrokerConnection(this.kafka, owner, isCut);
    const relay = new Relay(store, broker, {
      isPublic,
      leaseMs: LEASE_MS,
      alarm: ({ kind }) => {
        this.inspector.count(`relay: ${kind}`);
      },
    });
    relay.start();
    return new KafkaMessageBus(store, broker, {
      categories: this.categories,
      alarm: (alarm) => {
        this.alarmed(alarm);
      },
    });
  }

  wake(): void {
    this.kafka.wake();
  }

  disturb(): void {
    this.kafka.disturb();
  }

  missed(owner: Owner): void {
    this.kafka.missed(owner);
  }

  /** What is not handled yet; empty where everything is. @throws {BrokenRuleError} where a topic does not hold what the log does */
  get behind(): readonly string[] {
    return [...this.unsent(), ...this.kafka.behind];
  }

  private unsent(): readonly string[] {
    return this.categories.flatMap(({ name }) => {
      const streams = new Map(
        this.log.names
          .filter((stream) => categoryOfStream(stream) === name)
          .map((stream) => [stream, this.log.eventsOf(stream)]),
      );
      const topics = [this.names.restricted(name), ...(name === 'offer' ? [this.names.partner(name)] : [])];
      return topics.flatMap((topic) => {
        const missing = missingIn(topic, this.kafka.partitionsOf(topic).flat(), streams);
        return missing === 0 ? [] : [`${missing} events are not in ${topic}`];
      });
    });
  }

  private alarmed(alarm: KafkaBusAlarm): void {
    this.inspector.count(`bus: ${alarm.kind}`);
    switch (alarm.kind) {
      case 'dead-letter':
        this.inspector.blame(
          new BrokenRuleError(`${alarm.subscription} gives up on ${alarm.letter.stream}: ${alarm.letter.reason}`),
        );
        return;
      case 'messages-missing':
      case 'foreign-log':
      case 'malformed-message':
        this.inspector.blame(new BrokenRuleError(`${alarm.subscription} finds its topic broken: ${alarm.kind}`));
        return;
      // `topic-rewound` also comes where what is fetched was committed since the member began anew: it is handled again, to no effect.
      default:
    }
  }
}
