import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lastEventOf, ManualClock, type RecordedEvent, type Subscription, StoreUnavailableError } from '#kernel';
import { InMemoryEventStore } from '#kernel-testing';
import type { OutgoingMessage } from './broker.js';
import { BusWorld, gate, nextTurn, PARTNER, places, RESTRICTED, until } from './bus-world.fixture.js';
import type { Relay } from './relay.js';
import { PARTNERS, WAKE_UPS } from './technical-stream.js';

let world: BusWorld;
beforeEach(() => {
  world = new BusWorld();
});
afterEach(async () => {
  await world.close();
});

const sentOf = (stream: string, topic = RESTRICTED): string[] =>
  world
    .sent(topic)
    .map(({ place }) => place)
    .filter((place) => place.startsWith(`${stream}@`));

const saved = async (stream = WAKE_UPS): Promise<bigint> => {
  const last = await lastEventOf(world.store, stream);
  return last === undefined ? 0n : BigInt((last.data as { readonly position: string }).position);
};

const forwarded = (relay: Relay, position: bigint): Promise<void> =>
  until(async () => (await relay.status()).wakeUps.position >= position);

const roleOf = async (relay: Relay): Promise<string> => (await relay.status()).role;

const toTopic = (messages: readonly OutgoingMessage[], topic: string): boolean =>
  messages.some((message) => message.topic === topic);

describe('what the relay sends', () => {
  it('is every event of the log in the order of its stream, once', async () => {
    const streams = Array.from({ length: 9 }, (_, n) => `counter-${n}`);
    await Promise.all(streams.map((stream) => world.raise(stream, 5)));
    const relay = world.relay();
    await Promise.all(streams.map((stream) => world.raise(stream, 5)));
    await forwarded(relay, await world.store.head());
    for (const stream of streams) expect(sentOf(stream)).toEqual(places(stream, 0, 9));
    expect(world.sent(RESTRICTED)).toHaveLength(90);
  });

  it('is a CloudEvent without a value, under the record as its key', async () => {
    const relay = world.relay();
    const position = await world.append('counter-größe', 'Raised');
    await forwarded(relay, position);
    const [event] = await world.store.readStream('counter-größe', 0, 1);
    const [message] = world.broker.messagesOf(RESTRICTED);
    const { correlationId, recordedAt } = event!.metadata;
    expect(message).toEqual({
      offset: 0n,
      key: 'counter-größe',
      value: '',
      headers: {
        ce_specversion: '1.0',
        ce_id: event!.id,
        ce_source: `/pledgebook/logs/${world.store.storeId}`,
        ce_type: 'Raised',
        ce_time: recordedAt,
        ce_subject: 'counter-größe',
        ce_streamrevision: '0',
        ce_logposition: String(position),
        ce_correlationid: correlationId,
        ce_dataclassification: 'restricted',
        ce_traceparent: `00-${correlationId.replaceAll('-', '')}-${event!.id.replaceAll('-', '').slice(-16)}-01`,
      },
    });
    for (const name of Object.keys(message!.headers)) expect(name).toMatch(/^ce_[a-z0-9]{1,20}$/);
  });

  it('is for partners what is public, with its data, and nothing else', async () => {
    const relay = world.relay({ isPublic: ({ stream, revision }) => stream === 'counter-public' && revision < 2 });
    await world.raise('counter-secret', 3);
    await world.raise('counter-public', 3);
    const head = await world.store.head();
    await until(async () => (await relay.status()).partners.position === head);
    expect(world.sent(PARTNER).map(({ place }) => place)).toEqual(places('counter-public', 0, 1));
    const [message] = world.broker.messagesOf(PARTNER);
    expect(JSON.parse(message?.value ?? '')).toEqual({ by: 1 });
    expect(message?.headers).toMatchObject({
      'content-type': 'application/json',
      ce_dataclassification: 'public',
      ce_dataschema: '/v1/schemas/Raised/1',
    });
    expect(sentOf('counter-secret')).toEqual(places('counter-secret', 0, 2));
  });

  it('never holds what the relay itself writes to the log', async () => {
    const relay = world.relay();
    for (let round = 0; round < 5; round += 1) await forwarded(relay, await world.raise('counter-1', 1));
    await until(async () => (await saved()) === (await world.store.head()));
    expect((await world.store.readStream('_relay', 0, 100)).length).toBeGreaterThan(0);
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    expect(new Set(world.broker.messagesOf(RESTRICTED).map(({ key }) => key))).toEqual(new Set(['counter-1']));
    expect(await relay.status()).toMatchObject({ role: 'leader', lag: 0n, wakeUps: { waiting: 0 } });
  });
});

