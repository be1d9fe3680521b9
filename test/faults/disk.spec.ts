import { statSync } from 'node:fs';
import { checkLog, logPath, SqliteEventStore } from '#store-sqlite';
import { SubjectRegister } from '#web';
import type { As, EmbeddedTestApp } from '../support/app.js';
import { embeddedApp, temporaryFolder } from '../support/app.js';

/** "A full disk … gives a clear error, not silence": writes are refused as a whole, reads go on, and so do writes once there is room. */
const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };

const seats = (amount: string): object => ({ measure: 'seats', amount });

let folder: ReturnType<typeof temporaryFolder>;
let app: EmbeddedTestApp;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await app.close();
  folder.remove();
});

const start = async (maxPages?: number): Promise<void> => {
  app = await embeddedApp({ store: SqliteEventStore.open(folder.path, maxPages === undefined ? {} : { maxPages }) });
};

const fill = (index: number, key?: string): ReturnType<EmbeddedTestApp['post']> =>
  app.post(
    '/v1/needs',
    {
      title: `Need ${index}`,
      problem: 'Weapons are not marked. '.repeat(300),
      kinds: ['training'],
      instruments: ['ATT'],
      lines: [{ kind: 'training', quantity: seats('4') }],
    },
    { as: VANUATU, ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }) },
  );

test('a full disk refuses writes with 503 and Retry-After, keeps every word it gave, and goes on when there is room', async () => {
  await start(120);
  await app.post('/v1/parties', { id: 'donor:japan', name: 'Japan', category: 'bilateral' }, { as: COORDINATOR });
  const written: string[] = [];
  let refused: Awaited<ReturnType<typeof fill>> | undefined;
  for (let index = 0; refused === undefined && index < 200; index += 1) {
    const answer = await fill(index, `key-${index}`);
    if (answer.status === 201) written.push(String(answer.headers.location));
    else refused = answer;
  }
  expect(written.length).toBeGreaterThan(3);
  expect(refused?.status).toBe(503);
  expect(refused?.headers['retry-after']).toMatch(/^\d+$/);
  expect(refused?.body).toMatchObject({ code: 'store-unavailable', status: 503 });
  expect((refused?.body as { detail: string }).detail).toMatch(/nothing was written|safe/i);
  for (const location of written) expect((await app.get(location, { as: VANUATU })).status).toBe(200);
  const listed = await app.get('/v1/needs?limit=200', { as: VANUATU });
  expect((listed.body as { items: unknown[] }).items).toHaveLength(written.length);
  expect(checkLog(folder.path).events).toBe(1 + written.length);
  await app.close();
  await start();
  const again = await fill(written.length, `key-${written.length}`);
  expect(again.status).toBe(201);
  for (const [index, location] of written.entries()) {
    const repeated = await fill(index, `key-${index}`);
    expect([repeated.status, repeated.headers.location]).toEqual([201, location]);
  }
  await app.close();
  expect(checkLog(folder.path)).toMatchObject({ faults: [], events: 2 + written.length });
  await start();
});

test('a proposal that met a full disk half-way is settled by itself once there is room', async () => {
  await start();
  await app.post('/v1/parties', { id: 'donor:japan', name: 'Japan', category: 'bilateral' }, { as: COORDINATOR });
  const offer = await app.post(
    '/v1/offers',
    { title: 'Courses', lines: [{ kinds: ['training'], capacity: seats('10') }], visibility: 'public' },
    { as: JAPAN },
  );
  const need = await fill(0);
  const { id } = need.body as { id: string };
  const consent = { circulate: true, publish: true };
  const match = (revision: number): Record<string, string> => ({ 'if-match': `"${revision}"` });
  await app.post(`/v1/needs/${id}/amend`, { authorityRef: 'NV 1' }, { as: VANUATU, headers: match(0) });
  await app.post(`/v1/needs/${id}/submit`, { consent }, { as: VANUATU, headers: match(1) });
  const opened = await app.post(`/v1/needs/${id}/open`, {}, { as: COORDINATOR, headers: match(2) });
  expect(opened.status).toBe(200);
  await app.close();
  // No more room than the log has now: proposals come in until a page is full, and their holds may find none.
  await start(Math.ceil(statSync(logPath(folder.path)).size / 4096) + 1);
  const proposal = {
    offerId: (offer.body as { id: string }).id,
    needId: id,
    legs: [{ offerLine: 1, needLine: 1, drawn: seats('1') }],
  };
  const proposed: string[] = [];
  for (let status = 201; status === 201;) {
    const answer = await app.post('/v1/commitments', proposal, { as: JAPAN });
    status = answer.status;
    if (status === 201) proposed.push(String(answer.headers.location));
    else expect(answer.status).toBe(503);
  }
  expect(proposed.length).toBeGreaterThan(0);
  await app.close();
  await start();
  await app.settled();
  for (const location of proposed) {
    expect((await app.get(location, { as: JAPAN })).body).toMatchObject({ hold: 'held' });
  }
});

test('who only reads is written down nowhere, so that reading needs no room on the disk', async () => {
  await start();
  const register = app.nest.get(SubjectRegister);
  const person = { issuer: 'pledgebook-local', subject: 'npc@state:VUT' };
  expect((await app.get('/v1/needs', { as: VANUATU })).status).toBe(200);
  // A POST that only asks is a read.
  const lines = [{ kinds: ['training'], capacity: { measure: 'seats', amount: '1' } }];
  const asked = await app.post('/v1/what-if', { offers: [{ title: 'A course', lines }] }, { as: VANUATU });
  expect(asked.status).toBe(200);
  expect(await register.knownReferenceOf(person)).toBeUndefined();
  await fill(0);
  expect(await register.knownReferenceOf(person)).toMatch(/^[0-9a-f-]{36}$/);
});
