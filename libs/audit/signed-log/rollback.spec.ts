import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { InMemoryEventStore } from '#kernel-testing';
import { newId, type RecordedEvent, SharedWriteGate, WriteGate, WRITES_STREAM, WritesRefusedError } from '#kernel';
import { NoteSigner, parseNote, signCheckpoint } from '#tlog';
import { CHECKPOINT_STREAM } from '#evidence/format';
import { freshScenes, grow, holding, type Instance, noted, signedSizes } from './instance.fixture.js';
import { keyLines } from './key-history.js';
import { forkLog, ForkRefusedError } from './log-fork.js';
import type { LogSigningOptions } from './log-signing.js';
import { StubWitness } from './stub-witness.fixture.js';
import { checkSignedLog } from './signed-log-check.js';

const ORIGIN = 'log.example/test';
const OPERATOR = { party: 'agency:hosting', role: 'operator' };

const signer = NoteSigner.generate(ORIGIN);
const next = NoteSigner.generate(ORIGIN);
let store: InMemoryEventStore;
let copyTo: string;
const made = freshScenes((fresh) => {
  ({ store, copyTo } = fresh);
});
const instance = (on = store, options: Partial<LogSigningOptions> = {}): Instance =>
  made(on, { signer, copyTo, ...options });
/** Signs so many more events. */
const signed = async (count: number, options: Partial<LogSigningOptions> = {}): Promise<void> => {
  await grow(store, count);
  const one = await instance(store, options).start();
  expect(await one.sign()).toBeUndefined();
};
const everything = async (on = store): Promise<readonly RecordedEvent[]> => {
  const technical = await Promise.all([CHECKPOINT_STREAM, WRITES_STREAM].map((each) => on.readStream(each, 0, 1_000)));
  return [...(await on.readAll(0n, 10_000)), ...technical.flat()].sort((a, b) => (a.position < b.position ? -1 : 1));
};
/** The log as a backup from before its newest events holds it. */
const backup = async (count: number): Promise<InMemoryEventStore> => holding((await everything()).slice(0, count));
const last = async (): Promise<{ readonly note: string; readonly revision: number }> => {
  const { data, revision } = (await store.readStream(CHECKPOINT_STREAM, 0, 1_000)).at(-1)!;
  return { note: (data as { note: string }).note, revision };
};

describe('a log that was put back in time', () => {
  it('is read, but not written: every process of every service refuses, until it is what was signed again', async () => {
    await signed(5);
    const older = await backup(3);
    const restored = instance(older);
    const reason = '5 events were signed (in the copy outside), the log holds 3: it was put back in time';
    expect(await restored.startOnTree()).toBe(reason);
    expect(restored.alarms).toEqual([reason]);
    await expect(restored.writes.gate.pass()).rejects.toBeInstanceOf(WritesRefusedError);
    expect(await restored.sign()).toBe(reason);
    expect(await signedSizes(older)).toEqual([]);
    const elsewhere = new SharedWriteGate(new WriteGate(), older, restored.clock, { everyMs: 'manual' });
    await elsewhere.start();
    expect(elsewhere.gate.refusal).toBe(reason);
    // The newest state is brought back: whoever starts on it opens the gate for all.
    for (const { stream, revision, ...event } of (await store.readAll(0n, 10)).slice(3))
      await older.append(stream, revision - 1, [event]);
    expect(await instance(older).startOnTree()).toBeUndefined();
    await elsewhere.look();
    expect(elsewhere.gate.isOpen).toBe(true);
  });

  it('is told by its own record as well', async () => {
    await signed(5);
    const events = await everything();
    const cut = await holding(events.filter(({ stream, revision }) => stream !== 'need-1' || revision < 3));
    expect(await instance(cut, { copyTo: undefined }).startOnTree()).toBe(
      '5 events were signed (in its own record), the log holds 3: it was put back in time',
    );
  });

  it('cannot be told without a copy outside or a witness', async () => {
    await signed(5);
    expect(await instance(await backup(3), { copyTo: undefined }).startOnTree()).toBeUndefined();
  });

  it('is found while it runs, and an instance that finds nothing does not take it back', async () => {
    await signed(5);
    const one = await instance(store, { copyTo: undefined }).start();
    const other = await instance().start();
    expect([await one.sign(), await other.sign()]).toEqual([undefined, undefined]);
    const sound = readFileSync(copyTo, 'utf8');
    writeFileSync(copyTo, signCheckpoint(signer, 9, Buffer.alloc(32, 7)));
    expect(await other.sign()).toContain('9 events were signed (in the copy outside)');
    await one.writes.look();
    expect(await one.sign()).toBeUndefined();
    expect(one.writes.gate.isOpen).toBe(false);
    writeFileSync(copyTo, sound);
    expect(await other.sign()).toBeUndefined();
    await one.writes.look();
    expect(one.writes.gate.isOpen).toBe(true);
  });
});

