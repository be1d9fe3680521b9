import { counterValues, InMemoryEventStore, recordedEvent } from '#kernel-testing';
import { MemoryReadDatabase } from '#read-database';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Subscription } from './event-store.js';
import { StoreUnavailableError } from './event-store.js';
import type { EventToAppend, RecordedEvent } from './events.js';
import { newId } from './ids.js';
import type { ProjectionAlarm, ProjectionNote, ProjectionRunnerOptions } from './projection-runner.js';
import { applyToModel, PoisonEventError, ProjectionRunner } from './projection-runner.js';
import type { Projection, ReadModel } from './projection.js';
import { ReadModelUnavailableError, rowByRow } from './projection.js';
import { NewerEventError, Upcasting } from './upcasting.js';

const raised = (by: number): EventToAppend => {
  const { type, data, metadata } = recordedEvent('counter-1', 0, { type: 'Raised', data: { by } });
  return { id: newId(), type, data, metadata };
};
const noted = (text: string): EventToAppend => ({ ...raised(0), type: 'Noted', data: { text } });

/** Sums by stream, like `counterValues`, but fails on what `poison` says. */
const sums = (name: string, poison: (event: RecordedEvent) => boolean = () => false, version = 1): Projection => ({
  ...counterValues,
  name,
  version,
  begin: (tx) => {
    const inner = counterValues.begin(tx);
    return {
      apply: (event) => {
        if (poison(event)) throw new Error('cannot digest');
        inner.apply(event);
      },
      flush: () => {
        inner.flush();
      },
    };
  },
});

const by = (event: RecordedEvent): number => (event.data as { by: number }).by;

class Rig {
  readonly alarms: ProjectionAlarm[] = [];
  readonly notes: ProjectionNote[] = [];
  readonly runner: ProjectionRunner;

  constructor(
    projections: readonly Projection[],
    readonly store = new InMemoryEventStore(),
    options: ProjectionRunnerOptions = {},
    readonly database = new MemoryReadDatabase(),
  ) {
    this.runner = new ProjectionRunner(store, database, projections, {
      alarm: (alarm) => this.alarms.push(alarm),
      note: (note) => this.notes.push(note),
      ...options,
    });
  }

  async append(stream: string, ...events: readonly EventToAppend[]): Promise<bigint> {
    const length = (await this.store.readStream(stream, 0, 10_000)).length;
    return (await this.store.append(stream, length - 1, events)).position;
  }

  value(name: string, stream: string): unknown {
    return this.runner.model(name).get('SELECT value FROM value WHERE stream = ?', stream)?.value;
  }

  async close(): Promise<void> {
    await this.runner.stop();
    await this.store.close();
  }
}

/** A read model that remembers nothing but its checkpoint; kept by `KeepingDatabase` across runners. */
class KeepingDatabase extends MemoryReadDatabase {
  private readonly kept = new Map<string, ReadModel>();
  readonly dropped: string[] = [];

  override open(projection: Pick<Projection, 'name' | 'version' | 'schema'>): ReadModel {
    const key = `${projection.name} ${projection.version}`;
    const model = this.kept.get(key) ?? unclosable(super.open(projection));
    this.kept.set(key, model);
    return model;
  }

  override openBeside(projection: Pick<Projection, 'name' | 'version' | 'schema'>): ReadModel {
    return super.open(projection);
  }

  override dropOlder(projection?: Pick<Projection, 'name' | 'version'>): void {
    if (projection !== undefined) this.dropped.push(`${projection.name} ${projection.version}`);
  }
}

const unclosable = (model: ReadModel): ReadModel => ({
  get checkpoint() {
    return model.checkpoint;
  },
  get: (sql, ...parameters) => model.get(sql, ...parameters),
  all: (sql, ...parameters) => model.all(sql, ...parameters),
  commit: (checkpoint, work) => {
    model.commit(checkpoint, work);
  },
  close: () => undefined,
});

/** Counts the transactions that a model was given. */
const counted = (): { readonly projection: Projection; readonly begun: () => number } => {
  let count = 0;
  const projection: Projection = {
    ...sums('a'),
    begin: (tx) => {
      count += 1;
      return counterValues.begin(tx);
    },
  };
  return { projection, begun: () => count };
};

