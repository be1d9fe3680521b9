import { EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client';
import type { JSONType } from '@eventstore/db-client';
import { join } from 'node:path';
import type { EventStore, Projection, RecordedEvent } from '#kernel';
import { newId, ProjectionRunner, SystemClock, Transactor } from '#kernel';
import { needBoard } from '#needs';
import { SqliteReadDatabase } from '#read-database';
import { KurrentEventStore } from '#store-kurrent';
import { StandInProcess } from '../eventstore-stand-in/process.js';
import { draft, IN_FLIGHT, writeDrafts } from './drafts.js';
import type { Folders } from './folders.js';
import type { Turn } from './measure.js';
import { interleaved, rateOf, ratioOf, turn } from './measure.js';
import type { Figure } from './report.js';

const TIMEOUT_MS = 600_000;
/** Everything that the stores of this bench and its bare client write. */
const PREFIX = 'bench';

/**
 * The adapter for KurrentDB against its server's bare client, both on the server of `EVENTSTORE_URL`, or on the stand-in in a process of
 * its own where that is not set: there the server is slower than a real one, and ratios say more than rates.
 */
export const onKurrent = async (
  folders: Folders,
  order: { readonly rounds: number; readonly seconds: number; readonly events: number },
): Promise<readonly Figure[]> => {
  const given = process.env.EVENTSTORE_URL;
  const standIn = given === undefined ? await StandInProcess.start(folders.fresh('eventstore')) : undefined;
  const url = given ?? standIn?.url ?? '';
  const store = await KurrentEventStore.open({ url, prefix: `${PREFIX}${Date.now()}` });
  const client = EventStoreDBClient.connectionString(url);
  try {
    return [...(await appending(store, client, order)), ...(await catchingUp(folders, url, order))];
  } finally {
    await store.close();
    await client.dispose();
    await standIn?.kill();
  }
};

/** Runs `work` in so many lanes for so long; answers how often it was done. */
const abreast = (seconds: number, work: (n: number) => Promise<unknown>): Promise<Turn> =>
  turn(async () => {
    const until = performance.now() + seconds * 1000;
    let n = 0;
    const lane = async (): Promise<void> => {
      while (performance.now() < until) {
        n += 1;
        await work(n);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
    return n;
  });

const appending = async (
  store: EventStore,
  client: EventStoreDBClient,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<readonly Figure[]> => {
  const transactor = new Transactor(store, new SystemClock());
  const samples = await Promise.all(Array.from({ length: 100 }, (_, n) => sampleOf(store, transactor, n)));
  const turns = await interleaved(rounds, {
    transact: () => abreast(seconds, (n) => draft(transactor, newId(), n)),
    bare: () =>
      abreast(seconds, async (n) => {
        const { type, data, metadata } = samples[n % samples.length] ?? NOTHING;
        const event = jsonEvent({ id: newId(), type, data: data as JSONType, metadata });
        await client.appendToStream(`bare-${newId()}`, event, { expectedRevision: NO_STREAM });
      }),
  });
  return [
    { name: `commands through transact, ${IN_FLIGHT} in flight`, value: rateOf(turns.transact), unit: '/s' },
    { name: 'bare client appends of the same events', value: rateOf(turns.bare), unit: '/s' },
    {
      name: 'transact : bare client',
      value: ratioOf(turns.transact, turns.bare),
      unit: 'ratio',
      target: { bound: 'at least', value: 0.8 },
    },
    { name: '… by processor time', value: ratioOf(turns.transact, turns.bare, 'cpuSeconds'), unit: 'ratio' },
  ];
};

const NOTHING = { type: '', data: {}, metadata: {} };

const sampleOf = async (store: EventStore, transactor: Transactor, n: number): Promise<RecordedEvent> => {
  const id = newId();
  await draft(transactor, id, n);
  const [event] = await store.readStream(`need-${id}`, 0, 1);
  if (event === undefined) throw new Error('a draft is not there');
  return event;
};

const catchingUp = async (
  folders: Folders,
  url: string,
  { rounds, events }: { readonly rounds: number; readonly events: number },
): Promise<readonly Figure[]> => {
  const prefix = `${PREFIX}${Date.now()}`;
  const store = await KurrentEventStore.open({ url, prefix });
  const client = EventStoreDBClient.connectionString(url);
  try {
    await writeDrafts(store, events);
    const [first] = await store.readAll(0n, 1);
    const start = first?.position ?? 0n;
    const head = await store.head();
    const turns = await interleaved(rounds, {
      bare: () => turn(() => bareSubscription(client, start, head)),
      subscription: () => turn(() => subscription(store, start, head)),
      projection: () => turn(() => projection(folders, store, needBoard, events)),
    });
    return [
      { name: 'bare subscribeToAll, from the past to the head', value: rateOf(turns.bare), unit: 'ev/s' },
      { name: 'a subscription of the store', value: rateOf(turns.subscription), unit: 'ev/s' },
      { name: 'a projection (need board)', value: rateOf(turns.projection), unit: 'ev/s' },
      { name: 'subscription : bare client', value: ratioOf(turns.subscription, turns.bare), unit: 'ratio' },
      {
        name: 'projection : bare client',
        value: ratioOf(turns.projection, turns.bare),
        unit: 'ratio',
        target: { bound: 'at least', value: 0.5 },
      },
    ];
  } finally {
    await client.dispose();
    await store.close();
  }
};

/** Events between two positions, the first one not counted. */
const bareSubscription = async (client: EventStoreDBClient, start: bigint, head: bigint): Promise<number> => {
  let count = 0;
  const subscription = client.subscribeToAll({ fromPosition: { commit: start, prepare: start } });
  await new Promise<void>((resolve, reject) => {
    subscription.on('error', reject);
    subscription.on('data', ({ event }) => {
      count += 1;
      if (event?.position !== undefined && event.position.commit >= head) resolve();
    });
  });
  await subscription.unsubscribe();
  return count;
};

const subscription = async (store: EventStore, start: bigint, head: bigint): Promise<number> => {
  let count = 0;
  let reached: () => void = () => undefined;
  const end = new Promise<void>((resolve) => (reached = resolve));
  const running = store.subscribeToAll(start, async (batch) => {
    count += batch.length;
    if ((batch.at(-1)?.position ?? 0n) >= head) reached();
  });
  await end;
  await running.stop();
  return count;
};

const projection = async (folders: Folders, store: EventStore, built: Projection, events: number): Promise<number> => {
  const database = new SqliteReadDatabase(join(folders.fresh('read'), 'read'), { origin: store.storeId });
  const runner = new ProjectionRunner(store, database, [built], {
    alarm: (alarm) => {
      throw new Error(`a projection stands still: ${alarm.kind}`);
    },
  });
  await runner.start();
  if (!(await runner.waitFor(await store.head(), TIMEOUT_MS))) throw new Error('the projection did not catch up');
  await runner.stop();
  database.close();
  return events;
};