describe('a tree that is being built', () => {
  it('has witnesses of a log without a checkpoint asked once, not at every look', async () => {
    const witness = await new StubWitness(NoteSigner.generate('w1', 'cosignature')).start();
    try {
      witness.answers = [[500, '']];
      await grow(store, 3);
      const policy = { witnesses: [witness.address], quorum: 1 };
      const late = instance(store, { copyTo: undefined, witnesses: policy });
      await late.writes.start();
      for (let look = 0; look < 3; look += 1) await late.sign();
      expect(late.alarms).toEqual(['at start no answer came from witnesses: w1']);
      expect(witness.oldSizes).toEqual([0]);
    } finally {
      witness.close();
    }
  });

  it.each([
    [0, 'the log holds 0'],
    [2, 'the log ends at position 2'],
  ])('is not waited for where the log is too short for what was signed: %i of 5 events', async (count, held) => {
    await signed(5);
    const short = instance(await backup(count));
    await short.writes.start();
    short.checkpoints.onApplicationBootstrap();
    await expect(short.writes.gate.pass()).rejects.toBeInstanceOf(WritesRefusedError);
    expect(short.alarms).toEqual([`5 events were signed (in the copy outside), ${held}: it was put back in time`]);
  });

  it('keeps nobody from writing, whatever was signed', async () => {
    await signed(5);
    const late = instance();
    await late.writes.start();
    late.checkpoints.onApplicationBootstrap();
    await late.writes.gate.pass();
    expect(late.writes.gate.isOpen).toBe(true);
    await late.runner.start();
    expect(await late.sign()).toBeUndefined();
  });
});

describe('at start the end of the log is reckoned again', () => {
  it.each([
    [
      'a leaf',
      'UPDATE leaf SET entry_hash = zeroblob(32) WHERE seq = 3',
      'need-1), event 3 of the log, is not what its leaf says',
    ],
    [
      'a leaf of another stream',
      "UPDATE leaf SET stream = 'x' WHERE seq = 6",
      'event 6 of the log, is not what its leaf says',
    ],
    ['a leaf too many', "INSERT INTO leaf VALUES (7, x'00', 'x', 0, zeroblob(32))", 'the log ends after 7 events'],
    [
      'a tile',
      'UPDATE tile SET hashes = zeroblob(length(hashes))',
      'the first 5 events are not those that were signed',
    ],
  ])('%s that is another is found', async (_what, touch, reason) => {
    await signed(5);
    await grow(store, 2);
    expect(await instance().startOnTree(touch)).toContain(reason);
    expect(await instance().startOnTree()).toBeUndefined();
  });

  it('an event that is another is found where the tree is of what it was', async () => {
    await signed(5);
    const one = instance();
    await one.runner.start();
    await one.runner.waitFor(await store.head(), 5_000);
    const events = await store.readAll(0n, 10);
    store.readAll = async (after, limit) =>
      events
        .map((event) => (event.revision === 2 ? { ...event, data: { at: 'another' } } : event))
        .filter(({ position }) => position > after)
        .slice(0, limit);
    one.checkpoints.onApplicationBootstrap();
    await expect(one.writes.gate.pass()).rejects.toThrow(
      'NeedNoted (revision 2 of need-1), event 2 of the log, is not what its leaf says',
    );
  });
});