describe('projection runner', () => {
  it('stops at an event of a newer version in a stream it follows, says so, and answers nothing from behind it', async () => {
    const known = { counter: { Raised: 1, Noted: 1 }, meter: { Read: 1 } };
    const elsewhere: Projection = { ...sums('elsewhere'), handles: ['Read'] };
    const rig = new Rig([sums('values'), elsewhere], undefined, { upcasting: new Upcasting([], known) });
    await rig.runner.start();
    await rig.append('meter-1', { ...raised(0), type: 'Calibrated' });
    const before = await rig.append('counter-1', raised(3), noted('nothing to sum'));
    expect(await rig.runner.waitFor(before, 2_000, ['values'])).toBe(true);
    // What it does not handle today may be what the newer version of it handles.
    await rig.append('counter-1', { ...raised(0), type: 'Halved' }, raised(4));
    const head = await rig.append('counter-2', { ...raised(1), metadata: { ...raised(1).metadata, schema: 2 } });
    expect(await rig.runner.waitFor(head, 2_000, ['values'])).toBe(false);
    expect(rig.value('values', 'counter-1')).toBe(3);
    expect(rig.runner.stoppedAtNewer(['values'])).toBeInstanceOf(NewerEventError);
    expect(rig.runner.statuses().find(({ name }) => name === 'values')?.parked).toMatchObject({
      type: 'Halved',
      newer: true,
    });
    // The other follows no counters; a meter's event of a newer version stopped it before.
    expect(rig.runner.statuses().find(({ name }) => name === 'elsewhere')?.parked).toMatchObject({
      type: 'Calibrated',
    });
    await rig.close();
  });

  it('lets events gather while nobody waits for them', async () => {
    const { projection, begun } = counted();
    const rig = new Rig([projection]);
    await rig.runner.start();
    let head = 0n;
    for (let n = 0; n < 50; n += 1) head = await rig.append('counter-1', raised(1));
    expect(await rig.runner.waitFor(head, 5_000)).toBe(true);
    expect(rig.value('a', 'counter-1')).toBe(50);
    expect(begun()).toBeLessThan(50);
    await rig.close();
  });

  it('keeps nobody who waits waiting for more events, nor a stop', async () => {
    const { projection, begun } = counted();
    const rig = new Rig([projection]);
    await rig.runner.start();
    for (let n = 1; n <= 20; n += 1) {
      expect(await rig.runner.waitFor(await rig.append('counter-1', raised(1)), 5_000)).toBe(true);
      expect(begun()).toBe(n);
    }
    await rig.close();
  });

  it('brings every projection to the head, before and after the start', async () => {
    const rig = new Rig([sums('a'), sums('b')]);
    await rig.append('counter-1', raised(1), raised(2));
    await rig.runner.start();
    expect(rig.runner.caughtUp()).toBe(false);
    const position = await rig.append('counter-2', raised(5));
    expect(await rig.runner.waitFor(position, 5_000)).toBe(true);
    expect(rig.runner.caughtUp()).toBe(true);
    expect([rig.value('a', 'counter-1'), rig.value('b', 'counter-2')]).toEqual([3, 5]);
    expect(rig.runner.model('a').all('SELECT * FROM value ORDER BY stream').length).toBe(2);
    expect(rig.runner.statuses()).toEqual([
      { name: 'a', version: 1, position },
      { name: 'b', version: 1, position },
    ]);
    await rig.close();
  });

  it('moves the checkpoint past events it does not handle and saves it at the latest when it stops', async () => {
    const database = new KeepingDatabase();
    const rig = new Rig([sums('a')], undefined, {}, database);
    const position = await rig.append('counter-1', raised(1), noted('x'), noted('y'));
    await rig.runner.start();
    expect(await rig.runner.waitFor(position, 5_000)).toBe(true);
    const later = await rig.append('counter-1', noted('z'));
    expect(await rig.runner.waitFor(later, 5_000)).toBe(true);
    expect(database.open(sums('a')).checkpoint).toBe(position);
    await rig.close();
    expect(database.open(sums('a')).checkpoint).toBe(later);
  });

  it('saves the checkpoint of a projection that handles nothing for long', async () => {
    const database = new KeepingDatabase();
    const rig = new Rig([sums('a')], undefined, {}, database);
    const position = await rig.append(
      'counter-1',
      ...Array.from({ length: 1_200 }, (_, index) => noted(String(index))),
    );
    await rig.runner.start();
    expect(await rig.runner.waitFor(position, 5_000)).toBe(true);
    expect(database.open(sums('a')).checkpoint).toBe(position);
    await rig.close();
  });

  it('parks only the projection that cannot apply an event, right before that event', async () => {
    const rig = new Rig([sums('sick', (event) => by(event) === 3), sums('well')]);
    await rig.append('counter-1', raised(1), raised(2));
    const [poison] = [await rig.append('counter-1', raised(3))];
    const position = await rig.append('counter-1', raised(4));
    await rig.runner.start();
    expect(await rig.runner.waitFor(position, 5_000, ['well'])).toBe(true);
    expect(await rig.runner.waitFor(position, 5_000, ['sick'])).toBe(false);
    expect(await rig.runner.waitFor(poison - 1n, 5_000, ['sick'])).toBe(true);
    expect([rig.value('sick', 'counter-1'), rig.value('well', 'counter-1')]).toEqual([3, 10]);
    const [sick, well] = rig.runner.statuses();
    expect(well?.parked).toBeUndefined();
    expect(sick?.parked).toMatchObject({ position: poison, type: 'Raised', error: 'Error' });
    expect(sick?.position).toBe(poison - 1n);
    expect(rig.alarms.map(({ kind }) => kind)).toEqual(['parked']);
    expect(rig.runner.caughtUp()).toBe(true);
    await rig.close();
  });

  it('takes a model that cannot be written for no fault of the event: it tries again, and the others go on', async () => {
    let full = true;
    const hindered = sums('hindered', () => {
      if (full) throw new ReadModelUnavailableError('the disk is full');
      return false;
    });
    const rig = new Rig([hindered, sums('well')]);
    await rig.append('counter-1', raised(1), raised(2));
    const position = await rig.append('counter-1', raised(3));
    await rig.runner.start();
    expect(await rig.runner.waitFor(position, 5_000, ['well'])).toBe(true);
    expect(await rig.runner.waitFor(position, 0, ['hindered'])).toBe(false);
    expect(rig.runner.statuses().map(({ parked }) => parked)).toEqual([undefined, undefined]);
    full = false;
    expect(await rig.runner.waitFor(position, 5_000)).toBe(true);
    expect([rig.value('hindered', 'counter-1'), rig.value('well', 'counter-1')]).toEqual([6, 6]);
    expect(new Set(rig.alarms.map(({ kind }) => kind))).toEqual(new Set(['feed-broken']));
    await rig.close();
  });

  it('finds the poison event also where only writing the batch out fails', async () => {
    const coalescing: Projection = {
      ...sums('late'),
      begin: (tx) => {
        const seen: RecordedEvent[] = [];
        return {
          apply: (event) => void seen.push(event),
          flush: () => {
            if (seen.some((event) => by(event) === 3)) throw new Error('too much at once');
            for (const event of seen) counterValues.begin(tx).apply(event);
          },
        };
      },
    };
    const rig = new Rig([coalescing]);
    await rig.append('counter-1', raised(1), raised(2), raised(3), raised(4));
    await rig.runner.start();
    expect(await rig.runner.waitFor(3n, 5_000)).toBe(false);
    expect(rig.runner.statuses()[0]).toMatchObject({
      position: 2n,
      parked: { position: 3n, error: 'Error' },
    });
    expect(rig.value('late', 'counter-1')).toBe(3);
    await rig.close();
  });

  it('carries on where events that failed together apply one by one', async () => {
    const fussy: Projection = {
      ...sums('fussy'),
      begin: (tx) => {
        const inner = counterValues.begin(tx);
        let count = 0;
        return {
          apply: (event) => {
            count += 1;
            inner.apply(event);
          },
          flush: () => {
            if (count > 1) throw new Error('one at a time');
          },
        };
      },
    };
    const rig = new Rig([fussy]);
    const position = await rig.append('counter-1', raised(1), noted('x'), raised(2));
    await rig.runner.start();
    expect(await rig.runner.waitFor(position, 5_000)).toBe(true);
    expect([rig.value('fussy', 'counter-1'), rig.alarms]).toEqual([3, []]);
    await rig.close();
  });

  it('retries from the parked event when released, and runs with the others again', async () => {
    let sick = true;
    const rig = new Rig([sums('a', (event) => sick && by(event) === 2)], undefined, { maxBatch: 2 });
    await rig.append('counter-1', raised(1), raised(2), raised(4), raised(8), raised(16));
    await rig.runner.start();
    expect(await rig.runner.waitFor(5n, 5_000)).toBe(false);
    expect(await rig.runner.release('a')).toBe(false);
    expect(rig.alarms.length).toBe(2);
    sick = false;
    expect(await rig.runner.release('a')).toBe(true);
    expect(rig.value('a', 'counter-1')).toBe(31);
    expect(rig.runner.statuses()[0]?.parked).toBeUndefined();
    expect(await rig.runner.waitFor(await rig.append('counter-1', raised(32)), 5_000)).toBe(true);
    expect(rig.value('a', 'counter-1')).toBe(63);
    expect(await rig.runner.release('a')).toBe(false);
    await rig.close();
  });

  it('rebuilds beside the model in use and then answers from the new one', async () => {
    let factor = 1;
    const scaled: Projection = {
      ...counterValues,
      begin: rowByRow((tx, event) => {
        counterValues.begin(tx).apply({ ...event, data: { by: by(event) * factor } });
      }),
    };
    const rig = new Rig([scaled, sums('other')], undefined, { maxBatch: 2 });
    const position = await rig.append('counter-1', raised(1), raised(2), raised(3), noted('x'), noted('y'));
    await rig.runner.start();
    expect(await rig.runner.waitFor(position, 5_000)).toBe(true);
    const queries = rig.runner.model('counter-values');
    factor = 10;
    const rebuilding = rig.runner.rebuild('counter-values');
    expect(rig.runner.rebuild('counter-values')).toBe(rebuilding);
    expect(queries.get('SELECT value FROM value')).toMatchObject({ value: 6 });
    await rebuilding;
    expect(queries.get('SELECT value FROM value')).toMatchObject({ value: 60 });
    expect(await rig.runner.waitFor(await rig.append('counter-1', raised(4)), 5_000)).toBe(true);
    expect(queries.get('SELECT value FROM value')).toMatchObject({ value: 100 });
    expect(rig.notes.map(({ kind }) => kind)).toContain('rebuilt');
    await rig.close();
  });

  it('loses and doubles nothing that is written while it rebuilds', async () => {
    const rig = new Rig([sums('a')], undefined, { maxBatch: 7 });
    await rig.append('counter-1', ...Array.from({ length: 100 }, () => raised(1)));
    await rig.runner.start();
    const writing = (async () => {
      for (let index = 0; index < 100; index += 1) {
        await rig.append('counter-2', raised(1));
        if (index % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await Promise.all([rig.runner.rebuild('a'), writing]);
    await rig.runner.rebuild('a');
    expect(await rig.runner.waitFor(await rig.store.head(), 5_000)).toBe(true);
    expect([rig.value('a', 'counter-1'), rig.value('a', 'counter-2')]).toEqual([100, 100]);
    await rig.close();
  });

  it('a rebuild frees a parked projection once its code is mended', async () => {
    let sick = true;
    const rig = new Rig([sums('a', (event) => sick && by(event) === 2)]);
    await rig.append('counter-1', raised(1), raised(2));
    await rig.runner.start();
    expect(await rig.runner.waitFor(2n, 5_000)).toBe(false);
    await expect(rig.runner.rebuild('a')).rejects.toThrow(PoisonEventError);
    expect(rig.value('a', 'counter-1')).toBe(1);
    sick = false;
    await rig.runner.rebuild('a');
    expect(rig.runner.statuses()[0]?.parked).toBeUndefined();
    expect(rig.value('a', 'counter-1')).toBe(3);
    await rig.close();
  });

  it('rebuilds to the head also where it was never started', async () => {
    const rig = new Rig([sums('a')], undefined, { maxBatch: 2 });
    await rig.append('counter-1', raised(1), raised(2), raised(3));
    await rig.runner.rebuild('a');
    expect(rig.value('a', 'counter-1')).toBe(6);
    await rig.close();
  });

  it('builds a new version on its own while the others follow the log, then lets it join and drops the old', async () => {
    const store = new InMemoryEventStore();
    const database = new KeepingDatabase();
    const first = new Rig([sums('a'), sums('b'), sums('c')], store, {}, database);
    const position = await first.append('counter-1', raised(1), raised(2), noted('x'), raised(3));
    await first.runner.start();
    expect(await first.runner.waitFor(position, 5_000)).toBe(true);
    await first.runner.stop();
    expect(database.dropped.sort()).toEqual(['a 1', 'b 1', 'c 1']);
    const second = new Rig(
      [sums('a', undefined, 2), sums('b'), sums('c', (event) => by(event) === 2, 2)],
      store,
      { maxBatch: 1 },
      database,
    );
    await second.runner.start();
    expect(await second.runner.waitFor(position, 5_000, ['a', 'b'])).toBe(true);
    expect(await second.runner.waitFor(position, 5_000, ['c'])).toBe(false);
    expect(second.value('a', 'counter-1')).toBe(6);
    expect(database.dropped.slice(3)).toEqual(['b 1', 'a 2']);
    expect(second.notes.map(({ kind, projection }) => `${kind} ${projection}`)).toEqual([
      'catching-up a',
      'catching-up c',
      'caught-up a',
    ]);
    const later = await second.append('counter-1', raised(4));
    expect(await second.runner.waitFor(later, 5_000, ['a', 'b'])).toBe(true);
    expect(second.value('a', 'counter-1')).toBe(10);
    await second.close();
  });

  it('follows the log from the model that is furthest behind, reading nothing twice into the others', async () => {
    const store = new InMemoryEventStore();
    const database = new KeepingDatabase();
    await store.append('counter-1', -1, [raised(1), raised(2), raised(4)]);
    const history = await store.readAll(0n, 10);
    for (const [name, count] of [
      ['a', 2],
      ['b', 1],
      ['c', 3],
    ] as const) {
      applyToModel(sums(name), database.open(sums(name)), history.slice(0, count), (event) => event);
    }
    const rig = new Rig([sums('a'), sums('b'), sums('c')], store, {}, database);
    await rig.runner.start();
    expect(await rig.runner.waitFor(3n, 5_000)).toBe(true);
    expect(['a', 'b', 'c'].map((name) => rig.value(name, 'counter-1'))).toEqual([7, 7, 7]);
    await rig.close();
  });

  it('starts a model anew whose checkpoint lies behind the end of the log', async () => {
    const database = new KeepingDatabase();
    database.open(sums('a')).commit(99n, (tx) => {
      tx.run(`INSERT INTO value VALUES ('counter-9', 9)`);
    });
    const rig = new Rig([sums('a')], undefined, {}, database);
    const position = await rig.append('counter-1', raised(1));
    await rig.runner.start();
    expect(await rig.runner.waitFor(position, 5_000)).toBe(true);
    expect(rig.runner.model('a').all('SELECT stream FROM value')).toMatchObject([{ stream: 'counter-1' }]);
    expect(rig.notes[0]).toEqual({ kind: 'reset', projection: 'a', position: 99n });
    await rig.close();
  });

  it('lifts old events once, for every projection', async () => {
    let lifted = 0;
    const upcasting = new Upcasting([
      {
        type: 'Raised',
        from: 1,
        up: (data) => {
          lifted += 1;
          return { by: (data as { by: number }).by * 100 };
        },
      },
    ]);
    const rig = new Rig([sums('a'), sums('b')], undefined, { upcasting });
    await rig.append('counter-1', raised(1));
    await rig.runner.start();
    expect(await rig.runner.waitFor(1n, 5_000)).toBe(true);
    expect([rig.value('a', 'counter-1'), rig.value('b', 'counter-1'), lifted]).toEqual([100, 100, 1]);
    await rig.close();
  });

  it('waits no longer than it was told, and not at all for zero', async () => {
    const rig = new Rig([sums('a')]);
    await rig.runner.start();
    expect(await rig.runner.waitFor(0n, 0)).toBe(true);
    expect(await rig.runner.waitFor(1n, 0)).toBe(false);
    expect(await rig.runner.waitFor(1n, 5)).toBe(false);
    await rig.close();
  });

  it('lets go of who waits when it stops', async () => {
    const rig = new Rig([sums('a')]);
    await rig.runner.start();
    const waiting = rig.runner.waitFor(1n, 60_000);
    await rig.runner.stop();
    expect(await waiting).toBe(false);
    expect(await rig.runner.waitFor(1n, 60_000)).toBe(false);
    expect(await rig.runner.release('a')).toBe(false);
    await rig.store.close();
  });

  it('stops also where no checkpoint can be saved any more', async () => {
    let full = false;
    class FullDisk extends MemoryReadDatabase {
      override open(projection: Parameters<MemoryReadDatabase['open']>[0]): ReadModel {
        const model = super.open(projection);
        const commit = model.commit.bind(model);
        model.commit = (checkpoint, work) => {
          if (full) throw new ReadModelUnavailableError('the disk is full');
          commit(checkpoint, work);
        };
        return model;
      }
    }
    const rig = new Rig([sums('a')], undefined, {}, new FullDisk());
    await rig.runner.start();
    expect(await rig.runner.waitFor(await rig.append('counter-1', raised(1)), 5_000)).toBe(true);
    const passedOver = await rig.append('counter-1', { ...raised(0), type: 'Unheard' });
    expect(await rig.runner.waitFor(passedOver, 5_000)).toBe(true);
    full = true;
    await expect(rig.runner.stop()).resolves.toBeUndefined();
    await rig.store.close();
  });

  it('does not leave a half-built model behind when it stops', async () => {
    const rig = new Rig([sums('a')], undefined, { maxBatch: 1 });
    await rig.append('counter-1', raised(1), raised(2));
    await rig.runner.start();
    const rebuilding = rig.runner.rebuild('a');
    const [outcome] = await Promise.allSettled([rebuilding, rig.runner.stop()]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'stopped while a was being rebuilt' } });
    await rig.store.close();
  });

  it('knows its projections by name, each name once', async () => {
    const rig = new Rig([sums('a')]);
    expect(() => rig.runner.model('b')).toThrow(RangeError);
    await expect(rig.runner.release('b')).rejects.toThrow(RangeError);
    expect(() => new Rig([sums('a'), sums('a')])).toThrow('two projections are named a');
    await rig.close();
  });

  it('runs without projections and without anybody to tell', async () => {
    const store = new InMemoryEventStore();
    const runner = new ProjectionRunner(store, new MemoryReadDatabase(), []);
    await runner.start();
    expect(await runner.waitFor(99n, 10)).toBe(true);
    await runner.stop();
    const poisoned = new ProjectionRunner(store, new MemoryReadDatabase(), [sums('a', () => true)]);
    await store.append('counter-1', -1, [raised(1)]);
    await poisoned.start();
    expect(await poisoned.waitFor(1n, 5_000)).toBe(false);
    await poisoned.stop();
    await store.close();
  });

  it('takes up a broken feed behind the last batch, and a broken read as well', async () => {
    class Failing extends InMemoryEventStore {
      failures = 2;
      override subscribeToAll(
        after: bigint,
        handler: (batch: readonly RecordedEvent[]) => Promise<void>,
        options: { readonly maxBatch?: number } = {},
      ): Subscription {
        if (this.failures-- > 0) throw new StoreUnavailableError('away');
        return super.subscribeToAll(after, handler, options);
      }
      override readAll(after: bigint, limit: number): Promise<RecordedEvent[]> {
        return this.failures-- > 0 ? Promise.reject(new StoreUnavailableError('away')) : super.readAll(after, limit);
      }
    }
    const store = new Failing();
    const rig = new Rig([sums('a')], store);
    await rig.append('counter-1', raised(1));
    await rig.runner.start();
    expect(await rig.runner.waitFor(1n, 5_000)).toBe(true);
    store.failures = 1;
    await rig.runner.rebuild('a');
    expect(rig.value('a', 'counter-1')).toBe(1);
    expect(rig.alarms.map(({ kind }) => kind)).toEqual(['feed-broken', 'feed-broken', 'feed-broken']);
    await rig.close();
  });

  it('lets others have their turn during a long catch-up', async () => {
    const slow = sums('slow', () => {
      const until = performance.now() + 1;
      while (performance.now() < until);
      return false;
    });
    const rig = new Rig([slow], undefined, { maxBatch: 10 });
    const position = await rig.append('counter-1', ...Array.from({ length: 60 }, () => raised(1)));
    await rig.runner.start();
    let turns = 0;
    const count = (): void => {
      turns += 1;
      if (!rig.runner.caughtUp()) setImmediate(count);
    };
    count();
    expect(await rig.runner.waitFor(position, 5_000)).toBe(true);
    expect(turns).toBeGreaterThanOrEqual(6);
    await rig.close();
  });

  describe('models that are built beside the feed', () => {
    const EVENTS = 400;
    let rig: Rig;
    let position: bigint;
    let turn = 0;
    /** The turns in which a model was applied to. */
    let turnsOf: Map<string, Set<number>>;
    let next: NodeJS.Immediate;
    let clock: { mockRestore(): void };
    beforeEach(async () => {
      const store = new InMemoryEventStore();
      const database = new KeepingDatabase();
      const before = new Rig([sums('fed')], store, {}, database);
      position = await before.append('counter-1', ...Array.from({ length: EVENTS }, () => raised(1)));
      await before.runner.start();
      expect(await before.runner.waitFor(position, 5_000)).toBe(true);
      await before.runner.stop();
      turnsOf = new Map();
      const watched = ['a', 'b', 'c', 'd', 'e'].map((name) =>
        sums(name, () => {
          turnsOf.set(name, (turnsOf.get(name) ?? new Set()).add(turn));
          return false;
        }),
      );
      rig = new Rig([sums('fed'), ...watched], store, {}, database);
      // A turn is over whenever it is asked: how fast this machine is does not matter.
      let now = performance.now();
      clock = jest.spyOn(performance, 'now').mockImplementation(() => (now += 1_000));
      next = setImmediate(function count() {
        turn += 1;
        next = setImmediate(count);
      });
    });
    afterEach(async () => {
      clock.mockRestore();
      clearImmediate(next);
      await rig.close();
    });

    it('let others have their turn between one and the next', async () => {
      await rig.runner.start();
      expect(await rig.runner.waitFor(position, 5_000)).toBe(true);
      expect(new Set([...turnsOf.values()].flatMap((turns) => [...turns])).size).toBe(turnsOf.size);
    });

    it('are passed over where they were built anew meanwhile', async () => {
      await rig.runner.start();
      await rig.runner.rebuild('e');
      expect(turnsOf.has('d')).toBe(false);
      expect(await rig.runner.waitFor(position, 5_000)).toBe(true);
      expect([rig.value('d', 'counter-1'), rig.value('e', 'counter-1')]).toEqual([EVENTS, EVENTS]);
      expect(turnsOf.get('e')?.size).toBe(1);
      const later = await rig.append('counter-1', raised(1));
      expect(await rig.runner.waitFor(later, 5_000)).toBe(true);
      expect(rig.value('e', 'counter-1')).toBe(EVENTS + 1);
    });
  });
});

describe('applying to a model', () => {
  it('does nothing for an empty batch or old positions', () => {
    const model = new MemoryReadDatabase().open(counterValues);
    const events = [recordedEvent('counter-1', 0, { type: 'Raised', data: { by: 1 } })];
    expect(applyToModel(counterValues, model, [], (event) => event)).toBe(false);
    expect(applyToModel(counterValues, model, events, (event) => event)).toBe(true);
    expect(applyToModel(counterValues, model, events, (event) => event)).toBe(false);
    expect(model.get('SELECT value FROM value')).toMatchObject({ value: 1 });
    model.close();
  });
});
