import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const NORWAY: As = { party: 'donor:norway', role: 'donor-desk' };
const GERMANY: As = { party: 'donor:germany', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };

const usd = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });
const uses = (amount: number | 'unlimited'): object => ({ measure: 'access', amount: String(amount) });

interface Line {
  readonly line: number;
  readonly [figure: string]: unknown;
}
interface Json {
  readonly id: string;
  readonly code: string;
  readonly status: string;
  readonly revision: number;
  readonly lines: readonly Line[];
  readonly [field: string]: unknown;
}
const json = (answer: Response): Json => answer.body as Json;
const ok = (answer: Response, status = 200): Json => {
  if (answer.status !== status) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return json(answer);
};

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
  for (const [id, ofState] of [
    ['donor:japan', 'JPN'],
    ['donor:norway', 'NOR'],
    ['donor:germany', 'DEU'],
  ] as const) {
    ok(await app.post('/v1/parties', { id, name: id, ofState }, { as: COORDINATOR }), 201);
  }
});
afterAll(() => app.close());

const PROVIDERS = [{ party: 'donor:norway' }, { party: 'donor:japan', share: '60' }];
const offered = (more: object = {}, as: As = JAPAN): Promise<Response> =>
  app.post(
    '/v1/offers',
    {
      title: 'A fund, a laboratory and a course',
      lines: [
        { kinds: ['legal'], capacity: usd('1000.00'), minimumLot: '100' },
        { kinds: ['legal'], capacity: uses(2) },
        { kinds: ['legal'], capacity: uses('unlimited') },
      ],
      visibility: 'public',
      providers: PROVIDERS,
      ...more,
    },
    { as },
  );
const read = async (path: string, as: As = JAPAN): Promise<Json> => {
  await app.settled();
  return ok(await app.get(path, { as }));
};
const command = async (record: string, name: string, body: object, as: As): Promise<Response> => {
  const { revision } = await read(record, as);
  return app.post(`${record}/${name}`, body, { as, headers: { 'if-match': `"${revision}"`, prefer: 'wait=5' } });
};
const openNeed = async (): Promise<string> => {
  const { id } = ok(
    await app.post(
      '/v1/needs',
      {
        title: 'A law and those who apply it',
        kinds: ['legal'],
        instruments: ['ATT'],
        lines: [
          { kind: 'legal', quantity: usd('5000.00') },
          { kind: 'legal', quantity: { measure: 'undetermined', why: 'to-be-assessed' } },
        ],
        authorityRef: 'Note Verbale 12/2026',
        visibility: 'public',
      },
      { as: VANUATU },
    ),
    201,
  );
  ok(await command(`/v1/needs/${id}`, 'submit', { consent: { circulate: true, publish: true } }, VANUATU));
  ok(await command(`/v1/needs/${id}`, 'open', {}, COORDINATOR));
  return id;
};
const proposed = (offerId: string, needId: string, legs: readonly object[], as: As): Promise<Response> =>
  app.post('/v1/commitments', { offerId, needId, legs }, { as, headers: { prefer: 'wait=5' } });
const lineOf = async (offerId: string, line: number): Promise<Line | undefined> =>
  (await read(`/v1/offers/${offerId}`)).lines.find((one) => one.line === line);

