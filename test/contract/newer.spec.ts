import type { EventToAppend } from '#kernel';
import { newId } from '#kernel';
import { sampleEvent } from '#kernel-testing';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';

/**
 * DESIGN: during a rolling upgrade an instance that meets an event type or schema newer than it knows answers 503 with `Retry-After` on
 * what touches it, and never guesses.
 */
const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const OPERATOR: As = { party: 'agency:hosting', role: 'operator' };

const NEED = {
  title: 'Courses',
  kinds: ['training'],
  instruments: ['ATT'],
  lines: [{ kind: 'training', quantity: { measure: 'seats', amount: '5' } }],
  visibility: { summary: 'public', body: 'public' },
};
const OFFER = {
  title: 'Courses in the Pacific',
  lines: [{ kinds: ['training'], capacity: { measure: 'seats', amount: '20' } }],
  visibility: 'public',
};

let app: TestApp;
let offer: string;
beforeEach(async () => {
  app = await testApp();
  await app.post('/v1/parties', { id: 'donor:japan', name: 'Japan' }, { as: COORDINATOR });
  const answer = await app.post('/v1/offers', OFFER, { as: JAPAN });
  offer = `/v1/offers/${(answer.body as { id: string }).id}`;
});
afterEach(() => app.close());

const told = async (path: string, as?: As): Promise<string> => {
  const { status, body, headers } = await app.get(path, as === undefined ? {} : { as });
  const { code } = body as { code?: string };
  return code === undefined ? String(status) : `${status} ${code}, again in ${String(headers['retry-after'])} s`;
};

const NEWER = '503 store-unavailable, again in 60 s';

test.each<[string, Partial<EventToAppend>, number]>([
  ['a type', { type: 'NeedHandedOver' }, 1],
  ['a schema', { type: 'NeedReaffirmed' }, 2],
])('%s that only a newer version knows', async (_what, event, schema) => {
  const created = await app.post('/v1/needs', NEED, { as: VANUATU });
  const { id } = created.body as { id: string };
  await app.settled();
  const sample = sampleEvent();
  await app.store.append(`need-${id}`, 0, [
    { ...sample, ...event, id: newId(), metadata: { ...sample.metadata, schema } },
  ]);
  const head = await app.store.head();
  expect(await app.projections.waitFor(head, 5_000, ['need-board'])).toBe(false);

  const need = `/v1/needs/${id}`;
  for (const path of [need, `${need}/history`, `${need}/matches`, '/v1/needs', '/v1/desk'])
    expect([path, await told(path, VANUATU)]).toEqual([path, NEWER]);
  const command = await app.post(
    `${need}/submit`,
    { consent: { circulate: true, publish: true } },
    { as: VANUATU, headers: { 'if-match': '"0"' } },
  );
  expect([command.status, command.headers['retry-after']]).toEqual([503, '60']);
  expect((await app.store.readStream(`need-${id}`, 0, 10)).length).toBe(2);

  // What it does not touch goes on.
  for (const path of [offer, '/v1/offers', '/v1/parties', `${offer}/history`])
    expect([path, await told(path, JAPAN)]).toEqual([path, '200']);

  const ready = await app.get('/readyz');
  expect([ready.status, ready.headers['retry-after']]).toEqual([503, '1']);
  const { items } = (await app.get('/v1/admin/projections', { as: OPERATOR })).body as {
    items: readonly { readonly name: string; readonly parked?: object }[];
  };
  expect(items.find(({ name }) => name === 'need-board')?.parked).toMatchObject({
    eventType: event.type,
    newer: true,
  });
});
