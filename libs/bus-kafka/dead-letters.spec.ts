import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeadLetter } from '#kernel';
import type { Broker, GroupListener, GroupMember, TopicMessage, TopicPartition } from './broker.js';
import { DEAD_LETTERS } from './bus-world.fixture.js';
import { DeadLetters } from './dead-letters.js';
import { InMemoryBroker } from './in-memory-broker.fixture.js';
import { TopicNames } from './topic-names.js';

const letterOf = (stream: string, revision = 0): DeadLetter => ({
  process: 'a',
  stream,
  revision,
  eventId: '00000000-0000-4000-8000-000000000001',
  type: 'Raised',
  position: 7n,
  reason: 'TypeError',
  attempts: 3,
  since: '2026-11-28T10:00:00.000Z',
});

let broker: InMemoryBroker;
const opened: DeadLetters[] = [];
const open = (on: Broker = broker): DeadLetters => {
  const letters = new DeadLetters(on, new TopicNames());
  opened.push(letters);
  return letters;
};

beforeEach(() => {
  broker = new InMemoryBroker();
  broker.create(DEAD_LETTERS, 1);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((letters) => letters.close()));
});

describe('dead letters', () => {
  it('are known to every reader once it is up to date, and gone once they are taken back', async () => {
    const [writer, reader] = [open(), open()];
    await writer.write(letterOf('counter-1'));
    await writer.write(letterOf('counter-2', 4));
    await reader.upToDate();
    expect(reader.all()).toEqual([letterOf('counter-1'), letterOf('counter-2', 4)]);
    await reader.clear(letterOf('counter-1'));
    await writer.upToDate();
    expect(writer.all()).toEqual([letterOf('counter-2', 4)]);
    expect(writer.find('a', 'counter-2')).toEqual(letterOf('counter-2', 4));
    expect([writer.find('a', 'counter-1'), writer.find('b', 'counter-2')]).toEqual([undefined, undefined]);
  });

  it('are known to whoever wrote them at once, and an older word on them that is read later changes nothing', async () => {
    // Reads nothing until it is told to.
    let told: () => void = () => undefined;
    const slow: Broker = Object.assign(Object.create(broker) as Broker, {
      follow: (topics: readonly string[], listener: GroupListener): GroupMember => {
        const held: TopicMessage[] = [];
        let open = false;
        const member = broker.follow(topics, {
          ...listener,
          messages: (of, messages, end) => {
            if (open) listener.messages(of, messages, end);
            else held.push(...messages);
          },
        });
        told = () => {
          open = true;
          listener.messages({ topic: DEAD_LETTERS, partition: 0 }, held, 0n);
        };
        return member;
      },
    });
    const writer = open(slow);
    const ready = writer.upToDate();
    await writer.write(letterOf('counter-1'));
    expect(writer.find('a', 'counter-1')).toEqual(letterOf('counter-1'));
    await writer.clear(letterOf('counter-1'));
    expect(writer.find('a', 'counter-1')).toBeUndefined();
    const seen: (DeadLetter | undefined)[] = [];
    const watch = setInterval(() => seen.push(writer.find('a', 'counter-1')));
    told();
    await ready;
    clearInterval(watch);
    expect(seen.filter((letter) => letter !== undefined)).toEqual([]);
    expect(writer.all()).toEqual([]);
  });

  it('that were taken back stay so when the topic is followed anew from its beginning', async () => {
    let listener: GroupListener | undefined;
    const breaking: Broker = Object.assign(Object.create(broker) as Broker, {
      follow: (topics: readonly string[], told: GroupListener): GroupMember => {
        listener = told;
        return broker.follow(topics, told);
      },
    });
    const letters = open(breaking);
    await letters.write(letterOf('counter-1'));
    await letters.clear(letterOf('counter-1'));
    await letters.upToDate();
    const of: TopicPartition = { topic: DEAD_LETTERS, partition: 0 };
    // The first message again, and not yet the tombstone behind it.
    const [first] = broker.messagesOf(DEAD_LETTERS);
    listener?.messages(of, first === undefined ? [] : [first], 3n);
    expect(letters.all()).toEqual([]);
  });

  it('that cannot be read are nobody’s', async () => {
    broker.put([
      { topic: DEAD_LETTERS, key: 'a/counter-1', headers: {}, value: 'rubbish' },
      { topic: DEAD_LETTERS, key: 'a/counter-2', headers: {}, value: '{"stream":"counter-2"}' },
    ]);
    const letters = open();
    await letters.upToDate();
    expect(letters.all()).toEqual([]);
  });

  it('close while somebody waits for them', async () => {
    broker.follow = () => ({
      commit: () => Promise.resolve(),
      pause: () => undefined,
      resume: () => undefined,
      leave: () => Promise.resolve(),
    });
    const letters = open();
    const waiting = letters.upToDate();
    await letters.close();
    await waiting;
  });
});
