import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventStoreContract } from '#kernel-testing';
import { SqliteEventStore } from './sqlite-event-store.js';

eventStoreContract('SqliteEventStore', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pledgebook-store-'));
  let store = SqliteEventStore.open(folder);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = SqliteEventStore.open(folder);
      return store;
    },
    dispose: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});
