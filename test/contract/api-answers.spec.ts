import type { ApiClient, Json } from './api-client.js';
import {
  aNeed,
  anOffer,
  apiClient,
  bodyOf,
  CAVR,
  COORDINATOR,
  FIJI,
  JAPAN,
  machines,
  NORWAY,
  VANUATU,
  WAIT,
} from './api-client.js';

/**
 * What API.md lets an outside client rely on, asked over HTTP alone: names of fields, headers, figures, replay.
 */
let client: ApiClient;
beforeAll(async () => {
  client = await apiClient();
});
afterAll(() => client.app.close());

const linesOf = (body: Json): readonly Json[] => body.lines as readonly Json[];

describe('every field that API.md lists is there', () => {
  test('in a need, from its draft on', async () => {
    const created = await client.post('/v1/needs', aNeed(), VANUATU, { 'x-correlation-id': 'abc' });
    expect(created.status).toBe(201);
    expect(created.headers).toMatchObject({ location: `/v1/needs/${String(bodyOf(created).id)}`, etag: '"0"' });
    expect(created.headers).toMatchObject({
      'x-correlation-id': 'abc',
      'consistency-token': expect.any(String) as string,
    });
    const listed =
      'id filer state status closedAs revision transcribed freshness quality merged coverage actions'.split(' ');
    expect(Object.keys(bodyOf(created))).toEqual(expect.arrayContaining(listed));
    expect(Object.keys(linesOf(bodyOf(created))[0]?.coverage as object).toSorted()).toEqual(
      'accepted binding confirmed delivered indicative outstanding'.split(' '),
    );
    expect(bodyOf(await client.get(created.headers.location ?? '', VANUATU))).toEqual(created.body);
  });

  test('in an offer', async () => {
    const { body } = await client.post('/v1/offers', anOffer({ draft: true }), JAPAN);
    expect(Object.keys(body as Json)).toEqual(
      expect.arrayContaining('id donor status closedAs revision exhausted actions'.split(' ')),
    );
    expect(Object.keys(linesOf(body as Json)[0] ?? {})).toEqual(
      expect.arrayContaining('held committed delivered available'.split(' ')),
    );
  });

  test('in a commitment, its legs, tranches and history', async () => {
    const at = await client.bound(await client.openNeed(), await client.openOffer());
    await client.post(`${at}/deliveries`, { leg: 1, quantity: machines('4'), date: '2026-11-20' }, CAVR);
    const body = bodyOf(await client.get(at, JAPAN));
    const listed =
      'id status closedAs hold acceptance flags needId offerId state donor proposedBy implementer fiscalAgent expiresAt revision visibility legs signatories signatures consents deliveries transfers receipts discrepancies actions';
    expect(Object.keys(body)).toEqual(expect.arrayContaining(listed.split(' ')));
    expect(Object.keys((body.legs as Json[])[0] ?? {})).toEqual(
      expect.arrayContaining('leg offerLine needLine drawn credited valuation delivered confirmed'.split(' ')),
    );
    expect(Object.keys((body.deliveries as Json[])[0] ?? {})).toEqual(
      expect.arrayContaining('n leg quantity confirmedQuantity returnedQuantity date status evidence'.split(' ')),
    );
    const { items } = (await client.get(`${at}/history`, JAPAN)).body as { items: Json[] };
    for (const [revision, item] of items.entries()) {
      expect(item).toMatchObject({ revision, position: expect.stringMatching(/^\d+$/) as string });
      expect(Object.keys(item)).toEqual(
        expect.arrayContaining('type data actor effectiveAt recordedAt eventId'.split(' ')),
      );
    }
  });
});

test('absent, impossible, hidden and of another type are one and the same 404', async () => {
  const { headers, body } = await client.post('/v1/needs', aNeed(), VANUATU);
  const paths = [
    headers.location ?? '',
    '/v1/needs/nonsense',
    '/v1/needs/donor:japan',
    `/v1/offers/${String((body as Json).id)}`,
  ];
  const problems = await Promise.all(paths.map(async (path) => bodyOf(await client.get(path, FIJI))));
  for (const problem of problems) {
    expect(problem).toEqual({ ...problems[0], correlationId: expect.any(String) as string });
    expect(problem.code).toBe('not-found');
  }
});

test('an event of a process makes no If-Match stale, one of a person does', async () => {
  const need = await client.openNeed();
  const { etag = '' } = (await client.get(need, VANUATU)).headers;
  await client.bound(need, await client.openOffer());
  expect((await client.get(need, VANUATU)).headers.etag).not.toBe(etag);
  expect((await client.post(`${need}/reaffirm`, {}, VANUATU, { 'if-match': etag })).status).toBe(200);
  expect((await client.post(`${need}/reaffirm`, {}, VANUATU, { 'if-match': etag })).status).toBe(412);
});

