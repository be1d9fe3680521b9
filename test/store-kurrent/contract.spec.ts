import { randomBytes } from 'node:crypto';
import { eventStoreContract } from '#kernel-testing';
import { KurrentEventStore } from '#store-kurrent';
import { EventStoreStandIn } from '../eventstore-stand-in/index.js';

let standIn: EventStoreStandIn | undefined;
let url: string;

beforeAll(async () => {
  const given = process.env.EVENTSTORE_URL;
  if (given === undefined) standIn = await EventStoreStandIn.start();
  url = given ?? standIn?.url ?? '';
});

afterAll(async () => {
  await standIn?.stop();
});

eventStoreContract('KurrentEventStore', async () => {
  const prefix = randomBytes(8).toString('hex');
  let store = await KurrentEventStore.open({ url, prefix });
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await KurrentEventStore.open({ url, prefix });
      return store;
    },
    dispose: () => store.close(),
  };
});