describe('the checkpoint', () => {
  it('is saved only behind what the broker acknowledged', async () => {
    const held = gate();
    world.broker.beforeAcknowledging = (messages) =>
      messages.some(({ key }) => key === 'counter-2') ? held.passed : Promise.resolve();
    const relay = world.relay();
    const first = await world.raise('counter-1', 1);
    await until(async () => (await saved()) === first);
    const second = await world.raise('counter-2', 1);
    await until(() => sentOf('counter-2').length === 1);
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    expect([await saved(), (await relay.status()).wakeUps.position]).toEqual([first, first]);
    held.open();
    await until(async () => (await saved()) === second);
  });

  it('left behind by a kill between send and save makes duplicates with the same id, and no gap', async () => {
    // Nothing is acknowledged any more to the one that is killed, and it saves nothing.
    const store = new (class extends InMemoryEventStore {
      dead = false;
      override append(...args: Parameters<InMemoryEventStore['append']>) {
        const ofTheRelay = args[0] === WAKE_UPS || args[0].startsWith('_lease');
        return this.dead && ofTheRelay ? Promise.reject(new StoreUnavailableError('killed')) : super.append(...args);
      }
    })();
    world = new BusWorld(store);
    const killed = world.relay();
    await forwarded(killed, await world.raise('counter-1', 3));
    await until(async () => (await saved()) === 3n || (await saved()) === (await store.head()));
    store.dead = true;
    const position = await world.raise('counter-1', 3);
    await forwarded(killed, position);
    expect(await saved()).toBeLessThan(position);
    const stopped = killed.stop();
    await stopped;
    store.dead = false;
    const next = world.relay();
    await forwarded(next, await world.raise('counter-1', 1));
    const messages = world.sent(RESTRICTED);
    expect(messages.map(({ place }) => place)).toEqual([...places('counter-1', 0, 5), ...places('counter-1', 3, 6)]);
    expect(messages.slice(6, 9).map(({ id }) => id)).toEqual(messages.slice(3, 6).map(({ id }) => id));
  });

  it('is saved by the way only now and then, also for what merely passes by', async () => {
    // A store whose server says how far it has read.
    class Passing extends InMemoryEventStore {
      private told: ((position: bigint) => Promise<void>)[] = [];
      /** Where the lanes of the newest relay began. */
      begun: bigint[] = [];
      override subscribeToAll(
        after: bigint,
        handler: (batch: readonly RecordedEvent[]) => Promise<void>,
        options: { readonly maxBatch?: number; readonly passed?: (position: bigint) => Promise<void> } = {},
      ): Subscription {
        if (this.begun.length === 2) this.reset();
        this.begun.push(after);
        if (options.passed !== undefined) this.told.push(options.passed);
        return super.subscribeToAll(after, handler, options);
      }
      reset(): void {
        this.told = [];
        this.begun = [];
      }
      async pass(position: bigint): Promise<void> {
        for (const tell of this.told) await tell(position);
      }
    }
    const store = new Passing();
    world = new BusWorld(store);
    const seldom = world.relay({ idleCheckpointEveryMs: 600_000 });
    const position = await world.raise('counter-1', 1);
    await until(async () => (await saved()) === position);
    for (let passed = 1_000n; passed < 1_100n; passed += 1n) {
      await store.pass(passed);
      await nextTurn();
    }
    await until(async () => (await seldom.status()).wakeUps.position === 1_099n);
    expect(await saved()).toBe(position);
    await seldom.stop();
    const oftener = world.relay({ idleCheckpointEveryMs: 20 });
    // What passed by is saved at the end.
    await until(() => store.begun.length === 2 && store.begun.every((after) => after === 1_099n));
    await store.pass(1_999n);
    await until(async () => (await saved()) === 1_999n);
    await oftener.stop();
    world.relay();
    await until(() => store.begun.every((after) => after === 1_999n));
  });

  it('is found in few reads however long its stream is, also where only the newest are kept', async () => {
    const store = new (class extends InMemoryEventStore {
      reads = 0;
      kept = 0;
      override async readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]> {
        this.reads += 1;
        return super.readStream(stream, Math.max(from, this.kept), limit);
      }
    })();
    world = new BusWorld(store);
    expect(await lastEventOf(store, 'counter-none')).toBeUndefined();
    for (const length of [1, 2, 3, 7, 64, 1_000]) {
      await world.raise(`counter-${length}`, length);
      store.reads = 0;
      expect((await lastEventOf(store, `counter-${length}`))?.revision).toBe(length - 1);
      expect(store.reads).toBeLessThan(40);
    }
    store.kept = 993;
    expect((await lastEventOf(store, 'counter-1000'))?.revision).toBe(999);
  });
});