describe('a fork', () => {
  const forkKey = NoteSigner.generate(`${ORIGIN}/fork`);
  const order = { by: OPERATOR, reason: 'the disk was lost', key: forkKey.verifier, signed: 5 };

  it('goes on from the events it keeps, under a name and a key of its own, and says so in the log', async () => {
    await signed(3);
    await signed(2);
    const older = await backup(4);
    expect(await signedSizes(older)).toEqual([3]);
    const kept = instance(older);
    expect(await forkLog(older, kept.clock, order)).toEqual({ size: 3, formerOrigin: ORIGIN });
    const [event] = await older.readStream('log-keys', 0, 10);
    const [first] = await store.readStream(CHECKPOINT_STREAM, 0, 1);
    const root = (first!.data as { note: string }).note.split('\n')[2];
    expect(event).toMatchObject({
      type: 'LogForked',
      metadata: { actor: OPERATOR },
      data: {
        ...{ formerOrigin: ORIGIN, former: signer.verifier.toString(), size: 3, root, signed: 5 },
        ...{ origin: forkKey.verifier.name, key: forkKey.verifier.toString(), reason: 'the disk was lost' },
      },
    });
    const newCopy = join(dirname(copyTo), 'checkpoint-of-the-fork');
    const forked = await instance(older, { signer: forkKey, copyTo: newCopy }).start();
    expect(await forked.sign()).toBeUndefined();
    expect(await signedSizes(older)).toEqual([3, 4]);
    expect(readFileSync(newCopy, 'utf8').split('\n').slice(0, 2)).toEqual([forkKey.verifier.name, '4']);
    expect(keyLines(await forked.keyring.history())).toBe(
      `${forkKey.verifier.toString()} 4 -\n${signer.verifier.toString()} 0 3\n`,
    );
    // The former key has no part in it any more.
    expect(await instance(older, { copyTo: undefined }).startOnTree()).toBeUndefined();
    expect(await (await instance(older, { copyTo: undefined }).start()).sign()).toContain(
      "was one of the log's: the log is signed with",
    );
    expect(await instance(older, { signer: forkKey }).startOnTree()).toContain('signs up to 3 events');
  });

  it('is not held against what witnesses cosigned of its former name, which is more', async () => {
    await signed(3);
    await signed(2);
    const older = await backup(4);
    await forkLog(older, instance(older).clock, order);
    const witness = await new StubWitness(NoteSigner.generate('w1', 'cosignature')).start();
    try {
      // It does not know the new name yet.
      witness.answers = [[404, '']];
      const policy = { witnesses: [witness.address], quorum: 1 };
      const forked = await instance(older, { signer: forkKey, copyTo: undefined, witnesses: policy }).start();
      expect(await forked.sign()).toBeUndefined();
      expect(forked.writes.gate.isOpen).toBe(true);
      expect(await signedSizes(older)).toEqual([3, 4]);
      expect(new Set(witness.origins)).toEqual(new Set([forkKey.verifier.name]));
    } finally {
      witness.close();
    }
  });

  it('without the key that was lost goes on all the same, and nothing is said of who signed before', async () => {
    await signed(3);
    const { stream, revision, ...note } = (await everything()).find(({ type }) => type === 'CheckpointSigned')!;
    const older = await holding(await store.readAll(0n, 10));
    await older.append(stream, revision - 1, [{ ...note, data: { note: (note.data as { note: string }).note } }]);
    const kept = instance(older);
    await forkLog(older, kept.clock, order);
    const forked = await instance(older, { signer: forkKey, copyTo: undefined }).start();
    expect(await forked.sign()).toBeUndefined();
    expect(keyLines(await forked.keyring.history())).toBe(`${forkKey.verifier.toString()} 4 -\n`);
    expect(await signedSizes(older)).toEqual([3, 4]);
  });

  it('is not made of what nobody signed, nor under a name that the log had, nor of altered events', async () => {
    const { clock } = instance();
    await grow(store, 1);
    await expect(forkLog(store, clock, order)).rejects.toThrow(ForkRefusedError);
    await signed(2);
    await expect(forkLog(store, clock, { ...order, key: next.verifier })).rejects.toThrow(`${ORIGIN} is taken`);
    await expect(forkLog(store, clock, { ...order, reason: ' ' })).rejects.toThrow('say why');
    const altered = await holding(await everything(), (event) =>
      event.revision === 1 && event.stream === 'need-1' ? { ...event, data: { at: 'another' } } : event,
    );
    await expect(forkLog(altered, clock, order)).rejects.toThrow('restore a sound backup');
    expect(await altered.readStream('log-keys', 0, 1)).toEqual([]);
  });
});

