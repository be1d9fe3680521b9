import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { KafkaBroker, KafkaMessageBus, Relay } from '#bus-kafka';
import { LogSigning } from '#audit';
import { DocumentStore, FileDocumentStore } from '#documents';
import type { Host } from '#hosting';
import { host, Opened } from '#hosting';
import { LogLineage, newId } from '#kernel';
import { SqliteReadDatabase } from '#read-database';
import { categories, contexts, ROUTE_SUMMARIES } from '#services';
import { KurrentEventStore } from '#store-kurrent';
import { LocalIssuer, sealKeysOf, SqliteSubjectRegister } from '#web';
import type { Folders } from './folders.js';
import { holdFigures, proposing } from './p7-hold.js';
import type { Figure } from './report.js';
import type { Servers } from './servers.js';
import { served } from './service.js';

/**
 * From sending a proposal to its hold being told, where processes hear of events through Kafka, against one broker round trip (produce,
 * acknowledge, consume) of a bare kafkajs producer and consumer, turn by turn.
 */
export const holdingThroughKafka = async (
  folders: Folders,
  servers: Servers,
  { proposals }: { readonly proposals: number },
): Promise<readonly Figure[]> => {
  const service = await served(await serviceOn(folders, servers));
  try {
    const trips = await RoundTrips.on(servers);
    try {
      return holdFigures('one broker round trip', await proposing(service, proposals, () => trips.one()));
    } finally {
      await trips.close();
    }
  } finally {
    await service.app.close();
  }
};

/** Every context in this process, as the embedded service has them, but on the shared log and bus; and a relay. */
const serviceOn = async (folders: Folders, { url, brokers, topics }: Servers): Promise<Host> => {
  const { prefix } = await topics(categories);
  const folder = folders.fresh('kafka-hold');
  return Opened.orClosed(async (opened) => {
    const store = opened.add(await KurrentEventStore.open({ url, prefix }));
    const broker = opened.add(new KafkaBroker({ brokers }));
    const relay = new Relay(store, broker, { prefix, isPublic: () => false });
    opened.add({ close: () => relay.stop() });
    relay.start();
    const readDatabase = opened.add(new SqliteReadDatabase(join(folder, 'read'), { origin: store.storeId }));
    const documents = opened.add(FileDocumentStore.temporary());
    const subjects = opened.add(SqliteSubjectRegister.inMemory());
    const bus = opened.add(new KafkaMessageBus(store, broker, { prefix, categories }));
    return host(
      {
        contexts,
        rate: 'off',
        summaries: ROUTE_SUMMARIES,
        adapters: {
          store,
          lineage: LogLineage.of(store.storeId),
          bus,
          readDatabase,
          subjects,
          seals: sealKeysOf(undefined),
          issuer: LocalIssuer.inMemory(),
          ports: [
            { provide: DocumentStore, useValue: documents },
            { provide: LogSigning, useValue: LogSigning.passing() },
          ],
        },
      },
      opened,
    );
  });
};

/** One message at a time through a topic of its own. */
class RoundTrips {
  static async on({ brokers, topics }: Servers): Promise<RoundTrips> {
    const names = await topics([{ name: 'trip', types: ['Tripped'] }]);
    const topic = names.restricted('trip');
    const kafka = new kafkajs.Kafka({ clientId: 'bench', brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    // As the bus fetches: a message is delivered at once.
    const consumer = kafka.consumer({ groupId: names.group('trips'), maxWaitTimeInMs: 100, minBytes: 1 });
    const trips = new RoundTrips(topic, producer, consumer);
    await producer.connect();
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { key } of batch.messages) trips.arrived(String(key));
      },
    });
    return trips;
  }

  private readonly waiting = new Map<string, () => void>();

  private constructor(
    private readonly topic: string,
    private readonly producer: kafkajs.Producer,
    private readonly consumer: kafkajs.Consumer,
  ) {}

  /** Milliseconds until a message was both acknowledged and consumed. */
  async one(): Promise<number> {
    const key = newId();
    const consumed = new Promise<void>((resolve) => this.waiting.set(key, resolve));
    const begun = performance.now();
    await this.producer.send({ acks: -1, topic: this.topic, messages: [{ key, value: 'x'.repeat(500) }] });
    await consumed;
    return performance.now() - begun;
  }

  async close(): Promise<void> {
    await this.consumer.disconnect();
    await this.producer.disconnect();
  }

  private arrived(key: string): void {
    this.waiting.get(key)?.();
    this.waiting.delete(key);
  }
}
