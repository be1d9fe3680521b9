import { commitmentsContext } from '#commitments';
import { directoryContext } from '#directory';
import { needsContext } from '#needs';
import { offersContext } from '#offers';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const NORWAY: As = { party: 'donor:norway', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const FIJI: As = { party: 'state:FJI', role: 'npc' };
const CAVR: As = { party: 'agency:cavr', role: 'implementer' };
const NGO: As = { party: 'agency:ngo', role: 'implementer' };
const POLICE: As = { party: 'agency:vanuatu-police', role: 'implementer' };
const HOST: As = { party: 'network:msg', role: 'network-host' };

const seats = (amount: number): object => ({ measure: 'seats', amount: String(amount) });
const usd = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });

interface Json {
  readonly id: string;
  readonly code: string;
  readonly status: string;
  readonly revision: number;
  readonly [field: string]: unknown;
}
const json = (answer: Response): Json => answer.body as Json;

const begin = async (): Promise<TestApp> => {
  const started = await testApp({ contexts: [directoryContext, needsContext, offersContext, commitmentsContext] });
  const members = ['state:VUT', 'state:FJI'].map((party) => ({ party, as: 'member', from: '2020-01-01' }));
  for (const party of [
    { id: 'donor:japan', ofState: 'JPN' },
    { id: 'donor:norway', ofState: 'NOR' },
    { id: 'agency:cavr' },
    { id: 'agency:ngo' },
    { id: 'agency:vanuatu-police', ofState: 'VUT' },
    { id: 'network:msg', members },
  ]) {
    const answer = await started.post(
      '/v1/parties',
      { name: party.id, category: 'ngo', ...party },
      { as: COORDINATOR },
    );
    expect(answer.status).toBe(201);
  }
  return started;
};

// One service for all: each test binds a commitment of its own. The one that moves the clock has its own service, at the end.
let app: TestApp;
beforeAll(async () => {
  app = await begin();
});
afterAll(() => app.close());

const ok = (answer: Response, status = 200): Json => {
  if (answer.status !== status) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return json(answer);
};

const anOffer = async (more: object = {}): Promise<string> =>
  ok(
    await app.post(
      '/v1/offers',
      {
        title: 'Courses',
        lines: [
          { kinds: ['training'], capacity: seats(10) },
          { kinds: ['training'], capacity: usd('100000.00') },
        ],
        visibility: 'public',
        ...more,
      },
      { as: JAPAN },
    ),
    201,
  ).id;

const aNeed = async (more: object = {}): Promise<string> => {
  const { id } = ok(
    await app.post(
      '/v1/needs',
      {
        title: 'Licensing officers to be trained',
        kinds: ['training'],
        instruments: ['ATT'],
        lines: [
          { kind: 'training', quantity: seats(100) },
          { kind: 'training', quantity: usd('50000.00') },
          { kind: 'training', quantity: { measure: 'undetermined', why: 'to-be-assessed' } },
        ],
        authorityRef: 'Note Verbale 12/2026',
        visibility: 'public',
        ...more,
      },
      { as: VANUATU },
    ),
    201,
  );
  const consent = { circulate: true, publish: true };
  ok(await app.post(`/v1/needs/${id}/submit`, { consent }, { as: VANUATU, headers: { 'if-match': '"0"' } }));
  ok(await app.post(`/v1/needs/${id}/open`, {}, { as: COORDINATOR, headers: { 'if-match': '"1"' } }));
  return id;
};

const SEATS = [{ offerLine: 1, needLine: 1, drawn: seats(10) }];
const propose = (offerId: string, needId: string, more: object = {}, as: As = JAPAN): Promise<Response> =>
  app.post('/v1/commitments', { offerId, needId, legs: SEATS, ...more }, { as, headers: { prefer: 'wait=5' } });

const get = async (id: string, as: As): Promise<Json> => ok(await app.get(`/v1/commitments/${id}`, { as }));
const send = async (id: string, command: string, body: object, as: As, headers: object = {}): Promise<Response> => {
  const current = await app.get(`/v1/commitments/${id}`, { as });
  return app.post(`/v1/commitments/${id}/${command}`, body, {
    as,
    headers: { 'if-match': (current.headers as Record<string, string>).etag ?? '"0"', ...headers },
  });
};
const accept = (id: string, as: As = VANUATU): Promise<Response> => send(id, 'accept', {}, as, { prefer: 'wait=5' });

