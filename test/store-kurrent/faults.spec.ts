import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore, RecordedEvent } from '#kernel';
import { NO_STREAM, StoreUnavailableError, WrongRevisionError } from '#kernel';
import { everyEvent, sampleEvent } from '#kernel-testing';
import type { KurrentEventStoreOptions } from '#store-kurrent';
import { KurrentEventStore } from '#store-kurrent';
import { EventStoreStandIn } from '../eventstore-stand-in/index.js';
import { StandInProcess } from '../eventstore-stand-in/process.js';
import { failureOf, idsOf, samples } from './samples.js';

const opened: EventStore[] = [];

// A rejection that nobody handles fails the test in which it comes up: none may, whatever goes wrong.
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

const open = async (options: Omit<KurrentEventStoreOptions, 'prefix'> & { readonly prefix?: string }) => {
  const store = await KurrentEventStore.open({ prefix: randomBytes(8).toString('hex'), ...options });
  opened.push(store);
  return store;
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Everything a subscription delivers; `until` so many have come. */
const follow = (store: EventStore, after = 0n) => {
  const events: RecordedEvent[] = [];
  let check: () => void = () => undefined;
  const subscription = store.subscribeToAll(after, async (batch) => {
    events.push(...batch);
    check();
  });
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      check = () => {
        if (events.length >= count) resolve();
      };
      check();
    });
  return { events, subscription, until };
};