describe('a joint offer', () => {
  test('is posted by one of its providers, who leads, with what is published of the split', async () => {
    const body = ok(await offered(), 201);
    expect(body).toMatchObject({
      donor: 'donor:japan',
      providers: [{ party: 'donor:japan', share: '60' }, { party: 'donor:norway' }],
      lines: [{ minimumLot: '100.00' }, { available: uses(2) }, { available: uses('unlimited') }],
    });
    for (const donor of ['donor:japan', 'donor:norway']) {
      const found = await read(`/v1/offers?donor=${donor}`, GERMANY);
      expect((found.items as readonly Json[]).map(({ id }) => id)).toContain(body.id);
    }
  });

  test('names registered parties only, each once, the caller among them', async () => {
    expect(json(await offered({ providers: [...PROVIDERS, { party: 'fund:nobody' }] }))).toMatchObject({
      ...{ status: 409, code: 'unknown-provider' },
    });
    const drafted = await offered({ draft: true, providers: [...PROVIDERS, { party: 'fund:nobody' }] });
    expect(json(drafted).code).toBe('unknown-provider');
    expect((await offered({}, GERMANY)).status).toBe(400);
    expect(ok(await offered({ providers: [...PROVIDERS, { party: 'state:FJI' }] }), 201).providers).toHaveLength(3);
  });

  test('is shown to every provider and commanded by its lead', async () => {
    const { id } = ok(await offered({ visibility: 'sealed' }), 201);
    const path = `/v1/offers/${id}`;
    expect(await read(path, NORWAY)).toMatchObject({ id, actions: [] });
    expect((await app.get(path, { as: GERMANY })).status).toBe(404);
    expect((await read(`/v1/offers?donor=donor:norway`, GERMANY)).items).not.toContainEqual(
      expect.objectContaining({ id }),
    );
    expect((await command(path, 'suspend', { reason: { code: 'budget' } }, NORWAY)).status).toBe(403);
    ok(await command(path, 'amend', { providers: [{ party: 'donor:japan' }] }, JAPAN));
    expect((await app.get(path, { as: NORWAY })).status).toBe(404);
  });

  test('is a draft of its lead alone', async () => {
    const { id } = ok(await offered({ draft: true }), 201);
    expect((await app.get(`/v1/offers/${id}`, { as: NORWAY })).status).toBe(404);
    expect(ok(await command(`/v1/offers/${id}`, 'post', {}, JAPAN)).status).toBe('open');
    expect((await read(`/v1/offers/${id}`, NORWAY)).status).toBe('open');
  });

  test('binds with the signature of every provider, whichever of them proposes', async () => {
    const [{ id: offerId }, needId] = [ok(await offered(), 201), await openNeed()];
    const legs = [{ offerLine: 1, needLine: 1, drawn: usd('300.00') }];
    const { id } = ok(await proposed(offerId, needId, legs, NORWAY), 201);
    const path = `/v1/commitments/${id}`;
    expect((await command(path, 'accept', {}, JAPAN)).status).not.toBe(200);
    ok(await command(path, 'accept', {}, VANUATU));
    const before = await read('/v1/desk', NORWAY);
    expect(before.items).toContainEqual(expect.objectContaining({ record: id, action: 'sign' }));
    ok(await command(path, 'sign', {}, VANUATU));
    ok(await command(path, 'sign', {}, NORWAY));
    expect((await read(path, NORWAY)).status).toBe('accepted');
    ok(await command(path, 'sign', {}, JAPAN));
    expect((await read(path, NORWAY)).status).toBe('binding');
    expect(await lineOf(offerId, 1)).toMatchObject({ held: usd('0.00'), committed: usd('300.00') });
  });
});