describe('two relays', () => {
  it('do not work at once: one stands by and takes over when the other stops', async () => {
    const first = world.relay();
    await until(async () => (await roleOf(first)) === 'leader');
    const second = world.relay();
    await forwarded(first, await world.raise('counter-1', 3));
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    expect(await roleOf(second)).toBe('standby');
    await first.stop();
    expect(await roleOf(first)).toBe('stopped');
    // Given back, so that nobody need wait until it runs out.
    const leases = await world.store.readStream('_lease-relay', 0, 1_000);
    expect(leases.map(({ type }) => type)).toContain('RelayLeaseReleased');
    await forwarded(second, await world.raise('counter-1', 3));
    expect(sentOf('counter-1')).toEqual(places('counter-1', 0, 5));
  });

  it('hand over after a kill, once the lease has run out by the time of the one that waits', async () => {
    // The killed one reaches neither log nor broker any more.
    const dead = gate();
    let isDead = false;
    const killedStore = new Proxy(world.store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        const call = value.bind(target) as (...args: readonly unknown[]) => unknown;
        return (...args: readonly unknown[]) => (isDead ? dead.passed.then(() => call(...args)) : call(...args));
      },
    });
    const killed = world.relay({}, killedStore);
    await forwarded(killed, await world.raise('counter-1', 3));
    await until(async () => (await saved()) === (await world.store.head()));
    isDead = true;
    let now = 0;
    const second = world.relay({ monotonic: () => now, leaseMs: 40 });
    for (let turn = 0; turn < 200; turn += 1) await nextTurn();
    expect(await roleOf(second)).toBe('standby');
    now = 41;
    await until(async () => (await roleOf(second)) === 'leader');
    await until(async () => (await second.status()).wakeUps.position >= 3n);
    dead.open();
    isDead = false;
  });

  it('do not compare clocks: five minutes between them change nothing', async () => {
    const ahead = world.relay({ clock: new ManualClock('2026-11-28T10:05:00.000Z') });
    await until(async () => (await roleOf(ahead)) === 'leader');
    const behind = world.relay({ clock: new ManualClock('2026-11-28T10:00:00.000Z') });
    const later = world.relay({ clock: new ManualClock('2026-11-28T10:10:00.000Z') });
    for (let round = 0; round < 20; round += 1) await forwarded(ahead, await world.raise('counter-1', 1));
    expect([await roleOf(ahead), await roleOf(behind), await roleOf(later)]).toEqual(['leader', 'standby', 'standby']);
    await ahead.stop();
    await until(async () => (await roleOf(behind)) === 'leader' || (await roleOf(later)) === 'leader');
  });

  it('lose nothing where both believe to lead: the log tells the older one by its checkpoint', async () => {
    const relay = world.relay();
    const position = await world.raise('counter-1', 2);
    await forwarded(relay, position);
    await until(async () => (await saved()) === position);
    const last = await lastEventOf(world.store, WAKE_UPS);
    await world.store.append(WAKE_UPS, last!.revision, [
      { ...last!, id: '00000000-0000-4000-8000-000000000003', data: { position: String(position) } },
    ]);
    const next = await world.raise('counter-1', 2);
    await until(() => world.relayAlarms.some(({ kind }) => kind === 'fenced'));
    await until(async () => (await saved()) === next);
    expect([...new Set(sentOf('counter-1'))]).toEqual(places('counter-1', 0, 3));
  });
});

