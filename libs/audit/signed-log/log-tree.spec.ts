import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { InMemoryEventStore, recordedEvent } from '#kernel-testing';
import { applyToModel, type EventStore, lastEventOf, newId, type RecordedEvent, Upcasting } from '#kernel';
import { CHECKPOINT_STREAM } from '#evidence/format';
import { MemoryReadDatabase } from '#read-database';
import { NoteSigner, openCheckpoint } from '#tlog';
import type { Instance } from './instance.fixture.js';
import { freshScenes, grow, signedSizes } from './instance.fixture.js';
import type { LogSigningOptions } from './log-signing.js';
import { logTree } from './log-tree.projection.js';

const logged = (count: number): RecordedEvent[] => {
  const revisions = new Map<string, number>();
  return Array.from({ length: count }, (_, at) => {
    const stream = `need-${(at * at) % 37}`;
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    return recordedEvent(stream, revision, { type: 'NeedNoted', data: { at } }, {}, BigInt(2 * at + 1));
  });
};

/** Every row of the tree, where the log is applied in batches of these sizes, over and over. */
const treeOf = (events: readonly RecordedEvent[], sizes: readonly number[]): object => {
  const model = new MemoryReadDatabase().open(logTree);
  for (let from = 0, batch = 0; from < events.length; batch += 1) {
    const size = sizes[batch % sizes.length]!;
    applyToModel(logTree, model, events.slice(from, from + size), (event) => event);
    from += size;
  }
  return {
    leaves: model.all('SELECT seq, hex(event_id), stream, revision, hex(entry_hash) FROM leaf ORDER BY seq'),
    tiles: model.all('SELECT level, n, hex(sixteenths), hex(hashes) FROM tile ORDER BY level, n'),
  };
};

describe('the tree over the log', () => {
  const events = logged(700);

  it('is the same to the byte however the log is read, and built anew', () => {
    const whole = treeOf(events, [700]);
    expect(treeOf(events, [1])).toEqual(whole);
    expect(treeOf(events, [255, 2, 19])).toEqual(whole);
  });

  it('is of the events as they were recorded: neither an upcaster nor a newer version changes it', () => {
    const upcasting = new Upcasting([{ type: 'NeedNoted', from: 1, up: () => ({ lifted: true }) }], {
      need: { NeedNoted: 2 },
    });
    const model = new MemoryReadDatabase().open(logTree);
    const unknown = recordedEvent('later-1', 0, { type: 'NobodyKnows', data: {} }, { schema: 7 }, 9_999n);
    applyToModel(logTree, model, [...events, unknown], (event) => upcasting.lift(event));
    const plain = new MemoryReadDatabase().open(logTree);
    applyToModel(logTree, plain, [...events, unknown], (event) => event);
    const tiles = 'SELECT hex(sixteenths), hex(hashes) FROM tile ORDER BY level, n';
    expect(model.all(tiles)).toEqual(plain.all(tiles));
  });

  it('stops where a revision is missing, or an event has no form that proves it', () => {
    const model = new MemoryReadDatabase().open(logTree);
    const apply = (event: RecordedEvent) => () => applyToModel(logTree, model, [event], (each) => each);
    expect(apply(recordedEvent('need-1', 1, { type: 'NeedNoted', data: {} }))).toThrow(
      'revision 1 of need-1 stands in the log without the one before it',
    );
    const half = recordedEvent('need-1', 0, { type: 'NeedNoted', data: { half: 0.5 } });
    expect(apply(half)).toThrow('"/data/half" is not a whole number');
    expect(apply(recordedEvent('need-1', 0, { type: 'NeedNoted', data: {} }, { salt: '' }))).toThrow('the salt is not');
    expect(model.get('SELECT count(*) AS leaves FROM leaf')).toEqual({ leaves: 0 });
  });
});

