import kafkajs from 'kafkajs';
import type { Broker, OutgoingMessage } from '#bus-kafka';
import { KafkaBroker, partitionOf, Relay } from '#bus-kafka';
import type { EventStore } from '#kernel';
import { KurrentEventStore } from '#store-kurrent';
import { fromTheBeginning, writeDrafts } from './drafts.js';
import type { Turn } from './measure.js';
import { cpuClock, interleaved, rateOf, ratioOf } from './measure.js';
import type { Figure } from './report.js';
import type { Servers } from './servers.js';
import { watched } from './watched-broker.js';

/** As the relay does. */
const EVENTS_PER_SEND = 500;

/**
 * The relay from the log to Kafka against a bare kafkajs producer that sends the very messages the relay sent: idempotent, one batch in
 * flight, acknowledged by every replica in sync. Every event goes out twice: as a wake-up, and to partners with its data.
 */
export const relaying = async (
  servers: Servers,
  { rounds, events }: { readonly rounds: number; readonly events: number },
): Promise<readonly Figure[]> => {
  const names = await servers.topics([{ name: 'need', types: ['NeedDrafted'] }]);
  const store = await KurrentEventStore.open({ url: servers.url, prefix: names.prefix });
  const broker = new KafkaBroker({ brokers: servers.brokers });
  const bare = await BareProducer.connect(servers.brokers);
  try {
    await writeDrafts(store, events);
    const relay = (): Promise<Turn> => relayed(store, broker, names.prefix, events * 2);
    // What it sends is what the bare producer is to send.
    const messages: OutgoingMessage[] = [];
    await relayed(store, broker, names.prefix, events * 2, (batch) => messages.push(...batch));
    const turns = await interleaved(rounds, { relay, bare: () => bare.send(messages) });
    return [
      { name: 'the relay, from the log, wake-ups and partners', value: rateOf(turns.relay), unit: 'msg/s' },
      { name: 'a bare kafkajs producer, the same messages', value: rateOf(turns.bare), unit: 'msg/s' },
      {
        name: 'relay : bare producer',
        value: ratioOf(turns.relay, turns.bare),
        unit: 'ratio',
        target: { bound: 'at least', value: 0.5 },
      },
      { name: '… by processor time', value: ratioOf(turns.relay, turns.bare, 'cpuSeconds'), unit: 'ratio' },
    ];
  } finally {
    await bare.disconnect();
    await broker.close();
    await store.close();
  }
};

/** From the first message handed to the broker until it has acknowledged all of them; `sent` is told of each. */
const relayed = async (
  store: EventStore,
  kafka: Broker,
  prefix: string,
  messages: number,
  sent: (messages: readonly OutgoingMessage[]) => void = () => undefined,
): Promise<Turn> => {
  await fromTheBeginning(store);
  let begun: { readonly at: number; readonly cpu: () => number } | undefined;
  let left = messages;
  let finish: (turn: Turn) => void = () => undefined;
  const done = new Promise<Turn>((resolve) => (finish = resolve));
  const broker = watched(kafka, {
    sending: () => {
      begun ??= { at: performance.now(), cpu: cpuClock() };
    },
    acknowledged: (batch) => {
      sent(batch);
      left -= batch.length;
      if (left > 0 || begun === undefined) return;
      finish({ done: messages, seconds: (performance.now() - begun.at) / 1000, cpuSeconds: begun.cpu() });
    },
  });
  const relay = new Relay(store, broker, {
    prefix,
    isPublic: () => true,
    alarm: (alarm) => {
      if ('error' in alarm) throw new Error(`the relay: ${alarm.kind}`, { cause: alarm.error });
    },
  });
  relay.start();
  const turn = await done;
  await relay.stop();
  return turn;
};

/** kafkajs alone. */
class BareProducer {
  static async connect(brokers: readonly string[]): Promise<BareProducer> {
    const kafka = new kafkajs.Kafka({ clientId: 'bench', brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message, partitionMetadata }) =>
          partitionOf(String(message.key), partitionMetadata.length),
    });
    await producer.connect();
    return new BareProducer(producer);
  }

  private constructor(private readonly producer: kafkajs.Producer) {}

  /** As many a send as the relay's two lanes send of as many events. */
  async send(messages: readonly OutgoingMessage[]): Promise<Turn> {
    const batches: { topic: string; messages: kafkajs.Message[] }[][] = [];
    for (let at = 0; at < messages.length; at += EVENTS_PER_SEND) {
      const topics = new Map<string, kafkajs.Message[]>();
      for (const { topic, key, headers, value } of messages.slice(at, at + EVENTS_PER_SEND)) {
        const of = topics.get(topic) ?? [];
        of.push({ key, headers: { ...headers }, value });
        topics.set(topic, of);
      }
      batches.push([...topics].map(([topic, of]) => ({ topic, messages: of })));
    }
    const cpu = cpuClock();
    const begun = performance.now();
    for (const topicMessages of batches) await this.producer.sendBatch({ acks: -1, topicMessages });
    return { done: messages.length, seconds: (performance.now() - begun) / 1000, cpuSeconds: cpu() };
  }

  disconnect(): Promise<void> {
    return this.producer.disconnect();
  }
}