describe('a key that is rotated', () => {
  const both = { signer: () => [next, signer] };

  it('signs beside the former one, then alone; each is published with the sizes it signed', async () => {
    await signed(2);
    await signed(1, both);
    expect(parseNote(Buffer.from((await last()).note)).signatures.map(({ keyId }) => keyId)).toEqual([
      next.verifier.keyId,
      signer.verifier.keyId,
    ]);
    // The change itself is an event.
    expect(await signedSizes(store)).toEqual([2, 4]);
    await signed(1, { signer: next });
    expect(await signedSizes(store)).toEqual([2, 4, 6]);
    const { signatures } = parseNote(Buffer.from((await last()).note));
    expect(signatures.map(({ keyId }) => keyId)).toEqual([next.verifier.keyId]);
    const { keyring } = instance(store, { signer: next });
    expect(keyLines(await keyring.history())).toBe(
      `${next.verifier.toString()} 3 -\n${signer.verifier.toString()} 0 4\n`,
    );
    const types = (await store.readStream('log-keys', 0, 10)).map(({ type }) => type);
    expect(types).toEqual(['LogKeyRotated', 'LogKeyRetired']);
  });

  it('and rotated out signs nothing more: neither in the record nor outside, nor as the key in use', async () => {
    await signed(2);
    await signed(1, both);
    await signed(1, { signer: next });
    const { revision } = await last();
    await grow(store, 1);
    const fresh = instance(store, { signer: next });
    await fresh.runner.start();
    await fresh.runner.waitFor(await store.head(), 5_000);
    const size = 7;
    const forged = signCheckpoint(signer, size, Buffer.alloc(32, 1));
    const reason = `the checkpoint of 7 events is signed by a key (${signer.verifier.keyId}) that signs up to 4 events: it was rotated out`;
    writeFileSync(copyTo, forged);
    expect(await fresh.startOnTree()).toBe(reason);
    rmSync(copyTo);
    expect(await (await instance(store, { signer: next }).start()).sign()).toBeUndefined();
    expect(await (await instance().start()).sign()).toContain("was one of the log's");
    const { data, id: _id, ...event } = (await store.readStream(CHECKPOINT_STREAM, revision + 1, 1))[0]!;
    await store.append(CHECKPOINT_STREAM, revision + 1, [{ ...event, id: newId(), data: { ...data, note: forged } }]);
    expect(await instance(store, { signer: next, copyTo: undefined }).startOnTree()).toBe(reason);
  });

  it('is waited for by an instance that has yet to find it: it signs nothing, and refuses nothing', async () => {
    await signed(2);
    const late = await instance().start();
    expect(await late.sign()).toBeUndefined();
    await signed(1, both);
    expect(await late.sign()).toContain('the log is signed with a newer key');
    expect(late.writes.gate.isOpen).toBe(true);
    expect(await signedSizes(store)).toEqual([2, 4]);
  });

  it('without the former one beside it is refused, as is one of another name', async () => {
    await signed(2);
    expect(await instance(store, { signer: next }).startOnTree()).toBe(
      'the note is signed by none of the keys asked for',
    );
    const named = NoteSigner.generate('log.example/other');
    expect(await instance(store, { signer: named }).startOnTree()).toContain('is of log.example/test, not of');
  });
});