describe('checkpoints', () => {
  const signer = NoteSigner.generate('log.example/test');
  let store: InMemoryEventStore;
  let copyTo: string;
  const made = freshScenes((fresh) => {
    ({ store, copyTo } = fresh);
  });
  const instance = (options: Partial<LogSigningOptions> = {}, on: EventStore = store): Promise<Instance> =>
    made(on, { signer, ...options }).start();

  it('are recorded and copied outside before anybody is told, and only where the tree has grown', async () => {
    const one = await instance({ copyTo });
    expect(await one.sign()).toBeUndefined();
    await grow(store, 3);
    await one.sign();
    await one.sign();
    expect(await signedSizes(store)).toEqual([0, 3]);
    const { note } = (await lastEventOf(store, CHECKPOINT_STREAM))!.data as { note: string };
    expect(readFileSync(copyTo, 'utf8')).toBe(note);
    expect(openCheckpoint(Buffer.from(note), 'log.example/test', [signer.verifier]).checkpoint.size).toBe(3);
    expect(one.alarms).toEqual([]);
  });

  it('of several instances go one way: no size is signed twice', async () => {
    const instances = [await instance(), await instance(), await instance()];
    for (const count of [1, 2, 5]) {
      await grow(store, count);
      expect(await Promise.all(instances.map((each) => each.sign()))).toEqual([undefined, undefined, undefined]);
    }
    const sizes = await signedSizes(store);
    expect(sizes).toEqual([...new Set(sizes)].sort((a, b) => a - b));
    expect(sizes.at(-1)).toBe(8);
  });

  it('go on where they were after a restart', async () => {
    await grow(store, 2);
    await (await instance({ copyTo })).sign();
    await grow(store, 2);
    expect(await (await instance({ copyTo })).sign()).toBeUndefined();
    expect(await signedSizes(store)).toEqual([2, 4]);
  });

  it('are not signed of a log that was put back in time, and the copy outside stays as it is', async () => {
    await grow(store, 5);
    await (await instance({ copyTo })).sign();
    const copy = readFileSync(copyTo, 'utf8');
    const older = new InMemoryEventStore();
    for (const { stream, revision, ...event } of (await store.readAll(0n, 3)).slice(0, 3))
      await older.append(stream, revision - 1, [event]);
    const restored = await instance({ copyTo }, older);
    const trouble = '5 events were signed (in the copy outside), the log holds 3: it was put back in time';
    expect(await restored.sign()).toBe(trouble);
    expect(await restored.sign()).toBe(trouble);
    await grow(older, 4);
    expect(await restored.sign()).toBe(
      'the first 5 events are not those that were signed (in the copy outside): the log was altered',
    );
    // At start, once its tree is there, and as another log.
    expect(restored.alarms).toHaveLength(3);
    expect(await signedSizes(older)).toEqual([]);
    expect(readFileSync(copyTo, 'utf8')).toBe(copy);
  });

  it('are not signed of a log in which an event was altered', async () => {
    await grow(store, 3);
    await (await instance()).sign();
    const altered = new InMemoryEventStore();
    for (const { stream, revision, ...event } of await store.readAll(0n, 10))
      await altered.append(stream, revision - 1, [revision === 1 ? { ...event, data: { at: 'another' } } : event]);
    const last = (await lastEventOf(store, CHECKPOINT_STREAM))!;
    await altered.append(CHECKPOINT_STREAM, -1, [
      { id: newId(), type: last.type, data: last.data, metadata: last.metadata },
    ]);
    await grow(altered, 1);
    const one = await instance({}, altered);
    expect(await one.sign()).toBe(
      'the first 3 events are not those that were signed (in its own record): the log was altered',
    );
    expect(await signedSizes(altered)).toEqual([3]);
  });

  it('are not signed by another key than those before', async () => {
    await grow(store, 1);
    await (await instance({ copyTo })).sign();
    const other = await instance({ signer: NoteSigner.generate('log.example/test') });
    expect(await other.sign()).toBe('the note is signed by none of the keys asked for');
    writeFileSync(copyTo, 'nothing of the kind');
    expect(await (await instance({ copyTo })).sign()).toBe('the note has no empty line before its signatures');
  });

  it('say that the copy outside cannot be written, and try again', async () => {
    const nowhere = join(dirname(copyTo), 'not-there', 'checkpoint');
    const one = await instance({ copyTo: nowhere });
    await grow(store, 1);
    expect(await one.sign()).toContain('ENOENT');
    expect(await one.sign()).toContain('ENOENT');
    expect(await signedSizes(store)).toEqual([1]);
    expect(one.alarms).toHaveLength(1);
  });
});
