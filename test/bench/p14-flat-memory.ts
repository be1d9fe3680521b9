import { setMaxListeners } from 'node:events';
import type { Broker, OutgoingMessage } from '#bus-kafka';
import { KafkaBroker, KafkaMessageBus, Relay } from '#bus-kafka';
import type { EventStore } from '#kernel';
import { pause } from '#kernel';
import { KurrentEventStore } from '#store-kurrent';
import { fromTheBeginning, writeDrafts } from './drafts.js';
import { median } from './measure.js';
import type { Figure } from './report.js';
import type { Servers } from './servers.js';
import { watched } from './watched-broker.js';

const CATEGORIES = [{ name: 'need', types: ['NeedDrafted'] }];
/** How much slower the slow side is. */
const SLOWER = 10;
const SAMPLE_MS = 250;
const MIB = 2 ** 20;
/** What relay, bus and clients may hold between them; all wake-ups of the log would be twice as much. */
const BUFFERS_MIB = 16;

/** The memory of a process that relays and consumes, where one side of Kafka is ten times faster than the other. */
export const stayingFlat = async (
  servers: Servers,
  { events, seconds }: { readonly events: number; readonly seconds: number },
): Promise<readonly Figure[]> => {
  const store = await KurrentEventStore.open({ url: servers.url, prefix: `bench${Date.now()}` });
  const broker = new KafkaBroker({ brokers: servers.brokers });
  /** The same log again, into topics of its own. */
  const run = async <T>(work: (parts: Parts) => Promise<T>): Promise<T> => {
    const { prefix } = await servers.topics(CATEGORIES);
    await fromTheBeginning(store);
    return work({ store, broker, prefix, events });
  };
  try {
    await writeDrafts(store, events);
    const rate = await run(unhindered);
    // Long enough for the fast side to come through all of the log, were it not held up; the slow side must not be done by then.
    const lasting = Math.max(seconds, (1.5 * events) / rate);
    const slow = Math.min(rate / SLOWER, events / (2 * lasting));
    const consumer = await run((parts) => slowConsumer(parts, slow, lasting));
    const producer = await run((parts) => slowProducer(parts, slow, lasting));
    return [
      { name: 'relayed and handled by a process, neither side held up', value: rate, unit: 'ev/s' },
      ...figures('handling ten times slower', consumer),
      ...figures('sending ten times slower than reading', producer),
    ];
  } finally {
    await broker.close();
    await store.close();
  }
};

/** What was seen of a run, in bytes, and how far the two sides came. */
interface Seen {
  /** Before relay and process began. */
  readonly before: number;
  readonly samples: readonly number[];
  readonly fast: number;
  readonly slow: number;
}

const figures = (what: string, { before, samples, fast, slow }: Seen): readonly Figure[] => {
  const third = Math.max(1, Math.floor(samples.length / 3));
  // The first third fills the buffers.
  const early = median(samples.slice(third, 2 * third));
  const late = median(samples.slice(-third));
  return [
    { name: `${what}: events between the two at the end`, value: fast - slow, unit: '' },
    {
      name: `${what}: most memory taken meanwhile`,
      // In a short run collecting may free more than the run takes.
      value: Math.max(0.1, (Math.max(...samples) - before) / MIB),
      unit: 'MiB',
      target: { bound: 'at most', value: BUFFERS_MIB },
    },
    {
      name: `${what}: memory, last third : middle third`,
      value: late / early,
      unit: 'ratio',
      target: { bound: 'at most', value: 1.1 },
    },
  ];
};

interface Parts {
  readonly store: EventStore;
  readonly broker: KafkaBroker;
  /** Of the topics. */
  readonly prefix: string;
  /** How many the log holds. */
  readonly events: number;
}

