import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NewerEventError, type RecordedEvent, StoreUnavailableError } from '#kernel';
import { InMemoryEventStore, messageBusContract } from '#kernel-testing';
import {
  BusWorld,
  CATEGORIES,
  DEAD_LETTERS,
  gate,
  nextTurn,
  noting,
  places,
  RESTRICTED,
  until,
  where,
} from './bus-world.fixture.js';
import { partitionOf } from './partition-of.js';

messageBusContract('KafkaMessageBus on topics in memory', async () => {
  const world = new BusWorld();
  world.relay();
  return {
    store: world.store,
    open: () => world.bus({ attempts: 10 }),
    crash: (bus) => world.kill(bus),
    dispose: () => world.close(),
  };
});

let world: BusWorld;
beforeEach(() => {
  world = new BusWorld();
});
afterEach(async () => {
  await world.close();
});

/** Throws at these places while `broken`. */
class Sickness {
  broken = true;
  readonly seen: string[] = [];
  readonly tried: string[] = [];

  constructor(private readonly sick: readonly string[]) {}

  readonly handler = async (event: RecordedEvent): Promise<void> => {
    this.tried.push(where(event));
    if (this.broken && this.sick.includes(where(event)))
      throw new TypeError(`cannot read ${JSON.stringify(event.data)}`);
    this.seen.push(where(event));
  };

  of(stream: string): readonly string[] {
    return this.seen.filter((place) => place.startsWith(`${stream}@`));
  }
}

const committedOf = async (process: string): Promise<readonly (bigint | undefined)[]> =>
  (await world.broker.committedOffsets(`pledgebook.${process}`, [RESTRICTED])).get(RESTRICTED) ?? [];

const endsOf = async (): Promise<readonly bigint[]> =>
  ((await world.broker.ranges([RESTRICTED])).get(RESTRICTED) ?? []).map(({ end }) => end);

describe('a poison message', () => {
  it('becomes a dead letter with the reason; later events of its stream are passed over, other streams go on', async () => {
    world.relay();
    const sickness = new Sickness(['counter-sick@1']);
    const bus = world.bus();
    const subscription = bus.subscribe('a', ['Raised'], sickness.handler);
    await world.raise('counter-sick', 4);
    const position = await world.raise('counter-well', 3);
    await subscription.reached(position);
    expect(sickness.of('counter-sick')).toEqual(['counter-sick@0']);
    expect(sickness.of('counter-well')).toEqual(places('counter-well', 0, 2));
    expect(sickness.tried.filter((place) => place === 'counter-sick@1')).toHaveLength(3);
    const [event] = await world.store.readStream('counter-sick', 1, 1);
    const letter = {
      process: 'a',
      stream: 'counter-sick',
      revision: 1,
      eventId: event?.id,
      type: 'Raised',
      position: event?.position,
      reason: 'TypeError',
      attempts: 3,
    };
    expect(await bus.deadLetters()).toEqual([{ ...letter, since: expect.any(String) }]);
    expect(world.alarmsOf('dead-letter')).toMatchObject([{ subscription: 'a', letter }]);
    expect(subscription.stuck).toEqual([]);
    expect(bus.standings()).toMatchObject([{ name: 'a', position, deadLetters: 1, retrying: 0, lag: 0n, inHand: 0 }]);
    const [stored] = world.broker.messagesOf(DEAD_LETTERS).filter(({ key }) => key === 'a/counter-sick');
    expect(stored?.value).not.toContain('by');
  });

  it('is dead for its process alone', async () => {
    world.relay();
    const sickness = new Sickness(['counter-sick@1']);
    const bus = world.bus();
    const seen: string[] = [];
    await bus.subscribe('a', ['Raised'], sickness.handler).reached(await world.raise('counter-sick', 4));
    await noting(bus, 'b', seen).reached(await world.raise('counter-sick', 2));
    expect(seen).toEqual(places('counter-sick', 0, 5));
    expect(sickness.seen).toEqual(['counter-sick@0']);
  });

  it('is never made of a failure of the log or of an event that is too new, however often it fails', async () => {
    world.relay();
    const errors = [new StoreUnavailableError('away'), new NewerEventError('counter-1', 'Raised', 2)];
    for (const [index, error] of errors.entries()) {
      let left = 20;
      const seen: string[] = [];
      const subscription = world.bus().subscribe(`p${index}`, ['Raised'], async (event) => {
        left -= 1;
        if (left > 0) throw error;
        seen.push(where(event));
      });
      await subscription.reached(await world.raise(`counter-${index}`, 1));
      expect(seen).toContain(`counter-${index}@0`);
    }
    expect(world.alarmsOf('dead-letter')).toEqual([]);
  });

  it('stays dead for whoever takes over the partition, who knows so before it handles anything', async () => {
    world.relay();
    const sickness = new Sickness(['counter-sick@1']);
    const first = world.bus();
    await first.subscribe('a', ['Raised'], sickness.handler).reached(await world.raise('counter-sick', 3));
    await world.kill(first);
    sickness.broken = false;
    const second = world.bus();
    await second.subscribe('a', ['Raised'], sickness.handler).reached(await world.raise('counter-sick', 3));
    expect(sickness.seen).toEqual(['counter-sick@0']);
  });

  it('is not committed past before its dead letter is written, however long the broker refuses that', async () => {
    world.relay();
    const sickness = new Sickness(['counter-sick@0']);
    world.broker.beforeStoring = async (messages) => {
      if (messages.some(({ key }) => key === 'a/counter-sick')) throw new Error('not yet');
    };
    const subscription = world.bus().subscribe('a', ['Raised'], sickness.handler);
    const position = await world.raise('counter-sick', 2);
    await until(() => world.alarmsOf('broken').length > 5);
    expect((await committedOf('a')).every((offset) => (offset ?? 0n) === 0n)).toBe(true);
    world.broker.beforeStoring = () => Promise.resolve();
    await subscription.reached(position);
    expect(world.alarmsOf('dead-letter')).toHaveLength(1);
  });

  it('that is no event of ours stops its stream where it is, until replayed; nothing is skipped', async () => {
    const sickness = new Sickness([]);
    world.relay();
    const bus = world.bus();
    const subscription = bus.subscribe('a', ['Raised'], sickness.handler);
    await subscription.reached(await world.raise('counter-1', 2));
    world.broker.put([{ topic: RESTRICTED, key: 'counter-1', headers: { ce_id: 'x' }, value: 'rubbish' }]);
    await subscription.reached(await world.raise('counter-1', 2));
    expect(sickness.seen).toEqual(places('counter-1', 0, 1));
    expect(await bus.deadLetters()).toMatchObject([{ stream: 'counter-1', revision: 2, reason: 'MalformedMessage' }]);
    await bus.replay('a');
    await until(async () => (await bus.deadLetters()).length === 0);
    expect(sickness.seen).toEqual(places('counter-1', 0, 3));
  });
});

