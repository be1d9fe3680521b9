import type { MessageBus } from '#kernel';
import { KafkaBroker, KafkaMessageBus, Relay } from '#bus-kafka';
import { SeveredBroker } from '#bus-kafka/testing';
import { InMemoryEventStore, messageBusContract } from '#kernel-testing';
import { talksTo } from './talks-to.js';
import { freshTopics } from './topics.js';

const CATEGORIES = [{ name: 'counter', types: ['Raised', 'Noted'] }];
const FAST = { firstBackoffMs: 1, maxBackoffMs: 2 };

let address: string;
beforeAll(() => {
  address = talksTo('KAFKA_BROKERS');
});

const connect = (): KafkaBroker => new KafkaBroker({ brokers: address.split(',') });

messageBusContract('KafkaMessageBus on a real broker', async () => {
  const { prefix } = await freshTopics(address);
  const store = new InMemoryEventStore();
  const relaying = connect();
  const relay = new Relay(store, relaying, { prefix, isPublic: () => false });
  relay.start();
  const buses = new Map<MessageBus, SeveredBroker>();
  return {
    store,
    open: () => {
      const own = new SeveredBroker(connect());
      const bus = new KafkaMessageBus(store, own, { prefix, categories: CATEGORIES, ...FAST });
      buses.set(bus, own);
      return bus;
    },
    crash: async (bus) => {
      await buses.get(bus)?.sever();
    },
    dispose: async () => {
      await Promise.all(
        [...buses].map(async ([bus, broker]) => {
          await bus.close();
          await broker.close();
        }),
      );
      await relay.stop();
      await relaying.close();
      await store.close();
    },
  };
});
