import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import {
  ANY,
  BACKWARDS,
  binaryEvent,
  END,
  EventStoreDBClient,
  jsonEvent,
  NO_STREAM,
  START,
  STREAM_EXISTS,
} from '@eventstore/db-client';
import type { Observed } from './observed.js';
import { all, event, events, failureOf, observed, revisionsOf, stream } from './observed.js';

let server: Observed;
let client: EventStoreDBClient;

beforeAll(async () => {
  server = await observed();
  client = server.client;
});

afterAll(async () => {
  await server.stop();
});

/** A stream of so many events, and the position of each. */
const filled = async (count: number) => {
  const name = stream();
  await client.appendToStream(name, events(count), { expectedRevision: NO_STREAM });
  const found = await all(client.readStream(name));
  return { name, positions: found.map(({ event: one }) => one!.position!) };
};

describe('a stream', () => {
  it('is read from a revision on, which is part of it, in both directions and up to a count', async () => {
    const { name } = await filled(5);
    expect(revisionsOf(await all(client.readStream(name)))).toEqual([0, 1, 2, 3, 4]);
    expect(revisionsOf(await all(client.readStream(name, { fromRevision: 2n, maxCount: 2n })))).toEqual([2, 3]);
    const backwards = { direction: BACKWARDS } as const;
    expect(revisionsOf(await all(client.readStream(name, { ...backwards, fromRevision: 2n })))).toEqual([2, 1, 0]);
    expect(revisionsOf(await all(client.readStream(name, { ...backwards, fromRevision: END, maxCount: 2 })))).toEqual([
      4, 3,
    ]);
    expect(revisionsOf(await all(client.readStream(name, backwards)))).toEqual([0]);
    expect(revisionsOf(await all(client.readStream(name, { ...backwards, fromRevision: 900n })))).toHaveLength(5);
  });

  it('is empty past its end, and an error from its end on or where nothing is asked for', async () => {
    const { name } = await filled(2);
    expect(await all(client.readStream(name, { fromRevision: 2n }))).toEqual([]);
    expect(await all(client.readStream(name, { fromRevision: 900n }))).toEqual([]);
    expect(await failureOf(all(client.readStream(name, { fromRevision: END })))).toMatchObject({ code: 2 });
    expect(await failureOf(all(client.readStream(name, { maxCount: 0 })))).toMatchObject({
      type: 'unknown',
      code: 2,
      message: expect.stringContaining('Unexpected ReadStreamResult: Error'),
    });
  });

  it('that is missing is an error, also where it has metadata', async () => {
    const name = stream();
    const missing = { type: 'stream-not-found', streamName: name, message: `${name} not found`, code: undefined };
    expect(await failureOf(all(client.readStream(name)))).toMatchObject(missing);
    await client.setStreamMetadata(name, { maxCount: 3 });
    expect(await failureOf(all(client.readStream(name)))).toMatchObject(missing);
    expect(await client.appendToStream(name, event(), { expectedRevision: STREAM_EXISTS })).toMatchObject({
      nextExpectedRevision: 0n,
    });
  });

  it('shows what its metadata leaves: the newest by count, nothing that is too old; the whole log shows all', async () => {
    const { name, positions } = await filled(10);
    await client.setStreamMetadata(name, { maxCount: 3 });
    expect(revisionsOf(await all(client.readStream(name)))).toEqual([7, 8, 9]);
    expect(revisionsOf(await all(client.readStream(name, { fromRevision: 0n, maxCount: 1 })))).toEqual([7]);
    const whole = await all(client.readAll({ fromPosition: positions[0]!, maxCount: 10 }));
    expect(revisionsOf(whole)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await client.appendToStream(name, event(), { expectedRevision: 9n })).toMatchObject({
      nextExpectedRevision: 10n,
    });
    await client.setStreamMetadata(name, { maxAge: 1 });
    await wait(1_200);
    expect(await all(client.readStream(name))).toEqual([]);
  });

  it('resolves links, also to what is gone', async () => {
    const { name } = await filled(2);
    const links = stream('links');
    const link = (text: string) => binaryEvent({ type: '$>', data: new Uint8Array(Buffer.from(text)) });
    await client.appendToStream(links, [link(`1@${name}`), link(`7@${name}`)]);
    const [there, gone] = await all(client.readStream(links, { resolveLinkTos: true }));
    expect(there?.event).toMatchObject({ streamId: name, revision: 1n });
    expect(there?.link).toMatchObject({ streamId: links, revision: 0n });
    expect(there?.commitPosition).toBe(there?.link?.position?.commit);
    expect(gone).toMatchObject({ link: { revision: 1n } });
    expect(gone?.event).toBeUndefined();
  });
});

