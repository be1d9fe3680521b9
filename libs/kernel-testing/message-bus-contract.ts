import type { BusSubscription, EventStore, MessageBus, RecordedEvent } from '#kernel';
import { NewerEventError, StoreUnavailableError } from '#kernel';
import { sampleEvent } from './event-store-contract.js';

/** A bus under test on a log that is empty at first. Its events are of types `Raised` and `Noted`, its streams `counter-<id>`. */
export interface BusUnderTest {
  /** The log that the bus brings events of. */
  readonly store: EventStore;
  /** Another instance on the same log with the same memory of what was handled; waits after a failure are a few milliseconds. */
  readonly open: () => MessageBus;
  /** Ends an instance as a kill does: it hands out nothing more, and nothing of what it does counts any more. */
  readonly crash: (bus: MessageBus) => Promise<void>;
  /** Closes every instance and the log. */
  readonly dispose: () => Promise<void>;
}

const where = ({ stream, revision }: RecordedEvent): string => `${stream}@${revision}`;

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

/** What handlers have done, to be waited for. */
class Seen {
  readonly places: string[] = [];
  private watchers: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  add(event: RecordedEvent): void {
    this.places.push(where(event));
    this.changed();
  }

  of(stream: string): readonly string[] {
    return this.places.filter((place) => place.startsWith(`${stream}@`));
  }

  changed(): void {
    this.watchers = this.watchers.filter(({ holds, resolve }) => {
      if (!holds()) return true;
      resolve();
      return false;
    });
  }

  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => this.watchers.push({ holds, resolve }));
  }
}

/** The places of a stream's first `count` events. */
const places = (stream: string, count: number): string[] =>
  Array.from({ length: count }, (_, revision) => `${stream}@${revision}`);

/** The order in which places were first seen. */
const firsts = (seen: readonly string[]): string[] => [...new Set(seen)];

