import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Projection } from '#kernel';
import { rowByRow } from '#kernel';
import type { Context } from '#web';
import { probeContext } from '../contract/probe.js';
import type { As, TestApp } from '../support/app.js';
import { temporaryFolder, testApp } from '../support/app.js';

/**
 * "A poison event parks the projection and alarms; it is never skipped silently" (DESIGN), and is released by the operator after the
 * fix. What the operator sees names events and never says what is in them.
 */
const AUTHOR: As = { party: 'state:VUT', role: 'npc' };
const OPERATOR: As = { party: 'agency:hosting', role: 'operator' };
const SECRET = 'Ammunition store 12';

const sickness = { on: true };

/** Chokes on a title that is no JSON, as the parser's error quotes it. */
const words: Projection = {
  name: 'note-words',
  version: 1,
  handles: ['NoteWritten'],
  schema: 'CREATE TABLE words (title TEXT NOT NULL)',
  begin: rowByRow((tx, event) => {
    const { title } = event.data as { title: string };
    if (sickness.on && title.startsWith(SECRET)) JSON.parse(title);
    tx.run('INSERT INTO words (title) VALUES (?)', title);
  }),
};
const context: Context = {
  ...probeContext,
  projections: (deps) => [...(probeContext.projections?.(deps) ?? []), words],
};

let app: TestApp;
let folder: ReturnType<typeof temporaryFolder>;
let log: string;

beforeEach(async () => {
  sickness.on = true;
  log = '';
  folder = temporaryFolder();
  const logger = pino(
    { base: null },
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        log += chunk.toString();
        done();
      },
    }),
  );
  app = await testApp({ contexts: [context], dataFolder: folder.path, logger });
});
afterEach(async () => {
  await app.close();
  folder.remove();
});

/** Writes a note and waits until every projection has come to it or is parked. */
const write = async (title: string): Promise<void> => {
  const { status } = await app.post('/v1/notes', { title }, { as: AUTHOR });
  expect(status).toBe(201);
  const head = await app.store.head();
  await app.projections.waitFor(head, 5_000, ['note-titles']);
  await app.projections.waitFor(head, 5_000, ['note-words']);
};

const titles = async (): Promise<string[]> =>
  ((await app.get('/v1/notes')).body as { items: { title: string }[] }).items.map(({ title }) => title);

const wordsKnown = (): unknown[] =>
  app.projections
    .model('note-words')
    .all('SELECT title FROM words ORDER BY rowid')
    .map(({ title }) => title);

const statusOf = async (name: string): Promise<object | undefined> => {
  const { body } = await app.get('/v1/admin/projections', { as: OPERATOR });
  return (body as { items: { name: string }[] }).items.find((item) => item.name === name);
};

test('a poison event parks its projection alone, alarms, and says so to whoever asks whether the service is ready', async () => {
  await write('First');
  await write(SECRET);
  await write('Third');
  expect(await titles()).toEqual(['First', SECRET, 'Third']);
  expect(wordsKnown()).toEqual(['First']);
  const ready = await app.get('/readyz');
  expect(ready.status).toBe(503);
  expect(ready.headers['retry-after']).toBe('1');
  const checks = (ready.body as { checks: { name: string; ok: boolean }[] }).checks;
  expect(checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['projection note-words']);
  const alarm = log.split('\n').find((line) => line.includes('projection parked')) ?? '';
  expect(JSON.parse(alarm)).toMatchObject({
    level: 50,
    projection: 'note-words',
    eventType: 'NoteWritten',
    position: '2',
    error: 'SyntaxError',
  });
});

test('a parked view holds up no read with a token but its own', async () => {
  await write(SECRET);
  expect(await statusOf('note-words')).toMatchObject({ state: 'parked' });
  const { headers } = await app.post('/v1/notes', { title: 'Second' }, { as: AUTHOR });
  const { location = '', 'consistency-token': token = '' } = headers as Record<string, string>;
  for (const path of ['/v1/notes', location, `${location}/history`]) {
    const read = await app.get(path, { headers: { 'consistency-token': token, prefer: 'wait=5' } });
    expect([path, read.status]).toEqual([path, 200]);
  }
  expect(await titles()).toEqual([SECRET, 'Second']);
  expect(wordsKnown()).toEqual([]);
});

