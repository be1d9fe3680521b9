import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { EventToAppend, RecordedEvent, Subscription } from '#kernel';
import { newId, StoreUnavailableError } from '#kernel';
import { InMemoryEventStore, messageBusContract, recordedEvent } from '#kernel-testing';
import { openDatabase } from '#sqlite';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { BusAlarm } from './local-message-bus.js';
import { LocalMessageBus } from './local-message-bus.js';

const folder = mkdtempSync(join(tmpdir(), 'bus-'));
let files = 0;
const freshFile = (): string => join(folder, String((files += 1)), 'bus.sqlite');
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const event = (type = 'Raised'): EventToAppend => {
  const { data, metadata } = recordedEvent('counter-1', 0, { type, data: { by: 1 } });
  return { id: newId(), type, data, metadata };
};

const append = async (store: InMemoryEventStore, stream: string, ...types: readonly string[]): Promise<bigint> => {
  const { length } = await store.readStream(stream, 0, 100_000);
  return (await store.append(stream, length - 1, types.map(event))).position;
};

const FAST = { firstBackoffMs: 1, maxBackoffMs: 2 };

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Holds back whoever waits for it until it is opened. */
const gate = (): { readonly open: () => void; readonly passed: Promise<void> } => {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return {
    open: () => {
      open();
    },
    passed,
  };
};

const where = ({ stream, revision }: RecordedEvent): string => `${stream}@${revision}`;

messageBusContract('LocalMessageBus', async () => {
  const store = new InMemoryEventStore();
  const buses: LocalMessageBus[] = [];
  let file = freshFile();
  return {
    store,
    open: () => {
      const bus = new LocalMessageBus(store, file, FAST);
      buses.push(bus);
      return bus;
    },
    // What the file holds now is what a kill leaves; the one that is killed goes on with a file that nobody reads again.
    crash: async () => {
      const left = freshFile();
      cpSync(dirname(file), dirname(left), { recursive: true });
      file = left;
    },
    dispose: async () => {
      await Promise.all(buses.map((bus) => bus.close()));
      await store.close();
    },
  };
});