/** What every bus must do, whatever it is built on. Asserts nothing a bus need not promise: an event may come more than once. */
export const messageBusContract = (name: string, makeBus: () => Promise<BusUnderTest>): void => {
  describe(`${name} as a message bus`, () => {
    let under: BusUnderTest;
    let store: EventStore;

    beforeEach(async () => {
      under = await makeBus();
      store = under.store;
    });

    afterEach(async () => {
      await under.dispose();
    });

    /** Appends events of these types to a stream; answers the position of the last. */
    const append = async (stream: string, ...types: readonly string[]): Promise<bigint> => {
      const { length } = await store.readStream(stream, 0, 100_000);
      const events = types.map((type) => ({ ...sampleEvent(), type }));
      return (await store.append(stream, length - 1, events)).position;
    };

    const raise = (stream: string, count: number): Promise<bigint> =>
      append(stream, ...Array.from({ length: count }, () => 'Raised'));

    const collecting = (bus: MessageBus, process: string, seen: Seen): BusSubscription =>
      bus.subscribe(process, ['Raised'], async (event) => {
        seen.add(event);
      });

    it('brings past and coming events of the types asked for, in the order of their stream', async () => {
      await append('counter-1', 'Raised', 'Noted', 'Raised');
      const seen = new Seen();
      const subscription = collecting(under.open(), 'a', seen);
      await subscription.reached(await store.head());
      expect(seen.places).toEqual(['counter-1@0', 'counter-1@2']);
      const position = await append('counter-1', 'Raised', 'Noted');
      await subscription.reached(position);
      expect(seen.places).toEqual(['counter-1@0', 'counter-1@2', 'counter-1@3']);
      expect([subscription.name, subscription.position, subscription.stuck]).toEqual(['a', position, []]);
    });

    it('brings the events as the log holds them', async () => {
      const position = await append('counter-1', 'Raised', 'Raised');
      const events: RecordedEvent[] = [];
      await under
        .open()
        .subscribe('a', ['Raised'], async (event) => void events.push(event))
        .reached(position);
      expect(events).toEqual(await store.readStream('counter-1', 0, 10));
    });

    it('hands over what only a newer version knows, and holds its stream until that version comes', async () => {
      const seen = new Seen();
      let knows = false;
      const subscription = under.open().subscribe(
        'a',
        ['Raised'],
        async (event) => {
          if (event.type === 'Doubled' && !knows) {
            seen.changed();
            throw new NewerEventError(event.stream, event.type, 1);
          }
          seen.add(event);
        },
        (type) => type === 'Doubled',
      );
      await append('counter-1', 'Raised', 'Doubled', 'Raised');
      const elsewhere = await append('counter-2', 'Noted', 'Raised');
      await seen.until(() => subscription.stuck.length === 1 && seen.of('counter-2').length === 1);
      expect(firsts(seen.of('counter-1'))).toEqual(['counter-1@0']);
      knows = true;
      await subscription.reached(elsewhere);
      expect(firsts(seen.of('counter-1'))).toEqual(places('counter-1', 3));
    });

    it('keeps the order of every stream among many', async () => {
      const streams = Array.from({ length: 20 }, (_, n) => `counter-${n}`);
      const seen = new Seen();
      const subscription = collecting(under.open(), 'a', seen);
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(streams.map((stream) => raise(stream, 3)));
      }
      await subscription.reached(await store.head());
      for (const stream of streams) expect(firsts(seen.of(stream))).toEqual(places(stream, 15));
    });

    it('goes on where it was after a restart', async () => {
      const seen = new Seen();
      const first = under.open();
      const position = await raise('counter-1', 3);
      await collecting(first, 'a', seen).reached(position);
      await first.close();
      await raise('counter-1', 2);
      await collecting(under.open(), 'a', seen).reached(await store.head());
      expect(seen.places).toEqual(places('counter-1', 5));
    });

    it('brings a process that is new everything from the beginning, and those before it nothing twice', async () => {
      const seen = new Seen();
      const first = under.open();
      await collecting(first, 'old', seen).reached(await raise('counter-1', 3));
      await first.close();
      const second = under.open();
      const young = new Seen();
      const both = [collecting(second, 'old', seen), collecting(second, 'young', young)];
      const position = await raise('counter-1', 1);
      await Promise.all(both.map((subscription) => subscription.reached(position)));
      expect([seen.places, young.places]).toEqual([places('counter-1', 4), places('counter-1', 4)]);
    });

    it('handles streams side by side', async () => {
      const slow = gate();
      const seen = new Seen();
      const subscription = under.open().subscribe('a', ['Raised'], async (event) => {
        if (event.stream === 'counter-slow') await slow.passed;
        seen.add(event);
      });
      await raise('counter-slow', 2);
      await raise('counter-fast', 2);
      await seen.until(() => seen.places.length === 2);
      expect(seen.places).toEqual(places('counter-fast', 2));
      slow.open();
      await subscription.reached(await store.head());
      expect(firsts(seen.of('counter-slow'))).toEqual(places('counter-slow', 2));
    });

    it('tries a failing event again, says so, and holds up its own stream alone', async () => {
      let broken = true;
      const seen = new Seen();
      const subscription = under.open().subscribe('a', ['Raised'], async (event) => {
        if (broken && where(event) === 'counter-sick@1') {
          seen.changed();
          // A failure of the log is nothing that a bus gives up for.
          throw new StoreUnavailableError('not today');
        }
        seen.add(event);
      });
      await raise('counter-sick', 3);
      await raise('counter-well', 3);
      await seen.until(() => seen.places.length === 4 && (subscription.stuck[0]?.attempts ?? 0) >= 12);
      expect(firsts(seen.of('counter-sick'))).toEqual(['counter-sick@0']);
      expect(seen.of('counter-well')).toEqual(places('counter-well', 3));
      expect(subscription.stuck).toMatchObject([{ type: 'Raised', error: 'not today' }]);
      broken = false;
      await subscription.reached(await store.head());
      expect(firsts(seen.of('counter-sick'))).toEqual(places('counter-sick', 3));
      expect(subscription.stuck).toEqual([]);
    });

    it('does not give up for an event that this version is too old for', async () => {
      let failures = 0;
      const seen = new Seen();
      const subscription = under.open().subscribe('a', ['Raised'], async (event) => {
        failures += 1;
        if (failures <= 15) throw new NewerEventError(event.stream, 'Raised', 2);
        seen.add(event);
      });
      await subscription.reached(await raise('counter-1', 2));
      expect(seen.places).toEqual(places('counter-1', 2));
    });

    it('says that a position is reached once everything up to it is handled, not before', async () => {
      const slow = gate();
      const seen = new Seen();
      const subscription = under.open().subscribe('a', ['Raised'], async (event) => {
        seen.changed();
        await slow.passed;
        seen.add(event);
      });
      const position = await raise('counter-1', 1);
      let reached = false;
      const waiting = subscription.reached(position).then(() => (reached = true));
      const fast = collecting(under.open(), 'b', new Seen());
      await fast.reached(position);
      expect(reached).toBe(false);
      slow.open();
      await waiting;
      expect(seen.places).toEqual(places('counter-1', 1));
      await subscription.reached(1n);
    });

    it('brings what was not handled again after a kill, in order, and loses nothing', async () => {
      const killed = under.open();
      const held = gate();
      const before = new Seen();
      const after = new Seen();
      killed.subscribe('a', ['Raised'], async (event) => {
        before.add(event);
        if (event.revision >= 2) await held.passed;
      });
      const streams = Array.from({ length: 6 }, (_, n) => `counter-${n}`);
      await Promise.all(streams.map((stream) => raise(stream, 5)));
      await before.until(() => streams.every((stream) => before.of(stream).length === 3));
      await under.crash(killed);
      held.open();
      await collecting(under.open(), 'a', after).reached(await store.head());
      for (const stream of streams) {
        const came = after.of(stream);
        expect(came.at(-1)).toBe(`${stream}@4`);
        // Everything from some place on: what was handled before may come again, what was not does come.
        expect(came).toEqual(places(stream, 5).slice(-came.length));
        expect(came.length).toBeGreaterThanOrEqual(3);
      }
    });

    it('stops after the events in hand, and brings the rest to whoever comes after it', async () => {
      const bus = under.open();
      const slow = gate();
      const seen = new Seen();
      const subscription = bus.subscribe('a', ['Raised'], async (event) => {
        seen.add(event);
        await slow.passed;
      });
      await raise('counter-1', 3);
      await seen.until(() => seen.places.length === 1);
      const never = subscription.reached(await store.head());
      const stopped = subscription.stop();
      expect(subscription.stop()).toBe(stopped);
      slow.open();
      await stopped;
      await expect(never).rejects.toThrow('a stopped');
      await expect(subscription.reached(await store.head())).rejects.toThrow('a stopped');
      expect(seen.places).toEqual(['counter-1@0']);
      await bus.close();
      await collecting(under.open(), 'a', seen).reached(await store.head());
      expect(seen.places).toEqual(places('counter-1', 3));
    });

    it('stops while an event fails, and counts nothing of it as handled', async () => {
      const bus = under.open();
      const seen = new Seen();
      let failures = 0;
      bus.subscribe('a', ['Raised'], async (event) => {
        if (event.stream === 'counter-sick') {
          failures += 1;
          seen.changed();
          throw new StoreUnavailableError('not today');
        }
        seen.add(event);
      });
      await raise('counter-sick', 2);
      await raise('counter-well', 2);
      await seen.until(() => failures > 2 && seen.places.length === 2);
      await bus.close();
      const after = new Seen();
      await collecting(under.open(), 'a', after).reached(await store.head());
      expect(after.of('counter-sick')).toEqual(places('counter-sick', 2));
    });

    it('closes once, however often it is asked to', async () => {
      const bus = under.open();
      await collecting(bus, 'a', new Seen()).reached(await raise('counter-1', 1));
      await bus.close();
      await bus.close();
    });

    it('knows each subscription by its name', async () => {
      const bus = under.open();
      bus.subscribe('a', ['Raised'], async () => undefined);
      expect(() => bus.subscribe('a', ['Raised'], async () => undefined)).toThrow('a is subscribed already');
    });
  });
};
