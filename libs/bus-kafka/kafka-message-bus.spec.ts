import type { MessageBus } from '#kernel';
import { InMemoryEventStore, messageBusContract } from '#kernel-testing';
import { InMemoryBroker } from './in-memory-broker.fixture.js';
import { KafkaMessageBus } from './kafka-message-bus.js';
import { Relay } from './relay.js';
import { SeveredBroker } from './severed-broker.fixture.js';
import { TopicNames } from './topic-names.js';

const CATEGORIES = [{ name: 'counter', types: ['Raised', 'Noted'] }];
const FAST = { firstBackoffMs: 1, maxBackoffMs: 2, commitEveryMs: 1 };

const brokerWithTopics = (partitions = 3): InMemoryBroker => {
  const broker = new InMemoryBroker();
  const names = new TopicNames();
  broker.create(names.restricted('counter'), partitions);
  broker.create(names.partner('counter'), partitions);
  broker.create(names.deadLetters, 1);
  return broker;
};

messageBusContract('KafkaMessageBus on topics in memory', async () => {
  const store = new InMemoryEventStore();
  const broker = brokerWithTopics();
  const relay = new Relay(store, broker, { isPublic: () => false, checkpointEveryMs: 1 });
  relay.start();
  const buses = new Map<MessageBus, SeveredBroker>();
  return {
    store,
    open: () => {
      const own = new SeveredBroker(broker);
      const bus = new KafkaMessageBus(store, own, { categories: CATEGORIES, ...FAST });
      buses.set(bus, own);
      return bus;
    },
    crash: async (bus) => {
      await buses.get(bus)?.sever();
    },
    dispose: async () => {
      await Promise.all([...buses.keys()].map((bus) => bus.close()));
      await relay.stop();
      await store.close();
    },
  };
});