describe('a replay', () => {
  it('handles the stream in its exact order from the dead revision to its end, then goes on with it', async () => {
    world.relay();
    const sickness = new Sickness(['counter-sick@2']);
    const bus = world.bus();
    const subscription = bus.subscribe('a', ['Raised'], sickness.handler);
    await subscription.reached(
      await world.append('counter-sick', 'Raised', 'Noted', 'Raised', 'Noted', 'Raised', 'Raised'),
    );
    expect(sickness.seen).toEqual(['counter-sick@0']);
    sickness.broken = false;
    expect(await bus.replay('a', 'counter-other')).toEqual([]);
    expect(await bus.replay('b')).toEqual([]);
    expect(await bus.replay('a', 'counter-sick')).toMatchObject([{ stream: 'counter-sick', revision: 2 }]);
    // While it is under way the stream grows.
    const position = await world.raise('counter-sick', 2);
    await subscription.reached(position);
    await until(async () => (await bus.deadLetters()).length === 0);
    await subscription.reached(await world.raise('counter-sick', 1));
    expect(sickness.seen).toEqual([0, 2, 4, 5, 6, 7, 8].map((revision) => `counter-sick@${revision}`));
    expect(world.alarmsOf('replayed')).toMatchObject([{ letter: { stream: 'counter-sick', revision: 2 } }]);
  });

  it('is done by the owner of the stream, whoever asked', async () => {
    world.relay();
    const sickness = new Sickness(['counter-sick@0']);
    const owner = world.bus();
    await owner.subscribe('a', ['Raised'], sickness.handler).reached(await world.raise('counter-sick', 2));
    sickness.broken = false;
    const asker = world.bus();
    expect(await asker.replay('a')).toHaveLength(1);
    await until(async () => (await asker.deadLetters()).length === 0);
    expect(sickness.seen).toEqual(places('counter-sick', 0, 1));
  });

  it('that fails again leaves a letter where it failed now', async () => {
    world.relay();
    const sickness = new Sickness(['counter-sick@0']);
    const again = new Sickness(['counter-sick@2']);
    const bus = world.bus();
    const subscription = bus.subscribe('a', ['Raised'], (event) => (sickness.broken ? sickness : again).handler(event));
    await subscription.reached(await world.raise('counter-sick', 4));
    sickness.broken = false;
    await bus.replay('a');
    await until(async () => (await bus.deadLetters())[0]?.revision === 2);
    expect(again.seen).toEqual(places('counter-sick', 0, 1));
    again.broken = false;
    await bus.replay('a');
    await until(async () => (await bus.deadLetters()).length === 0);
    expect(again.seen).toEqual(places('counter-sick', 0, 3));
  });

  it('waits for a log that is behind what messages already told of', async () => {
    class Lagging extends InMemoryEventStore {
      behind = false;
      override async readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]> {
        const events = await super.readStream(stream, from, limit);
        return this.behind ? events.filter(({ revision }) => revision < 2) : events;
      }
    }
    const store = new Lagging();
    world = new BusWorld(store);
    world.relay();
    const sickness = new Sickness(['counter-sick@0']);
    const bus = world.bus();
    await bus.subscribe('a', ['Raised'], sickness.handler).reached(await world.raise('counter-sick', 4));
    sickness.broken = false;
    store.behind = true;
    await bus.replay('a');
    await until(() => world.alarmsOf('broken').length > 3);
    expect(await bus.deadLetters()).toHaveLength(1);
    store.behind = false;
    await until(async () => (await bus.deadLetters()).length === 0);
    expect(sickness.seen).toEqual(places('counter-sick', 0, 3));
  });

  it('that is cut off by a kill is taken up by whoever takes over', async () => {
    world.relay();
    const sickness = new Sickness(['counter-sick@0']);
    const first = world.bus();
    const held = gate();
    const handled: string[] = [];
    await first
      .subscribe('a', ['Raised'], async (event) => {
        await sickness.handler(event);
        if (event.revision === 1) await held.passed;
        handled.push(where(event));
      })
      .reached(await world.raise('counter-sick', 3));
    sickness.broken = false;
    await first.replay('a');
    await until(() => handled.length === 1);
    await world.kill(first);
    held.open();
    const seen: string[] = [];
    const second = world.bus();
    noting(second, 'a', seen);
    await until(async () => (await second.deadLetters()).length === 0);
    expect(seen).toEqual(places('counter-sick', 0, 2));
  });
});