const bound = async (more: object = {}): Promise<{ id: string; offerId: string; needId: string }> => {
  const [offerId, needId] = [await anOffer(), await aNeed()];
  const { id } = ok(await propose(offerId, needId, more), 201);
  ok(await accept(id));
  if ('implementer' in more) ok(await send(id, 'consent-task', {}, CAVR));
  ok(await send(id, 'sign', {}, JAPAN));
  expect(ok(await send(id, 'sign', {}, VANUATU)).status).toBe('binding');
  return { id, offerId, needId };
};

const agree = (id: string, as: As): Promise<Response> => send(id, 'amend-accept', {}, as, { prefer: 'wait=5' });
const lineOf = async (path: string, as: As): Promise<Record<string, unknown>> =>
  (ok(await app.get(path, { as })) as unknown as { lines: Record<string, unknown>[] }).lines[0] ?? {};
const amount = (quantity: unknown): string => (quantity as { amount: string }).amount;
/** What offer and need say of their first lines once every process has come to rest. */
const figures = async ({ offerId, needId }: { offerId: string; needId: string }): Promise<Record<string, string>> => {
  await app.settled();
  const offered = await lineOf(`/v1/offers/${offerId}`, JAPAN);
  const { coverage } = await lineOf(`/v1/needs/${needId}`, VANUATU);
  const { binding, delivered, confirmed } = coverage as Record<string, unknown>;
  return {
    committed: amount(offered.committed),
    available: amount(offered.available),
    binding: amount(binding),
    delivered: amount(delivered),
    confirmed: amount(confirmed),
  };
};
const TODAY = '2026-11-22';
const deliver = (id: string, quantity: object, as: As = JAPAN): Promise<Response> =>
  send(id, 'deliveries', { leg: 1, quantity, date: TODAY }, as);
const leg = (quantity: number, more: object = {}): object => ({
  ...{ leg: 1, offerLine: 1, needLine: 1, drawn: seats(quantity) },
  ...more,
});