/** Events a second that go from the log through Kafka into a handler that does nothing. */
const unhindered = async ({ store, broker, prefix, events }: Parts): Promise<number> => {
  const relay = relayOn(store, broker, prefix);
  const bus = busOn(store, broker, prefix);
  let handled = 0;
  let begun = 0;
  const done = new Promise<number>((resolve) => {
    bus.subscribe('bench', ['NeedDrafted'], () => {
      if (handled === 0) begun = performance.now();
      handled += 1;
      if (handled === events) resolve((events - 1) / ((performance.now() - begun) / 1000));
      return Promise.resolve();
    });
  });
  relay.start();
  const rate = await done;
  await bus.close();
  await relay.stop();
  return rate;
};

const slowConsumer = async ({ store, broker, prefix }: Parts, perSecond: number, seconds: number): Promise<Seen> => {
  const counted = counting(broker, () => Promise.resolve());
  const relay = relayOn(store, counted.broker, prefix);
  const bus = busOn(store, broker, prefix);
  const pace = paced(perSecond);
  let handled = 0;
  bus.subscribe('bench', ['NeedDrafted'], async () => {
    await pace(1);
    handled += 1;
  });
  const before = inUse();
  relay.start();
  await counted.begun;
  const samples = await sampled(seconds, () => counted.acknowledged() > handled);
  const seen = { before, samples, fast: counted.acknowledged(), slow: handled };
  // What is in hand is still handled: at the slow side's pace.
  pace.end();
  await bus.close();
  await relay.stop();
  return seen;
};

/** All of the log is there to be read from the first moment on. */
const slowProducer = async (
  { store, broker, prefix, events }: Parts,
  perSecond: number,
  seconds: number,
): Promise<Seen> => {
  const pace = paced(perSecond);
  const counted = counting(broker, (messages) => pace(messages.length));
  const relay = relayOn(store, counted.broker, prefix);
  const bus = busOn(store, broker, prefix);
  bus.subscribe('bench', ['NeedDrafted'], () => Promise.resolve());
  const before = inUse();
  relay.start();
  await counted.begun;
  const samples = await sampled(seconds);
  const seen = { before, samples, fast: events, slow: counted.acknowledged() };
  pace.end();
  await bus.close();
  await relay.stop();
  return seen;
};

const fail = (alarm: { readonly kind: string; readonly error?: unknown }): void => {
  if (alarm.error !== undefined) throw new Error(alarm.kind, { cause: alarm.error });
};

const relayOn = (store: EventStore, broker: Broker, prefix: string): Relay =>
  new Relay(store, broker, { prefix, isPublic: () => false, alarm: fail });

const busOn = (store: EventStore, broker: Broker, prefix: string): KafkaMessageBus =>
  new KafkaMessageBus(store, broker, { prefix, categories: CATEGORIES });

/** Lets so many pass a second, whoever asks; `end` lets everybody go on at once. */
const paced = (perSecond: number): ((count: number) => Promise<void>) & { end(): void } => {
  const ending = new AbortController();
  // As many wait as there are handlers at a time.
  setMaxListeners(0, ending.signal);
  let next = performance.now();
  const pass = async (count: number): Promise<void> => {
    next = Math.max(next, performance.now()) + (count * 1000) / perSecond;
    await pause(Math.max(0, next - performance.now()), ending.signal);
  };
  return Object.assign(pass, {
    end: () => {
      ending.abort();
    },
  });
};

/** A broker whose producers wait before they send, and count what was acknowledged. */
const counting = (broker: Broker, before: (messages: readonly OutgoingMessage[]) => Promise<void>) => {
  let count = 0;
  let start: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (start = resolve));
  const counted = watched(broker, {
    sending: (messages) => {
      start();
      return before(messages);
    },
    acknowledged: (messages) => {
      count += messages.length;
    },
  });
  return { broker: counted, begun, acknowledged: () => count };
};

/** Bytes in use, again and again for so long, and until one side is ahead of the other. */
const sampled = async (seconds: number, ahead: () => boolean = () => true): Promise<readonly number[]> => {
  const samples: number[] = [];
  for (const until = performance.now() + seconds * 1000; performance.now() < until || samples.length < 3 || !ahead();) {
    await pause(SAMPLE_MS);
    samples.push(inUse());
  }
  return samples;
};

/** Bytes in use after collecting garbage. */
const inUse = (): number => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