test('what arrives in part, is cancelled and stays counted adds up on need, offer and commitment', async () => {
  const need = await client.openNeed();
  const offer = await client.openOffer();
  const at = await client.bound(need, offer);
  await client.post(`${at}/deliveries`, { leg: 1, quantity: machines('4'), date: '2026-11-20' }, JAPAN);
  expect((await client.send(at, 'deliveries/1/confirm', {}, JAPAN)).status).toBe(403);
  const part = await client.send(at, 'deliveries/1/confirm', { quantity: machines('3') }, VANUATU);
  expect(part.body).toMatchObject({
    status: 'binding',
    deliveries: [{ status: 'confirmed', confirmedQuantity: { amount: '3' } }],
  });
  expect((await client.send(at, 'cancel', { reason: { code: 'priorities' } }, VANUATU)).body).toMatchObject({
    status: 'cancelled',
    closedAs: null,
    hold: 'released',
  });
  await client.app.settled();
  expect(linesOf(bodyOf(await client.get(need)))[0]?.coverage).toEqual({
    binding: machines('4'),
    delivered: machines('4'),
    confirmed: machines('3'),
    outstanding: machines('8'),
  });
  expect(linesOf(bodyOf(await client.get(offer)))[0]).toMatchObject({
    held: machines('0'),
    committed: machines('4'),
    delivered: machines('4'),
    available: machines('16'),
  });
  expect((await client.send(at, 'close', {}, VANUATU)).body).toMatchObject({ status: 'cancelled' });
  expect((await client.send(at, 'close', {}, JAPAN)).body).toMatchObject({ status: 'closed', closedAs: 'cancelled' });
});

test('replay stands where each position and each claimed day puts it', async () => {
  const at = await client.bound(await client.openNeed(), await client.openOffer());
  await client.post(`${at}/deliveries`, { leg: 1, quantity: machines('4'), date: '2026-11-10' }, CAVR);
  await client.post(`${at}/deliveries`, { leg: 1, quantity: machines('2'), date: '2026-10' }, CAVR);
  const { items } = (await client.get(`${at}/history`, JAPAN)).body as { items: { position: string }[] };
  for (const [revision, { position }] of items.entries()) {
    const { state, steps } = (await client.get(`${at}/replay?at=${position}`, JAPAN)).body as {
      state: Json;
      steps: Json[];
    };
    expect([state.revision, steps.length]).toEqual([revision, revision + 1]);
  }
  const claimed = async (day: string): Promise<number> =>
    ((await client.get(`${at}/replay?clock=effective&at=${day}`, JAPAN)).body as { steps: Json[] }).steps.length;
  expect([await claimed('2026-10-30'), await claimed('2026-10-31'), await claimed('2026-11-10')]).toEqual([0, 1, 2]);
  expect((await client.get(`${at}/replay?clock=effective&at=5`, JAPAN)).status).toBe(400);
  const { actions: _mine, ...now } = bodyOf(await client.get(at, JAPAN));
  expect(bodyOf(await client.get(`${at}/replay`, JAPAN)).state).toMatchObject(now);
});

test('a refusal that was recorded names its record, also when it is repeated under its key', async () => {
  const body = {
    needId: (await client.openNeed()).split('/')[3],
    offerId: (await client.openOffer()).split('/')[3],
    legs: [{ offerLine: 1, needLine: 1, drawn: machines('21') }],
  };
  const headers = { ...WAIT, 'idempotency-key': 'too-much' };
  const first = await client.post('/v1/commitments', body, JAPAN, headers);
  const again = await client.post('/v1/commitments', body, JAPAN, headers);
  for (const answer of [first, again]) {
    expect([answer.status, bodyOf(answer).code]).toEqual([409, 'insufficient-capacity']);
    expect(answer.headers).toMatchObject({
      location: first.headers.location,
      etag: '"1"',
      'consistency-token': expect.any(String) as string,
    });
  }
  expect((await client.get(first.headers.location ?? '', JAPAN)).body).toMatchObject({
    status: 'declined',
    hold: 'refused',
  });
  expect((await client.get(first.headers.location ?? '', NORWAY)).status).toBe(404);
});

test('money may pay for training where both sides agree on its worth', async () => {
  const proposal = {
    needId: (await client.openNeed()).split('/')[3],
    offerId: (await client.openOffer()).split('/')[3],
    legs: [
      {
        offerLine: 2,
        needLine: 2,
        drawn: { measure: 'money', currency: 'USD', amount: '500' },
        credited: { measure: 'person-days', amount: '2.5' },
        valuation: { rate: '0.005', asOf: '2026-01-01', source: 'UN' },
      },
    ],
  };
  expect((await client.post('/v1/commitments', proposal, JAPAN, WAIT)).body).toMatchObject({ hold: 'held' });
});

test('a search finds whole words, whatever their case and accents, in the parts the caller may see', async () => {
  const at = await client.openNeed({
    title: 'Réforme des dépôts',
    problem: 'unterwegs',
    visibility: { summary: 'public', body: 'members' },
  });
  const token = (await client.send(at, 'reaffirm', {}, VANUATU)).headers['consistency-token'] ?? '';
  const finds = async (q: string, as?: typeof FIJI): Promise<boolean> => {
    const answer = await client.get(`/v1/needs?limit=200&q=${encodeURIComponent(q)}`, as, {
      ...WAIT,
      'consistency-token': token,
    });
    return (bodyOf(answer).items as Json[]).some(({ id }) => at.endsWith(String(id)));
  };
  expect(await finds('REFORME')).toBe(true);
  expect(await finds('re\u0301forme depots')).toBe(true);
  expect(await finds('reform')).toBe(false);
  expect(await finds('réforme OR nowhere')).toBe(false);
  expect(await finds('unterwegs')).toBe(false);
  expect(await finds('unterwegs', FIJI)).toBe(true);
});

test('what a caller is told it may do is never forbidden or absent', async () => {
  const need = await client.openNeed();
  const offer = await client.openOffer();
  const commitment = await client.bound(need, offer);
  for (const as of [VANUATU, JAPAN, CAVR, COORDINATOR]) {
    for (const record of [need, offer, commitment]) {
      for (const action of bodyOf(await client.get(record, as)).actions as string[]) {
        const { status } = await client.post(`${record}/${action}`, {}, as, { 'if-match': '"9999"' });
        expect([400, 412]).toContain(status);
      }
    }
  }
});
