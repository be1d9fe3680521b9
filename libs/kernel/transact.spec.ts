import type { CounterCommand } from '#kernel-testing';
import { ANYONE, counter, InMemoryEventStore, recordedEvent, stateAfter } from '#kernel-testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock } from './clock.js';
import type { CommandContext } from './decider.js';
import { StoreUnavailableError, WrongRevisionError } from './event-store.js';
import { SYSTEM_PROCESS, SYSTEM_TIMER } from './events.js';
import { eventIdOf, isUuid, newId, requestHashOf } from './ids.js';
import type { CommandMeta } from './transact.js';
import { ContentionError, emptyFold, foldOnto, Transactor } from './transact.js';
import { NewerEventError, Upcasting } from './upcasting.js';

const START = '2026-01-05T09:00:00.000Z';

const meta = (more: Partial<CommandMeta> = {}): CommandMeta => ({
  commandId: newId(),
  correlationId: 'the-correlation',
  causationId: null,
  actor: ANYONE,
  ...more,
});

const raise =
  (amount: number) =>
  (by: CommandContext): CounterCommand => ({ type: 'Raise', amount, by });
const raiseTo =
  (to: number) =>
  (by: CommandContext): CounterCommand => ({ type: 'RaiseTo', to, by });
const raiseTwice =
  (amount: number) =>
  (by: CommandContext): CounterCommand => ({ type: 'RaiseTwice', amount, by });

const rig = () => {
  const store = new InMemoryEventStore();
  const clock = new ManualClock(START);
  return { store, clock, transactor: new Transactor(store, clock) };
};

