import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { EventStore, EventToAppend, RecordedEvent } from '#kernel';
import { InvalidAppendError, MAX_APPEND_BYTES, NO_STREAM, StoreUnavailableError, WrongRevisionError } from '#kernel';

/** A store under test, empty at first. */
export interface StoreUnderTest {
  readonly store: EventStore;
  /** Closes the store and opens the same log again; absent where a log does not outlive its store. */
  readonly reopen?: () => Promise<EventStore>;
  /** The next append is stored and its answer lost; absent where nothing lies between a store and its log. */
  readonly loseAnswer?: () => Promise<void>;
  /** Kills the log's server and starts it again; the store stays open. Absent where there is none, or it is not ours to kill. */
  readonly killServer?: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** An event to append, with metadata as the domain writes it. */
export const sampleEvent = (data: object = { text: 'sample' }, id: string = randomUUID()): EventToAppend => ({
  id,
  type: 'SampleRecorded',
  data,
  metadata: {
    commandId: id,
    correlationId: id,
    causationId: null,
    actor: { party: 'donor:japan', role: 'donor-desk' },
    effectiveAt: '2026-11-22T10:00:00.000Z',
    recordedAt: '2026-11-22T10:00:00.000Z',
    schema: 1,
    salt: '00'.repeat(32),
  },
});

/** Every domain event of the store, read in pages. */
export const everyEvent = async (store: EventStore, page = 500): Promise<RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for (;;) {
    const next = await store.readAll(events.at(-1)?.position ?? 0n, page);
    events.push(...next);
    if (next.length < page) return events;
  }
};

/** Collects what a subscription delivers. `until(n)` resolves once n events have arrived. */
class Arrivals {
  readonly events: RecordedEvent[] = [];
  readonly batches: number[] = [];
  private watchers: { readonly count: number; readonly resolve: () => void }[] = [];

  readonly handler = async (batch: readonly RecordedEvent[]): Promise<void> => {
    this.batches.push(batch.length);
    this.events.push(...batch);
    this.watchers = this.watchers.filter(({ count, resolve }) => {
      if (this.events.length < count) return true;
      resolve();
      return false;
    });
  };

  until(count: number): Promise<void> {
    if (this.events.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.watchers.push({ count, resolve }));
  }
}

const positionsOf = (events: readonly RecordedEvent[]): bigint[] => events.map((event) => event.position);
const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map((event) => event.id);
const samples = (count: number): EventToAppend[] => Array.from({ length: count }, (_, n) => sampleEvent({ n }));
const ascending = (positions: readonly bigint[]): boolean =>
  positions.every((position, index) => index === 0 || position > (positions[index - 1] ?? 0n));

/**
 * What every event store must do, whatever it is built on (the list stands in the port's comments).
 * Asserts nothing a store need not promise: positions may have gaps, batches any size up to the limit.
 */