describe('amendments over HTTP', () => {
  it('grow and shrink a binding commitment through offer and need, and are refused where there is no more', async () => {
    const deal = await bound({ legs: [{ offerLine: 1, needLine: 1, drawn: seats(6) }] });
    const { id } = deal;
    const asked = ok(await send(id, 'amend', { legs: [leg(8)], reason: 'Two more officers.' }, VANUATU));
    expect(asked).toMatchObject({
      status: 'binding',
      legs: [{ drawn: seats(6) }],
      amendments: [{ n: 1, side: 'recipient', status: 'proposed', expiresAt: '2026-12-22T10:00:00.000Z' }],
      actions: expect.arrayContaining(['amend-withdraw']) as unknown,
    });
    expect(json(await agree(id, VANUATU)).code).toBe('own-proposal');
    expect(json(await send(id, 'amend', { legs: [leg(7)], reason: 'x' }, JAPAN)).code).toBe('amendment-open');
    expect(ok(await agree(id, JAPAN))).toMatchObject({
      legs: [{ drawn: seats(8) }],
      amendments: [{ status: 'amended' }],
    });
    expect(await figures(deal)).toMatchObject({ committed: '8', available: '2', binding: '8' });

    ok(await send(id, 'amend', { legs: [leg(11)], reason: 'A whole class.' }, VANUATU));
    const refused = await agree(id, JAPAN);
    expect([refused.status, json(refused).code]).toEqual([409, 'insufficient-capacity']);
    expect(refused.headers.location).toBe(`/v1/commitments/${id}`);
    expect((await get(id, VANUATU)).amendments).toMatchObject([{}, { status: 'refused', refusal: { by: 'offer' } }]);
    expect(await figures(deal)).toMatchObject({ committed: '8', available: '2', binding: '8' });

    ok(await deliver(id, seats(3)));
    const below = await send(id, 'amend', { legs: [leg(2)], reason: 'Fewer.' }, JAPAN);
    expect(json(below)).toMatchObject({ code: 'below-delivered', errors: [{ field: 'legs[0].drawn' }] });
    ok(await send(id, 'amend', { legs: [leg(3)], reason: 'The rest are ill.' }, JAPAN));
    expect(ok(await agree(id, VANUATU))).toMatchObject({ status: 'delivered', legs: [{ drawn: seats(3) }] });
    expect(await figures(deal)).toMatchObject({ committed: '3', available: '7', binding: '3', delivered: '3' });
    const history = json(await app.get(`/v1/commitments/${id}/history`, { as: VANUATU })) as unknown as {
      items: { type: string }[];
    };
    expect(history.items.map(({ type }) => type)).toContain('CommitmentAmended');
  });

  it('name legs, agencies or terms, with a reason; what a body shows to be wrong is 400', async () => {
    const { id } = await bound();
    const bad = async (body: object): Promise<unknown> => {
      const answer = await send(id, 'amend', body, JAPAN);
      return [answer.status, (json(answer).errors as { field: string }[]).map(({ field }) => field)];
    };
    expect(await bad({ reason: 'x' })).toEqual([400, ['reason']]);
    expect(await bad({ legs: [], reason: 'x' })).toEqual([400, ['legs']]);
    expect(await bad({ legs: [leg(2)] })).toEqual([400, ['reason']]);
    expect(await bad({ implementer: 'donor:japan', reason: 'x' })).toEqual([400, ['implementer']]);
    expect(await bad({ implementer: 'agency:nobody', reason: 'x' })).toEqual([409, ['implementer']]);
    expect(await bad({ legs: [leg(2, { leg: 5 })], reason: 'x' })).toEqual([409, ['legs[0].leg']]);
    expect(await bad({ legs: [leg(2, { needLine: 2 })], reason: 'x' })).toEqual([409, ['legs[0].needLine']]);
  });

  it('wait for an agency that they newly name, which sees the commitment from then on', async () => {
    const { id } = await bound({ implementer: 'agency:cavr' });
    ok(await send(id, 'amend', { implementer: 'agency:ngo', reason: 'It has the trainers.' }, JAPAN));
    expect(json(await agree(id, VANUATU)).code).toBe('task-not-consented');
    expect((await get(id, NGO)).actions).toEqual(expect.arrayContaining(['consent-task', 'decline-task']));
    ok(await send(id, 'consent-task', {}, NGO));
    expect(ok(await agree(id, VANUATU))).toMatchObject({
      implementer: 'agency:ngo',
      consents: [{ party: 'agency:ngo' }],
    });
    ok(await send(id, 'amend', { implementer: null, reason: 'We do it ourselves.' }, JAPAN));
    ok(await send(id, 'amend-decline', { reason: { code: 'other' } }, VANUATU));
    ok(await send(id, 'amend', { implementer: null, reason: 'Then we do.' }, VANUATU));
    ok(await send(id, 'amend-withdraw', {}, VANUATU));
    expect((await get(id, JAPAN)).amendments).toMatchObject([
      { status: 'amended' },
      { status: 'declined', declined: { party: 'state:VUT', reason: { code: 'other' } } },
      { status: 'declined', declined: { party: 'state:VUT' } },
    ]);
  });
});