describe('offsets', () => {
  it('are committed only behind what is handled, whatever is done beyond', async () => {
    world = new BusWorld(new InMemoryEventStore(), 1);
    world.relay();
    const slow = gate();
    const seen: string[] = [];
    const subscription = world.bus().subscribe('a', ['Raised'], async (event) => {
      if (event.stream === 'counter-slow') await slow.passed;
      seen.push(where(event));
    });
    await world.raise('counter-0', 2);
    await world.raise('counter-slow', 1);
    await world.raise('counter-1', 5);
    await until(async () => seen.length === 7 && (await committedOf('a'))[0] === 2n);
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    expect(await committedOf('a')).toEqual([2n]);
    slow.open();
    await subscription.reached(await world.store.head());
    await until(async () => (await committedOf('a'))[0] === 8n);
  });

  it('move also past events that the process does not handle', async () => {
    world.relay();
    const subscription = world.bus().subscribe('a', ['Raised'], async () => undefined);
    await subscription.reached(await world.append('counter-1', 'Noted', 'Noted', 'Noted'));
    const ends = await endsOf();
    await until(async () => {
      const committed = await committedOf('a');
      return ends.every((end, partition) => (committed[partition] ?? 0n) === end);
    });
  });

  it('that cannot be committed are committed later, and nothing is lost when the broker is away meanwhile', async () => {
    world.relay();
    const seen: string[] = [];
    const subscription = noting(world.bus(), 'a', seen);
    await subscription.reached(await world.raise('counter-1', 1));
    world.broker.away = true;
    const position = await world.raise('counter-1', 5);
    await until(() => world.relayAlarms.filter(({ kind }) => kind === 'send-failed').length > 3);
    expect(seen).toEqual(['counter-1@0']);
    world.broker.away = false;
    world.broker.wake();
    await subscription.reached(position);
    expect(seen).toEqual(places('counter-1', 0, 5));
  });
});