export const eventStoreContract = (name: string, makeStore: () => Promise<StoreUnderTest>): void => {
  describe(`${name} as an event store`, () => {
    let under: StoreUnderTest;
    let store: EventStore;

    beforeEach(async () => {
      under = await makeStore();
      store = under.store;
    });

    afterEach(async () => {
      await under.dispose();
    });

    describe('appends', () => {
      it('answer with the place of the last event', async () => {
        const first = await store.append('need-1', NO_STREAM, samples(3));
        const second = await store.append('need-1', 2, samples(1));
        expect(first.revision).toBe(2);
        expect(second.revision).toBe(3);
        expect(positionsOf(await everyEvent(store)).slice(2)).toEqual([first.position, second.position]);
      });

      it('give back exactly what was written, and where it stands', async () => {
        const event = sampleEvent({ amount: '125000', nested: { list: [1, null, true, 'x'] }, empty: {} });
        const { position } = await store.append('need-1', NO_STREAM, [event]);
        const expected = { ...event, stream: 'need-1', revision: 0, position };
        expect(await store.readStream('need-1', 0, 10)).toEqual([expected]);
        expect(await store.readAll(0n, 10)).toEqual([expected]);
      });

      it('are refused where the stream has moved on, and nothing is written', async () => {
        await store.append('need-1', NO_STREAM, samples(2));
        for (const expected of [NO_STREAM, 0]) {
          const refused = await store.append('need-1', expected, samples(1)).catch((error: unknown) => error);
          expect(refused).toBeInstanceOf(WrongRevisionError);
          expect(refused).toMatchObject({ stream: 'need-1', expected, actual: 1 });
        }
        expect(await everyEvent(store)).toHaveLength(2);
      });

      it('are refused where the stream is not yet so far, or does not exist', async () => {
        await expect(store.append('need-1', 0, samples(1))).rejects.toMatchObject({ expected: 0, actual: NO_STREAM });
        await store.append('need-1', NO_STREAM, samples(1));
        await expect(store.append('need-1', 1, samples(1))).rejects.toBeInstanceOf(WrongRevisionError);
        await expect(store.append('need-1', 99, samples(1))).rejects.toMatchObject({ expected: 99, actual: 0 });
        expect(await everyEvent(store)).toHaveLength(1);
      });

      it('race for one revision and exactly one wins', async () => {
        const outcomes = await Promise.allSettled(
          Array.from({ length: 20 }, (_, n) => store.append('offer-1', NO_STREAM, [sampleEvent({ n })])),
        );
        const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
        expect(refused).toHaveLength(19);
        for (const { reason } of refused) expect(reason).toBeInstanceOf(WrongRevisionError);
        expect(await store.readStream('offer-1', 0, 10)).toHaveLength(1);
      });

      it('that conflict do not disturb the others made at the same moment', async () => {
        await store.append('taken', NO_STREAM, samples(1));
        const outcomes = await Promise.allSettled([
          store.append('a', NO_STREAM, samples(2)),
          store.append('taken', NO_STREAM, samples(2)),
          store.append('b', NO_STREAM, samples(2)),
          store.append('', NO_STREAM, samples(2)),
          store.append('c', NO_STREAM, samples(1)),
        ]);
        expect(outcomes.map((outcome) => outcome.status)).toEqual([
          'fulfilled',
          'rejected',
          'fulfilled',
          'rejected',
          'fulfilled',
        ]);
        expect(await everyEvent(store)).toHaveLength(6);
      });

      it('are all or nothing', async () => {
        const bad = [...samples(2), { ...sampleEvent(), id: 'not-a-uuid' }];
        await expect(store.append('need-1', NO_STREAM, bad)).rejects.toBeInstanceOf(InvalidAppendError);
        expect(await store.readStream('need-1', 0, 10)).toEqual([]);
      });

      it('agree with a plain list per stream, whatever the order of right and wrong appends', async () => {
        const step = fc.record({
          stream: fc.constantFrom('p', 'q', '_r'),
          offset: fc.constantFrom(0, 0, 0, -1, 1),
          count: fc.integer({ min: 1, max: 4 }),
        });
        let run = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
            run += 1;
            const start = await store.head();
            const model = new Map<string, string[]>();
            const all: string[] = [];
            for (const { stream: base, offset, count } of steps) {
              const stream = `${base}-${run}`;
              const rows = model.get(stream) ?? [];
              const expected = Math.max(rows.length - 1 + offset, NO_STREAM);
              const events = samples(count);
              if (expected !== rows.length - 1) {
                await expect(store.append(stream, expected, events)).rejects.toBeInstanceOf(WrongRevisionError);
                continue;
              }
              await store.append(stream, expected, events);
              model.set(stream, [...rows, ...idsOf(events)]);
              if (base !== '_r') all.push(...idsOf(events));
            }
            for (const [stream, ids] of model) expect(idsOf(await store.readStream(stream, 0, 1000))).toEqual(ids);
            const written = await store.readAll(start, 1000);
            expect(idsOf(written)).toEqual(all);
            expect(ascending(positionsOf(written))).toBe(true);
          }),
          { numRuns: 30 },
        );
      });
    });

    describe('an append made again', () => {
      it('returns the first receipt and writes nothing', async () => {
        const events = samples(3);
        const first = await store.append('need-1', NO_STREAM, events);
        expect(await store.append('need-1', NO_STREAM, events)).toEqual(first);
        await store.append('need-1', 2, samples(2));
        expect(await store.append('need-1', NO_STREAM, events)).toEqual(first);
        expect(await everyEvent(store)).toHaveLength(5);
      });

      it('returns the first receipt in the middle of a stream too', async () => {
        await store.append('need-1', NO_STREAM, samples(2));
        const events = samples(2);
        const first = await store.append('need-1', 1, events);
        await store.append('need-1', 3, samples(1));
        expect(await store.append('need-1', 1, events)).toEqual(first);
        expect(await everyEvent(store)).toHaveLength(5);
      });

      it('with another id, more events or another order is a conflict', async () => {
        const [a, b] = [sampleEvent(), sampleEvent()];
        await store.append('need-1', NO_STREAM, [a, b]);
        for (const events of [
          [a, sampleEvent()],
          [sampleEvent(), b],
          [b, a],
          [a, b, sampleEvent()],
        ]) {
          await expect(store.append('need-1', NO_STREAM, events)).rejects.toBeInstanceOf(WrongRevisionError);
        }
        expect(await everyEvent(store)).toHaveLength(2);
      });

      it('to a place the stream has not reached is a conflict', async () => {
        const events = samples(2);
        await store.append('need-1', NO_STREAM, events);
        await expect(store.append('need-1', 5, events)).rejects.toBeInstanceOf(WrongRevisionError);
      });
    });

    describe('an invalid append is refused and leaves nothing', () => {
      const event = sampleEvent();
      const cases: readonly [what: string, stream: string, expected: number, events: readonly EventToAppend[]][] = [
        ['no events', 'need-1', NO_STREAM, []],
        ['an empty stream name', '', NO_STREAM, [event]],
        ['a lone surrogate in the stream name', 'need-\ud800', NO_STREAM, [event]],
        ['a NUL in the stream name', 'need-\0', NO_STREAM, [event]],
        ['an empty type', 'need-1', NO_STREAM, [{ ...event, type: '' }]],
        ['an id that is no UUID', 'need-1', NO_STREAM, [{ ...event, id: 'need-1-0' }]],
        ['an upper-case id', 'need-1', NO_STREAM, [{ ...event, id: randomUUID().toUpperCase() }]],
        ['one id twice', 'need-1', NO_STREAM, [event, event]],
        ['a revision below -1', 'need-1', -2, [event]],
        ['a revision that is no integer', 'need-1', 0.5, [event]],
        ['a bigint in the data', 'need-1', NO_STREAM, [{ ...event, data: { minor: 5n } }]],
        ['data that is a list', 'need-1', NO_STREAM, [{ ...event, data: [1] }]],
        ['a fraction in the data', 'need-1', NO_STREAM, [{ ...event, data: { lines: [{ share: 0.5 }] } }]],
        ['a number beyond 2^53', 'need-1', NO_STREAM, [{ ...event, data: { minor: 2 ** 53 } }]],
        ['a lone surrogate in the data', 'need-1', NO_STREAM, [{ ...event, data: { texts: ['\ud800'] } }]],
        ['a lone surrogate in a name', 'need-1', NO_STREAM, [{ ...event, data: { 'a\udc00': 1 } }]],
      ];
      it.each(cases)('%s', async (_what, stream, expected, events) => {
        await expect(store.append(stream, expected, events)).rejects.toBeInstanceOf(InvalidAppendError);
        expect(await store.readAll(0n, 10)).toEqual([]);
      });
    });

    describe('sizes', () => {
      const sized = (bytes: number, filler: string): EventToAppend => {
        const empty = sampleEvent({ filler: '' });
        const rest = bytes - JSON.stringify(empty.data).length - JSON.stringify(empty.metadata).length;
        return { ...empty, data: { filler: filler.repeat(rest / Buffer.byteLength(filler)) } };
      };

      it('take an append of exactly 1 MiB', async () => {
        const event = sized(MAX_APPEND_BYTES, 'x');
        await store.append('need-1', NO_STREAM, [event]);
        expect((await store.readStream('need-1', 0, 1))[0]?.data).toEqual(event.data);
      });

      it('refuse one byte more, in one event or spread over several', async () => {
        const over = sized(MAX_APPEND_BYTES + 1, 'x');
        await expect(store.append('need-1', NO_STREAM, [over])).rejects.toBeInstanceOf(InvalidAppendError);
        const halves = [sized(MAX_APPEND_BYTES / 2, 'x'), sized(MAX_APPEND_BYTES / 2 + 1, 'x')];
        await expect(store.append('need-1', NO_STREAM, halves)).rejects.toBeInstanceOf(InvalidAppendError);
        expect(await store.head()).toBe(0n);
      });

      it('count bytes, not characters', async () => {
        const over = sized(MAX_APPEND_BYTES + 256, '€');
        expect(JSON.stringify(over.data).length).toBeLessThan(MAX_APPEND_BYTES / 2);
        await expect(store.append('need-1', NO_STREAM, [over])).rejects.toBeInstanceOf(InvalidAppendError);
      });

      it('hold many events in one append and in one stream', async () => {
        const events = samples(2_000);
        expect((await store.append('need-1', NO_STREAM, events)).revision).toBe(1_999);
        expect((await store.append('need-1', 1_999, samples(1))).revision).toBe(2_000);
        expect(idsOf(await store.readStream('need-1', 0, 2_000))).toEqual(idsOf(events));
      });
    });

    it('keeps text of every script, escapes and odd characters byte for byte', async () => {
      const texts = ['Port Vila – Ärzte', 'Тест', '武器', 'نزع السلاح', '🕊️', '\u2028\u2029', '"\\\n\t\b', '\u0000'];
      await store.append('need-é武-🕊', NO_STREAM, [
        { ...sampleEvent({ texts, 'ключ ✓': 'значение' }), type: 'Écrit✓' },
      ]);
      const [event] = await store.readStream('need-é武-🕊', 0, 1);
      expect(event).toMatchObject({ stream: 'need-é武-🕊', type: 'Écrit✓', data: { texts, 'ключ ✓': 'значение' } });
    });

    describe('reading', () => {
      it('a stream that does not exist gives nothing', async () => {
        expect(await store.readStream('need-none', 0, 10)).toEqual([]);
        expect(await store.readAll(0n, 10)).toEqual([]);
        expect(await store.head()).toBe(0n);
      });

      it('pages a stream from any revision without gap or overlap', async () => {
        const events = samples(25);
        await store.append('need-1', NO_STREAM, events.slice(0, 10));
        await store.append('need-2', NO_STREAM, samples(5));
        await store.append('need-1', 9, events.slice(10));
        for (const page of [1, 4, 25, 100]) {
          const seen: RecordedEvent[] = [];
          for (let from = 0; ; from += page) {
            const next = await store.readStream('need-1', from, page);
            seen.push(...next);
            if (next.length < page) break;
          }
          expect(idsOf(seen)).toEqual(idsOf(events));
          expect(seen.map((event) => event.revision)).toEqual(events.map((_, index) => index));
        }
        expect(await store.readStream('need-1', 25, 10)).toEqual([]);
      });

      it('pages the whole log after any position without gap or overlap', async () => {
        for (let n = 0; n < 12; n += 1) await store.append(`need-${n}`, NO_STREAM, samples(2));
        const all = await everyEvent(store);
        expect(all).toHaveLength(24);
        for (const page of [1, 5, 24]) expect(idsOf(await everyEvent(store, page))).toEqual(idsOf(all));
        expect(idsOf(await store.readAll(all[9]?.position ?? 0n, 3))).toEqual(idsOf(all.slice(10, 13)));
        expect(await store.readAll(all.at(-1)?.position ?? 0n, 10)).toEqual([]);
        expect(await store.readAll(2n ** 63n, 10)).toEqual([]);
        expect(await store.head()).toBe(all.at(-1)?.position);
      });

      it('tells streams apart whose names begin alike', async () => {
        await store.append('need-1', NO_STREAM, samples(1));
        await store.append('need-11', NO_STREAM, samples(2));
        await store.append('NEED-1', NO_STREAM, samples(3));
        expect(await store.readStream('need-1', 0, 10)).toHaveLength(1);
        expect(await store.readStream('NEED-1', 0, 10)).toHaveLength(3);
      });

      it('gives every reader its own copy', async () => {
        const event = sampleEvent({ list: [1] });
        await store.append('need-1', NO_STREAM, [event]);
        (event.data as { list: number[] }).list.push(2);
        const [read] = await store.readStream('need-1', 0, 1);
        (read?.data as { list: number[] }).list.push(3);
        expect((await store.readStream('need-1', 0, 1))[0]?.data).toEqual({ list: [1] });
      });

      it('while others write never sees an event appear behind what it has read', async () => {
        const state = { writing: true };
        const writers = Promise.all(
          Array.from({ length: 8 }, async (_, writer) => {
            for (let n = 0; n < 15; n += 1) await store.append(`need-${writer}`, n * 2 - 1, samples(2));
          }),
        ).finally(() => (state.writing = false));
        const followed: RecordedEvent[] = [];
        for (;;) {
          const finished = !state.writing;
          const next = await store.readAll(followed.at(-1)?.position ?? 0n, 1_000);
          followed.push(...next);
          if (finished && next.length === 0) break;
          await new Promise((resolve) => setImmediate(resolve));
        }
        await writers;
        expect(followed).toHaveLength(240);
        expect(idsOf(followed)).toEqual(idsOf(await everyEvent(store)));
        expect(ascending(positionsOf(followed))).toBe(true);
      });

      it('an acknowledged append is seen at once', async () => {
        const { position } = await store.append('need-1', NO_STREAM, samples(1));
        expect(await store.head()).toBe(position);
        expect(positionsOf(await everyEvent(store))).toEqual([position]);
      });
    });

    it('orders racing writers in one line: a receipt is greater than every receipt given before its append', async () => {
      let newest = 0n;
      await Promise.all(
        Array.from({ length: 20 }, async (_, writer) => {
          for (let n = 0; n < 10; n += 1) {
            const before = newest;
            const { position } = await store.append(`need-${writer}`, n - 1, samples(1));
            expect(position).toBeGreaterThan(before);
            if (position > newest) newest = position;
          }
        }),
      );
      const all = await everyEvent(store);
      expect(new Set(positionsOf(all)).size).toBe(200);
      expect(ascending(positionsOf(all))).toBe(true);
    });

    describe('technical streams', () => {
      it('are streams like any other, but absent from the whole log, its head and subscriptions', async () => {
        await store.append('_lease', NO_STREAM, samples(2));
        expect(await store.head()).toBe(0n);
        const { position } = await store.append('need-1', NO_STREAM, samples(1));
        await store.append('_lease', 1, samples(3));
        const arrivals = new Arrivals();
        const subscription = store.subscribeToAll(0n, arrivals.handler);
        await arrivals.until(1);
        await store.append('_lease', 4, samples(1));
        await store.append('need-1', 0, samples(1));
        await arrivals.until(2);
        await subscription.stop();
        expect(arrivals.events.map((event) => event.stream)).toEqual(['need-1', 'need-1']);
        expect((await everyEvent(store)).map((event) => event.stream)).toEqual(['need-1', 'need-1']);
        expect(await store.readStream('_lease', 0, 10)).toHaveLength(6);
        expect(await store.head()).toBeGreaterThan(position);
        await expect(store.append('_lease', 0, samples(1))).rejects.toBeInstanceOf(WrongRevisionError);
      });

      it('are told by their first character alone', async () => {
        for (const stream of ['^x', '`x', 'a_x', 'Ωx']) await store.append(stream, NO_STREAM, samples(1));
        for (const stream of ['_', '_x', '__x']) await store.append(stream, NO_STREAM, samples(1));
        expect((await everyEvent(store)).map((event) => event.stream)).toEqual(['^x', '`x', 'a_x', 'Ωx']);
      });
    });

    describe('a subscription', () => {
      it('goes from the past to live events without gap or duplicate, in order, while writers race', async () => {
        for (let n = 0; n < 30; n += 1) await store.append(`past-${n}`, NO_STREAM, samples(3));
        const arrivals = new Arrivals();
        const subscription = store.subscribeToAll(0n, arrivals.handler, { maxBatch: 7 });
        await Promise.all(
          Array.from({ length: 10 }, async (_, writer) => {
            for (let n = 0; n < 10; n += 1) await store.append(`live-${writer}`, n - 1, samples(1));
          }),
        );
        await arrivals.until(190);
        await store.append('last', NO_STREAM, samples(1));
        await arrivals.until(191);
        await subscription.stop();
        expect(idsOf(arrivals.events)).toEqual(idsOf(await everyEvent(store)));
        expect(Math.max(...arrivals.batches)).toBeLessThanOrEqual(7);
      });

      it('starts after the position it is given', async () => {
        const first = await store.append('need-1', NO_STREAM, samples(2));
        await store.append('need-1', 1, samples(2));
        const arrivals = new Arrivals();
        const subscription = store.subscribeToAll(first.position, arrivals.handler);
        await arrivals.until(2);
        await subscription.stop();
        expect(arrivals.events.map((event) => event.revision)).toEqual([2, 3]);
      });

      it('stopped in the middle and taken up from its last batch misses and repeats nothing', async () => {
        await store.append('need-1', NO_STREAM, samples(40));
        const seen: RecordedEvent[] = [];
        let after = 0n;
        while (seen.length < 40) {
          const arrivals = new Arrivals();
          const subscription = store.subscribeToAll(after, arrivals.handler, { maxBatch: 3 });
          await arrivals.until(1);
          await subscription.stop();
          seen.push(...arrivals.events);
          after = arrivals.events.at(-1)?.position ?? after;
        }
        expect(seen.map((event) => event.revision)).toEqual(Array.from({ length: 40 }, (_, n) => n));
      });

      it('waits for the handler before it gives the next batch', async () => {
        await store.append('need-1', NO_STREAM, samples(10));
        let running = 0;
        let most = 0;
        const arrivals = new Arrivals();
        const subscription = store.subscribeToAll(
          0n,
          async (batch) => {
            running += 1;
            most = Math.max(most, running);
            await new Promise((resolve) => setImmediate(resolve));
            running -= 1;
            await arrivals.handler(batch);
          },
          { maxBatch: 2 },
        );
        await store.append('need-2', NO_STREAM, samples(4));
        await arrivals.until(14);
        await subscription.stop();
        expect(most).toBe(1);
      });

      it('stops after the batch in hand: no handler runs once stop has returned', async () => {
        await store.append('need-1', NO_STREAM, samples(10));
        let release: () => void = () => undefined;
        const held = new Promise<void>((resolve) => (release = resolve));
        let entered: () => void = () => undefined;
        const inHand = new Promise<void>((resolve) => (entered = resolve));
        let finished = 0;
        const subscription = store.subscribeToAll(
          0n,
          async () => {
            entered();
            await held;
            finished += 1;
          },
          { maxBatch: 1 },
        );
        await inHand;
        const stopped = subscription.stop();
        expect(finished).toBe(0);
        release();
        await stopped;
        await expect(subscription.done).resolves.toBeUndefined();
        await store.append('need-2', NO_STREAM, samples(1));
        expect(finished).toBe(1);
      });

      it('can be stopped while idle, before its first batch, and twice', async () => {
        const subscription = store.subscribeToAll(0n, () => Promise.reject(new Error('nothing to deliver')));
        await Promise.all([subscription.stop(), subscription.stop()]);
        await store.append('need-1', NO_STREAM, samples(1));
        await expect(subscription.done).resolves.toBeUndefined();
      });

      it('ends at the batch whose handler threw, and says so', async () => {
        await store.append('need-1', NO_STREAM, samples(3));
        const poison = new Error('poison');
        const handled: number[] = [];
        const subscription = store.subscribeToAll(
          0n,
          async ([event]) => {
            if (event?.revision === 1) throw poison;
            handled.push(event?.revision ?? -1);
          },
          { maxBatch: 1 },
        );
        await expect(subscription.done).rejects.toBe(poison);
        await store.append('need-1', 2, samples(1));
        await subscription.stop();
        expect(handled).toEqual([0]);
      });

      it('does not hold up another, nor the writers', async () => {
        const never = store.subscribeToAll(0n, () => stuck);
        let release: () => void = () => undefined;
        const stuck = new Promise<void>((resolve) => (release = resolve));
        const arrivals = new Arrivals();
        const other = store.subscribeToAll(0n, arrivals.handler);
        for (let n = 0; n < 5; n += 1) await store.append('need-1', n - 1, samples(1));
        await arrivals.until(5);
        release();
        await Promise.all([never.stop(), other.stop()]);
      });

      it('may append from its handler', async () => {
        const arrivals = new Arrivals();
        const subscription = store.subscribeToAll(0n, async (batch) => {
          for (const event of batch) {
            if (event.stream === 'need-1') await store.append(`echo-${event.revision}`, NO_STREAM, samples(1));
          }
          await arrivals.handler(batch);
        });
        await store.append('need-1', NO_STREAM, samples(3));
        await arrivals.until(6);
        await subscription.stop();
      });
    });

    describe('a store apart from its server', () => {
      /** As whoever repeats a request does: the same append until it is answered. */
      const answered = async (stream: string, expected: number, events: readonly EventToAppend[]) => {
        for (;;) {
          try {
            return await store.append(stream, expected, events);
          } catch (error) {
            expect(error).toBeInstanceOf(StoreUnavailableError);
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
        }
      };

      it('stores an append once whose answer is lost, and gives the receipt to whoever makes it again', async () => {
        if (under.loseAnswer === undefined) return;
        await store.append('need-1', NO_STREAM, samples(2));
        await under.loseAnswer();
        const events = samples(3);
        const receipt = await answered('need-1', 1, events);
        const stored = await store.readStream('need-1', 0, 10);
        expect(idsOf(stored.slice(2))).toEqual(idsOf(events));
        expect(receipt).toEqual({ revision: 4, position: stored.at(-1)?.position });
        expect(await store.append('need-1', 1, events)).toEqual(receipt);
      });

      it('refuses an append whose answer is lost and whose place was taken', async () => {
        if (under.loseAnswer === undefined) return;
        await store.append('need-1', NO_STREAM, samples(1));
        await under.loseAnswer();
        await expect(store.append('need-1', NO_STREAM, samples(1))).rejects.toMatchObject({ actual: 0 });
      });

      it('goes on with appends and subscriptions after the server was killed, without gap, duplicate or loss', async () => {
        if (under.killServer === undefined) return;
        const arrivals = new Arrivals();
        const subscription = store.subscribeToAll(0n, arrivals.handler, { maxBatch: 4 });
        const before = samples(10);
        await store.append('need-1', NO_STREAM, before);
        await arrivals.until(5);
        const during = samples(3);
        const [receipt] = await Promise.all([answered('need-1', 9, during), under.killServer()]);
        expect(receipt.revision).toBe(12);
        const after = samples(2);
        await answered('need-1', 12, after);
        await arrivals.until(15);
        await subscription.stop();
        expect(idsOf(arrivals.events)).toEqual(idsOf([...before, ...during, ...after]));
        expect(idsOf(await everyEvent(store))).toEqual(idsOf(arrivals.events));
      });
    });

    describe('closing', () => {
      it('finishes appends already made, then refuses everything', async () => {
        const pending = store.append('need-1', NO_STREAM, samples(1));
        const subscription = store.subscribeToAll(0n, () => Promise.resolve());
        await Promise.all([store.close(), store.close()]);
        expect((await pending).revision).toBe(0);
        await expect(subscription.done).resolves.toBeUndefined();
        await expect(store.append('need-1', 0, samples(1))).rejects.toBeInstanceOf(StoreUnavailableError);
        await expect(store.readStream('need-1', 0, 1)).rejects.toBeInstanceOf(StoreUnavailableError);
        await expect(store.readAll(0n, 1)).rejects.toBeInstanceOf(StoreUnavailableError);
        await expect(store.head()).rejects.toBeInstanceOf(StoreUnavailableError);
        expect(() => store.subscribeToAll(0n, () => Promise.resolve())).toThrow(StoreUnavailableError);
      });
    });

    describe('opened again', () => {
      /** Undefined for a store whose log ends with it: there is nothing to check. */
      const reopened = async (): Promise<EventStore | undefined> => {
        if (under.reopen !== undefined) store = await under.reopen();
        return under.reopen === undefined ? undefined : store;
      };

      it('holds the same log under the same store id', async () => {
        await store.append('need-1', NO_STREAM, samples(3));
        await store.append('_lease', NO_STREAM, samples(1));
        const { storeId } = store;
        const before = await everyEvent(store);
        const again = await reopened();
        if (again === undefined) return;
        expect(again.storeId).toBe(storeId);
        expect(await everyEvent(again)).toEqual(before);
        expect(await again.head()).toBe(before.at(-1)?.position);
        expect(await again.readStream('_lease', 0, 10)).toHaveLength(1);
      });

      it('still returns the first receipt for an append made again, and refuses a wrong revision', async () => {
        const events = samples(2);
        const first = await store.append('need-1', NO_STREAM, events);
        const again = await reopened();
        if (again === undefined) return;
        expect(await again.append('need-1', NO_STREAM, events)).toEqual(first);
        await expect(again.append('need-1', NO_STREAM, samples(2))).rejects.toBeInstanceOf(WrongRevisionError);
        const next = await again.append('need-1', 1, samples(1));
        expect(next.position).toBeGreaterThan(first.position);
      });

      it('resumes a subscription from its last position without gap or duplicate', async () => {
        await store.append('need-1', NO_STREAM, samples(10));
        const before = new Arrivals();
        store.subscribeToAll(0n, before.handler, { maxBatch: 4 });
        await before.until(4);
        const again = await reopened();
        if (again === undefined) return;
        const after = new Arrivals();
        const subscription = again.subscribeToAll(before.events.at(-1)?.position ?? 0n, after.handler, { maxBatch: 4 });
        await again.append('need-1', 9, samples(5));
        await after.until(15 - before.events.length);
        await subscription.stop();
        expect(idsOf([...before.events, ...after.events])).toEqual(idsOf(await everyEvent(again)));
      });
    });
  });
};