describe('the check of the whole log', () => {
  const checked = async (
    touch: (one: Instance) => void = () => undefined,
    log: Parameters<typeof checkSignedLog>[0]['log'] = store,
  ): Promise<readonly string[]> => {
    const one = instance(store, { copyTo: undefined });
    await one.runner.start();
    await one.runner.waitFor(await store.head(), 5_000);
    touch(one);
    const copy = readFileSync(copyTo, 'utf8');
    const tree = one.runner.model('log-tree');
    return (await checkSignedLog({ log, tree, configured: [signer.verifier], copy })).faults;
  };
  beforeEach(async () => {
    await signed(200);
    await signed(100);
  });

  it('finds nothing wrong with a sound one', async () => {
    expect(await checked()).toEqual([]);
  });

  it.each([
    [
      'a leaf row',
      'entry_hash',
      'leaf WHERE seq = 41',
      7,
      'leaf 41 of the tree is not of NeedNoted (revision 41 of need-1)',
    ],
    [
      'a full tile',
      'hashes',
      'tile WHERE level = 0 AND n = 0',
      4_000,
      'tile 0 at level 0 of the tree is not of its 256 hashes',
    ],
    [
      'a growing tile',
      'hashes',
      'tile WHERE level = 0 AND n = 1',
      40,
      'tile 1 at level 0 of the tree is not of its 44 hashes',
    ],
    ['a tile above', 'hashes', 'tile WHERE level = 1', 3, 'tile 0 at level 1 of the tree is not of its 1 hashes'],
    [
      'a root beside a tile',
      'sixteenths',
      'tile WHERE level = 0 AND n = 0',
      40,
      'beside tile 0 at level 0 of the tree stand other roots than over each 16 of its hashes',
    ],
  ])('finds one byte flipped in %s', async (_what, column, row, at, fault) => {
    expect(await checked((one) => one.models.flip(column, row, at))).toEqual([fault]);
  });

  it('finds one byte flipped in an event, also where everything beside it was made to fit', async () => {
    const altered = await holding(await everything(), (event) =>
      event.stream === 'need-1' && event.revision === 120 ? { ...event, data: { at: 'b' } } : event,
    );
    const faults = await checked(undefined, altered);
    expect(faults[0]).toBe('leaf 120 of the tree is not of NeedNoted (revision 120 of need-1)');
    const alone = await checkSignedLog({
      log: altered,
      configured: [signer.verifier],
      copy: readFileSync(copyTo, 'utf8'),
    });
    expect(alone.faults).toEqual([
      'the first 200 events are not those that were signed (checkpoint 0 of the record)',
      'the first 300 events are not those that were signed (checkpoint 1 of the record)',
      'the first 300 events are not those that were signed (in the copy outside)',
    ]);
  });

  it('finds one byte flipped in a recorded checkpoint, or in the one outside', async () => {
    const flipped = (note: string): string => note.replace('\n200\n', '\n201\n');
    const altered = await holding(await everything(), (event) =>
      event.type === 'CheckpointSigned'
        ? { ...event, data: { note: flipped((event.data as { note: string }).note) } }
        : event,
    );
    expect(await checked(undefined, altered)).toEqual([
      `checkpoint 0 of the record: the signature of ${ORIGIN} (${signer.verifier.keyId}) is not of this text`,
    ]);
    writeFileSync(copyTo, readFileSync(copyTo, 'utf8').replace('\n300\n', '\n310\n'));
    expect(await checked()).toEqual([
      `the copy outside: the signature of ${ORIGIN} (${signer.verifier.keyId}) is not of this text`,
    ]);
  });

  it('finds an event that was removed from the end, or put in', async () => {
    const events = await everything();
    const cut = await holding(events.filter(({ stream, revision }) => stream !== 'need-1' || revision < 299));
    const [fault] = (await checkSignedLog({ log: cut, configured: [signer.verifier] })).faults;
    expect(fault).toBe(
      '300 events were signed (checkpoint 1 of the record), the log holds 299: it was put back in time',
    );
    const swapped = new InMemoryEventStore();
    await swapped.append('need-0', -1, [noted()]);
    for (const { stream, revision, ...event } of events) await swapped.append(stream, revision - 1, [event]);
    const found = (await checkSignedLog({ log: swapped, configured: [signer.verifier] })).faults;
    expect(found).toEqual([
      'the first 200 events are not those that were signed (checkpoint 0 of the record)',
      'the first 300 events are not those that were signed (checkpoint 1 of the record)',
    ]);
  });
});