describe('the whole log', () => {
  it('is read forwards from a position that is part of it, backwards from one that is not', async () => {
    const { positions } = await filled(4);
    const commits = async (reading: ReturnType<EventStoreDBClient['readAll']>) =>
      (await all(reading)).map(({ commitPosition }) => commitPosition);
    const [first, second, third] = positions.map(({ commit }) => commit);
    expect(await commits(client.readAll({ fromPosition: positions[1]!, maxCount: 2 }))).toEqual([second, third]);
    const before = client.readAll({ fromPosition: positions[2]!, direction: BACKWARDS, maxCount: 2 });
    expect(await commits(before)).toEqual([second, first]);
    for (const { commit, prepare } of positions) expect(commit).toBe(prepare);
    expect(new Set(positions.map(({ commit }) => commit)).size).toBe(4);
  });

  it('starts at 0, is empty past its end, and an error where no record begins', async () => {
    const { positions } = await filled(1);
    const { commit } = positions[0]!;
    const zero = { commit: 0n, prepare: 0n };
    expect(await all(client.readAll({ fromPosition: zero, maxCount: 2 }))).toEqual(
      await all(client.readAll({ fromPosition: START, maxCount: 2 })),
    );
    const far = { commit: commit + 1_000_000_000n, prepare: commit + 1_000_000_000n };
    expect(await all(client.readAll({ fromPosition: far }))).toEqual([]);
    expect(await all(client.readAll({ fromPosition: END }))).toEqual([]);
    const between = { commit: commit - 1n, prepare: commit - 1n };
    expect(await failureOf(all(client.readAll({ fromPosition: between })))).toMatchObject({
      type: 'unknown',
      code: 2,
      message: expect.stringContaining('Unexpected ReadAllResult: Error'),
    });
  });

  it('holds the records of the system', async () => {
    const name = stream();
    const { position } = await client.appendToStream(name, event());
    await client.setStreamMetadata(name, { maxCount: 3 });
    await client.tombstoneStream(name);
    const found = await all(client.readAll({ fromPosition: position ?? START }));
    expect(found.filter(({ event: one }) => one?.streamId.endsWith(name)).map(({ event: one }) => one?.type)).toEqual([
      'Sampled',
      '$metadata',
      '$streamDeleted',
    ]);
    expect((await all(client.readAll({ maxCount: 1 })))[0]?.event?.type).toMatch(/^\$/);
  });

  it('never ends where nothing is asked for', async () => {
    const reading = client.readAll({ maxCount: 0 });
    reading.on('data', () => undefined).on('error', () => undefined);
    const end = once(reading, 'end').then(() => 'end');
    expect(await Promise.race([end, wait(300, 'silence')])).toBe('silence');
    await reading.cancel();
  });

  it('shows an append as soon as it is acknowledged', async () => {
    const name = stream();
    for (let n = 0; n < 50; n += 1) {
      const { position } = await client.appendToStream(name, event());
      const [tail] = await all(client.readAll({ fromPosition: END, direction: BACKWARDS, maxCount: 1 }));
      expect(tail?.commitPosition).toBe(position?.commit);
      expect(revisionsOf(await all(client.readStream(name, { fromRevision: BigInt(n) })))).toEqual([n]);
    }
  });
});

describe('a deleted stream', () => {
  it('is missing, stays in the whole log, and its revisions go on', async () => {
    const { name, positions } = await filled(3);
    expect(await client.deleteStream(name)).toMatchObject({ position: { commit: expect.anything() } });
    expect(await failureOf(all(client.readStream(name)))).toMatchObject({ type: 'stream-not-found' });
    expect(await all(client.readAll({ fromPosition: positions[0]!, maxCount: 3 }))).toHaveLength(3);
    expect(await failureOf(client.appendToStream(name, event(), { expectedRevision: 0n }))).toMatchObject({
      type: 'wrong-expected-version',
      actualVersion: 2n,
    });
    await client.deleteStream(name);
    expect(await client.appendToStream(name, events(2), { expectedRevision: NO_STREAM })).toMatchObject({
      nextExpectedRevision: 4n,
    });
    expect(revisionsOf(await all(client.readStream(name)))).toEqual([3, 4]);
  });

  it('is taken up again at its last revision, or at any', async () => {
    for (const expectedRevision of [2n, ANY] as const) {
      const { name } = await filled(3);
      await client.deleteStream(name);
      expect(await client.appendToStream(name, event(), { expectedRevision })).toMatchObject({
        nextExpectedRevision: 3n,
      });
    }
  });

  it('at another revision, or where it never was, is refused with numbers for names', async () => {
    const { name } = await filled(2);
    expect(await failureOf(client.deleteStream(name, { expectedRevision: 9n }))).toMatchObject({
      type: 'wrong-expected-version',
      code: 9,
      streamName: name,
      expectedVersion: 9n,
      actualVersion: 1n,
    });
    expect(await failureOf(client.deleteStream(name, { expectedRevision: NO_STREAM }))).toMatchObject({
      expectedVersion: -1n,
    });
    expect(await failureOf(client.deleteStream(stream()))).toMatchObject({
      code: 9,
      expectedVersion: -2n,
      actualVersion: -1n,
    });
  });

  it('for good can be neither read, written nor deleted', async () => {
    const { name } = await filled(2);
    await client.tombstoneStream(name);
    await client.tombstoneStream(stream());
    for (const refused of [
      all(client.readStream(name)),
      client.deleteStream(name),
      client.tombstoneStream(name),
      client.appendToStream(name, event(), { credentials: { username: 'a', password: 'b' } }),
    ]) {
      expect(await failureOf(refused)).toMatchObject({ type: 'stream-deleted', streamName: name, code: 9 });
    }
  });
});

it('stream metadata comes back as it was set', async () => {
  const name = stream();
  expect(await client.getStreamMetadata(name)).toEqual({ streamName: name });
  const acl = { readRoles: ['$all'] };
  await client.setStreamMetadata(name, { maxCount: 3, acl, mine: 'x' }, { expectedRevision: NO_STREAM });
  expect(await client.getStreamMetadata(name)).toMatchObject({ metadata: { maxCount: 3, acl, mine: 'x' } });
  await client.setStreamMetadata(name, { maxCount: 4 }, { expectedRevision: 0n });
  expect(await client.getStreamMetadata(name)).toMatchObject({ metadata: { maxCount: 4 } });
  expect(await client.appendToStream(name, jsonEvent({ id: randomUUID(), type: 'T', data: {} }))).toBeDefined();
});

it('a node is discovered by gossip, and tells its version', async () => {
  const discovering = EventStoreDBClient.connectionString(server.url.replace('esdb://', 'esdb+discover://'));
  const { name } = await filled(1);
  expect(await all(discovering.readStream(name, { requiresLeader: true }))).toHaveLength(1);
  await discovering.dispose();
});
