import { setTimeout as wait } from 'node:timers/promises';
import { KafkaBroker, KafkaMessageBus, type KafkaBusAlarm, Relay } from '#bus-kafka';
import { type LocalKafka, startKafka } from '../../infra/local-brokers/kafka.js';
import { ProcessWorld, untilIt } from './processes/world.js';
import { talksTo } from './talks-to.js';

const STREAMS = Array.from({ length: 12 }, (_, n) => `counter-${n}`);
const CATEGORIES = [{ name: 'counter', types: ['Raised'] }];

let address: string;
let world: ProcessWorld;
beforeAll(() => {
  address = talksTo('KAFKA_BROKERS');
});
afterEach(async () => {
  await world.close();
});

const placesOf = (
  messages: readonly { readonly key: string | undefined; readonly headers: Readonly<Record<string, string>> }[],
) => messages.map(({ key = '', headers }) => `${key}@${headers.ce_streamrevision ?? '?'}`);

/** What wake-ups must be whatever happened: every revision there, none before the one before it, each with one id. */
const expectNoGap = async (): Promise<number> => {
  const messages = await world.wakeUps();
  let repeats = 0;
  for (const stream of STREAMS) {
    const ids = new Map<string, string>();
    let newest = -1;
    for (const { headers } of messages.filter(({ key }) => key === stream)) {
      const { ce_streamrevision: revision = '', ce_id: id = '' } = headers;
      expect(Number(revision)).toBeLessThanOrEqual(newest + 1);
      if (Number(revision) <= newest) repeats += 1;
      newest = Math.max(newest, Number(revision));
      expect(ids.get(revision) ?? id).toBe(id);
      ids.set(revision, id);
    }
    expect([...ids.values()]).toEqual((await world.store.readStream(stream, 0, 100_000)).map(({ id }) => id));
  }
  return repeats;
};

describe('consumers', () => {
  it('killed in the middle of their work, with others joining: everything takes effect once, in order', async () => {
    world = await ProcessWorld.on(address);
    world.relay();
    for (const stream of STREAMS) await world.raise(stream, 20);
    const killed = world.bus({ workMs: 20 });
    await untilIt(() => killed.handled.length >= 30);
    await killed.kill();
    expect(killed.handled.length).toBeLessThan(STREAMS.length * 20);
    const second = world.bus({ workMs: 5 });
    await untilIt(() => second.handled.length >= 10);
    const third = world.bus({ workMs: 5 });
    await untilIt(async () => {
      for (const stream of STREAMS) await world.raise(stream, 1);
      return third.handled.length >= 1;
    });
    await second.kill();
    await world.untilAllTookEffect(STREAMS);
    expect(third.alarms.filter((kind) => kind === 'gap' || kind === 'dead-letter')).toEqual([]);
  });

  it('whose work takes longer than their session keep their partitions, also while another joins', async () => {
    world = await ProcessWorld.on(address);
    const broker = new KafkaBroker({ brokers: address.split(','), sessionTimeoutMs: 1_500 });
    const relay = new Relay(world.store, broker, { prefix: world.names.prefix, isPublic: () => false });
    relay.start();
    const alarms: KafkaBusAlarm[] = [];
    const bus = new KafkaMessageBus(world.store, broker, {
      prefix: world.names.prefix,
      categories: CATEGORIES,
      alarm: (alarm) => alarms.push(alarm),
    });
    const began: string[] = [];
    try {
      const subscription = bus.subscribe('effects', ['Raised'], async ({ stream, revision }) => {
        began.push(`${stream}@${revision}`);
        await wait(4_500);
      });
      await world.raise('counter-1', 2);
      await untilIt(() => began.length === 1);
      const other = new KafkaMessageBus(world.store, broker, { prefix: world.names.prefix, categories: CATEGORIES });
      other.subscribe('other', ['Raised'], async () => undefined);
      await subscription.reached(await world.store.head());
      await other.close();
      expect(began).toEqual(['counter-1@0', 'counter-1@1']);
      expect(alarms).toEqual([]);
    } finally {
      await bus.close();
      await relay.stop();
      await broker.close();
    }
  });

  it('give up on a poison message with its reason, go on with the rest, and replay it in order when told to', async () => {
    world = await ProcessWorld.on(address);
    const { prefix } = world.names;
    const broker = new KafkaBroker({ brokers: address.split(',') });
    const relay = new Relay(world.store, broker, { prefix, isPublic: () => false });
    relay.start();
    const options = { prefix, categories: CATEGORIES, attempts: 3, firstBackoffMs: 1 };
    let broken = true;
    const handled: string[] = [];
    const buses = [0, 1].map(() => new KafkaMessageBus(world.store, broker, options));
    try {
      const [first] = buses.map((bus) =>
        bus.subscribe('effects', ['Raised'], async ({ stream, revision }) => {
          if (broken && stream === 'counter-3' && revision === 2) throw new TypeError('no such thing');
          handled.push(`${stream}@${revision}`);
        }),
      );
      for (const stream of STREAMS) await world.raise(stream, 5);
      await first!.reached(await world.store.head());
      expect(handled.filter((place) => place.startsWith('counter-3@'))).toEqual(['counter-3@0', 'counter-3@1']);
      expect(new Set(handled).size).toBe((STREAMS.length - 1) * 5 + 2);
      expect(await buses[1]!.deadLetters()).toMatchObject([
        { process: 'effects', stream: 'counter-3', revision: 2, reason: 'TypeError', attempts: 3 },
      ]);
      broken = false;
      await world.raise('counter-3', 2);
      expect(await buses[0]!.replay('effects')).toHaveLength(1);
      await world.raise('counter-3', 2);
      await first!.reached(await world.store.head());
      await untilIt(async () => (await buses[0]!.deadLetters()).length === 0);
      await untilIt(() => handled.includes('counter-3@8'));
      expect(handled.filter((place) => place.startsWith('counter-3@'))).toEqual(
        Array.from({ length: 9 }, (_, revision) => `counter-3@${revision}`),
      );
    } finally {
      await Promise.all(buses.map((bus) => bus.close()));
      await relay.stop();
      await broker.close();
    }
  });
});

