import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import type { EventStore, RecordedEvent } from '#kernel';
import { InvalidAppendError, NO_STREAM, StoreUnavailableError } from '#kernel';
import { everyEvent, sampleEvent } from '#kernel-testing';
import { KurrentEventStore } from '#store-kurrent';
import { EventStoreStandIn } from '../eventstore-stand-in/index.js';
import { compiled } from '../support/compiled.js';
import { failureOf, idsOf, samples } from './samples.js';

let standIn: EventStoreStandIn;
let url: string;
const opened: EventStore[] = [];

beforeAll(async () => {
  standIn = await EventStoreStandIn.start();
  ({ url } = standIn);
});

afterAll(async () => {
  await standIn.stop();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

const newPrefix = () => randomBytes(8).toString('hex');
const open = async (prefix = newPrefix()) => {
  const store = await KurrentEventStore.open({ url, prefix });
  opened.push(store);
  return store;
};
/** Events that the server sent while this was done. */
const sentWhile = async (work: () => Promise<unknown>) => {
  const before = standIn.faults.counts.sent;
  await work();
  return standIn.faults.counts.sent - before;
};

describe('a log', () => {
  it('has one id, whoever opens it first and however many do at once', async () => {
    const prefix = newPrefix();
    const stores = await Promise.all(Array.from({ length: 5 }, () => open(prefix)));
    const ids = stores.map(({ storeId }) => storeId);
    expect(new Set(ids).size).toBe(1);
    expect((await open(newPrefix())).storeId).not.toBe(ids[0]);
    expect((await stores[0]!.readStream('_log', 0, 10)).map(({ data }) => data)).toEqual([{ id: ids[0] }]);
  });

  it('is refused instead of begun, for whoever wants one that is there', async () => {
    const prefix = newPrefix();
    const existing = () => KurrentEventStore.open({ url, prefix, existing: true });
    await expect(existing()).rejects.toThrow(`there is no log under the prefix ${prefix}`);
    await expect(existing()).rejects.toThrow(StoreUnavailableError);
    const { storeId } = await open(prefix);
    const reader = await existing();
    opened.push(reader);
    expect(reader.storeId).toBe(storeId);
  });

  it('sees nothing of another on the same server', async () => {
    const [one, other] = [await open(), await open()];
    await one.append('need-1', NO_STREAM, samples(2));
    await other.append('need-1', NO_STREAM, samples(3));
    expect(await everyEvent(one)).toHaveLength(2);
    expect(await one.readStream('need-1', 0, 10)).toHaveLength(2);
    expect(await one.head()).toBeLessThan(await other.head());
  });

  it('without a prefix leaves the streams of the server alone, and is refused one of their names', async () => {
    const own = await EventStoreStandIn.start();
    const store = await KurrentEventStore.open({ url: own.url });
    const refused = await failureOf(store.append('$settings', NO_STREAM, samples(1)));
    expect(refused).toBeInstanceOf(InvalidAppendError);
    const client = EventStoreDBClient.connectionString(own.url);
    await client.appendToStream('$mine', jsonEvent({ type: 'T', data: {} }));
    const { position } = await store.append('need-1', NO_STREAM, samples(1));
    await client.setStreamMetadata('need-1', { cacheControl: 5 });
    expect((await everyEvent(store)).map(({ stream }) => stream)).toEqual(['need-1']);
    expect(await store.head()).toBe(position);
    await client.dispose();
    await store.close();
    await own.stop();
  });

  it('that another program wrote into says where', async () => {
    const prefix = newPrefix();
    const store = await open(prefix);
    const client = EventStoreDBClient.connectionString(url);
    const bytes = Buffer.from('not JSON');
    await client.appendToStream(`${prefix}.need-1`, {
      id: crypto.randomUUID(),
      type: 'T',
      contentType: 'application/octet-stream',
      data: new Uint8Array(bytes),
      metadata: undefined,
    });
    await client.dispose();
    const failed = await failureOf(store.readStream('need-1', 0, 1));
    expect(failed).toBeInstanceOf(StoreUnavailableError);
    expect(String(failed)).toMatch(/the event at \d+ is not JSON/);
    expect(String(failed)).not.toContain('not JS"');
  });

  it('is not opened by a url or prefix that is none', async () => {
    for (const wrong of ['localhost:2113', 'http://user:secret@localhost', '']) {
      const refused = await failureOf(KurrentEventStore.open({ url: wrong }));
      expect(refused).toBeInstanceOf(RangeError);
      expect(String(refused)).not.toContain('secret');
    }
    for (const prefix of ['', 'a.b', '_x', '$x', 'ä']) {
      expect(await failureOf(KurrentEventStore.open({ url, prefix }))).toBeInstanceOf(RangeError);
    }
  });
});

describe('pages of the whole log', () => {
  it('pass over what is not of it without its being sent', async () => {
    const [store, other] = [await open(), await open()];
    const first = samples(3);
    await store.append('need-1', NO_STREAM, first);
    await other.append('need-1', NO_STREAM, samples(2_000));
    await store.append('_lease', NO_STREAM, samples(1_000));
    const second = samples(3);
    await store.append('need-2', NO_STREAM, second);
    await other.append('need-1', 1_999, samples(200));
    expect(await store.head()).toBeGreaterThan(0n);
    for (const limit of [1, 2, 5]) {
      const found: RecordedEvent[] = [];
      const sent = await sentWhile(async () => {
        for (let after = 0n; ;) {
          const page = await store.readAll(after, limit);
          found.push(...page);
          if (page.length < limit) break;
          after = page.at(-1)!.position;
        }
      });
      expect(idsOf(found)).toEqual(idsOf([...first, ...second]));
      expect(sent).toBeLessThan(1_200);
    }
  });

  it('begin after any number, also one at which no event lies', async () => {
    const store = await open();
    await store.append('need-1', NO_STREAM, samples(5));
    const all = await everyEvent(store);
    const [, second, third] = all;
    for (const after of [second!.position, second!.position + 1n, third!.position - 1n]) {
      expect(idsOf(await store.readAll(after, 2))).toEqual(idsOf(all.slice(2, 4)));
    }
    expect(await store.readAll(all.at(-1)!.position + 1n, 2)).toEqual([]);
    const got: RecordedEvent[] = [];
    const subscription = store.subscribeToAll(third!.position - 1n, async (batch) => {
      got.push(...batch);
      if (got.length === 3) void subscription.stop();
    });
    await subscription.done;
    expect(idsOf(got)).toEqual(idsOf(all.slice(2)));
  });

  it('end where nothing is asked for', async () => {
    const store = await open();
    await store.append('need-1', NO_STREAM, samples(1));
    expect(await store.readAll(0n, 0)).toEqual([]);
    expect(await store.readStream('need-1', 0, 0)).toEqual([]);
  });
});

describe('the head', () => {
  it('is searched for no further back than the time before', async () => {
    const store = await open();
    const { position } = await store.append('need-1', NO_STREAM, samples(1));
    const other = await open();
    await other.append('_lease', NO_STREAM, samples(1_500));
    expect(await sentWhile(async () => expect(await store.head()).toBe(position))).toBeGreaterThan(1_499);
    expect(await sentWhile(async () => expect(await store.head()).toBe(position))).toBeLessThan(100);
    await other.append('_lease', 1_499, samples(10));
    expect(await sentWhile(async () => expect(await store.head()).toBe(position))).toBeLessThan(100);
    const newest = await store.append('need-1', 0, samples(1));
    expect(await store.head()).toBe(newest.position);
  });

  it('is seen by every process as soon as an append is acknowledged', async () => {
    const prefix = newPrefix();
    const [one, other] = [await open(prefix), await open(prefix)];
    for (let n = 0; n < 20; n += 1) {
      const { position } = await (n % 2 === 0 ? one : other).append('need-1', n - 1, samples(1));
      expect(await Promise.all([one.head(), other.head()])).toEqual([position, position]);
    }
  });
});

describe('a technical stream', () => {
  it('keeps its newest events where it is told so, and goes on counting', async () => {
    const prefix = newPrefix();
    const [store, other] = [await open(prefix), await open(prefix)];
    await store.append('_relay', NO_STREAM, samples(5));
    await Promise.all([store.keepNewest('_relay', 2), other.keepNewest('_relay', 2)]);
    await store.keepNewest('_relay', 2);
    const revisions = async () => (await store.readStream('_relay', 0, 10)).map(({ revision }) => revision);
    expect(await revisions()).toEqual([3, 4]);
    await store.append('_relay', 4, samples(1));
    expect(await revisions()).toEqual([4, 5]);
    await store.keepNewest('_relay', 1);
    expect(await revisions()).toEqual([5]);
  });

  it('alone may lose history', async () => {
    const store = await open();
    await expect(store.keepNewest('need-1', 2)).rejects.toThrow('need-1 is history, which is kept whole');
    for (const count of [0, -1, 1.5]) await expect(store.keepNewest('_relay', count)).rejects.toThrow(RangeError);
  });
});

describe('access rules', () => {
  it('are set once, give the group the log, and leave other settings as they are', async () => {
    const own = await EventStoreStandIn.start();
    const store = await KurrentEventStore.open({ url: own.url });
    const client = EventStoreDBClient.connectionString(own.url);
    await client.setStreamMetadata('$all', { cacheControl: 5 });
    expect(await Promise.all([store.grantTo('pledgebook'), store.grantTo('pledgebook')])).toHaveLength(2);
    const before = own.faults.counts.appends;
    expect(await store.grantTo('pledgebook')).toEqual([]);
    expect(own.faults.counts.appends).toBe(before);
    expect((await client.getStreamMetadata('$all')).metadata).toEqual({
      cacheControl: 5,
      acl: { readRoles: ['$admins', 'pledgebook'] },
    });
    const settings: unknown[] = [];
    for await (const { event } of client.readStream('$settings')) settings.push(event?.data);
    expect(settings).toEqual([
      {
        $userStreamAcl: { $r: 'pledgebook', $w: 'pledgebook', $d: '$admins', $mr: 'pledgebook', $mw: '$admins' },
        $systemStreamAcl: { $r: '$admins', $w: '$admins', $d: '$admins', $mr: '$admins', $mw: '$admins' },
      },
    ]);
    expect(await store.grantTo('others')).toHaveLength(2);
    await client.dispose();
    await store.close();
    await own.stop();
  });
});

describe('a subscription', () => {
  it('tells how far it passed without an event, between batches, and goes on from there', async () => {
    const store = await open();
    const first = await store.append('need-1', NO_STREAM, samples(1));
    let busy = 0;
    let most = 0;
    const told: bigint[] = [];
    const order: string[] = [];
    const occupied = async (what: string) => {
      busy += 1;
      most = Math.max(most, busy);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(what);
      busy -= 1;
    };
    let last: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (last = resolve));
    const subscription = store.subscribeToAll(
      first.position,
      async (batch) => {
        await occupied('batch');
        if (batch.some(({ stream }) => stream === 'need-2')) last();
      },
      {
        passed: async (position) => {
          await occupied('passed');
          told.push(position);
        },
      },
    );
    for (let n = 0; n < 5; n += 1) await store.append('_lease', n * 40 - 1, samples(40));
    const second = await store.append('need-2', NO_STREAM, samples(1));
    await ended;
    await subscription.stop();
    expect(most).toBe(1);
    expect(order.at(-1)).toBe('batch');
    expect(told.length).toBeGreaterThan(0);
    expect(told).toEqual([...told].sort((a, b) => Number(a - b)));
    expect(told.every((position) => position > first.position && position < second.position)).toBe(true);
    for (const after of told) {
      const got: RecordedEvent[] = [];
      const again = store.subscribeToAll(after, async (batch) => {
        got.push(...batch);
        void again.stop();
      });
      await again.done;
      expect(got.map(({ stream }) => stream)).toEqual(['need-2']);
    }
  });

  it('ends as with the handler where it cannot be told how far it passed', async () => {
    const store = await open();
    const subscription = store.subscribeToAll(0n, async () => undefined, {
      passed: () => Promise.reject(new Error('no room')),
    });
    await store.append('_lease', NO_STREAM, samples(100));
    await expect(subscription.done).rejects.toThrow('no room');
  });

  it('never delivers what lies at its start or before it, also beyond the end of the log', async () => {
    const store = await open();
    const { position } = await store.append('need-1', NO_STREAM, samples(1));
    const got: RecordedEvent[] = [];
    const subscription = store.subscribeToAll(position + 1_500n, async (batch) => void got.push(...batch));
    const receipts = [];
    for (let n = 0; n < 10; n += 1) receipts.push(await store.append('need-1', n, samples(1)));
    const expected = receipts.filter((receipt) => receipt.position > position + 1_500n).length;
    while (got.length < expected) await new Promise((resolve) => setTimeout(resolve, 5));
    await subscription.stop();
    expect(got.map((event) => event.position)).toEqual(receipts.slice(-expected).map((receipt) => receipt.position));
    expect(expected).toBeGreaterThan(0);
    expect(expected).toBeLessThan(10);
  });

  it.each([
    ['events', 50, 2_000, 1_000],
    ['bytes', 100_000, 300, 60_000],
  ])(
    'with a handler that is stuck is sent no more than a bounded number of %s',
    async (_what, maxBatch, count, size) => {
      const store = await open();
      const filler = 'x'.repeat(size);
      for (let n = 0; n < count; n += 10) {
        await store.append(
          'need-1',
          n - 1,
          Array.from({ length: 10 }, () => sampleEvent({ filler })),
        );
      }
      let release: () => void = () => undefined;
      const stuck = new Promise<void>((resolve) => (release = resolve));
      let got = 0;
      const sent = await sentWhile(async () => {
        const subscription = store.subscribeToAll(
          0n,
          async (batch) => {
            got += batch.length;
            await stuck;
            if (got === count) void subscription.stop();
          },
          { maxBatch },
        );
        // Until nothing more is sent: whoever reads without bounds reads everything.
        for (let before = -1; before !== standIn.faults.counts.sent;) {
          before = standIn.faults.counts.sent;
          await new Promise((resolve) => setTimeout(resolve, 300));
        }
      });
      expect(sent).toBeLessThan(count * 0.75);
      release();
      while (got < count) await new Promise((resolve) => setTimeout(resolve, 20));
    },
  );
});

it('stores of one url share a client, and closing one leaves the others at work', async () => {
  const [one, other] = [await open(), await open()];
  await one.append('need-1', NO_STREAM, samples(1));
  const appending = Array.from({ length: 20 }, (_, n) => other.append(`need-${n}`, NO_STREAM, samples(1)));
  await one.close();
  expect((await Promise.all(appending)).map(({ revision }) => revision)).toEqual(appending.map(() => 0));
});

describe('a process', () => {
  const run = async (program: string, ...flags: string[]) => {
    const folder = compiled(['kernel', 'store-kurrent'], { 'program.js': program });
    const child = spawn(process.execPath, [...flags, 'program.js', url], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { out, errors, code: code as unknown };
  };
  const START = `
    import { randomBytes, randomUUID } from 'node:crypto';
    import { KurrentEventStore } from '#store-kurrent';
    const store = await KurrentEventStore.open({ url: process.argv[2], prefix: randomBytes(8).toString('hex') });
    const at = '2026-11-22T10:00:00.000Z';
    const metadata = { commandId: 'c', correlationId: 'c', causationId: null, actor: { party: 'p', role: 'r' }, effectiveAt: at, recordedAt: at, schema: 1, salt: 's' };
    const event = (text) => ({ id: randomUUID(), type: 'T', data: { text }, metadata });
  `;

  it('ends once its store is closed, also with work in flight', async () => {
    const { errors, code } = await run(`${START}
      await store.append('need-1', -1, [event('')]);
      const seen = store.subscribeToAll(0n, async () => undefined);
      const inFlight = Promise.allSettled(Array.from({ length: 100 }, (_, n) => store.append('need-' + (n + 2), -1, [event('x'.repeat(5_000))])));
      const reading = store.readAll(0n, 500).catch(() => undefined);
      await store.close();
      await seen.done;
      const ends = await inFlight;
      if (ends.some(({ status }) => status === 'rejected')) throw new Error('an append was not finished');
      await reading;
    `);
    expect({ errors, code }).toEqual({ errors: '', code: 0 });
  });
});