describe('in one process', () => {
  let standIn: EventStoreStandIn;
  let url: string;

  beforeEach(async () => {
    standIn = await EventStoreStandIn.start();
    url = standIn.url;
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await standIn.stop();
  });

  const brisk = { patience: { appendMs: 400, readMs: 2_000 }, settleMs: 8_000 };
  const counted = async (work: () => Promise<unknown>) => {
    const before = standIn.faults.counts.appends;
    await work();
    return standIn.faults.counts.appends - before;
  };

  describe('an append', () => {
    it.each([
      ['comes after our timeout', { act: 'delay-answer', ms: 900 }],
      ['is lost', { act: 'swallow-answer' }],
      ['is lost with its connection', { act: 'drop-connection' }],
    ] as const)('whose answer %s is found in its stream, and not sent again', async (_what, fault) => {
      const store = await open({ url, ...brisk });
      await store.append('need-1', NO_STREAM, samples(2));
      standIn.faults.add({ on: 'append', times: 1, ...fault });
      const events = samples(3);
      const sent = await counted(async () => {
        const receipt = await store.append('need-1', 1, events);
        const last = (await store.readStream('need-1', 0, 10)).at(-1);
        expect(receipt).toEqual({ revision: 4, position: last?.position });
      });
      expect(sent).toBe(1);
      expect(idsOf(await store.readStream('need-1', 2, 10))).toEqual(idsOf(events));
    });

    it('that is done long after our timeout is not sent again while it may still run', async () => {
      const store = await open({ url, ...brisk });
      standIn.faults.add({ on: 'append', act: 'delay-request', ms: 1_500, times: 1 });
      expect(await counted(() => store.append('need-1', NO_STREAM, samples(1)))).toBe(1);
      expect(await everyEvent(store)).toHaveLength(1);
    });

    it('that the server never did is sent again once it cannot run any more, and stored once', async () => {
      const store = await open({ url, ...brisk });
      // The first call does nothing for longer than anybody waits.
      standIn.faults.add({ on: 'append', act: 'delay-request', ms: 60_000, times: 1 });
      const events = samples(2);
      expect(await counted(() => store.append('need-1', NO_STREAM, events))).toBe(2);
      expect(idsOf(await everyEvent(store))).toEqual(idsOf(events));
    });

    it('without an answer, whose place another took, is a conflict', async () => {
      const store = await open({ url, ...brisk });
      standIn.faults.add({ on: 'append', act: 'delay-request', ms: 60_000, times: 1 });
      const appending = failureOf(store.append('need-1', NO_STREAM, samples(1)));
      await pause(50);
      await store.append('need-1', NO_STREAM, samples(3));
      const refused = await appending;
      expect(refused).toBeInstanceOf(WrongRevisionError);
      expect(refused).toMatchObject({ stream: 'need-1', expected: NO_STREAM, actual: 2 });
    });

    it('made several times at once is stored once, and everybody gets its receipt', async () => {
      const store = await open({ url });
      const events = samples(2);
      const receipts = await Promise.all(Array.from({ length: 8 }, () => store.append('need-1', NO_STREAM, events)));
      const [first] = receipts;
      expect(receipts).toEqual(receipts.map(() => first));
      expect(await everyEvent(store)).toHaveLength(2);
      expect(await store.append('need-1', NO_STREAM, events)).toEqual(first);
    });

    it('that cannot be settled says that a repeat is safe, and a repeat is', async () => {
      const store = await open({ url, patience: { appendMs: 500, readMs: 1_000 }, settleMs: 1_500 });
      const events = samples(2);
      standIn.faults.freeze();
      const failed = await failureOf(store.append('need-1', NO_STREAM, events));
      expect(failed).toBeInstanceOf(StoreUnavailableError);
      expect(String(failed)).toContain('a repeat with the same ids is safe');
      standIn.faults.thaw();
      const receipt = await store.append('need-1', NO_STREAM, events);
      expect(receipt.revision).toBe(1);
      expect(idsOf(await everyEvent(store))).toEqual(idsOf(events));
    });

    it('that is refused as too large, on an ended stream, or without permission is refused for good', async () => {
      const store = await open({ url });
      standIn.faults.add({ on: 'append', act: 'deny', times: 1 });
      const denied = await failureOf(store.append('need-1', NO_STREAM, samples(1)));
      expect(denied).toBeInstanceOf(StoreUnavailableError);
      expect(String(denied)).toContain('denies this account');
      expect(await store.append('need-1', NO_STREAM, samples(1))).toMatchObject({ revision: 0 });
    });
  });

  it('a clock of the server that is five minutes ahead fails no append', async () => {
    const ahead = await EventStoreStandIn.start({ clockAheadMs: 300_000 });
    const store = await open({ url: ahead.url });
    expect(await store.append('need-1', NO_STREAM, samples(1))).toMatchObject({ revision: 0 });
    expect(ahead.faults.counts.appends).toBe(2);
    await store.close();
    await ahead.stop();
  });

  it('a broken connection fails no append for good, however many are in flight', async () => {
    const store = await open({ url, settleMs: 10_000 });
    const appends = Array.from({ length: 100 }, (_, n) => {
      const events = samples(3);
      return { events, receipt: store.append(`need-${n}`, NO_STREAM, events) };
    });
    await pause(5);
    standIn.dropConnections();
    for (const { events, receipt } of appends) {
      const last = events.at(-1)?.id;
      const stored = await store.readStream(`need-${appends.findIndex((one) => one.events === events)}`, 0, 10);
      expect((await receipt).revision).toBe(2);
      if (stored.length > 0) expect(stored.at(-1)?.id).toBe(last);
    }
    expect(await everyEvent(store)).toHaveLength(300);
  });

  describe('a read', () => {
    it('goes on over a new connection where the old one broke', async () => {
      const store = await open({ url });
      await store.append('need-1', NO_STREAM, samples(2));
      standIn.faults.add({ on: 'read', act: 'drop-connection', times: 1 });
      expect(await store.readStream('need-1', 0, 10)).toHaveLength(2);
    });

    it('of a server that does not answer fails in our own time', async () => {
      const store = await open({ url, patience: { appendMs: 1_000, readMs: 1_000 } });
      standIn.faults.freeze();
      const begun = performance.now();
      for (const read of [store.readStream('need-1', 0, 10), store.readAll(0n, 10), store.head()]) {
        expect(await failureOf(read)).toBeInstanceOf(StoreUnavailableError);
      }
      expect(performance.now() - begun).toBeLessThan(6_000);
      standIn.faults.thaw();
      expect(await store.readStream('need-1', 0, 10)).toEqual([]);
    });

    it('without permission says where that is given', async () => {
      const store = await open({ url });
      standIn.faults.add({ on: 'read', act: 'deny', times: 1 });
      expect(String(await failureOf(store.readAll(0n, 10)))).toContain('see infra/kurrent');
    });
  });

  describe('a subscription', () => {
    it('that bursts cut goes on behind what it handled, and nobody is alarmed', async () => {
      const breaks: string[] = [];
      const store = await open({ url, broken: (error) => breaks.push(error.message) });
      const { events, subscription, until } = follow(store);
      await store.append('need-0', NO_STREAM, samples(1));
      await until(1);
      for (let n = 0; n < 5; n += 1) await store.append('need-1', n * 200 - 1, samples(200));
      await until(1_001);
      await subscription.stop();
      expect(idsOf(events)).toEqual(idsOf(await everyEvent(store)));
      expect(breaks).toEqual([]);
    });

    it('that the server goes on without is noticed, and taken up again', async () => {
      const breaks: string[] = [];
      const store = await open({ url, muteMs: 300, broken: (error) => breaks.push(error.message) });
      const { events, subscription, until } = follow(store);
      await store.append('need-1', NO_STREAM, samples(1));
      await until(1);
      standIn.muteSubscriptions();
      await store.append('need-1', 0, samples(3));
      await until(4);
      await subscription.stop();
      expect(events.map(({ revision }) => revision)).toEqual([0, 1, 2, 3]);
      expect(breaks).toEqual(['the server keeps events back']);
    });

    it('on a quiet log is not taken for mute', async () => {
      const breaks: string[] = [];
      const store = await open({ url, muteMs: 50, broken: (error) => breaks.push(error.message) });
      await store.append('need-1', NO_STREAM, samples(1));
      const { subscription, until } = follow(store);
      await until(1);
      await store.append('_lease', NO_STREAM, samples(40));
      await pause(400);
      await subscription.stop();
      expect(breaks).toEqual([]);
    });

    it('goes on after broken connections and refusals, told as breaks', async () => {
      const breaks: number[] = [];
      const store = await open({ url, broken: (_error, attempt) => breaks.push(attempt) });
      const { events, subscription, until } = follow(store);
      await store.append('need-1', NO_STREAM, samples(2));
      await until(2);
      standIn.faults.add({ on: 'subscribe', act: 'refuse', times: 2 });
      standIn.dropConnections();
      await store.append('need-1', 1, samples(2));
      await until(4);
      await subscription.stop();
      expect(events.map(({ revision }) => revision)).toEqual([0, 1, 2, 3]);
      expect(breaks).toEqual([1, 2, 3]);
    });

    it('that is not confirmed is tried again', async () => {
      const store = await open({ url, patience: { appendMs: 1_000, readMs: 1_000 } });
      standIn.faults.add({ on: 'subscribe', act: 'swallow-answer', times: 1 });
      const { subscription, until } = follow(store);
      await store.append('need-1', NO_STREAM, samples(1));
      await until(1);
      await subscription.stop();
    });
  });

  it('closes with everything in flight, in bounded time', async () => {
    const store = await open({ url, patience: { appendMs: 1_000, readMs: 1_000 }, settleMs: 600_000 });
    await store.append('need-1', NO_STREAM, samples(1));
    const { subscription } = follow(store);
    standIn.faults.freeze();
    const inFlight = [
      ...Array.from({ length: 50 }, (_, n) => store.append(`need-${n + 2}`, NO_STREAM, samples(10))),
      store.readAll(0n, 10),
    ].map(failureOf);
    const begun = performance.now();
    await store.close();
    expect(performance.now() - begun).toBeLessThan(8_000);
    for (const failed of await Promise.all(inFlight)) expect(failed).toBeInstanceOf(StoreUnavailableError);
    await subscription.done;
  });
});

