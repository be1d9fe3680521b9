import { randomUUID } from 'node:crypto';
import {
  ANY,
  binaryEvent,
  EventStoreDBClient,
  jsonEvent,
  NO_STREAM,
  START,
  STREAM_EXISTS,
} from '@eventstore/db-client';
import type { Observed } from './observed.js';
import { all, event, events, failureOf, observed, PATHS, place, revisionsOf, stream } from './observed.js';

let server: Observed;

beforeAll(async () => {
  server = await observed();
});

afterAll(async () => {
  await server.stop();
});

const stored = (name: string) => all(server.client.readStream(name));
const idsIn = async (name: string) => (await stored(name)).map(({ event: one }) => one?.id);

describe.each(PATHS)('an append on the %s path', (path, options) => {
  const append = (
    name: string,
    what: Parameters<EventStoreDBClient['appendToStream']>[1],
    expectedRevision?: bigint | typeof NO_STREAM | typeof ANY | typeof STREAM_EXISTS,
  ) =>
    server.client.appendToStream(name, what, {
      ...(expectedRevision === undefined ? {} : { expectedRevision }),
      ...options,
    });
  const two = async () => {
    const name = stream();
    await append(name, events(2), NO_STREAM);
    return name;
  };

  describe('expected revision', () => {
    it.each([
      ['NO_STREAM', NO_STREAM],
      ['ANY', ANY],
      ['none', undefined],
    ] as const)('%s is met by a missing stream', async (_name, expected) => {
      expect(await append(stream(), event(), expected)).toMatchObject({ success: true, nextExpectedRevision: 0n });
    });

    it('of the last event is met, and the answer tells revision and position of the last event written', async () => {
      const name = await two();
      const result = await append(name, events(2), 1n);
      const last = (await stored(name)).at(-1);
      expect(result).toEqual({ success: true, nextExpectedRevision: 3n, position: last?.event?.position });
      expect(last?.commitPosition).toBe(result.position?.commit);
    });

    it.each([
      ['an exact one on a missing stream', 1n, false, 'no_stream'],
      ['STREAM_EXISTS on a missing stream', STREAM_EXISTS, false, 'no_stream'],
      ['NO_STREAM on an existing one', NO_STREAM, true, 1n],
      ['a lower one', 0n, true, 1n],
      ['a higher one', 9n, true, 1n],
    ] as const)('%s is a wrong version', async (_name, expected, exists, actual) => {
      const name = exists ? await two() : stream();
      const refused = await failureOf(append(name, event(), expected));
      expect(refused).toMatchObject({
        type: 'wrong-expected-version',
        streamName: name,
        expectedVersion: expected,
        actualVersion: actual,
        message: '',
        code: undefined,
      });
    });

    it('STREAM_EXISTS and ANY are met by an existing stream', async () => {
      const name = await two();
      expect(await append(name, event(), STREAM_EXISTS)).toMatchObject({ nextExpectedRevision: 2n });
      expect(await append(name, event(), ANY)).toMatchObject({ nextExpectedRevision: 3n });
    });

    it('races have one winner, and the others learn the true revision', async () => {
      const name = stream();
      const ends = await Promise.allSettled(Array.from({ length: 20 }, () => append(name, event(), NO_STREAM)));
      const refused = ends.filter((end) => end.status === 'rejected');
      expect(refused).toHaveLength(19);
      for (const { reason } of refused) expect(reason).toMatchObject({ actualVersion: 0n });
    });
  });

  describe('made again', () => {
    it.each(['NO_STREAM', 'exact'])(
      'at the same %s revision gives the first place and stores nothing',
      async (kind) => {
        const name = await two();
        const again = kind === 'exact' ? events(2) : undefined;
        const fresh = stream();
        const [target, expected, what] =
          again === undefined ? ([fresh, NO_STREAM, events(2)] as const) : ([name, 1n, again] as const);
        const first = await append(target, what, expected);
        expect(place(await append(target, what, expected))).toEqual(place(first));
        await append(target, events(3), first.nextExpectedRevision);
        expect(place(await append(target, what, expected))).toEqual(place(first));
        expect(await stored(target)).toHaveLength(again === undefined ? 5 : 7);
      },
    );

    it('at the next revision is stored again', async () => {
      const name = stream();
      const one = event();
      await append(name, one, NO_STREAM);
      expect(await append(name, one, 0n)).toMatchObject({ nextExpectedRevision: 1n });
      expect(await idsIn(name)).toEqual([one.id, one.id]);
    });

    it.each([
      ['ANY', ANY],
      ['STREAM_EXISTS', STREAM_EXISTS],
    ] as const)('with %s is recognised while the server remembers the id', async (_name, expected) => {
      const name = await two();
      const one = event();
      const first = await append(name, one, expected);
      await append(name, event(), ANY);
      expect(place(await append(name, one, expected))).toEqual(place(first));
      expect(await stored(name)).toHaveLength(4);
    });

    it('with more events, or in part, follows the table', async () => {
      const name = stream();
      const [a, b, d, other] = [event(), event(), event(), event()];
      await append(name, [a, b, d], NO_STREAM);
      for (const [what, expected, revision] of [
        [[a, b], NO_STREAM, 1n],
        [[b, d], 0n, 2n],
        [[b], 0n, 1n],
        [[b, d], ANY, 2n],
        [[a, d], ANY, 2n],
      ] as const) {
        expect(await append(name, [...what], expected)).toMatchObject({ nextExpectedRevision: revision });
      }
      for (const [what, expected] of [
        [[a, b, d, other], NO_STREAM],
        [[b], NO_STREAM],
        [[a, b, other], ANY],
        [[b, other], ANY],
      ] as const) {
        const refused = await failureOf(append(name, [...what], expected));
        expect(refused).toMatchObject({ type: 'wrong-expected-version', expectedVersion: expected });
      }
      expect(await stored(name)).toHaveLength(3);
      expect(await append(name, [event(), a], ANY)).toMatchObject({ nextExpectedRevision: 4n });
    });

    it('to another stream, or twice in one append, is stored', async () => {
      const one = event();
      await append(stream(), one, NO_STREAM);
      const other = stream();
      expect(await append(other, [one, one], NO_STREAM)).toMatchObject({ nextExpectedRevision: 1n });
    });

    it('with other content keeps the first', async () => {
      const name = stream();
      const one = event();
      await append(name, one, NO_STREAM);
      await append(name, jsonEvent({ ...one, type: 'Other', data: { n: 2 } }), NO_STREAM);
      expect((await stored(name))[0]?.event).toMatchObject({ type: 'Sampled', data: { n: 1 } });
    });

    it('while the first still runs is stored once, and some callers are told of a timeout after two seconds', async () => {
      const name = stream();
      const one = event();
      const ends = await Promise.allSettled(Array.from({ length: 8 }, () => append(name, one, NO_STREAM)));
      const failed = ends.filter((end) => end.status === 'rejected');
      expect(failed.length).toBeGreaterThan(0);
      for (const { reason } of failed) {
        expect(reason).toMatchObject(
          path === 'Batch'
            ? { type: 'deadline-exceeded' }
            : { type: 'timeout', code: 10, message: expect.stringContaining('Commit phase timeout') },
        );
      }
      expect(await idsIn(name)).toEqual([one.id]);
      expect(await append(name, one, NO_STREAM)).toMatchObject({ nextExpectedRevision: 0n });
    });
  });

  describe('content', () => {
    it('empty appends answer with a place and leave a missing stream missing', async () => {
      const name = stream();
      const missing = await append(name, [], NO_STREAM);
      expect(missing).toMatchObject({ success: true, nextExpectedRevision: 0n });
      expect(missing.position).toBeDefined();
      expect(await failureOf(stored(name))).toMatchObject({ type: 'stream-not-found' });
      const there = await two();
      expect(await append(there, [], 1n)).toMatchObject({ nextExpectedRevision: 1n });
      expect(await append(there, [], ANY)).toMatchObject({ nextExpectedRevision: 1n });
      expect(await failureOf(append(there, [], 0n))).toMatchObject({ type: 'wrong-expected-version' });
    });

    const sized = (bytes: number) => binaryEvent({ type: 'Sized', data: new Uint8Array(bytes) });

    it('is limited to 1 MiB of data per append, metadata not counted', async () => {
      expect(await append(stream(), sized(1_048_576))).toMatchObject({ success: true });
      const metadata = new Uint8Array(4 * 1024 * 1024);
      expect(await append(stream(), binaryEvent({ type: 'Sized', data: new Uint8Array(1), metadata }))).toMatchObject({
        success: true,
      });
      const name = stream();
      for (const what of [[sized(1_048_577)], [sized(600_000), sized(600_000)]]) {
        const refused = await failureOf(append(name, what));
        expect(refused).toMatchObject({ type: 'maximum-append-size-exceeded', maxAppendSize: 1_048_576 });
      }
      expect(await append(name, event(), NO_STREAM)).toMatchObject({ nextExpectedRevision: 0n });
    });

    it('comes back as it was: scripts, JSON of every kind, bytes, lower-case ids', async () => {
      const name = `поток-武-${randomUUID()} 🕊`;
      const id = randomUUID();
      await append(name, [
        jsonEvent({ id: id.toUpperCase(), type: 'Écrit', data: { ключ: '武' }, metadata: { who: 'Ärzte' } }),
        jsonEvent({ type: 'T', data: 'text' }),
        binaryEvent({ type: 'B', data: new Uint8Array([0, 255]), metadata: new Uint8Array([1]) }),
        binaryEvent({ type: 'B', data: new Uint8Array() }),
      ]);
      const [first, second, third, fourth] = (await stored(name)).map(({ event: one }) => one);
      expect(first).toMatchObject({
        streamId: name,
        id,
        revision: 0n,
        type: 'Écrit',
        data: { ключ: '武' },
        metadata: { who: 'Ärzte' },
        isJson: true,
      });
      expect(Date.now() - (first?.created.getTime() ?? 0)).toBeLessThan(60_000);
      expect(second).toMatchObject({ data: 'text', metadata: undefined });
      expect(third).toMatchObject({ data: new Uint8Array([0, 255]), isJson: false });
      expect(fourth?.data).toHaveLength(0);
      expect(await failureOf(append(name, event(), NO_STREAM))).toMatchObject({ streamName: name });
    });

    it('types and streams of the system are accepted', async () => {
      expect(await append(`$${stream()}`, event(randomUUID(), {}, '$mine'))).toMatchObject({ success: true });
    });

    it('without a stream name is refused', async () => {
      expect(await failureOf(append('', event()))).toMatchObject(
        path === 'Batch' ? { message: expect.stringContaining('BadRequest') } : { type: 'unknown', code: 2 },
      );
    });
  });

  it('of a tombstoned stream, or of a deleted one that must exist, says so', async () => {
    const [ended, deleted] = [await two(), await two()];
    await server.client.tombstoneStream(ended);
    await server.client.deleteStream(deleted);
    const refused = path === 'Batch' ? { type: 'stream-deleted' } : { type: 'stream-deleted', code: 9 };
    expect(await failureOf(append(ended, event()))).toMatchObject({ ...refused, streamName: ended });
    expect(await failureOf(append(deleted, event(), STREAM_EXISTS))).toMatchObject(refused);
  });
});