describe('what comes twice or not at all', () => {
  it('is handled once where it comes twice with the same id', async () => {
    world.relay();
    const seen: string[] = [];
    const subscription = noting(world.bus(), 'a', seen);
    await subscription.reached(await world.raise('counter-1', 3));
    const messages = world.broker.messagesOf(RESTRICTED);
    expect(new Set(messages.map(({ headers }) => headers.ce_id)).size).toBe(3);
    world.broker.put(messages.map(({ key = '', headers }) => ({ topic: RESTRICTED, key, headers, value: '' })));
    await subscription.reached(await world.raise('counter-1', 1));
    expect(seen).toEqual(places('counter-1', 0, 3));
  });

  it('is read from the log where a revision never came, and said', async () => {
    const relay = world.relay();
    const seen: string[] = [];
    const subscription = noting(world.bus(), 'a', seen);
    await subscription.reached(await world.raise('counter-1', 1));
    await relay.stop();
    await world.append('counter-1', 'Raised', 'Noted', 'Raised');
    // The relay's checkpoint says that it has sent these, and it has not.
    const checkpoints = await world.store.readStream('_relay', 0, 100);
    const last = checkpoints.at(-1);
    if (last === undefined) throw new Error('no checkpoint was saved');
    await world.store.append('_relay', last.revision, [
      { ...last, id: '00000000-0000-4000-8000-000000000001', data: { position: String(await world.store.head()) } },
    ]);
    world.relay();
    await subscription.reached(await world.raise('counter-1', 1));
    expect(seen).toEqual([0, 1, 3, 4].map((revision) => `counter-1@${revision}`));
    expect(world.alarmsOf('gap')).toEqual([{ kind: 'gap', subscription: 'a', stream: 'counter-1', from: 1, to: 3 }]);
  });

  it('is read from the log by a process that comes after the topic has forgotten it', async () => {
    world.relay();
    const early: string[] = [];
    const bus = world.bus();
    const streams = Array.from({ length: 8 }, (_, n) => `counter-${n}`);
    for (const stream of streams) await world.raise(stream, 4);
    await noting(bus, 'early', early).reached(await world.store.head());
    world.broker.forget(RESTRICTED, 2);
    const late: string[] = [];
    const subscription = noting(bus, 'late', late);
    await subscription.reached(await world.raise('counter-0', 1));
    for (const stream of streams) {
      expect(late.filter((place) => place.startsWith(`${stream}@`))).toEqual(
        places(stream, 0, stream === 'counter-0' ? 4 : 3),
      );
    }
    expect(world.alarmsOf('messages-missing').length).toBeGreaterThan(0);
  });

  it('is read from the log also where nothing at all is left in the topic', async () => {
    world.relay();
    const bus = world.bus();
    const position = await world.raise('counter-1', 4);
    await noting(bus, 'early', []).reached(position);
    world.broker.forget(RESTRICTED, 0);
    const late: string[] = [];
    await noting(bus, 'late', late).reached(position);
    expect(late).toEqual(places('counter-1', 0, 3));
  });

  it('is read from the log where messages vanish while a process waits for them', async () => {
    world = new BusWorld(new InMemoryEventStore(), 1);
    world.relay();
    const seen: string[] = [];
    const slow = gate();
    const bus = world.bus({ window: 2 });
    const subscription = bus.subscribe('a', ['Raised'], async (event) => {
      await slow.passed;
      seen.push(where(event));
    });
    const position = await world.raise('counter-1', 200);
    await until(() => world.broker.messagesOf(RESTRICTED).length === 200);
    await until(() => (bus.standings()[0]?.inHand ?? 0) >= 2);
    world.broker.forget(RESTRICTED, 10);
    slow.open();
    await subscription.reached(position);
    expect(seen).toEqual(places('counter-1', 0, 199));
    expect(world.alarmsOf('messages-missing')).toHaveLength(1);
  });

  it('is handled also where the topics were made anew and the relay begins at the beginning', async () => {
    const relay = world.relay();
    const seen: string[] = [];
    const first = world.bus();
    await noting(first, 'a', seen).reached(await world.raise('counter-1', 5));
    await first.close();
    await relay.stop();
    world.broker.create(RESTRICTED, 3);
    const last = (await world.store.readStream('_relay', 0, 1_000)).at(-1);
    if (last === undefined) throw new Error('no checkpoint was saved');
    await world.store.append('_relay', last.revision, [
      { ...last, id: '00000000-0000-4000-8000-000000000002', data: { position: '0' } },
    ]);
    world.relay();
    await noting(world.bus(), 'a', seen).reached(await world.raise('counter-1', 1));
    expect(seen.slice(5)).toEqual(places('counter-1', 0, 5));
    expect(world.alarmsOf('topic-rewound')).toHaveLength(1);
  });

  it('is passed over where it is of another log, and said once', async () => {
    world.relay();
    const seen: string[] = [];
    const subscription = noting(world.bus(), 'a', seen);
    await subscription.reached(await world.raise('counter-1', 1));
    const [message] = world.broker.messagesOf(RESTRICTED);
    if (message === undefined) throw new Error('nothing was sent');
    const foreign = {
      topic: RESTRICTED,
      key: 'counter-1',
      headers: { ...message.headers, ce_source: '/x' },
      value: '',
    };
    world.broker.put([foreign, foreign]);
    await subscription.reached(await world.raise('counter-1', 1));
    expect(seen).toEqual(places('counter-1', 0, 1));
    expect(world.alarmsOf('foreign-log')).toMatchObject([{ source: '/x' }]);
  });

  it('becomes a dead letter where the log does not hold what a message tells of', async () => {
    world.relay();
    const bus = world.bus();
    const subscription = bus.subscribe('a', ['Raised'], async () => undefined);
    await subscription.reached(await world.raise('counter-1', 1));
    const [message] = world.broker.messagesOf(RESTRICTED);
    if (message === undefined) throw new Error('nothing was sent');
    const headers = { ...message.headers, ce_streamrevision: '7', ce_subject: 'counter-9' };
    world.broker.put([{ topic: RESTRICTED, key: 'counter-9', headers, value: '' }]);
    await until(() => world.alarmsOf('dead-letter').length > 0);
    expect(await bus.deadLetters()).toMatchObject([{ stream: 'counter-9', revision: 7, reason: 'MissingEventError' }]);
  });
});