describe('local message bus', () => {
  it('keeps a checkpoint per subscription: a new one starts from the beginning without holding up the others', async () => {
    const store = new InMemoryEventStore();
    const file = freshFile();
    await append(store, 'counter-1', 'Raised', 'Raised');
    const first = new LocalMessageBus(store, file);
    await first.subscribe('old', ['Raised'], async () => undefined).reached(2n);
    await first.close();
    const second = new LocalMessageBus(store, file);
    const seen: string[] = [];
    const old = second.subscribe('old', ['Raised'], async (of) => void seen.push(`old ${where(of)}`));
    const young = second.subscribe('new', ['Raised'], async (of) => void seen.push(`new ${where(of)}`));
    const position = await append(store, 'counter-1', 'Raised');
    await Promise.all([old.reached(position), young.reached(position)]);
    expect(seen.sort()).toEqual(['new counter-1@0', 'new counter-1@1', 'new counter-1@2', 'old counter-1@2']);
    await second.close();
    await store.close();
  });

  it('starts from the furthest behind of those that share its feed, and brings nobody an event twice', async () => {
    const store = new InMemoryEventStore();
    const file = freshFile();
    await append(store, 'counter-1', 'Raised');
    const first = new LocalMessageBus(store, file);
    const early = first.subscribe('early', ['Raised'], async () => undefined);
    const late = first.subscribe('late', ['Raised'], async () => undefined);
    await Promise.all([early.reached(1n), late.reached(1n)]);
    await early.stop();
    await late.reached(await append(store, 'counter-1', 'Raised'));
    await first.close();
    const second = new LocalMessageBus(store, file);
    const seen: string[] = [];
    const subscriptions = ['late', 'early'].map((name) =>
      second.subscribe(name, ['Raised'], async (of) => void seen.push(`${name} ${where(of)}`)),
    );
    const position = await append(store, 'counter-1', 'Raised');
    await Promise.all(subscriptions.map((subscription) => subscription.reached(position)));
    expect(seen.sort()).toEqual(['early counter-1@1', 'early counter-1@2', 'late counter-1@2']);
    await second.close();
    await store.close();
  });

  it('never saves a checkpoint past an event that was not handled', async () => {
    const store = new InMemoryEventStore();
    const file = freshFile();
    const first = new LocalMessageBus(store, file, FAST);
    let handled = 0;
    first.subscribe('a', ['Raised'], async (of) => {
      if (of.stream === 'counter-sick') throw new Error('not today');
      handled += 1;
    });
    await append(store, 'counter-0', 'Raised');
    await append(store, 'counter-sick', 'Raised');
    for (let stream = 1; stream <= 200; stream += 1) await append(store, `counter-${stream}`, 'Raised');
    while (handled < 201) await nextTurn();
    await first.close();
    const second = new LocalMessageBus(store, file);
    const seen: string[] = [];
    const subscription = second.subscribe('a', ['Raised'], async (of) => void seen.push(where(of)));
    await subscription.reached(await store.head());
    expect(seen[0]).toBe('counter-sick@0');
    expect(seen.length).toBe(201);
    await second.close();
    await store.close();
  });

  it('saves the checkpoint on the way, so that a crash repeats little', async () => {
    const store = new InMemoryEventStore();
    const file = freshFile();
    const crashed = new LocalMessageBus(store, file);
    const subscription = crashed.subscribe('a', ['Raised'], async () => undefined);
    await append(store, 'counter-1', ...Array.from({ length: 150 }, () => 'Raised'));
    for (const stream of ['counter-2', 'counter-3', 'counter-4']) {
      await append(store, stream, ...Array.from({ length: 1_800 }, () => 'Noted'));
    }
    await subscription.reached(await store.head());
    // No close: the process is gone.
    const next = new LocalMessageBus(store, file);
    let repeated = 0;
    await next.subscribe('a', ['Raised'], async () => void (repeated += 1)).reached(await store.head());
    expect(repeated).toBe(0);
    await next.close();
    await crashed.close();
    await store.close();
  });

  it('pauses reading while the window is full', async () => {
    const store = new InMemoryEventStore();
    const bus = new LocalMessageBus(store, ':memory:', { window: 3 });
    const slow = gate();
    let started = 0;
    const subscription = bus.subscribe('a', ['Raised'], async () => {
      started += 1;
      await slow.passed;
    });
    for (let stream = 0; stream < 10; stream += 1) await append(store, `counter-${stream}`, 'Raised');
    while (started < 3) await nextTurn();
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(started).toBe(3);
    slow.open();
    await subscription.reached(10n);
    expect(started).toBe(10);
    await bus.close();
    await store.close();
  });

  it('a subscription stuck with a full window holds up no other, and goes on by itself', async () => {
    const store = new InMemoryEventStore();
    const bus = new LocalMessageBus(store, ':memory:', { ...FAST, window: 2 });
    let broken = true;
    const seen: string[] = [];
    const sick = bus.subscribe('sick', ['Raised'], async (of) => {
      if (broken) throw new Error('not today');
      seen.push(where(of));
    });
    const well = bus.subscribe('well', ['Raised'], async () => undefined);
    for (let round = 0; round < 6; round += 1) await append(store, 'counter-1', 'Raised');
    await well.reached(6n);
    expect(sick.position).toBe(0n);
    const position = await append(store, 'counter-1', 'Raised');
    await well.reached(position);
    broken = false;
    await sick.reached(position);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6].map((revision) => `counter-1@${revision}`));
    await bus.close();
    await store.close();
  });

  it('stops while a window is full, after the events in hand; what was not handled comes again', async () => {
    const store = new InMemoryEventStore();
    const file = freshFile();
    const bus = new LocalMessageBus(store, file, { window: 1 });
    const slow = gate();
    let started = 0;
    const subscription = bus.subscribe('a', ['Raised'], async () => {
      started += 1;
      await slow.passed;
    });
    for (let stream = 0; stream < 3; stream += 1) await append(store, `counter-${stream}`, 'Raised');
    while (started < 1) await nextTurn();
    const never = subscription.reached(3n);
    const stopped = subscription.stop();
    expect(subscription.stop()).toBe(stopped);
    slow.open();
    await stopped;
    await expect(never).rejects.toThrow('a stopped');
    await expect(subscription.reached(3n)).rejects.toThrow('a stopped');
    expect(started).toBe(1);
    await bus.close();
    const next = new LocalMessageBus(store, file);
    const seen: string[] = [];
    await next.subscribe('a', ['Raised'], async (of) => void seen.push(where(of))).reached(3n);
    expect(seen).toEqual(['counter-1@0', 'counter-2@0']);
    await next.close();
    await store.close();
  });

  it('throws a checkpoint file away that it cannot read', async () => {
    const store = new InMemoryEventStore();
    const file = join(folder, 'broken.sqlite');
    writeFileSync(file, 'this is not a database, however long one looks at it'.repeat(50));
    const alarms: BusAlarm[] = [];
    await append(store, 'counter-1', 'Raised');
    const bus = new LocalMessageBus(store, file, { alarm: (alarm) => alarms.push(alarm) });
    await bus.subscribe('a', ['Raised'], async () => undefined).reached(1n);
    expect(alarms.map(({ kind }) => kind)).toEqual(['checkpoint-lost']);
    await bus.close();
    await store.close();
    writeFileSync(file, 'this is not a database, however long one looks at it'.repeat(50));
    const silent = new LocalMessageBus(new InMemoryEventStore(), file);
    await silent.close();
    const other = join(folder, 'other.sqlite');
    const database = openDatabase(other);
    database.exec('CREATE TABLE t (a); CREATE INDEX checkpoint ON t (a)');
    database.close();
    const third = new LocalMessageBus(new InMemoryEventStore(), other);
    await third.close();
  });

  it('starts anew where the log is another one, or shorter than the checkpoint', async () => {
    const file = freshFile();
    const long = new InMemoryEventStore();
    await append(long, 'counter-1', 'Raised', 'Raised', 'Raised');
    const first = new LocalMessageBus(long, file);
    await first.subscribe('a', ['Raised'], async () => undefined).reached(3n);
    await first.close();
    for (const storeId of [newId(), long.storeId]) {
      const short = Object.assign(new InMemoryEventStore(), { storeId });
      await append(short, 'counter-1', 'Raised');
      const bus = new LocalMessageBus(short, file);
      let seen = 0;
      await bus.subscribe('a', ['Raised'], async () => void (seen += 1)).reached(1n);
      expect(seen).toBe(1);
      await bus.close();
      await short.close();
    }
    await long.close();
  });

  it('takes up a log that was away: at the start, under way, and while one goes on by itself', async () => {
    class Failing extends InMemoryEventStore {
      heads = 1;
      breaks = 1;
      override head(): Promise<bigint> {
        return this.heads-- > 0 ? Promise.reject(new StoreUnavailableError('away')) : super.head();
      }
      override subscribeToAll(
        after: bigint,
        handler: (batch: readonly RecordedEvent[]) => Promise<void>,
        options: { readonly maxBatch?: number } = {},
      ): Subscription {
        if (this.breaks-- > 0) throw new StoreUnavailableError('away');
        return super.subscribeToAll(after, handler, options);
      }
    }
    const store = new Failing();
    const alarms: BusAlarm[] = [];
    const bus = new LocalMessageBus(store, ':memory:', { ...FAST, window: 1, alarm: (alarm) => alarms.push(alarm) });
    let broken = true;
    const subscription = bus.subscribe('a', ['Raised'], async () => {
      if (broken) throw new Error('not today');
    });
    await append(store, 'counter-1', 'Raised');
    while (subscription.stuck.length === 0) await nextTurn();
    store.breaks = 1;
    await append(store, 'counter-2', 'Raised');
    while (alarms.filter(({ kind }) => kind === 'feed-broken').length < 3) await nextTurn();
    broken = false;
    await subscription.reached(2n);
    await bus.close();
    await store.close();
  });

  it('closes also while the log is away', async () => {
    const store = new InMemoryEventStore();
    store.head = () => Promise.reject(new StoreUnavailableError('away'));
    const bus = new LocalMessageBus(store, ':memory:');
    bus.subscribe('a', ['Raised'], async () => undefined);
    await nextTurn();
    await bus.close();
  });
});
