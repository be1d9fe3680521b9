import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock, newId, StoreUnavailableError, technicalEvent } from '#kernel';
import { InMemoryEventStore } from '#kernel-testing';
import { EMPTY_ROOT, leafHash, NoteSigner, signCheckpoint } from '#tlog';
import type { Health, HealthCheck } from '#web';
import type { Signed } from './checkpoints.js';
import { LogSigning } from './log-signing.js';
import type { LogTree } from './log-tree.js';
import { StubWitness } from './stub-witness.fixture.js';
import { COSIGNED_STREAM, Witnesses } from './witnesses.js';

const log = NoteSigner.generate('log.example/test');
const signed = (size: number): Signed => {
  const root = size === 0 ? EMPTY_ROOT : leafHash(Buffer.from(String(size)));
  return { size, root, note: signCheckpoint(log, size, root) };
};

describe('witnesses', () => {
  let stubs: [StubWitness, StubWitness];
  let store: InMemoryEventStore;
  let clock: ManualClock;
  let alarms: string[];
  let check: () => Promise<readonly HealthCheck[]>;
  let witnesses: Witnesses;
  /** How far the tree of this instance is built. */
  let built: number;
  let tree: 'whole' | 'gone';
  beforeEach(async () => {
    const stub = (name: string): Promise<StubWitness> =>
      new StubWitness(NoteSigner.generate(name, 'cosignature')).start();
    stubs = [await stub('w1'), await stub('w2')];
    store = new InMemoryEventStore();
    clock = new ManualClock('2026-11-29T09:00:00.000Z');
    alarms = [];
    built = 100;
    tree = 'whole';
    const signing = new LogSigning({
      signer: log,
      witnesses: { witnesses: stubs.map(({ address }) => address), quorum: 2 },
      alarm: (trouble) => alarms.push(trouble),
    });
    const stubTree = {
      get size() {
        return built;
      },
      consistency: () => {
        if (tree === 'gone') throw new Error('the tree has no tile 0 at level 0');
        return [];
      },
    } as unknown as LogTree;
    const health = { add: (checks: typeof check) => (check = checks) } as unknown as Health;
    witnesses = new Witnesses(store, stubTree, signing, clock, health);
    witnesses.onApplicationBootstrap();
  });
  afterEach(async () => {
    await witnesses.onModuleDestroy();
    for (const stub of stubs) stub.close();
  });

  const cosigning = (size: number): void => {
    for (const stub of stubs) stub.answers = [[200, stub.lineOf(signed(size).note)]];
  };
  const show = (size: number): Promise<void> => witnesses.show(async () => signed(size));

  it('that took part are asked nothing more of a checkpoint', async () => {
    cosigning(9);
    await show(9);
    await show(9);
    expect(witnesses.cosigned?.size).toBe(9);
    expect(stubs.map(({ oldSizes }) => oldSizes)).toEqual([[0], [0]]);
    expect(await store.readStream(COSIGNED_STREAM, 0, 10)).toHaveLength(1);
  });

  it('are asked for one checkpoint at a time: who calls meanwhile waits for the next', async () => {
    cosigning(9);
    const sizes = [9, 9, 9];
    let asked = 0;
    const newest = async (): Promise<Signed> => signed(sizes[asked++]!);
    await Promise.all([witnesses.show(newest), witnesses.show(newest), witnesses.show(newest)]);
    expect(asked).toBe(1);
  });

  it('that know of more than this instance are not ahead where another instance has signed that', async () => {
    for (const stub of stubs) stub.answers = [[409, '12\n']];
    let reads = 0;
    await witnesses.show(async () => signed((reads += 1) === 1 ? 9 : 12));
    expect(alarms).toEqual([]);
    expect((await check())[0]).toMatchObject({ ok: true, detail: { w1: 'cosigned 12' } });
    await show(9);
    expect(alarms).toEqual(
      ['w1', 'w2'].map((name) => `witness ${name} cosigned 12 events, the log has signed 9: it was put back in time`),
    );
  });

  it('that do not answer are an alarm once, from the third time on, and are asked after pauses up to a minute', async () => {
    cosigning(9);
    stubs[1].answers = [[503, '']];
    const pauses = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000];
    for (const [failed, pause] of pauses.entries()) {
      await show(9);
      expect(stubs[1].oldSizes).toHaveLength(failed + 1);
      expect(alarms).toEqual(failed < 2 ? [] : ['witness w2 answers 503']);
      clock.advance(pause - 1);
      await show(9);
      expect(stubs[1].oldSizes).toHaveLength(failed + 1);
      clock.advance(1);
    }
    cosigning(9);
    await show(9);
    expect((await check())[0]?.detail).toMatchObject({ w2: 'cosigned 9', cosigned: 9 });
  });

  it('that are not trusted are not counted, whatever is recorded', async () => {
    cosigning(9);
    stubs[1].answers = [[200, stubs[1].lineOf(signed(8).note)]];
    await show(9);
    expect(witnesses.cosigned).toBeUndefined();
    expect(alarms).toEqual([expect.stringContaining('witness w2 answers what its key')]);
  });

  it('are asked again where no proof could be made for them, or what they cosigned could not be kept', async () => {
    for (const stub of stubs) stub.answers = [[409, '5\n']];
    tree = 'gone';
    await show(9);
    expect((await check())[0]?.detail).toMatchObject({ w1: 'was not asked: Error' });
    tree = 'whole';
    clock.advance(1_000);
    cosigning(9);
    const append = store.append.bind(store);
    store.append = () => Promise.reject(new StoreUnavailableError('no disk'));
    await show(9);
    expect(witnesses.cosigned).toBeUndefined();
    expect((await check())[0]?.detail).toMatchObject({ trouble: 'no disk', w1: 'cosigned 9' });
    expect(alarms).toEqual([expect.stringContaining('cannot be kept: no disk')]);
    store.append = append;
    await show(9);
    expect(witnesses.cosigned?.size).toBe(9);
    expect((await check())[0]?.detail).not.toHaveProperty('trouble');
  });

  it('are believed by their signatures, not by what is recorded of them', async () => {
    const { note } = signed(9);
    const lines = stubs.map((stub) => stub.lineOf(note));
    const forged = stubs.map((stub) => stub.lineOf(signed(8).note));
    const record = async (revision: number, text: string): Promise<number | undefined> => {
      const event = technicalEvent(newId(), 'CheckpointCosigned', { note: text }, clock.now());
      await store.append(COSIGNED_STREAM, revision, [event]);
      await witnesses.look();
      return witnesses.cosigned?.size;
    };
    expect(await record(-1, `${note}${lines[0]}${forged[1]}`)).toBeUndefined();
    const other = NoteSigner.generate('another.example/log');
    const another = signCheckpoint(other, 9, EMPTY_ROOT);
    expect(await record(0, `${another}${stubs.map((stub) => stub.lineOf(another)).join('')}`)).toBeUndefined();
    expect(await record(1, `${note}${lines.join('')}`)).toBe(9);
  });

  it('are asked at the start what they hold, so that a log that was put back in time is told', async () => {
    stubs[0].answers = [[409, '12\n']];
    stubs[1].answers = [[500, '']];
    expect(await witnesses.testimony(async () => signed(9), 9n)).toEqual({
      contradictions: [{ witness: 'w1', says: 'cosigned 12 events, the log has signed 9: it was put back in time' }],
      silent: ['w2'],
    });
    let reads = 0;
    const meanwhile = await witnesses.testimony(async () => signed((reads += 1) === 1 ? 9 : 12), 12n);
    expect(meanwhile.contradictions).toEqual([]);
  });

  it('are asked so also where nothing was ever signed, and before the tree is built', async () => {
    stubs[0].answers = [[409, '3\n']];
    stubs[1].answers = [[200, stubs[1].lineOf(signed(0).note)]];
    expect(await witnesses.testimony(async () => undefined, 2n)).toEqual({
      contradictions: [
        { witness: 'w1', says: 'cosigned 3 events, the log ends at position 2: it was put back in time' },
      ],
      silent: [],
    });
    // A log that was moved, say, has its checkpoints to sign anew.
    stubs[1].answers = [[409, '3\n']];
    expect((await witnesses.testimony(async () => undefined, 3n)).contradictions).toEqual([]);
    built = 0;
    stubs[1].answers = [[409, '3\n']];
    expect(await witnesses.testimony(async () => signed(9), 9n)).toEqual({ contradictions: [], silent: [] });
  });

  it('tell of another tree at the start', async () => {
    stubs[0].answers = [[409, '9\n']];
    stubs[1].answers = [
      [409, '5\n'],
      [422, ''],
    ];
    const { contradictions } = await witnesses.testimony(async () => signed(9), 9n);
    expect(contradictions).toEqual([
      { witness: 'w1', says: 'holds another tree of the same 9 events as the log: the log was altered, or forked' },
      {
        witness: 'w2',
        says: 'holds another tree than the log: of its first 5 events, others stand in the log: the log was altered, or forked',
      },
    ]);
  });
});