/** The broker keeps the next wake-up waiting until `woken`; answers whether it does by now. */
const asleepBeforeStoring = (woken: Promise<void>): (() => boolean) => {
  let sleeping = false;
  world.broker.beforeStoring = async (messages) => {
    if (!toTopic(messages, RESTRICTED) || sleeping) return;
    sleeping = true;
    await woken;
  };
  return () => sleeping;
};

describe('a relay that was paused past its lease', () => {
  it('sends nothing after it woke, not even what it was about to', async () => {
    let now = 0;
    const asleep = gate();
    const paused = world.relay({ monotonic: () => now, leaseMs: 1_000 });
    await forwarded(paused, await world.raise('counter-1', 1));
    const sleeping = asleepBeforeStoring(asleep.passed);
    await world.raise('counter-1', 1);
    await until(sleeping);
    now = 1_001;
    const before = world.sent(RESTRICTED).length;
    const renewals = (await world.store.readStream('_lease-relay', 0, 1_000)).length;
    // Another takes over meanwhile.
    let others = 0;
    const other = world.relay({ monotonic: () => (others += 400), leaseMs: 1_000 });
    await until(async () => (await roleOf(other)) === 'leader');
    await forwarded(other, await world.store.head());
    expect((await world.store.readStream('_lease-relay', 0, 1_000)).length).toBeGreaterThan(renewals);
    const byOther = world.sent(RESTRICTED).length;
    expect(byOther).toBe(before + 1);
    asleep.open();
    await until(async () => (await roleOf(paused)) === 'standby');
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    expect(world.sent(RESTRICTED)).toHaveLength(byOther);
  });

  it('asks its own time before every send: nothing goes out before it has the lease anew', async () => {
    let now = 0;
    const asleep = gate();
    const paused = world.relay({ monotonic: () => now, leaseMs: 300 });
    await forwarded(paused, await world.raise('counter-1', 1));
    const sleeping = asleepBeforeStoring(asleep.passed);
    const leases = async (): Promise<number> => (await world.store.readStream('_lease-relay', 0, 1_000)).length;
    let leasesAtSend = 0;
    world.broker.beforeAcknowledging = async () => {
      leasesAtSend = await leases();
    };
    const position = await world.raise('counter-1', 1);
    await until(sleeping);
    now = 301;
    const before = await leases();
    asleep.open();
    await forwarded(paused, position);
    expect(leasesAtSend).toBeGreaterThan(before);
  });

  it('keeps a lease whose renewal was stored though the answer was lost', async () => {
    const store = new (class extends InMemoryEventStore {
      lose = 0;
      override async append(...args: Parameters<InMemoryEventStore['append']>) {
        const receipt = await super.append(...args);
        if (args[0] !== '_lease-relay' || this.lose === 0) return receipt;
        this.lose -= 1;
        throw new StoreUnavailableError('no answer');
      }
    })();
    world = new BusWorld(store);
    const relay = world.relay({ leaseMs: 90 });
    await until(async () => (await roleOf(relay)) === 'leader');
    store.lose = 1;
    await until(() => world.relayAlarms.some(({ kind }) => kind === 'lease-unknown'));
    const { length } = await store.readStream('_lease-relay', 0, 1_000);
    await until(async () => (await store.readStream('_lease-relay', 0, 1_000)).length > length + 1);
    expect(world.relayAlarms.map(({ kind }) => kind)).toEqual(['leading', 'lease-unknown']);
  });
});

