import { newId } from '#kernel';
import type { EventToAppend } from '#kernel';
import { sampleEvent } from '#kernel-testing';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const OPERATOR: As = { party: 'agency:hosting', role: 'operator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };

const seats = (amount: string): object => ({ measure: 'seats', amount });

let app: TestApp;
beforeEach(async () => {
  app = await testApp();
  ok(await app.post('/v1/parties', { id: 'donor:japan', name: 'Japan', category: 'bilateral' }, { as: COORDINATOR }));
});
afterEach(() => app.close());

const ok = (answer: Response): { readonly id: string; readonly items: readonly object[]; readonly lines: unknown } => {
  if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as ReturnType<typeof ok>;
};

const anOffer = async (capacity: string): Promise<string> => {
  const lines = [{ kinds: ['training'], capacity: seats(capacity) }];
  return ok(await app.post('/v1/offers', { title: 'Courses', lines, visibility: 'public' }, { as: JAPAN })).id;
};

const anOpenNeed = async (asked: string): Promise<string> => {
  const need = {
    title: 'Officers to be trained',
    kinds: ['training'],
    instruments: ['ATT'],
    lines: [{ kind: 'training', quantity: seats(asked) }],
    authorityRef: 'Note Verbale 12/2026',
    visibility: 'public',
  };
  const { id } = ok(await app.post('/v1/needs', need, { as: VANUATU }));
  const consent = { circulate: true, publish: true };
  ok(await app.post(`/v1/needs/${id}/submit`, { consent }, { as: VANUATU, headers: { 'if-match': '"0"' } }));
  ok(await app.post(`/v1/needs/${id}/open`, {}, { as: COORDINATOR, headers: { 'if-match': '"1"' } }));
  return id;
};

test('fifty simultaneous proposals on an offer with room for ten are ten held and forty refused', async () => {
  const [offerId, needId] = [await anOffer('10'), await anOpenNeed('50')];
  const proposal = { offerId, needId, legs: [{ offerLine: 1, needLine: 1, drawn: seats('1') }] };
  const answers = await Promise.all(
    Array.from({ length: 50 }, () =>
      app.post('/v1/commitments', proposal, { as: JAPAN, headers: { prefer: 'wait=20' } }),
    ),
  );
  const told = answers.map(
    ({ status, body }) =>
      `${status} ${(body as { hold?: string; code?: string }).hold ?? (body as { code: string }).code}`,
  );
  expect(told.filter((text) => text === '201 held')).toHaveLength(10);
  expect(told.filter((text) => text === '409 insufficient-capacity')).toHaveLength(40);
  expect(ok(await app.get(`/v1/offers/${offerId}`)).lines).toMatchObject([
    { held: seats('10'), available: seats('0') },
  ]);
});

test('fifty simultaneous acceptances on a need with room for ten are ten accepted and forty refused', async () => {
  const [offerId, needId] = [await anOffer('50'), await anOpenNeed('10')];
  const proposal = { offerId, needId, legs: [{ offerLine: 1, needLine: 1, drawn: seats('1') }] };
  const wait = { prefer: 'wait=20' };
  const proposed = await Promise.all(
    Array.from({ length: 50 }, () => app.post('/v1/commitments', proposal, { as: JAPAN, headers: wait })),
  );
  const answers = await Promise.all(
    proposed.map(({ headers }) => {
      const { location, etag } = headers as { location: string; etag: string };
      return app.post(`${location}/accept`, {}, { as: VANUATU, headers: { ...wait, 'if-match': etag } });
    }),
  );
  const told = answers.map(
    ({ status, body }) => `${status} ${(body as { code?: string }).code ?? (body as { status: string }).status}`,
  );
  expect(told.filter((text) => text === '200 accepted')).toHaveLength(10);
  expect(told.filter((text) => text === '409 insufficient-coverage')).toHaveLength(40);
});

test('an event that no board can read parks the boards that read it; everything else goes on', async () => {
  const before = await anOpenNeed('5');
  await app.settled();
  const broken: EventToAppend = { ...sampleEvent(), id: newId(), type: 'NeedDrafted', data: { content: null } };
  await app.store.append(`need-${newId()}`, -1, [broken]);
  const after = await anOffer('5');
  const head = await app.store.head();
  expect(await app.projections.waitFor(head, 5_000, ['offer-board', 'reported-board', 'parties'])).toBe(true);
  expect(await app.projections.waitFor(head, 5_000, ['need-board'])).toBe(false);
  expect((await app.get('/readyz')).status).toBe(503);
  const { items } = ok(await app.get('/v1/admin/projections', { as: OPERATOR }));
  const parked = items.filter((item) => (item as { state: string }).state === 'parked');
  expect(parked).toContainEqual(
    expect.objectContaining({ name: 'need-board', parked: expect.objectContaining({ eventType: 'NeedDrafted' }) }),
  );
  expect(ok(await app.get('/v1/offers')).items).toMatchObject([{ id: after }]);
  // What it knew before it still shows; what must not be missed is refused.
  expect(ok(await app.get('/v1/needs', { as: VANUATU })).items).toMatchObject([{ id: before }]);
  ok(await app.get(`/v1/needs/${before}`, { as: VANUATU }));
  const later = await app.post(
    '/v1/needs',
    { title: 'Later', kinds: ['training'], instruments: ['ATT'], lines: [{ kind: 'training', quantity: seats('1') }] },
    { as: VANUATU },
  );
  expect(later.status).toBe(201);
  const token = String(later.headers['consistency-token']);
  const behind = await app.get('/v1/needs', { as: VANUATU, headers: { 'consistency-token': token, prefer: 'wait=5' } });
  expect([behind.status, (behind.body as { code: string }).code]).toEqual([503, 'projection-behind']);
});
