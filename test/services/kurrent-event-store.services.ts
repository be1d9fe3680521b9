import { randomBytes } from 'node:crypto';
import { eventStoreContract } from '#kernel-testing';
import { KurrentEventStore } from '#store-kurrent';
import { talksTo } from './talks-to.js';

let url: string;

beforeAll(() => {
  url = talksTo('EVENTSTORE_URL');
});

// Nothing is killed or disturbed here: the server may be anybody's.
eventStoreContract('KurrentEventStore', async () => {
  const options = { url, prefix: randomBytes(8).toString('hex') };
  let store = await KurrentEventStore.open(options);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await KurrentEventStore.open(options);
      return store;
    },
    dispose: () => store.close(),
  };
});