describe('the Unary path', () => {
  const { credentials } = PATHS[1][1];

  it('tells of an id that is none, and waits for a server that will not answer until its deadline', async () => {
    const bad = jsonEvent({ id: 'no-uuid', type: 'T', data: {} });
    const { client } = server;
    expect(await failureOf(client.appendToStream(stream(), bad, { credentials }))).toMatchObject({ code: 2 });
    const name = stream();
    const [a, d] = [event(), event()];
    await client.appendToStream(name, [a, d]);
    const never = client.appendToStream(name, [d, a], { credentials, deadline: 300 });
    expect(await failureOf(never)).toMatchObject({ type: 'deadline-exceeded' });
  });

  it('is told the current revision where failures are not thrown', async () => {
    const quiet = EventStoreDBClient.connectionString(`${server.url}&throwOnAppendFailure=false`);
    const name = stream();
    await server.client.appendToStream(name, events(6));
    expect(await quiet.appendToStream(name, event(), { expectedRevision: 9n, credentials })).toEqual({
      success: false,
      nextExpectedRevision: 5n,
      position: undefined,
    });
    await quiet.dispose();
  });
});

it('acknowledgements of one client come in the order of positions, and events of one append lie side by side', async () => {
  const acknowledged: bigint[] = [];
  const start = await server.client.appendToStream(stream(), event());
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const name = stream();
      for (let n = 0; n < 10; n += 1) {
        const { position } = await server.client.appendToStream(name, events(2), {
          expectedRevision: n === 0 ? NO_STREAM : BigInt(n * 2 - 1),
        });
        acknowledged.push(position?.commit ?? 0n);
      }
    }),
  );
  expect(acknowledged).toEqual([...acknowledged].sort((a, b) => Number(a - b)));
  const written = await all(server.client.readAll({ fromPosition: start.position ?? START }));
  const pairs = written.slice(1).map(({ event: one }) => one?.streamId);
  for (let n = 0; n < pairs.length; n += 2) expect(pairs[n]).toBe(pairs[n + 1]);
  expect(revisionsOf(written).length).toBe(401);
});