describe('what does not get through', () => {
  it('is sent in order once the broker is back, whatever was appended meanwhile', async () => {
    const relay = world.relay();
    await forwarded(relay, await world.raise('counter-1', 2));
    world.broker.away = true;
    for (let round = 0; round < 10; round += 1) await world.raise(`counter-${round % 3}`, 2);
    await until(() => world.relayAlarms.filter(({ kind }) => kind === 'send-failed').length > 4);
    expect((await relay.status()).wakeUps).toMatchObject({ trouble: 'BrokerError ECONNREFUSED' });
    world.broker.away = false;
    await forwarded(relay, await world.store.head());
    for (const stream of ['counter-0', 'counter-2']) {
      const { length } = await world.store.readStream(stream, 0, 100);
      expect(sentOf(stream)).toEqual(places(stream, 0, length - 1));
    }
    expect((await relay.status()).wakeUps).not.toHaveProperty('trouble');
  });

  it('of an event that cannot be classified holds up partners alone, and leaves them no gap', async () => {
    let broken = true;
    const relay = world.relay({
      isPublic: async ({ stream, revision }) => {
        if (broken && stream === 'counter-odd' && revision === 1) throw new TypeError('what is this');
        return true;
      },
    });
    await world.raise('counter-1', 2);
    await world.raise('counter-odd', 3);
    const position = await world.raise('counter-1', 2);
    await forwarded(relay, position);
    await until(() => world.relayAlarms.filter(({ kind }) => kind === 'unclassified').length > 3);
    expect(sentOf('counter-odd')).toEqual(places('counter-odd', 0, 2));
    expect(sentOf('counter-odd', PARTNER)).toEqual([]);
    expect(await relay.status()).toMatchObject({ lag: 0n, partners: { trouble: 'TypeError' } });
    expect(await saved(PARTNERS)).toBeLessThan(position);
    broken = false;
    await until(async () => (await relay.status()).partners.position === position);
    expect(sentOf('counter-odd', PARTNER)).toEqual(places('counter-odd', 0, 2));
    expect(sentOf('counter-1', PARTNER)).toEqual(places('counter-1', 0, 3));
  });

  it('for want of a topic waits and says so', async () => {
    const relay = world.relay();
    const { data, metadata } =
      (await world.raise('counter-1', 1), (await world.store.readStream('counter-1', 0, 1))[0]!);
    await world.store.append('stranger-1', -1, [
      { id: '00000000-0000-4000-8000-000000000004', type: 'Raised', data, metadata },
    ]);
    await until(async () => (await relay.status()).wakeUps.trouble === 'BrokerError UNKNOWN_TOPIC_OR_PARTITION');
    world.broker.create('pledgebook.stranger.restricted', 1);
    await forwarded(relay, await world.store.head());
    expect(world.sent('pledgebook.stranger.restricted')).toHaveLength(1);
  });

  it('is taken up again where the subscription to the log breaks', async () => {
    const store = new (class extends InMemoryEventStore {
      breaks = 3;
      override subscribeToAll(
        after: bigint,
        handler: (batch: readonly RecordedEvent[]) => Promise<void>,
        options: { readonly maxBatch?: number } = {},
      ): Subscription {
        if (this.breaks === 0) return super.subscribeToAll(after, handler, options);
        this.breaks -= 1;
        return super.subscribeToAll(
          after,
          async (batch) => {
            await handler(batch.slice(0, 2));
            throw new StoreUnavailableError('cut for slowness');
          },
          options,
        );
      }
    })();
    world = new BusWorld(store);
    await world.raise('counter-1', 20);
    const relay = world.relay();
    await forwarded(relay, await store.head());
    expect(sentOf('counter-1')).toEqual(places('counter-1', 0, 19));
    expect(world.relayAlarms.filter(({ kind }) => kind === 'log-away').length).toBe(3);
  });

  it('takes no more memory than a bound while the broker is slow', async () => {
    const held = gate();
    world.broker.beforeStoring = () => held.passed;
    const relay = world.relay();
    for (let stream = 0; stream < 30; stream += 1) await world.raise(`counter-${stream}`, 200);
    await until(async () => (await relay.status()).wakeUps.waiting >= 2_000);
    for (let turn = 0; turn < 100; turn += 1) await nextTurn();
    expect((await relay.status()).wakeUps.waiting).toBe(2_000);
    held.open();
    await forwarded(relay, await world.store.head());
    expect(world.sent(RESTRICTED)).toHaveLength(6_000);
  });
});

describe('technical streams', () => {
  it('are told to keep only their newest events, where the store can', async () => {
    const kept: [string, number][] = [];
    const relay = world.relay({
      keepNewest: async (stream, count) => {
        kept.push([stream, count]);
        if (stream === '_relay-partners') throw new StoreUnavailableError('not now');
      },
    });
    await until(() => kept.length === 3);
    await forwarded(relay, await world.raise('counter-1', 1));
    expect(kept).toEqual([
      ['_relay', 10],
      ['_relay-partners', 10],
      ['_lease-relay', 10],
    ]);
  });
});