describe('transact', () => {
  it('loads, decides and appends, with everything said beside the data', async () => {
    const { store, transactor } = rig();
    const of = meta({ causationId: 'the-cause', effectiveAt: '2025-12', request: '{"amount":5}' });
    const outcome = await transactor.transact(counter, '1', raiseTwice(5), of);
    expect(outcome).toMatchObject({
      kind: 'written',
      revision: 1,
      position: 2n,
      folded: { state: { value: 10 }, revision: 1 },
    });
    const events = await store.readStream('counter-1', 0, 9);
    expect(events.map(({ id }) => id)).toEqual([0, 1].map((index) => eventIdOf('counter-1', of.commandId, index)));
    for (const { type, data, metadata } of events) {
      expect([type, data]).toEqual(['Raised', { by: 5 }]);
      const { salt, requestHash, ...rest } = metadata;
      expect(rest).toEqual({
        commandId: of.commandId,
        correlationId: 'the-correlation',
        causationId: 'the-cause',
        actor: ANYONE,
        effectiveAt: '2025-12',
        recordedAt: START,
        schema: 1,
      });
      expect(requestHash).toBe(requestHashOf(salt, '{"amount":5}'));
      expect(isUuid(events[0]?.id ?? '')).toBe(true);
    }
  });

  it('takes the server clock where no moment is claimed, and hashes nothing without a request', async () => {
    const { store, transactor } = rig();
    await transactor.transact(counter, '1', raise(5), meta());
    const [event] = await store.readStream('counter-1', 0, 1);
    expect(event?.metadata.effectiveAt).toBe(START);
    expect(event?.metadata).not.toHaveProperty('requestHash');
  });

  it('writes nothing where what was asked for holds already', async () => {
    const { store, transactor } = rig();
    await transactor.transact(counter, '1', raiseTo(5), meta());
    expect(await transactor.transact(counter, '1', raiseTo(5), meta())).toMatchObject({
      kind: 'unchanged',
      revision: 0,
      position: 1n,
    });
    expect(await store.head()).toBe(1n);
  });

  it('answers a refusal as data and writes nothing', async () => {
    const { store, transactor } = rig();
    const outcome = await transactor.transact(counter, '1', raise(101), meta());
    expect(outcome).toMatchObject({
      kind: 'refused',
      rejection: { code: 'too-high', field: 'by' },
      folded: { revision: -1 },
    });
    expect(await store.head()).toBe(0n);
  });

  it('the same command id writes once and finds its own receipt, whatever came after it (I15)', async () => {
    const { store, transactor, clock } = rig();
    const of = meta({ request: 'r' });
    await transactor.transact(counter, '1', raiseTwice(5), of);
    await transactor.transact(counter, '1', raise(1), meta());
    for (const asking of [transactor, new Transactor(store, clock)]) {
      expect(await asking.transact(counter, '1', raiseTwice(5), of)).toMatchObject({
        kind: 'repeated',
        revision: 1,
        position: 2n,
        folded: { state: { value: 11 } },
      });
      expect(await asking.transact(counter, '1', raise(99), { ...of, request: 'another' })).toMatchObject({
        kind: 'key-reused',
      });
    }
    expect(await store.head()).toBe(3n);
  });

  it('the same command id sent side by side writes once', async () => {
    const { store, transactor, clock } = rig();
    const of = meta();
    const outcomes = await Promise.all(
      [transactor, new Transactor(store, clock), transactor].map((asking) =>
        asking.transact(counter, '1', raiseTwice(5), of),
      ),
    );
    expect(new Set(outcomes.map((outcome) => ('revision' in outcome ? outcome.revision : undefined)))).toEqual(
      new Set([1]),
    );
    expect(await store.head()).toBe(2n);
  });

  it('decides again on fresh state after a conflict: nothing is lost and no rule broken', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 12 }), async (amounts) => {
        const { transactor } = rig();
        const outcomes = await Promise.all(
          amounts.map((amount) => transactor.transact(counter, '1', raise(amount), meta())),
        );
        const written = amounts.filter((_, index) => outcomes[index]?.kind === 'written');
        const { state } = await transactor.load(counter, '1');
        expect(state.value).toBe(written.reduce((sum, amount) => sum + amount, 0));
        expect(state.value).toBeLessThanOrEqual(100);
      }),
      { numRuns: 30 },
    );
  });

  it('of one process on one stream go one after the other, refused ones too: none decides twice, and other streams go on', async () => {
    let appends = 0;
    let opened = (): void => undefined;
    const shut = new Promise<void>((resolve) => (opened = resolve));
    const store = new (class extends InMemoryEventStore {
      override async append(...args: Parameters<InMemoryEventStore['append']>) {
        appends += 1;
        if (args[0] === 'counter-shut') await shut;
        return super.append(...args);
      }
    })();
    const transactor = new Transactor(store, new ManualClock(START));
    const shutUp = transactor.transact(counter, 'shut', raise(1), meta());
    const many = Array.from({ length: 50 }, (_, n) =>
      transactor.transact(counter, '1', raise(n % 10 === 3 ? 101 : 1), meta()),
    );
    const kinds = (await Promise.all(many)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'written')).toHaveLength(45);
    expect(kinds.filter((kind) => kind === 'refused')).toHaveLength(5);
    expect(appends).toBe(46);
    opened();
    expect((await shutUp).kind).toBe('written');
  });

  it('goes on with a stream after a command on it that failed', async () => {
    const { store, transactor } = rig();
    const failing = transactor.transact(
      counter,
      '1',
      () => {
        throw new RangeError('no command at all');
      },
      meta(),
    );
    const next = transactor.transact(counter, '1', raise(1), meta());
    await expect(failing).rejects.toThrow('no command at all');
    expect((await next).kind).toBe('written');
    expect(await store.head()).toBe(1n);
  });

  describe('on a fold at hand', () => {
    const watched = () => {
      const made = rig();
      const { store, clock } = made;
      const read: number[] = [];
      const readStream = store.readStream.bind(store);
      store.readStream = (stream, from, limit) => {
        read.push(from);
        return readStream(stream, from, limit);
      };
      return { ...made, read, another: new Transactor(store, clock) };
    };

    it('appends without a read, and folds what it wrote as a read would', async () => {
      const { transactor, another, read } = watched();
      const nothing = emptyFold(counter.initial);
      const first = await transactor.transact(counter, '1', raiseTwice(5), meta({ once: true }), { known: nothing });
      const then = await transactor.transact(counter, '1', raise(1), meta({ once: true, effectiveAt: '2025' }));
      expect(read).toEqual([]);
      expect([first, then].map(({ kind }) => kind)).toEqual(['written', 'written']);
      expect(then.folded).toEqual(await another.load(counter, '1'));
      expect(await transactor.load(counter, '1')).toEqual(then.folded);
      expect(read).toEqual([0, 3]);
    });

    it('reads what it wrote where others may send the same command', async () => {
      const { transactor, read } = watched();
      await transactor.transact(counter, '1', raise(5), meta(), { known: emptyFold(counter.initial) });
      expect(read).toEqual([0]);
    });

    it('takes the newer of the fold it is given and the fold it keeps', async () => {
      const { transactor, read } = watched();
      const nothing = emptyFold(counter.initial);
      await transactor.transact(counter, '1', raise(5), meta({ once: true }), { known: nothing });
      expect(await transactor.transact(counter, '1', raise(5), meta({ once: true }), { known: nothing })).toMatchObject(
        { kind: 'written', revision: 1, folded: { state: { value: 10 } } },
      );
      expect(read).toEqual([]);
    });

    it.each([
      ['an append that conflicts', raise(5), {}, { kind: 'written', folded: { state: { value: 100 } } }],
      ['a refusal', raise(96), {}, { kind: 'refused', folded: { state: { value: 95 } } }],
      ['nothing to write', raiseTo(90), {}, { kind: 'unchanged', folded: { state: { value: 95 } } }],
      ['a revision that came later', raise(1), { ifMatch: 1 }, { kind: 'written', folded: { state: { value: 96 } } }],
    ])('decides on what was read after %s', async (_what, command, more, outcome) => {
      const { transactor, another } = watched();
      await transactor.transact(counter, '1', raise(90), meta());
      await another.transact(counter, '1', raise(5), meta());
      expect(await transactor.transact(counter, '1', command, meta({ once: true, ...more }))).toMatchObject(outcome);
    });

    it('a refusal that no longer holds is not given', async () => {
      const { transactor, another } = watched();
      await transactor.transact(counter, '1', raise(100), meta());
      await another.transact(counter, '1', raise(-50), meta());
      expect(await transactor.transact(counter, '1', raise(20), meta())).toMatchObject({ kind: 'written' });
    });

    it('a command that another instance has written is repeated, or another request under the same key (I15)', async () => {
      const { store, transactor, another, clock } = watched();
      const third = new Transactor(store, clock);
      for (const asking of [transactor, another, third]) await asking.load(counter, '1');
      const of = meta({ request: 'r' });
      const known = emptyFold(counter.initial);
      await transactor.transact(counter, '1', raise(5), of, { known });
      const again = { known: emptyFold(counter.initial) };
      expect(await another.transact(counter, '1', raise(5), of, again)).toMatchObject({
        kind: 'repeated',
        revision: 0,
      });
      expect(
        await third.transact(counter, '1', raise(5), { ...of, request: 's' }, { known: emptyFold(counter.initial) }),
      ).toMatchObject({ kind: 'key-reused' });
      expect(await store.head()).toBe(1n);
    });
  });

  it('gives up after its attempts with a conflict that never ends', async () => {
    const { store, transactor } = rig();
    store.append = () => Promise.reject(new WrongRevisionError('counter-1', -1, 0));
    await expect(transactor.transact(counter, '1', raise(1), meta(), { attempts: 3 })).rejects.toThrow(ContentionError);
    await expect(transactor.transact(counter, '1', raise(1), meta())).rejects.toThrow('under 20 attempts');
  });

  it('hands on what the store cannot do', async () => {
    const { store, transactor } = rig();
    store.append = () => Promise.reject(new StoreUnavailableError('disk full'));
    await expect(transactor.transact(counter, '1', raise(1), meta())).rejects.toThrow(StoreUnavailableError);
  });

  describe('If-Match', () => {
    it('holds at the newest revision, and at an older one where only a process wrote since', async () => {
      const { transactor } = rig();
      await transactor.transact(counter, '1', raise(1), meta());
      await transactor.transact(counter, '1', raise(1), meta({ actor: SYSTEM_PROCESS }));
      expect(await transactor.transact(counter, '1', raise(1), meta({ ifMatch: 0 }))).toMatchObject({
        kind: 'written',
      });
      expect(await transactor.transact(counter, '1', raise(1), meta({ ifMatch: 2 }))).toMatchObject({
        kind: 'written',
      });
    });

    it.each([
      ['a person', ANYONE],
      ['the timer', SYSTEM_TIMER],
    ])('is stale where %s wrote since', async (_who, actor) => {
      const { transactor } = rig();
      await transactor.transact(counter, '1', raise(1), meta());
      await transactor.transact(counter, '1', raise(1), meta({ actor }));
      expect(await transactor.transact(counter, '1', raise(1), meta({ ifMatch: 0 }))).toMatchObject({ kind: 'stale' });
    });

    it('is stale where the revision does not exist', async () => {
      const { transactor } = rig();
      await transactor.transact(counter, '1', raise(1), meta());
      expect(await transactor.transact(counter, '1', raise(1), meta({ ifMatch: 1 }))).toMatchObject({ kind: 'stale' });
      expect(await transactor.transact(counter, '2', raise(1), meta({ ifMatch: 0 }))).toMatchObject({ kind: 'stale' });
    });

    it('does not hinder a repeat', async () => {
      const { transactor } = rig();
      await transactor.transact(counter, '1', raise(1), meta());
      const of = meta({ ifMatch: 0 });
      await transactor.transact(counter, '1', raise(1), of);
      expect(await transactor.transact(counter, '1', raise(1), of)).toMatchObject({ kind: 'repeated', revision: 1 });
    });
  });

  it.each([
    ['an event type', { type: 'Halved', data: {} }, 1],
    ['a schema', { type: 'Raised', data: { by: 1 } }, 2],
  ])('refuses to decide over %s that is newer than the code', async (_what, event, schema) => {
    const { store, transactor } = rig();
    const newer = recordedEvent('counter-1', 0, event, { schema });
    await store.append('counter-1', -1, [{ ...newer, id: newId() }]);
    await expect(transactor.transact(counter, '1', raise(1), meta())).rejects.toThrow(NewerEventError);
    const { state, revision } = await transactor.load(counter, '1');
    expect([state, revision]).toEqual([{ value: 0 }, 0]);
  });

  it('shows no record over which a newer version wrote, once it is told everything that this one knows', async () => {
    const { store, clock } = rig();
    const transactor = new Transactor(store, clock, new Upcasting([], { counter: counter.schemas }));
    const write = (stream: string, revision: number, type: string, schema = 1): Promise<unknown> =>
      store.append(stream, revision - 1, [
        { ...recordedEvent(stream, revision, { type, data: { by: 1 } }, { schema }), id: newId() },
      ]);
    // A fold that looks at one type alone is not in doubt about the others.
    const raisedOnly = { ...counter, schemas: { Raised: 1 } as unknown as typeof counter.schemas };
    await write('counter-1', 0, 'Raised');
    await write('counter-1', 1, 'Noted');
    expect((await transactor.load(raisedOnly, '1')).state).toEqual({ value: 1 });
    await write('counter-1', 2, 'Halved');
    await write('counter-2', 0, 'Raised', 2);
    for (const load of [
      transactor.load(counter, '1'),
      transactor.load(raisedOnly, '1'),
      transactor.load(counter, '2'),
      // What was written before under the same command is no answer either: it would be shown.
      transactor.transact(counter, '1', raise(1), meta()),
    ])
      await expect(load).rejects.toThrow(NewerEventError);
  });

  it('lifts old events before it folds them', async () => {
    const { store, clock } = rig();
    const upcasting = new Upcasting([
      { type: 'Raised', from: 1, up: (data) => ({ by: (data as { by: number }).by * 10 }) },
    ]);
    const lifting = new Transactor(store, clock, upcasting);
    const decider = { ...counter, schemas: { ...counter.schemas, Raised: 2 } };
    await store.append('counter-1', -1, [
      { ...recordedEvent('counter-1', 0, { type: 'Raised', data: { by: 2 } }), id: newId() },
    ]);
    expect((await lifting.load(decider, '1')).state.value).toBe(20);
  });

  it('folds streams longer than a page, and from the cache only what is new', async () => {
    const { store, transactor } = rig();
    const { type, data, metadata } = recordedEvent('counter-1', 0, { type: 'Raised', data: { by: 1 } });
    const some = (count: number) => Array.from({ length: count }, () => ({ id: newId(), type, data, metadata }));
    await store.append('counter-1', -1, some(1_000));
    expect((await transactor.load(counter, '1')).state.value).toBe(1_000);
    await store.append('counter-1', 999, some(1));
    const read: number[] = [];
    const readStream = store.readStream.bind(store);
    store.readStream = (stream, from, limit) => {
      read.push(from);
      return readStream(stream, from, limit);
    };
    expect((await transactor.load(counter, '1')).state.value).toBe(1_001);
    expect(read).toEqual([1_000]);
  });

  it('never replaces a newer fold in the cache by an older one', async () => {
    const { store, transactor } = rig();
    await Promise.all([1, 2, 3].map((amount) => transactor.transact(counter, '1', raise(amount), meta())));
    const loads = await Promise.all([1, 2, 3].map(() => transactor.load(counter, '1')));
    expect(new Set(loads.map(({ revision }) => revision))).toEqual(new Set([2]));
    expect(await store.head()).toBe(3n);
  });
});

