import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { AllStreamSubscription, Position, ResolvedEvent, StreamSubscription } from '@eventstore/db-client';
import {
  END,
  EventStoreDBClient,
  eventTypeFilter,
  excludeSystemEvents,
  NO_STREAM,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import type { Observed } from './observed.js';
import { event, events, failureOf, observed, revisionsOf, stream } from './observed.js';

let server: Observed;
let client: EventStoreDBClient;

beforeAll(async () => {
  server = await observed();
  client = server.client;
});

afterAll(async () => {
  await server.stop();
});

/** What happens on a subscription, in order; events by stream and revision. */
class Watch {
  readonly seen: string[] = [];
  readonly events: ResolvedEvent[] = [];
  error: unknown;
  private waiting: { readonly met: () => boolean; readonly go: () => void }[] = [];

  constructor(readonly subscription: AllStreamSubscription | StreamSubscription) {
    const note = (what: string) => {
      this.seen.push(what);
      this.waiting = this.waiting.filter(({ met, go }) => {
        if (met()) go();
        return !met();
      });
    };
    for (const name of ['confirmation', 'caughtUp', 'end', 'close'] as const) {
      subscription.on(name as 'end', () => {
        note(name);
      });
    }
    subscription.on('error', (error) => {
      this.error = error;
      note('error');
    });
    subscription.on('data', (resolved: ResolvedEvent) => {
      this.events.push(resolved);
      note('event');
    });
  }

  until(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve();
    return new Promise((go) => this.waiting.push({ met, go }));
  }

  saw = (what: string) => this.until(() => this.seen.includes(what));
  has = (count: number) => this.until(() => this.events.length >= count);
}

const watches: Watch[] = [];
const watch = (subscription: AllStreamSubscription | StreamSubscription) => {
  const made = new Watch(subscription);
  watches.push(made);
  return made;
};

afterEach(async () => {
  await Promise.all(watches.splice(0).map(({ subscription }) => subscription.unsubscribe()));
});

const append = (name: string, count: number) => client.appendToStream(name, events(count));
const ofStream = (name: string) => streamNameFilter({ prefixes: [name] });

describe('a subscription', () => {
  it('to a stream begins after the revision, is told that it has caught up, and goes on live', async () => {
    const name = stream();
    await append(name, 3);
    const { seen, events: got, ...live } = watch(client.subscribeToStream(name, { fromRevision: 0n }));
    await live.saw('caughtUp');
    await append(name, 2);
    await live.has(4);
    expect(seen).toEqual(['confirmation', 'event', 'event', 'caughtUp', 'event', 'event']);
    expect(revisionsOf(got)).toEqual([1, 2, 3, 4]);
  });

  it('to a missing stream is confirmed and no more, until there is an event', async () => {
    const name = stream();
    const live = watch(client.subscribeToStream(name));
    await live.saw('confirmation');
    await append(name, 1);
    await live.has(1);
    expect(live.seen.slice(0, 2)).toEqual(['confirmation', 'event']);
  });

  it('to all begins after the position, and holds events of the system', async () => {
    const name = stream();
    const { position } = await append(name, 1);
    const live = watch(client.subscribeToAll({ fromPosition: position! }));
    await client.setStreamMetadata(name, { maxCount: 5 });
    await append(name, 1);
    await live.has(2);
    expect(live.events.map(({ event: one }) => one?.type)).toEqual(['$metadata', 'Sampled']);
  });

  it('from the end, or beyond it, gets what is new', async () => {
    const name = stream();
    const { position } = await append(name, 1);
    const far = { commit: position!.commit + 10_000_000n, prepare: position!.commit + 10_000_000n };
    for (const fromPosition of [END, far] as const) {
      const live = watch(client.subscribeToAll({ fromPosition }));
      await live.saw('caughtUp');
      expect(live.events).toEqual([]);
      await append(name, 1);
      await live.has(1);
    }
    const ahead = watch(client.subscribeToStream(name, { fromRevision: 4n }));
    await ahead.saw('caughtUp');
    await append(name, 3);
    await ahead.has(1);
    expect(revisionsOf(ahead.events)).toEqual([5]);
  });

  it('from a position where no record begins is an error', async () => {
    const { position } = await append(stream(), 1);
    const between = { commit: position!.commit - 1n, prepare: position!.commit - 1n };
    const live = watch(client.subscribeToAll({ fromPosition: between }));
    await live.saw('error');
    expect(live.error).toMatchObject({ type: 'unknown', code: 2 });
  });

  it('survives a deletion of its stream, and ends with its tombstone', async () => {
    const name = stream();
    await append(name, 1);
    const live = watch(client.subscribeToStream(name));
    await live.saw('caughtUp');
    await client.deleteStream(name);
    await append(name, 1);
    await live.has(2);
    await client.tombstoneStream(name);
    await live.saw('error');
    expect(live.events.at(-1)?.event).toMatchObject({ type: '$streamDeleted', revision: 9_223_372_036_854_775_807n });
    expect(live.error).toMatchObject({ type: 'stream-deleted', streamName: name });
  });

  it('ends by being unsubscribed, and with its client', async () => {
    const live = watch(client.subscribeToAll({ fromPosition: END }));
    await live.saw('caughtUp');
    await live.subscription.unsubscribe();
    await live.saw('close');
    expect(live.seen.slice(-2)).toEqual(['end', 'close']);
    const other = EventStoreDBClient.connectionString(server.url);
    const second = watch(other.subscribeToAll({ fromPosition: END }));
    await second.saw('caughtUp');
    await other.dispose();
    await second.saw('close');
    expect(second.seen.slice(-2)).toEqual(['end', 'close']);
  });
});

describe('a live subscription', () => {
  const overflow = { type: 'timeout', code: 10, message: expect.stringContaining('Consumer too slow') };

  it.each([32, 50, 100])('that keeps up gets one append of %i events', async (count) => {
    const name = stream();
    const live = watch(client.subscribeToAll({ fromPosition: END, filter: ofStream(name) }));
    await live.saw('caughtUp');
    await append(name, count);
    await live.has(count);
    expect(live.error).toBeUndefined();
  });

  it('is cut by a large append, without a gap, and another goes on where it ended', async () => {
    const name = stream();
    await append(name, 1);
    const live = watch(client.subscribeToStream(name));
    await live.saw('caughtUp');
    await append(name, 3_000);
    await live.saw('error');
    expect(live.error).toMatchObject(overflow);
    expect(live.seen).not.toContain('end');
    const got = revisionsOf(live.events);
    expect(got).toEqual(got.map((_, index) => index));
    const next = watch(client.subscribeToStream(name, { fromRevision: BigInt(got.length - 1) }));
    await next.has(3_001 - got.length);
    expect(revisionsOf(next.events)[0]).toBe(got.length);
  });

  it('of a stream that was missing gets its first append however large', async () => {
    const name = stream();
    const live = watch(client.subscribeToStream(name));
    await live.saw('confirmation');
    await append(name, 3_000);
    await live.has(3_000);
    expect(live.error).toBeUndefined();
  });

  it('that does not keep up is cut, one that catches up is not', async () => {
    const name = stream();
    const slow = async (subscription: AsyncIterable<ResolvedEvent>, until: number) => {
      let count = 0;
      for await (const _ of subscription) {
        await wait(2);
        count += 1;
        if (count === until) break;
      }
      return count;
    };
    const start = await append(name, 300);
    const live = client.subscribeToAll({ fromPosition: END });
    await once(live, 'caughtUp');
    const cut = failureOf(slow(live, Infinity));
    for (let n = 0; n < 20; n += 1) await append(name, 100);
    expect(await cut).toMatchObject(overflow);
    const past = client.subscribeToAll({ fromPosition: start.position! });
    expect(await slow(past, 500)).toBe(500);
    await past.unsubscribe();
  });

  it('gets what many writers append in the order of the log', async () => {
    const name = stream();
    const live = watch(client.subscribeToAll({ fromPosition: END, filter: ofStream(name) }));
    await live.saw('caughtUp');
    await Promise.all(
      Array.from({ length: 20 }, async (_, writer) => {
        for (let n = 0; n < 10; n += 1) await append(`${name}-${writer}`, 2);
      }),
    );
    await live.has(400);
    const positions = live.events.map(({ commitPosition }) => commitPosition ?? 0n);
    expect(positions).toEqual([...positions].sort((a, b) => Number(a - b)));
  });
});

describe('a filter', () => {
  it.each([
    ['prefixes of a stream', (name: string) => streamNameFilter({ prefixes: ['none-', `${name}-a`] })],
    ['a regular expression of a stream', (name: string) => streamNameFilter({ regex: `^${name}-a` })],
    ['prefixes of a type', (name: string) => eventTypeFilter({ prefixes: [`${name}-a`] })],
    ['a regular expression of a type', (name: string) => eventTypeFilter({ regex: `^${name}-a` })],
  ])('by %s lets through what fits', async (_what, filter) => {
    const name = stream();
    for (const kind of ['a', 'b', 'a']) {
      await client.appendToStream(`${name}-${kind}`, event(randomUUID(), { n: 1 }, `${name}-${kind}`));
    }
    const live = watch(client.subscribeToAll({ fromPosition: START, filter: filter(name) }));
    await live.saw('caughtUp');
    expect(live.events.map(({ event: one }) => one?.streamId)).toEqual([`${name}-a`, `${name}-a`]);
  });

  it('without a prefix lets nothing through, and one that is no regular expression is an error', async () => {
    const name = stream();
    await append(name, 1);
    const nothing = watch(client.subscribeToAll({ filter: streamNameFilter({ prefixes: [] }) }));
    await nothing.saw('caughtUp');
    expect(nothing.events).toEqual([]);
    const broken = watch(client.subscribeToAll({ filter: streamNameFilter({ regex: '(' }) }));
    await broken.saw('error');
    expect(broken.error).toMatchObject({ type: 'unknown', code: 2 });
  });

  it('against system events looks at the type alone', async () => {
    const name = `$${stream()}`;
    const { position } = await append(stream(), 1);
    await client.appendToStream(name, [event(), event(randomUUID(), { n: 1 }, '$mine')]);
    await client.setStreamMetadata(stream(), { maxCount: 1 });
    const live = watch(client.subscribeToAll({ fromPosition: position!, filter: excludeSystemEvents() }));
    await live.saw('caughtUp');
    expect(live.events.map(({ event: one }) => one?.streamId)).toEqual([name]);
  });

  /** Checkpoints of a filtered subscription from the end, over 100 single appends that match or not. */
  const checkpoints = async (matching: boolean, options: { checkpointInterval?: number; maxSearchWindow?: number }) => {
    const name = stream();
    const told: bigint[] = [];
    const order: string[] = [];
    const filter = streamNameFilter({
      prefixes: [matching ? name : 'none-'],
      ...options,
      checkpointReached: async (_subscription: unknown, { commit }: Position) => {
        told.push(commit);
        order.push(`checkpoint ${commit}`);
      },
    });
    const live = watch(client.subscribeToAll({ fromPosition: END, filter }));
    live.subscription.on('data', ({ commitPosition }: ResolvedEvent) => order.push(`event ${commitPosition}`));
    await live.saw('caughtUp');
    const positions: bigint[] = [];
    for (let n = 0; n < 100; n += 1) positions.push((await append(name, 1)).position!.commit);
    await live.has(matching ? 100 : 0);
    return { told, order, positions };
  };

  it.each<[number, { checkpointInterval?: number; maxSearchWindow?: number }]>([
    [3, {}],
    [50, { checkpointInterval: 2, maxSearchWindow: 1 }],
    [10, { maxSearchWindow: 10 }],
  ])('tells %i checkpoints over a hundred appends with %j, matching or not', async (count, options) => {
    for (const matching of [true, false]) {
      const { told, positions } = await checkpoints(matching, options);
      const every = (options.checkpointInterval ?? 1) * (options.maxSearchWindow ?? 32);
      // The last one may still be on its way where no event follows it.
      for (let tries = 0; told.length < count && tries < 100; tries += 1) await wait(10);
      expect(told).toEqual(Array.from({ length: count }, (_, n) => positions[(n + 1) * every - 1]));
    }
  });

  it('tells a checkpoint after the event it is of', async () => {
    const { order, positions } = await checkpoints(true, { maxSearchWindow: 1 });
    expect(order.slice(0, 4)).toEqual([
      `event ${positions[0]}`,
      `checkpoint ${positions[0]}`,
      `event ${positions[1]}`,
      `checkpoint ${positions[1]}`,
    ]);
  });

  it('tells no checkpoint when it catches up within a window, nor on a quiet log', async () => {
    const name = stream();
    const { position } = await append(name, 1);
    await append(name, 5);
    let told = 0;
    const filter = streamNameFilter({
      prefixes: [name],
      checkpointReached: async () => {
        told += 1;
      },
    });
    const live = watch(client.subscribeToAll({ fromPosition: position!, filter }));
    await live.saw('caughtUp');
    await wait(300);
    expect(live.seen).toEqual(['confirmation', 'event', 'event', 'event', 'event', 'event', 'caughtUp']);
    expect(told).toBe(0);
  });

  it('lets a subscription go on from its checkpoint without a loss', async () => {
    const name = stream();
    const checkpoint = new Promise<Position>((resolve) => {
      const filter = streamNameFilter({
        prefixes: [name],
        maxSearchWindow: 4,
        checkpointReached: async (_subscription: unknown, position: Position) => {
          resolve(position);
        },
      });
      watch(client.subscribeToAll({ fromPosition: END, filter }));
    });
    await wait(50);
    for (let n = 0; n < 4; n += 1) await append('other', 1);
    const fromPosition = await checkpoint;
    await client.appendToStream(name, events(2), { expectedRevision: NO_STREAM });
    const live = watch(client.subscribeToAll({ fromPosition, filter: ofStream(name) }));
    await live.has(2);
    expect(revisionsOf(live.events)).toEqual([0, 1]);
  });
});
