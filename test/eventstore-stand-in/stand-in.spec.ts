import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANY, EventStoreDBClient, NO_STREAM, START } from '@eventstore/db-client';
import { KnownIds } from './known-ids.js';
import { Log } from './log.js';
import { all, event, events, failureOf, place, revisionsOf, stream } from './observed.js';
import { StandInProcess } from './process.js';
import { EventStoreStandIn } from './stand-in.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stand-in-spec-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const proposed = (id: string = randomUUID()) => ({
  id,
  type: 'T',
  isJson: true,
  data: Buffer.from('{"n":1}'),
  metadata: Buffer.from('{"m":1}'),
});

describe('the log on disk', () => {
  const written = async (appends: number) => {
    const log = new Log(folder);
    for (let n = 0; n < appends; n += 1)
      await log.append('s', n === 0 ? 'no_stream' : n * 2 - 1, [proposed(), proposed()]);
    const records = [...log.all];
    await log.close();
    return records;
  };
  const reopened = async () => {
    const log = new Log(folder);
    const records = [...log.all];
    await log.close();
    return records;
  };

  it('is the same after it was opened again, at the same positions', async () => {
    const records = await written(3);
    expect(await reopened()).toEqual(records);
    expect(records.filter(({ stream: of }) => of === 's').map(({ revision }) => revision)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('loses a torn append whole, wherever it is torn, and goes on behind what is left', async () => {
    const records = await written(3);
    const path = join(folder, 'log');
    const bytes = readFileSync(path);
    const last = records.at(-2)!.position;
    for (const length of [last + 1, last + 8, last + 60, records.at(-1)!.position, bytes.length - 1]) {
      truncateSync(path, 0);
      appendFileSync(path, bytes.subarray(0, length));
      expect(await reopened()).toEqual(records.slice(0, -2));
    }
    truncateSync(path, 0);
    appendFileSync(path, Buffer.concat([bytes.subarray(0, bytes.length - 1), Buffer.from([bytes.at(-1)! ^ 1])]));
    const log = new Log(folder);
    expect(log.all).toEqual(records.slice(0, -2));
    expect(await log.append('s', 3, [proposed()])).toMatchObject({ kind: 'written', revision: 4, position: last });
    await log.close();
    expect((await reopened()).at(-1)).toMatchObject({ stream: 's', revision: 4, position: last });
  });

  it('remembers deletions, tombstones and settings', async () => {
    const log = new Log(folder);
    for (const name of ['deleted', 'ended', 'short']) await log.append(name, 'no_stream', [proposed(), proposed()]);
    await log.delete('deleted', 'any');
    await log.tombstone('ended', 'any');
    await log.append('$$short', 'any', [{ ...proposed(), data: Buffer.from('{"$maxCount":1}') }]);
    await log.close();
    const again = new Log(folder);
    expect(again.view('deleted')).toEqual({ kind: 'missing' });
    expect(again.view('ended')).toEqual({ kind: 'tombstoned' });
    expect(again.view('short')).toMatchObject({ kind: 'there', records: [{ revision: 1 }] });
    expect(await again.append('deleted', 'no_stream', [proposed()])).toMatchObject({ revision: 2 });
    await again.close();
  });

  it('forgets at a restart the ids that appends without a revision are known by, but not those at a revision', async () => {
    const [known, exact] = [proposed(), proposed()];
    const log = new Log(folder);
    await log.append('a', 'any', [known]);
    const first = await log.append('b', 'no_stream', [exact]);
    expect(await log.append('a', 'any', [known])).toMatchObject({ revision: 0 });
    await log.close();
    const again = new Log(folder);
    expect(await again.append('a', 'any', [known])).toMatchObject({ revision: 1 });
    expect(await again.append('b', 'no_stream', [exact])).toEqual(first);
    await again.close();
  });
});

it('ids that appends without a revision are known by are forgotten after 150,000 others, and not after 100,000', () => {
  const known = new KnownIds();
  const others = (count: number) => {
    for (let n = 0; n < count; n += 1) known.remember(randomUUID(), 'some-stream', n);
  };
  known.remember('one', 'a', 7);
  others(100_000);
  expect(known.revisionOf('one', 'a')).toBe(7);
  expect(known.revisionOf('one', 'b')).toBeUndefined();
  others(50_000);
  expect(known.revisionOf('one', 'a')).toBeUndefined();
});

describe('a process', () => {
  it('killed under load loses nothing that it acknowledged, and the same client goes on with the next start', async () => {
    const server = await StandInProcess.start(folder);
    const client = EventStoreDBClient.connectionString(server.url);
    const acknowledged: { readonly name: string; readonly revision: bigint; readonly commit: bigint }[] = [];
    const failures: unknown[] = [];
    let enough: () => void = () => undefined;
    const loaded = new Promise<void>((resolve) => (enough = resolve));
    const writers = Array.from({ length: 10 }, async () => {
      const name = stream();
      for (let revision = -1n; ;) {
        try {
          const expectedRevision = revision === -1n ? NO_STREAM : revision;
          const { nextExpectedRevision, position } = await client.appendToStream(name, events(3), { expectedRevision });
          revision = nextExpectedRevision;
          acknowledged.push({ name, revision, commit: position!.commit });
          if (acknowledged.length === 100) enough();
        } catch (error) {
          failures.push(error);
          return;
        }
      }
    });
    await loaded;
    await server.kill();
    await Promise.all(writers);
    expect(failures).toHaveLength(10);
    for (const failure of failures) expect(failure).toMatchObject({ code: 14 });
    expect(await failureOf(all(client.readAll({ maxCount: 1 })))).toMatchObject({ type: 'unavailable' });
    await server.restart();
    const found = await all(client.readAll({ fromPosition: START }));
    const commits = new Map(
      found.map(({ event: one }) => [`${one?.streamId} ${one?.revision}`, one?.position?.commit]),
    );
    for (const { name, revision, commit } of acknowledged) expect(commits.get(`${name} ${revision}`)).toBe(commit);
    // Nothing of an append without the rest of it.
    for (const name of new Set(acknowledged.map((one) => one.name))) {
      expect(found.filter(({ event: one }) => one?.streamId === name).length % 3).toBe(0);
    }
    await client.dispose();
    await server.kill();
  });
});

describe('on demand', () => {
  let standIn: EventStoreStandIn;
  let client: EventStoreDBClient;

  beforeEach(async () => {
    standIn = await EventStoreStandIn.start();
    client = EventStoreDBClient.connectionString(standIn.url);
  });

  afterEach(async () => {
    await client.dispose();
    await standIn.stop();
  });

  const timed = async (promise: Promise<unknown>) => {
    const begun = performance.now();
    await promise;
    return performance.now() - begun;
  };
  const settled = async (promise: Promise<unknown>, ms: number) =>
    Promise.race([promise.then(() => true), new Promise((resolve) => setTimeout(resolve, ms, false))]);

  it('an answer comes late, and the event is there before it', async () => {
    const name = stream();
    standIn.faults.add({ on: 'append', act: 'delay-answer', ms: 400, times: 1, stream: name });
    const appending = timed(client.appendToStream(name, event()));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(revisionsOf(await all(client.readStream(name)))).toEqual([0]);
    expect(await appending).toBeGreaterThan(350);
    expect(await timed(client.appendToStream(name, event()))).toBeLessThan(350);
  });

  it('a request is done late', async () => {
    const name = stream();
    standIn.faults.add({ on: 'append', act: 'delay-request', ms: 300, times: 1 });
    const appending = client.appendToStream(name, event());
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await failureOf(all(client.readStream(name)))).toMatchObject({ type: 'stream-not-found' });
    await appending;
    expect(revisionsOf(await all(client.readStream(name)))).toEqual([0]);
  });

  it('an answer never comes, and the event is there', async () => {
    const name = stream();
    standIn.faults.add({ on: 'append', act: 'swallow-answer', times: 1 });
    const one = event();
    const appending = client.appendToStream(name, one, { expectedRevision: NO_STREAM });
    appending.catch(() => undefined);
    expect(await settled(appending, 200)).toBe(false);
    expect(revisionsOf(await all(client.readStream(name)))).toEqual([0]);
    expect(place(await client.appendToStream(name, one, { expectedRevision: NO_STREAM }))[0]).toBe(0n);
  });

  it('the connection breaks instead of an answer, the event is there, and the client comes back', async () => {
    const name = stream();
    standIn.faults.add({ on: 'append', act: 'drop-connection', times: 1 });
    expect(await failureOf(client.appendToStream(name, event()))).toMatchObject({ type: 'unavailable' });
    expect(revisionsOf(await all(client.readStream(name)))).toEqual([0]);
  });

  it('calls are refused', async () => {
    const name = stream();
    const stop = standIn.faults.add({ on: 'append', act: 'refuse' });
    standIn.faults.add({ on: 'read', act: 'refuse', times: 1 });
    expect(await failureOf(client.appendToStream(name, event()))).toMatchObject({ type: 'unavailable' });
    expect(await failureOf(all(client.readStream(name)))).toMatchObject({ type: 'unavailable' });
    stop();
    await client.appendToStream(name, event());
    expect(revisionsOf(await all(client.readStream(name)))).toEqual([0]);
  });

  it('it freezes: nothing is done or said, and what was given up meanwhile is not done after', async () => {
    const [kept, given] = [stream(), stream()];
    await client.appendToStream(kept, event());
    standIn.faults.freeze();
    const appending = client.appendToStream(kept, event());
    const reading = all(client.readStream(kept));
    const credentials = { username: 'admin', password: 'changeit' };
    const abandoned = await failureOf(client.appendToStream(given, event(), { credentials, deadline: 200 }));
    expect(abandoned).toMatchObject({ type: 'deadline-exceeded' });
    expect(await settled(Promise.race([appending, reading]), 100)).toBe(false);
    standIn.faults.thaw();
    await appending;
    expect(revisionsOf(await reading)[0]).toBe(0);
    expect(revisionsOf(await all(client.readStream(kept)))).toEqual([0, 1]);
    expect(await failureOf(all(client.readStream(given)))).toMatchObject({ type: 'stream-not-found' });
  });

  it('subscriptions are cut, and muted', async () => {
    const name = stream();
    const subscribed = async () => {
      const subscription = client.subscribeToStream(name);
      const got: bigint[] = [];
      subscription.on('data', ({ event: one }) => got.push(one?.revision ?? -1n));
      const failure = new Promise((resolve) => subscription.on('error', resolve));
      await new Promise((resolve) => subscription.on('caughtUp', resolve));
      return { subscription, got, failure };
    };
    await client.appendToStream(name, event());
    const cut = await subscribed();
    standIn.cutSubscriptions();
    expect(await cut.failure).toMatchObject({ type: 'timeout', code: 10 });
    const mute = await subscribed();
    standIn.muteSubscriptions();
    const heard = await subscribed();
    await client.appendToStream(name, event(), { expectedRevision: ANY });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([mute.got, heard.got]).toEqual([[0n], [0n, 1n]]);
    await Promise.all([mute, heard].map(({ subscription }) => subscription.unsubscribe()));
  });

  it('faults come by HTTP as well, and what is none is refused', async () => {
    const server = await StandInProcess.start();
    await server.tell({ on: 'append', act: 'refuse', times: 1 });
    const other = EventStoreDBClient.connectionString(server.url);
    expect(await failureOf(other.appendToStream(stream(), event()))).toMatchObject({ type: 'unavailable' });
    await server.tell('clear');
    expect(await other.appendToStream(stream(), event())).toMatchObject({ success: true });
    await expect(server.tell({ on: 'append', act: 'explode' as 'refuse' })).rejects.toThrow('400');
    await other.dispose();
    await server.kill();
  });
});