describe('what comes back, and what the sides say of it', () => {
  it('is sent back and delivered again, corrected, disputed and settled', async () => {
    const deal = await bound();
    const { id } = deal;
    ok(await deliver(id, seats(9)));
    const corrected = ok(
      await send(id, 'deliveries/1/correct', { quantity: seats(10), reason: 'One came late.' }, JAPAN),
    );
    expect(corrected).toMatchObject({ status: 'delivered', deliveries: [{ quantity: seats(10), corrected: true }] });
    ok(await send(id, 'deliveries/1/confirm', {}, VANUATU));
    expect(await figures(deal)).toMatchObject({ delivered: '10', confirmed: '10' });
    const back = { delivery: 1, quantity: seats(2), reason: 'Fell ill.', date: TODAY };
    expect(ok(await send(id, 'returns', back, VANUATU))).toMatchObject({
      status: 'binding',
      deliveries: [{ returnedQuantity: seats(2), confirmedQuantity: seats(8) }],
      returns: [{ n: 1, delivery: 1, quantity: seats(2) }],
    });
    expect(await figures(deal)).toMatchObject({ committed: '10', delivered: '8', confirmed: '8' });
    expect(json(await send(id, 'returns', { ...back, quantity: seats(9) }, VANUATU)).code).toBe('over-return');
    ok(await deliver(id, seats(2)));
    expect(ok(await send(id, 'deliveries/2/dispute', { reason: 'One came.' }, VANUATU)).flags).toEqual(['disputed']);
    expect((await send(id, 'deliveries/2/settle', { outcome: 'reduced' }, VANUATU)).status).toBe(400);
    expect((await send(id, 'deliveries/2/settle', { outcome: 'stands', quantity: seats(1) }, VANUATU)).status).toBe(
      400,
    );
    ok(await send(id, 'deliveries/2/settle', { outcome: 'reduced', quantity: seats(1) }, COORDINATOR));
    ok(await send(id, 'deliveries/2/settle', { outcome: 'reduced', quantity: seats(1) }, VANUATU));
    expect(ok(await send(id, 'deliveries/2/settle', { outcome: 'reduced', quantity: seats(1) }, JAPAN))).toMatchObject({
      flags: [],
      status: 'binding',
      deliveries: [{}, { status: 'reported', quantity: seats(1), settlements: [{}, {}, {}] }],
    });
    expect(await figures(deal)).toMatchObject({ delivered: '9', confirmed: '8' });
    ok(await deliver(id, seats(1)));
    ok(await send(id, 'deliveries/2/confirm', {}, VANUATU));
    expect(ok(await send(id, 'deliveries/3/confirm', {}, VANUATU)).status).toBe('confirmed');
    expect(await figures(deal)).toMatchObject({ committed: '10', delivered: '10', confirmed: '10' });
  });

  it('is verified by whom the terms appoint, so that a State may confirm what its own body delivered', async () => {
    const [offerId, needId] = [await anOffer(), await aNeed()];
    const more = { implementer: 'agency:vanuatu-police', terms: { verifier: 'agency:ngo' } };
    const { id } = ok(await propose(offerId, needId, more), 201);
    ok(await accept(id));
    ok(await send(id, 'consent-task', {}, POLICE));
    ok(await send(id, 'sign', {}, JAPAN));
    ok(await send(id, 'sign', {}, VANUATU));
    ok(await deliver(id, seats(10), POLICE));
    expect(json(await send(id, 'deliveries/1/confirm', {}, VANUATU)).code).toBe('own-delivery');
    expect((await send(id, 'deliveries/1/verify', { quantity: seats(9) }, CAVR)).status).toBe(403);
    const verified = ok(await send(id, 'deliveries/1/verify', { quantity: seats(9), note: 'One absent.' }, NGO));
    expect(verified).toMatchObject({ deliveries: [{ status: 'reported', verifications: [{ party: 'agency:ngo' }] }] });
    expect(json(await send(id, 'deliveries/1/confirm', { quantity: seats(10) }, VANUATU)).code).toBe(
      'over-confirmation',
    );
    expect(ok(await send(id, 'deliveries/1/confirm', {}, VANUATU))).toMatchObject({
      status: 'confirmed',
      deliveries: [{ confirmedQuantity: seats(9) }],
    });
  });
});

