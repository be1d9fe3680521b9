import { InMemoryEventStore, recordedEvent } from '#kernel-testing';
import { describe, expect, it } from '@jest/globals';
import type { EventStore, Subscription } from './event-store.js';
import type { RecordedEvent } from './events.js';
import { Feed } from './feed.js';
import { newId } from './ids.js';

const append = async (store: EventStore, revision: number): Promise<bigint> => {
  const { type, data, metadata } = recordedEvent('counter-1', 0, { type: 'Raised', data: { by: 1 } });
  return (await store.append('counter-1', revision - 1, [{ id: newId(), type, data, metadata }])).position;
};

/** Collects positions; resolves `until` when the given one has come. */
const collector = (last: bigint) => {
  const positions: bigint[] = [];
  let finish = (): void => undefined;
  const until = new Promise<void>((resolve) => (finish = resolve));
  const take = (batch: readonly RecordedEvent[]): void => {
    positions.push(...batch.map(({ position }) => position));
    if (positions.at(-1) === last) finish();
  };
  return { positions, until, take };
};

describe('feed', () => {
  it('hands a batch again whose handler failed, and nothing after it before', async () => {
    const store = new InMemoryEventStore();
    for (let revision = 0; revision < 4; revision += 1) await append(store, revision);
    const { positions, until, take } = collector(4n);
    const broken: number[] = [];
    let failures = 2;
    const feed = new Feed(
      store,
      1n,
      async (batch) => {
        if (batch[0]?.position === 3n && failures-- > 0) throw new Error('not yet');
        take(batch);
      },
      { maxBatch: 1, broken: (_error, attempt) => broken.push(attempt) },
    );
    await until;
    expect(positions).toEqual([2n, 3n, 4n]);
    expect(broken).toEqual([1, 2]);
    await feed.stop();
    await append(store, 4);
    expect(positions.length).toBe(3);
    await store.close();
  });

  it('ends with the store', async () => {
    const store = new InMemoryEventStore();
    const feed = new Feed(store, 0n, async () => undefined, { maxBatch: 1, broken: () => undefined });
    await new Promise((resolve) => setImmediate(resolve));
    await store.close();
    await feed.stop();
  });

  it('stops quietly where the subscription fails while it is stopped, and while it waits to try again', async () => {
    let fail = (_error: Error): void => undefined;
    const store = {
      subscribeToAll: (): Subscription => ({
        done: new Promise((_resolve, reject) => (fail = reject)),
        stop: () => {
          fail(new Error('gone'));
          return Promise.reject(new Error('gone'));
        },
      }),
    } as unknown as EventStore;
    let broken = 0;
    const feed = new Feed(store, 0n, async () => undefined, { maxBatch: 1, broken: () => (broken += 1) });
    await feed.stop();
    expect(broken).toBe(0);
    const waiting = new Feed(store, 0n, async () => undefined, { maxBatch: 1, broken: () => (broken += 1) });
    fail(new Error('gone'));
    await new Promise((resolve) => setImmediate(resolve));
    await waiting.stop();
    expect(broken).toBe(1);
  });

  it('is taken up again behind what was passed without an event, once that was told', async () => {
    const starts: bigint[] = [];
    const told: bigint[] = [];
    let again = (): void => undefined;
    const twice = new Promise<void>((resolve) => (again = resolve));
    const store = {
      subscribeToAll: (
        after: bigint,
        _handler: unknown,
        { passed }: { passed: (position: bigint) => Promise<void> },
      ): Subscription => {
        starts.push(after);
        if (starts.length === 2) {
          again();
          return { done: Promise.resolve(), stop: () => Promise.resolve() };
        }
        return { done: passed(9n).then(() => Promise.reject(new Error('gone'))), stop: () => Promise.resolve() };
      },
    } as unknown as EventStore;
    const feed = new Feed(store, 7n, async () => undefined, {
      maxBatch: 1,
      broken: () => undefined,
      passed: async (position) => void told.push(position),
    });
    await twice;
    await feed.stop();
    expect(told).toEqual([9n]);
    expect(starts).toEqual([7n, 9n]);
  });

  it('never hands out an empty batch', async () => {
    const handled: number[] = [];
    const store = {
      subscribeToAll: (_after: bigint, handler: (batch: readonly RecordedEvent[]) => Promise<void>): Subscription => ({
        done: handler([]),
        stop: () => Promise.resolve(),
      }),
    } as unknown as EventStore;
    const feed = new Feed(store, 7n, async (batch) => void handled.push(batch.length), {
      maxBatch: 1,
      broken: () => undefined,
    });
    await new Promise((resolve) => setImmediate(resolve));
    await feed.stop();
    expect(handled).toEqual([]);
  });
});