describe('folding', () => {
  it('keeps what a receipt needs of every command, and the newest event of a person', () => {
    const folded = foldOnto(counter, emptyFold(counter.initial), [
      recordedEvent(
        'counter-1',
        0,
        { type: 'Raised', data: { by: 1 } },
        { commandId: 'a', salt: 's', requestHash: 'h' },
      ),
      recordedEvent('counter-1', 1, { type: 'Noted', data: { text: '' } }, { commandId: 'a', salt: 't' }),
      recordedEvent('counter-1', 2, { type: 'Raised', data: { by: 1 } }, { commandId: 'b', actor: SYSTEM_PROCESS }),
    ]);
    expect(folded.commands.get('a')).toEqual({ revision: 1, position: 2n, salt: 's', requestHash: 'h' });
    expect([folded.revision, folded.position, folded.settledRevision]).toEqual([2, 3n, 1]);
    expect(folded).not.toHaveProperty('newer');
  });

  it('remembers the first event it is too old for, and folds the others', () => {
    const folded = foldOnto(counter, emptyFold(counter.initial), [
      recordedEvent('counter-1', 0, { type: 'Unknown', data: {} }),
      recordedEvent('counter-1', 1, { type: 'Raised', data: { by: 1 } }, { schema: 9 }),
      recordedEvent('counter-1', 2, { type: 'Raised', data: { by: 1 } }),
    ]);
    expect([folded.newer, folded.state]).toEqual([{ type: 'Unknown', schema: 1 }, { value: 1 }]);
  });

  it('is the same in one go and page by page', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 })), fc.nat(), (amounts, cut) => {
        const events = amounts.map((by, index) =>
          recordedEvent('counter-1', index, { type: 'Raised', data: { by } } as const),
        );
        const whole = foldOnto(counter, emptyFold(counter.initial), events);
        const first = foldOnto(counter, emptyFold(counter.initial), events.slice(0, cut));
        expect(foldOnto(counter, first, events.slice(cut))).toEqual(whole);
        expect(
          stateAfter(
            counter,
            amounts.map((by) => ({ type: 'Raised', data: { by } })),
          ),
        ).toEqual(whole.state);
      }),
    );
  });
});