describe('joint deals', () => {
  it('are signed by every provider and the host, or by whom the proposal names of both sides', async () => {
    const offerId = await anOffer({ providers: [{ party: 'donor:japan' }, { party: 'donor:norway' }] });
    const filed = await app.post(
      '/v1/needs',
      {
        title: 'Officers of two States',
        kinds: ['training'],
        instruments: ['ATT'],
        beneficiaries: ['state:VUT', 'state:FJI'],
        lines: [{ kind: 'training', quantity: seats(100) }],
        authorityRef: 'Communiqué 4',
        visibility: 'public',
      },
      { as: HOST },
    );
    const { id: needId } = ok(filed, 201);
    const command = async (name: string, body: object, as: As): Promise<Response> => {
      const now = await app.get(`/v1/needs/${needId}`, { as });
      const etag = (now.headers as Record<string, string>).etag ?? '';
      return app.post(`/v1/needs/${needId}/${name}`, body, { as, headers: { 'if-match': etag } });
    };
    for (const as of [VANUATU, FIJI]) ok(await command('consent-participation', {}, as));
    ok(await command('submit', { consent: { circulate: true, publish: true } }, HOST));
    ok(await command('open', {}, COORDINATOR));
    const legs = [{ offerLine: 1, needLine: 1, drawn: seats(5) }];
    const joint = ok(await propose(offerId, needId, { legs }, NORWAY), 201);
    expect(joint).toMatchObject({
      providers: ['donor:japan', 'donor:norway'],
      beneficiaries: ['state:VUT', 'state:FJI'],
      signatories: ['donor:japan', 'donor:norway', 'network:msg'],
    });
    const stranger = await propose(offerId, needId, { legs, signatories: ['donor:japan', 'agency:secretariat'] });
    expect(json(stranger)).toMatchObject({ code: 'unknown-signatory', errors: [{ field: 'signatories[1]' }] });
    const two = { legs, signatories: ['donor:norway', 'state:FJI'] };
    const { id } = ok(await propose(offerId, needId, two), 201);
    ok(await accept(id, FIJI));
    expect((await send(id, 'sign', {}, JAPAN)).status).toBe(403);
    ok(await send(id, 'sign', {}, NORWAY));
    expect(ok(await send(id, 'sign', {}, FIJI)).status).toBe('binding');
    ok(await send(id, 'deliveries', { leg: 1, quantity: seats(2), beneficiary: 'state:VUT', date: TODAY }, NORWAY));
    expect((await send(id, 'deliveries/1/confirm', {}, FIJI)).status).toBe(403);
    ok(await send(id, 'deliveries/1/confirm', {}, VANUATU));
    expect(ok(await send(id, 'amend', { legs: [leg(4)], reason: 'Fewer.' }, JAPAN)).amendments).toMatchObject([
      { side: 'provider' },
    ]);
    expect(json(await agree(id, NORWAY)).code).toBe('own-proposal');
    expect(ok(await agree(id, HOST)).legs).toMatchObject([{ drawn: seats(4) }]);
  });

  it('credit a scope in words, and a figure once the line was assessed', async () => {
    const [offerId, needId] = [await anOffer(), await aNeed()];
    const scope = { offerLine: 1, needLine: 3, drawn: seats(4), credited: { scope: 'Training of trainers' } };
    const { id } = ok(await propose(offerId, needId, { legs: [scope] }), 201);
    ok(await accept(id));
    ok(await send(id, 'sign', {}, JAPAN));
    expect(ok(await send(id, 'sign', {}, VANUATU)).legs).toMatchObject([
      { credited: { scope: 'Training of trainers' } },
    ]);
    ok(await deliver(id, seats(1)));
    const need = await app.get(`/v1/needs/${needId}`, { as: VANUATU });
    const report = { kind: 'report', title: 'Assessment', sha256: 'c'.repeat(64) };
    const lines = [{ line: 3, quantity: usd('1000.00') }];
    ok(
      await app.post(
        `/v1/needs/${needId}/assess`,
        { lines, report },
        {
          as: VANUATU,
          headers: { 'if-match': (need.headers as Record<string, string>).etag ?? '' },
        },
      ),
    );
    const credited = {
      ...{ leg: 1, offerLine: 1, needLine: 3, drawn: seats(4), credited: usd('800.00') },
      valuation: { rate: '200.00', asOf: '2026-11-20', source: 'Assessment report' },
    };
    ok(await send(id, 'amend', { legs: [credited], reason: 'Assessed.' }, JAPAN));
    expect(ok(await agree(id, VANUATU))).toMatchObject({
      legs: [{ credited: usd('800.00'), deliveredCredited: usd('200.00') }],
    });
    await app.settled();
    const after = ok(await app.get(`/v1/needs/${needId}`, { as: VANUATU })) as unknown as {
      lines: { coverage: object }[];
    };
    expect(after.lines[2]?.coverage).toMatchObject({ binding: usd('800.00'), delivered: usd('200.00') });
  });
});

describe('amendments, on a service of their own', () => {
  let shared: TestApp;
  beforeEach(async () => {
    shared = app;
    app = await begin();
  });
  afterEach(async () => {
    await app.close();
    app = shared;
  });

  it('lapse after thirty days, and are nobody’s business but the parties’', async () => {
    const { id } = await bound();
    ok(await send(id, 'amend', { legs: [leg(4)], reason: 'Fewer.' }, JAPAN));
    const seen = await get(id, NORWAY);
    expect(seen.amendments).toBeUndefined();
    const told = json(await app.get(`/v1/commitments/${id}/history`, { as: NORWAY })) as unknown as {
      items: { type: string; data: object }[];
    };
    expect(told.items.length).toBeGreaterThan(0);
    expect(told.items.find(({ type }) => type === 'AmendmentProposed')?.data).toBeUndefined();
    await app.settled();
    app.clock.set('2026-12-22T10:00:00.000Z');
    await app.ticker.tickNow();
    expect((await get(id, JAPAN)).amendments).toMatchObject([{ status: 'lapsed' }]);
  });
});