describe('a server in a process of its own', () => {
  let folder: string;
  let server: StandInProcess;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kurrent-faults-'));
    server = await StandInProcess.start(folder);
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await server.kill();
    rmSync(folder, { recursive: true });
  });

  it('killed and started again under load loses nothing acknowledged, and stores and delivers nothing twice', async () => {
    const store = await open({ url: server.url, settleMs: 2_000 });
    const { events, subscription, until } = follow(store);
    const state = { writing: true };
    const acknowledged = new Map<string, bigint>();
    let total = 0;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let revision = -1; state.writing;) {
        const append = samples(1 + (writer % 3));
        for (;;) {
          try {
            const receipt = await store.append(`need-${writer}`, revision, append);
            for (const { id } of append) acknowledged.set(id, receipt.position);
            ({ revision } = receipt);
            total += append.length;
            break;
          } catch (error) {
            // Nothing but "unavailable" may come of it; the same append is made again until it is answered.
            expect(error).toBeInstanceOf(StoreUnavailableError);
            await pause(50);
          }
        }
      }
    });
    for (let kill = 0; kill < 3; kill += 1) {
      const before = total;
      while (total < before + 30) await pause(10);
      await server.kill();
      await pause(200);
      await server.restart();
    }
    state.writing = false;
    await Promise.all(writers);
    await until(total);
    await subscription.stop();
    const log = await everyEvent(store);
    expect(new Set(idsOf(log)).size).toBe(log.length);
    expect(new Set(idsOf(log))).toEqual(new Set(acknowledged.keys()));
    expect(idsOf(events)).toEqual(idsOf(log));
  }, 60_000);

  it('stopped in its tracks is noticed by our own times, and everything goes on with it', async () => {
    const breaks: string[] = [];
    const store = await open({
      url: server.url,
      patience: { appendMs: 1_000, readMs: 1_000 },
      settleMs: 1_500,
      muteMs: 500,
      broken: (error) => breaks.push(error.message),
    });
    const { events, subscription, until } = follow(store);
    await store.append('need-1', NO_STREAM, samples(1));
    await until(1);
    server.stop();
    const begun = performance.now();
    const append = samples(2);
    const ends = await Promise.all([
      failureOf(store.append('need-1', 0, append)),
      failureOf(store.readStream('need-1', 0, 10)),
      failureOf(store.head()),
    ]);
    for (const end of ends) expect(end).toBeInstanceOf(StoreUnavailableError);
    expect(performance.now() - begun).toBeLessThan(8_000);
    while (breaks.length === 0) await pause(50);
    server.continue();
    expect(await store.append('need-1', 0, append)).toMatchObject({ revision: 2 });
    await until(3);
    await subscription.stop();
    expect(idsOf(events)).toEqual(idsOf(await everyEvent(store)));
    expect(events).toHaveLength(3);
  });

  it('that is not there fails at once, and works once it is', async () => {
    const store = await open({ url: server.url });
    const id = store.storeId;
    await server.kill();
    const begun = performance.now();
    const event = sampleEvent({}, randomUUID());
    expect(await failureOf(store.append('need-1', NO_STREAM, [event]))).toBeInstanceOf(StoreUnavailableError);
    expect(await failureOf(store.readAll(0n, 10))).toBeInstanceOf(StoreUnavailableError);
    expect(await failureOf(KurrentEventStore.open({ url: server.url }))).toBeInstanceOf(StoreUnavailableError);
    expect(performance.now() - begun).toBeLessThan(3_000);
    await server.restart();
    expect(await store.append('need-1', NO_STREAM, [event])).toMatchObject({ revision: 0 });
    expect(store.storeId).toBe(id);
  });
});