describe('members of a group', () => {
  it('share the partitions, and a position is reached once all of them are there', async () => {
    world = new BusWorld(new InMemoryEventStore(), 4);
    world.relay();
    const slow = gate();
    const counts = [0, 0];
    const buses = [world.bus(), world.bus()];
    const subscriptions = buses.map((bus, index) =>
      bus.subscribe('a', ['Raised'], async () => {
        if (index === 1) await slow.passed;
        counts[index] = (counts[index] ?? 0) + 1;
      }),
    );
    await until(() => buses.every((bus) => bus.standings()[0]?.partitions === 2));
    const streams = Array.from({ length: 16 }, (_, n) => `counter-${n}`);
    for (const stream of streams) await world.raise(stream, 1);
    const position = await world.store.head();
    let reached = false;
    const waiting = subscriptions[0]?.reached(position).then(() => (reached = true));
    await until(() => counts[0] === streams.filter((stream) => partitionOf(stream, 4) % 2 === 0).length);
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    expect(reached).toBe(false);
    slow.open();
    await waiting;
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(16);
  });

  it('go on with the partitions they keep: an event in hand is not handled a second time', async () => {
    world = new BusWorld(new InMemoryEventStore(), 2);
    world.relay();
    const slow = gate();
    const began: string[] = [];
    const first = world.bus();
    const subscription = first.subscribe('a', ['Raised'], async (event) => {
      began.push(where(event));
      await slow.passed;
    });
    const streams = Array.from({ length: 8 }, (_, n) => `counter-${n}`);
    for (const stream of streams) await world.raise(stream, 1);
    await until(() => began.length === 8);
    const second = world.bus();
    const others: string[] = [];
    noting(second, 'a', others);
    const lost = streams.filter((stream) => partitionOf(stream, 2) === 1);
    await until(() => others.length === lost.length);
    slow.open();
    await subscription.reached(await world.store.head());
    expect(began).toHaveLength(8);
    expect(others.sort()).toEqual(lost.map((stream) => `${stream}@0`).sort());
  });

  it('that get back a partition wait for what they still do of it: a stream is never handled twice at once', async () => {
    world = new BusWorld(new InMemoryEventStore(), 1);
    world.relay();
    const slow = gate();
    let running = 0;
    let most = 0;
    const seen: string[] = [];
    const subscription = world.bus().subscribe('a', ['Raised'], async (event) => {
      running += 1;
      most = Math.max(most, running);
      await slow.passed;
      running -= 1;
      seen.push(where(event));
    });
    await world.raise('counter-1', 2);
    await until(() => running === 1);
    world.broker.takeAway('pledgebook.a');
    await nextTurn();
    world.broker.giveBack('pledgebook.a');
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    slow.open();
    await subscription.reached(await world.store.head());
    expect(most).toBe(1);
    expect([...new Set(seen)]).toEqual(places('counter-1', 0, 1));
  });

  it('that get back a partition commit nothing of what they did before they lost it: others have come further since', async () => {
    world = new BusWorld(new InMemoryEventStore(), 1);
    world.relay();
    const slow = gate();
    const seen: string[] = [];
    const subscription = world.bus().subscribe('a', ['Raised'], async (event) => {
      seen.push(where(event));
      await slow.passed;
    });
    await world.raise('counter-1', 3);
    await until(() => seen.length === 1);
    await until(() => world.sent(RESTRICTED).length === 3);
    world.broker.takeAway('pledgebook.a');
    world.broker.committedByAnother('pledgebook.a', { topic: RESTRICTED, partition: 0 }, 3n);
    await nextTurn();
    world.broker.giveBack('pledgebook.a');
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    slow.open();
    await subscription.reached(await world.store.head());
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    expect(await committedOf('a')).toEqual([3n]);
    expect(seen).toEqual(['counter-1@0']);
  });

  it('come and go and are killed: every stream is handled in order, nothing is lost', async () => {
    world = new BusWorld(new InMemoryEventStore(), 4);
    world.relay();
    const streams = Array.from({ length: 12 }, (_, n) => `counter-${n}`);
    const seen: string[] = [];
    const open = () => {
      const bus = world.bus();
      return {
        bus,
        subscription: bus.subscribe('a', ['Raised'], async (event) => {
          await nextTurn();
          seen.push(where(event));
        }),
      };
    };
    let members = [open()];
    for (let round = 0; round < 12; round += 1) {
      await Promise.all(streams.map((stream) => world.raise(stream, 3)));
      await until(() => seen.length > round * 20);
      if (round % 3 === 0) members.push(open());
      else {
        const [gone, ...rest] = members;
        members = [...rest, open()];
        if (round % 3 === 1) await gone?.bus.close();
        else if (gone !== undefined) await world.kill(gone.bus);
      }
    }
    await members[0]?.subscription.reached(await world.store.head());
    for (const stream of streams) {
      const of = [...new Set(seen.filter((place) => place.startsWith(`${stream}@`)))];
      expect(of).toEqual(places(stream, 0, 35));
    }
  });

  it('keep the group while their handlers take long, and take in no more than the window', async () => {
    world = new BusWorld(new InMemoryEventStore(), 1);
    world.relay();
    const slow = gate();
    const bus = world.bus({ window: 10, concurrency: 2 });
    let running = 0;
    let most = 0;
    const subscription = bus.subscribe('a', ['Raised'], async () => {
      running += 1;
      most = Math.max(most, running);
      await slow.passed;
      running -= 1;
    });
    for (let stream = 0; stream < 300; stream += 1) await world.raise(`counter-${stream}`, 1);
    await until(() => world.broker.messagesOf(RESTRICTED).length === 300 && running === 2);
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    // One fetch that was under way may come on top.
    expect(bus.standings()[0]?.inHand).toBeLessThanOrEqual(60);
    slow.open();
    await subscription.reached(await world.store.head());
    expect(most).toBe(2);
  });
});

describe('a bus', () => {
  it('knows which event types there are', () => {
    const bus = world.bus();
    expect(() => bus.subscribe('a', ['Lowered'], async () => undefined)).toThrow(
      'a handles Lowered, which is an event of no category the bus knows',
    );
    expect(() => world.bus({ categories: CATEGORIES, prefix: 'a b' })).toThrow(RangeError);
  });

  it('closes while the broker is away', async () => {
    world.relay();
    const bus = world.bus();
    const subscription = noting(bus, 'a', []);
    await subscription.reached(await world.raise('counter-1', 1));
    world.broker.away = true;
    await world.raise('counter-1', 1);
    const never = subscription.reached(await world.store.head());
    await Promise.all([bus.close(), expect(never).rejects.toThrow('a stopped')]);
    expect(() => bus.subscribe('b', [], async () => undefined)).toThrow('the bus is closed');
    world.broker.away = false;
  });
});