test('is released by the operator after the fix, and catches up with what came meanwhile', async () => {
  await write(SECRET);
  await write('Second');
  const again = await app.post('/v1/admin/projections/note-words/release', {}, { as: OPERATOR });
  expect({ status: again.status, code: (again.body as { code: string }).code }).toEqual({
    status: 409,
    code: 'projection-parked',
  });
  expect(await statusOf('note-words')).toMatchObject({ state: 'parked', parked: { position: '1' } });
  sickness.on = false;
  const released = await app.post('/v1/admin/projections/note-words/release', {}, { as: OPERATOR });
  expect(released.status).toBe(200);
  expect(released.body).toEqual({ name: 'note-words', version: 1, state: 'current', position: '2', lag: '0' });
  expect(wordsKnown()).toEqual([SECRET, 'Second']);
  expect((await app.get('/readyz')).status).toBe(200);
  await write('Third');
  expect(wordsKnown()).toEqual([SECRET, 'Second', 'Third']);
  const nothing = await app.post('/v1/admin/projections/note-words/release', {}, { as: OPERATOR });
  expect(nothing.status).toBe(409);
  expect((nothing.body as { code: string }).code).toBe('projection-not-parked');
});

test('a parked projection is still parked after a restart, and a fixed program runs on by itself', async () => {
  await write(SECRET);
  await app.close();
  app = await testApp({ contexts: [context], dataFolder: folder.path });
  await app.projections.waitFor(1n, 5_000);
  expect(await statusOf('note-words')).toMatchObject({ state: 'parked' });
  await app.close();
  sickness.on = false;
  app = await testApp({ contexts: [context], dataFolder: folder.path });
  await app.settled();
  expect(await statusOf('note-words')).toMatchObject({ state: 'current', position: '1' });
});

test('rebuilds a projection while the service goes on, and keeps the old one where that fails', async () => {
  sickness.on = false;
  for (const title of ['First', SECRET]) await write(title);
  const rebuilt = await app.post('/v1/admin/projections/note-words/rebuild', {}, { as: OPERATOR });
  expect(rebuilt.status).toBe(200);
  expect(rebuilt.body).toMatchObject({ state: 'current', position: '2' });
  await write('Third');
  expect(wordsKnown()).toEqual(['First', SECRET, 'Third']);
  sickness.on = true;
  const failed = await app.post('/v1/admin/projections/note-words/rebuild', {}, { as: OPERATOR });
  expect({ status: failed.status, code: (failed.body as { code: string }).code }).toEqual({
    status: 409,
    code: 'projection-parked',
  });
  expect((failed.body as { detail: string }).detail).toMatch(/NoteWritten .* position 2: SyntaxError/);
  expect(wordsKnown()).toEqual(['First', SECRET, 'Third']);
  expect(await statusOf('note-words')).toMatchObject({ state: 'current', position: '3' });
});

test('the operator is shown no word of a record, neither in answers nor in the log', async () => {
  await write(SECRET);
  const seen = [
    await app.get('/v1/admin/projections', { as: OPERATOR }),
    await app.get('/v1/admin/processes', { as: OPERATOR }),
    await app.post('/v1/admin/projections/note-words/release', {}, { as: OPERATOR }),
    await app.post('/v1/admin/projections/note-words/rebuild', {}, { as: OPERATOR }),
    await app.get('/readyz'),
    await app.get('/metrics'),
  ];
  for (const { text } of seen) expect(text).not.toContain('Ammunition');
  expect(log).toContain('projection parked');
  expect(log).not.toContain('Ammunition');
});