describe('relays', () => {
  it('one killed between its send and its checkpoint, another taking over: duplicates with the same id, no gap', async () => {
    world = await ProcessWorld.on(address);
    // Saves once, and then not again while it lives.
    const killed = world.relay({ checkpointEveryMs: 3_600_000 });
    for (const stream of STREAMS) await world.raise(stream, 3);
    await untilIt(async () => (await killed.ask()).position === (await world.store.head()));
    const standby = world.relay();
    for (const stream of STREAMS) await world.raise(stream, 3);
    await untilIt(async () => (await killed.ask()).position === (await world.store.head()));
    expect((await standby.ask()).role).toBe('standby');
    await killed.kill();
    for (const stream of STREAMS) await world.raise(stream, 3);
    await untilIt(async () => (await standby.ask()).position === (await world.store.head()));
    expect(await expectNoGap()).toBeGreaterThanOrEqual(STREAMS.length * 3);
    world.bus();
    await world.untilAllTookEffect(STREAMS);
  });

  it('one stopped in its tracks past its lease sends nothing after it goes on', async () => {
    world = await ProcessWorld.on(address);
    const paused = world.relay({ leaseMs: 1_000 });
    for (const stream of STREAMS) await world.raise(stream, 2);
    await untilIt(async () => (await paused.ask()).position === (await world.store.head()));
    // Half a second is time enough for its checkpoint; what it has sent is not sent again then.
    await untilIt(async () => {
      const saved = (await world.store.readStream('_relay', 0, 10_000)).at(-1);
      return (
        saved !== undefined && BigInt((saved.data as { position: string }).position) === (await world.store.head())
      );
    });
    paused.signal('SIGSTOP');
    const standby = world.relay({ leaseMs: 1_000 });
    for (const stream of STREAMS) await world.raise(stream, 2);
    await untilIt(async () => (await standby.ask()).position === (await world.store.head()));
    const before = placesOf(await world.wakeUps());
    paused.signal('SIGCONT');
    await untilIt(() => paused.alarms.includes('standing-by'));
    expect(placesOf(await world.wakeUps())).toEqual(before);
    expect(await expectNoGap()).toBe(0);
  });

  it('three at once under load, killed one after the other: no gap, and everything takes effect once', async () => {
    world = await ProcessWorld.on(address);
    world.bus();
    const relays = [world.relay({ leaseMs: 1_000 }), world.relay({ leaseMs: 1_000 }), world.relay({ leaseMs: 1_000 })];
    for (let round = 0; round < 3; round += 1) {
      for (const stream of STREAMS) await world.raise(stream, 5);
      const statuses = await Promise.all(relays.map((relay) => relay.ask()));
      const leader = relays[statuses.findIndex(({ role }) => role === 'leader')];
      if (leader !== undefined && relays.length > 1) {
        relays.splice(relays.indexOf(leader), 1);
        await leader.kill();
      }
      await untilIt(async () =>
        (await Promise.all(relays.map((relay) => relay.ask()))).some(({ role }) => role === 'leader'),
      );
    }
    await world.untilAllTookEffect(STREAMS);
    await expectNoGap();
  });
});

describe('a broker', () => {
  let kafka: LocalKafka;
  beforeAll(async () => {
    // One of its own: the others' tests must not feel the outage.
    kafka = await startKafka();
  });
  afterAll(async () => {
    await kafka.stop();
  });

  it('that is down while commands go on, and comes back: everything takes effect once, in order', async () => {
    world = await ProcessWorld.on(kafka.brokers);
    const relay = world.relay();
    const bus = world.bus();
    for (const stream of STREAMS) await world.raise(stream, 3);
    await world.untilAllTookEffect(STREAMS);
    await kafka.kill();
    for (const stream of STREAMS) await world.raise(stream, 5);
    await untilIt(() => relay.alarms.filter((kind) => kind === 'send-failed').length >= 3);
    await untilIt(() => bus.alarms.includes('broken'));
    for (const stream of STREAMS) await world.raise(stream, 5);
    await kafka.restart();
    await world.untilAllTookEffect(STREAMS);
    await expectNoGap();
  });

  it('that is frozen for longer than its clients wait, and goes on: everything takes effect once, in order', async () => {
    world = await ProcessWorld.on(kafka.brokers);
    const relay = world.relay();
    world.bus();
    for (const stream of STREAMS) await world.raise(stream, 3);
    await world.untilAllTookEffect(STREAMS);
    kafka.freeze();
    for (const stream of STREAMS) await world.raise(stream, 5);
    await untilIt(() => relay.alarms.includes('send-failed'));
    kafka.thaw();
    await world.untilAllTookEffect(STREAMS);
    await expectNoGap();
  });
});
