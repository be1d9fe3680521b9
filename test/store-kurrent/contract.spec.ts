import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventStoreContract } from '#kernel-testing';
import { KurrentEventStore } from '#store-kurrent';
import { StandInProcess } from '../eventstore-stand-in/process.js';

const given = process.env.EVENTSTORE_URL;
let folder: string | undefined;
let standIn: StandInProcess | undefined;
let url = given ?? '';

beforeAll(async () => {
  if (given === undefined) {
    folder = mkdtempSync(join(tmpdir(), 'kurrent-contract-'));
    standIn = await StandInProcess.start(folder);
    ({ url } = standIn);
  }
  const server = given === undefined ? 'the stand-in, for EVENTSTORE_URL is not set' : url.replace(/\/\/.*@/, '//');
  process.stdout.write(`KurrentEventStore as an event store: against ${server}\n`);
});

afterAll(async () => {
  await standIn?.kill();
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

eventStoreContract('KurrentEventStore', async () => {
  const options = { url, prefix: randomBytes(8).toString('hex'), patience: { appendMs: 1_000, readMs: 5_000 } };
  const server = standIn;
  let store = await KurrentEventStore.open(options);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await KurrentEventStore.open(options);
      return store;
    },
    dispose: () => store.close(),
    ...(server === undefined
      ? {}
      : {
          loseAnswer: () => server.tell({ on: 'append', act: 'swallow-answer', times: 1 }),
          killServer: async () => {
            await server.kill();
            await server.restart();
          },
        }),
  };
});