test('is for operators alone, and knows no names but its own', async () => {
  const asked = [
    ['get', '/v1/admin/projections'],
    ['get', '/v1/admin/processes'],
    ['post', '/v1/admin/projections/note-words/release'],
    ['post', '/v1/admin/projections/note-words/rebuild'],
    ['post', '/v1/admin/keys/seals/rotate'],
  ] as const;
  const others: As[] = [
    AUTHOR,
    { party: 'agency:secretariat', role: 'coordinator' },
    { party: 'auditor:court', role: 'auditor' },
  ];
  for (const [method, path] of asked) {
    for (const as of others) {
      const { status } = method === 'get' ? await app.get(path, { as }) : await app.post(path, {}, { as });
      expect(status).toBe(403);
    }
    expect((method === 'get' ? await app.get(path) : await app.post(path, {})).status).toBe(
      method === 'get' ? 403 : 401,
    );
  }
  for (const path of ['projections/nothing/release', 'projections/nothing/rebuild', 'keys/nothing/rotate']) {
    expect((await app.post(`/v1/admin/${path}`, {}, { as: OPERATOR })).status).toBe(404);
  }
});

test('a rotated key signs from then on; tokens of the one before live until they expire, and no longer', async () => {
  const older = await app.token({ party: AUTHOR.party, roles: ['npc'] });
  const ofYears = await app.token({ party: AUTHOR.party, roles: ['npc'], lifetimeSeconds: 10 * 365 * 86_400 });
  const { body } = await app.post('/v1/admin/keys/local-issuer/rotate', {}, { as: OPERATOR });
  expect(body).toEqual({ name: 'local-issuer', olderAcceptedUntil: '2026-11-22T22:01:00.000Z' });
  const newer = await app.token({ party: AUTHOR.party, roles: ['npc'], lifetimeSeconds: 10 * 365 * 86_400 });
  const kidOf = (token: string): unknown =>
    (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: unknown }).kid;
  expect(kidOf(newer)).not.toBe(kidOf(older));
  const read = async (token: string): Promise<number> =>
    (await app.get('/v1/notes', { authorization: `Bearer ${token}` })).status;
  for (const token of [older, ofYears, newer]) expect(await read(token)).toBe(200);
  await app.close();
  app = await testApp({ contexts: [context], dataFolder: folder.path, now: '2026-11-22T21:59:00.000Z' });
  for (const token of [older, ofYears, newer]) expect(await read(token)).toBe(200);
  app.clock.set('2026-11-22T22:00:30.000Z');
  expect(await read(older)).toBe(401);
  // Whoever stole the old key can make tokens that live long: they end with the key all the same.
  app.clock.set('2026-11-22T23:30:00.000Z');
  expect(await read(ofYears)).toBe(401);
  expect(await read(newer)).toBe(200);
});

test('a rotated seal is on new cursors and tokens; those given out before work for half a day', async () => {
  sickness.on = false;
  const written = await app.post('/v1/notes', { title: 'First' }, { as: AUTHOR });
  await write('Second');
  const token = String(written.headers['consistency-token']);
  const first = await app.get('/v1/notes?limit=1', { as: AUTHOR });
  const { next } = first.body as { next: string };
  expect((await app.post('/v1/admin/keys/seals/rotate', {}, { as: OPERATOR })).status).toBe(200);
  const page = async (): Promise<number> =>
    (await app.get(`/v1/notes?limit=1&cursor=${next}`, { as: AUTHOR, headers: { 'consistency-token': token } })).status;
  expect(await page()).toBe(200);
  const again = await app.get('/v1/notes?limit=1', { as: AUTHOR });
  expect((again.body as { next: string }).next).not.toBe(next);
  app.clock.advance(12 * 60 * 60 * 1000);
  const { body } = await app.get(`/v1/notes?limit=1&cursor=${next}`, { as: AUTHOR });
  expect((body as { errors: { field: string }[] }).errors.map(({ field }) => field)).toEqual(['cursor']);
});