describe('what an offer gives', () => {
  test('is drawn in no less than its smallest lot', async () => {
    const [{ id: offerId }, needId] = [ok(await offered(), 201), await openNeed()];
    const small = [{ offerLine: 1, needLine: 1, drawn: usd('99.99') }];
    expect(json(await proposed(offerId, needId, small, JAPAN))).toMatchObject({
      ...{ status: 409, code: 'below-minimum-lot' },
    });
    const legs = [{ offerLine: 1, needLine: 1, drawn: usd('100.00') }];
    ok(await proposed(offerId, needId, legs, JAPAN), 201);
    expect(await lineOf(offerId, 1)).toMatchObject({ held: usd('100.00'), available: usd('900.00') });
    ok(await command(`/v1/offers/${offerId}`, 'withdraw', { reason: { code: 'budget' } }, JAPAN));
  });

  test('holds uses of access until the commitment is confirmed or left, on a line whose quantity nobody knows yet', async () => {
    const [{ id: offerId }, needId] = [ok(await offered(), 201), await openNeed()];
    const scope = { credited: { scope: 'the officers of the licensing unit' } };
    const legs = [
      { offerLine: 2, needLine: 2, drawn: uses(2), ...scope },
      { offerLine: 3, needLine: 2, drawn: uses(40), ...scope },
    ];
    const { id } = ok(await proposed(offerId, needId, legs, JAPAN), 201);
    const path = `/v1/commitments/${id}`;
    expect(await lineOf(offerId, 2)).toMatchObject({ held: uses(2), available: uses(0) });
    expect(await lineOf(offerId, 3)).toMatchObject({ held: uses(40), available: uses('unlimited') });
    const second = [{ offerLine: 2, needLine: 2, drawn: uses(1), ...scope }];
    expect(json(await proposed(offerId, needId, second, JAPAN)).code).toBe('insufficient-capacity');
    ok(await command(path, 'accept', {}, VANUATU));
    for (const as of [VANUATU, JAPAN, NORWAY]) ok(await command(path, 'sign', {}, as));
    await app.settled();
    for (const [leg, amount] of [
      [1, 2],
      [2, 40],
    ] as const) {
      const delivery = { leg, quantity: uses(amount), date: '2026-01-05' };
      ok(await command(path, 'deliveries', delivery, JAPAN));
    }
    expect(await lineOf(offerId, 2)).toMatchObject({ committed: uses(2), delivered: uses(2), available: uses(0) });
    ok(await command(path, 'deliveries/1/confirm', {}, VANUATU));
    expect(await lineOf(offerId, 2)).toMatchObject({ available: uses(0) });
    ok(await command(path, 'deliveries/2/confirm', {}, VANUATU));
    expect((await read(path)).status).toBe('confirmed');
    expect(await lineOf(offerId, 2)).toMatchObject({ committed: uses(0), delivered: uses(0), available: uses(2) });
    expect(await lineOf(offerId, 3)).toMatchObject({ committed: uses(0), available: uses('unlimited') });
    ok(await proposed(offerId, needId, second, JAPAN), 201);
  });

  test('follows an amendment: more is held, then committed; less is given back', async () => {
    const [{ id: offerId }, needId] = [ok(await offered(), 201), await openNeed()];
    const leg = (amount: string, more: object = {}): object => ({
      ...{ offerLine: 1, needLine: 1, drawn: usd(amount), credited: usd(amount) },
      ...more,
    });
    const { id } = ok(await proposed(offerId, needId, [leg('300.00')], JAPAN), 201);
    const path = `/v1/commitments/${id}`;
    ok(await command(path, 'accept', {}, VANUATU));
    for (const as of [VANUATU, JAPAN, NORWAY]) ok(await command(path, 'sign', {}, as));
    const amended = async (amount: string): Promise<void> => {
      const body = { legs: [leg(amount, { leg: 1 })], reason: 'as the visit found' };
      ok(await command(path, 'amend', body, JAPAN));
      const waits = (await read('/v1/desk', VANUATU)).items;
      expect(waits).toContainEqual(expect.objectContaining({ record: id, action: 'amend-accept' }));
      ok(await command(path, 'amend-accept', {}, VANUATU));
      await app.settled();
    };
    await amended('500.00');
    expect(await lineOf(offerId, 1)).toMatchObject({ held: usd('0.00'), committed: usd('500.00') });
    await amended('250.00');
    expect(await lineOf(offerId, 1)).toMatchObject({ committed: usd('250.00'), available: usd('750.00') });
    ok(await command(path, 'amend', { legs: [leg('2000.00', { leg: 1 })], reason: 'all of it' }, JAPAN));
    expect(json(await command(path, 'amend-accept', {}, VANUATU)).code).toBe('insufficient-capacity');
    expect(await lineOf(offerId, 1)).toMatchObject({ held: usd('0.00'), committed: usd('250.00') });
    expect((await read(path)).status).toBe('binding');
  });

  test('matches a need whose quantity nobody knows yet, and says that no figure covers it', async () => {
    const [{ id: offerId }, needId] = [ok(await offered({ title: 'Another course' }), 201), await openNeed()];
    const { items } = await read(`/v1/needs/${needId}/matches?limit=200`, VANUATU);
    const match = (items as readonly { offerId: string; coverage: unknown; components: { because: string }[] }[]).find(
      (one) => one.offerId === offerId,
    );
    expect(match?.coverage).toEqual([{ needLine: 1, offerLine: 1, quantity: usd('1000.00') }]);
    expect(match?.components.map(({ because }) => because).join('; ')).toContain('1 line without a quantity in words');
    const narrow = { lines: [{ kinds: ['legal'], capacity: usd('9000.00'), minimumLot: '6000.00' }] };
    const { id: large } = ok(await offered(narrow), 201);
    const { items: both } = await read(`/v1/offers/${large}/matches`, JAPAN);
    // What the scope in words draws beside the money for line 1 makes up the lot.
    expect(
      (both as readonly { needId: string; coverage: unknown }[]).find((one) => one.needId === needId)?.coverage,
    ).toEqual([{ needLine: 1, offerLine: 1, quantity: usd('5000.00') }]);
  });
});
