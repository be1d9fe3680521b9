import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditContext } from '#audit';
import { directoryContext, subjectsContext } from '#directory';
import { needsContext } from '#needs';
import { offersContext } from '#offers';
import type { As, TestApp, TestRequest } from '../support/app.js';
import { temporaryFolder, testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const MISSION: As = { party: 'state:VUT', role: 'mission', sub: 'mission@gov.example' };
const NPC: As = { party: 'state:VUT', role: 'npc', sub: 'npc@gov.example' };
const DESK: As = { party: 'donor:japan', role: 'donor-desk', sub: 'desk@mofa.example' };
const AUDITOR: As = { party: 'auditor:court', role: 'auditor' };

const NEED = {
  title: 'Marking',
  kinds: ['training'],
  instruments: ['UNPoA'],
  lines: [{ kind: 'training', quantity: { measure: 'seats', amount: '4' } }],
  authorityRef: 'NV 1',
  visibility: { summary: 'public', body: 'sealed', annex: 'sealed' },
  problem: 'Only for those with a mandate',
};
const PERIOD = { from: '2026-01-01', to: '2026-12-31' };

let app: TestApp;
const start = async (): Promise<void> => {
  app = await testApp({ now: '2026-03-02T09:00:00.000Z', contexts: [directoryContext, needsContext, offersContext] });
};
const stop = (): Promise<void> => app.close();

const post = (path: string, body: object, as: As, headers: Record<string, string> = {}): Promise<Response> =>
  app.post(path, body, { as, headers });
const register = (body: object, as = COORDINATOR): Promise<Response> => post('/v1/parties', body, as);
const designation = (more: object = {}): object => ({
  party: 'state:VUT',
  office: 'npc',
  powers: ['file'],
  holder: 'npc@gov.example',
  authorityRef: 'Note 3/2026',
  ...PERIOD,
  ...more,
});
const ABSENT = '01920000-0000-7000-8000-000000000000';
const mandate = (more: object = {}): object => ({
  auditor: 'auditor:court',
  scope: { everything: true },
  reference: 'Decision 4/2026',
  ...PERIOD,
  ...more,
});
const JAPAN = { id: 'donor:japan', name: 'Japan, donor desk', category: 'bilateral', ofState: 'JPN' };
const fieldsOf = ({ body }: Response): string[] => (body.errors as { field: string }[]).map(({ field }) => field);

describe('parties', () => {
  beforeEach(start);
  afterEach(stop);

  it('are registered, amended and retired by a coordinator; others act only once registered', async () => {
    const offer = {
      title: 'x',
      lines: [{ kinds: ['training'], description: 'd', capacity: { measure: 'seats', amount: '1' } }],
    };
    expect((await post('/v1/offers', offer, DESK)).body.code).toBe('party-not-registered');
    const registered = await register({ ...JAPAN, contact: { office: 'Aid desk', mailbox: 'salw@mofa.example' } });
    expect(registered.status).toBe(201);
    expect(registered.headers.location).toBe('/v1/parties/donor:japan');
    expect((await post('/v1/offers', offer, DESK)).body.code).not.toBe('party-not-registered');
    expect((await register(JAPAN)).body.code).toBe('already-registered');
    expect((await register({ ...JAPAN, id: 'donor:norway' }, DESK)).status).toBe(403);
    expect((await post('/v1/parties/donor:japan/amend', { name: 'Japan' }, COORDINATOR)).status).toBe(428);
    const amended = await post('/v1/parties/donor:japan/amend', { name: 'Japan' }, COORDINATOR, { 'if-match': '"0"' });
    expect(amended.body).toMatchObject({ name: 'Japan', registered: true, revision: 1 });
    await post('/v1/parties/donor:japan/retire', {}, COORDINATOR, { 'if-match': '"1"' });
    expect((await app.get('/v1/parties/donor:japan')).body).toMatchObject({ registered: false, retired: true });
    expect((await post('/v1/offers', offer, DESK)).body.code).toBe('party-not-registered');
  });

  it('show their contact to members only', async () => {
    await register({ ...JAPAN, contact: { mailbox: 'salw@mofa.example' } });
    expect((await app.get('/v1/parties/donor:japan')).body).not.toHaveProperty('contact');
    expect((await app.get('/v1/parties/donor:japan', { as: NPC })).body.contact).toEqual({
      mailbox: 'salw@mofa.example',
    });
    expect(JSON.stringify((await app.get('/v1/parties/donor:japan/history')).body)).not.toContain('mofa.example');
  });

  it('that are States or known organisations are answered without registration', async () => {
    expect((await app.get('/v1/parties/state:VUT')).body).toMatchObject({
      name: 'Vanuatu',
      ofState: 'VUT',
      registered: false,
    });
    expect((await app.get('/v1/parties/network:msg')).body).toMatchObject({ name: 'Melanesian Spearhead Group' });
    const unwritten = await app.get('/v1/parties/state:VUT');
    expect([unwritten.headers.etag, (unwritten.body as { revision: unknown }).revision]).toEqual([undefined, null]);
    expect((await app.get('/v1/parties/state:VUT/history')).body).toEqual({ items: [], next: null });
    for (const id of ['donor:nobody', 'state:XXX', 'VUT', 'donor:']) {
      expect((await app.get(`/v1/parties/${id}`)).status).toBe(404);
      expect((await app.get(`/v1/parties/${id}/history`)).status).toBe(404);
    }
  });

  it('are listed by category, State, network and words', async () => {
    await register(JAPAN);
    await register({ id: 'agency:cavr', name: 'Centre Armes Violentes', category: 'ngo' });
    await register({
      id: 'network:msg',
      name: 'Melanesian Spearhead Group',
      members: [
        { party: 'state:VUT', as: 'member', from: '1988-01-01' },
        { party: 'state:FJI', as: 'member', to: '2020-01-01' },
      ],
    });
    await register({ id: 'state:VUT', name: 'Vanuatu' });
    await register({ id: 'state:FJI', name: 'Fiji' });
    await app.settled();
    const ids = async (query: string): Promise<string[]> =>
      ((await app.get(`/v1/parties?${query}`)).body.items as { id: string }[]).map(({ id }) => id);
    expect(await ids('')).toHaveLength(5);
    expect(await ids('category=ngo')).toEqual(['agency:cavr']);
    expect(await ids('ofState=JPN')).toEqual(['donor:japan']);
    expect(await ids('network=network:msg')).toEqual(['state:VUT']);
    expect(await ids('q=ARMES')).toEqual(['agency:cavr']);
    expect(await ids('q=!')).toEqual([]);
    const first = await app.get('/v1/parties?limit=3');
    const rest = await app.get(`/v1/parties?limit=3&cursor=${encodeURIComponent(first.body.next as string)}`);
    expect([first.body.items.length, rest.body.items.length, rest.body.next]).toEqual([3, 2, null]);
  });
});

describe('designations', () => {
  beforeEach(start);
  afterEach(stop);

  it('once recorded let only the designated act, each within its powers and dates (I5)', async () => {
    expect((await post('/v1/needs', NEED, NPC)).status).toBe(201);
    const recorded = await post('/v1/designations', designation(), MISSION);
    expect(recorded.status).toBe(201);
    expect(recorded.body).toMatchObject({ holder: 'npc@gov.example', inForce: true });
    expect((await post('/v1/needs', NEED, NPC)).status).toBe(201);
    expect((await post('/v1/needs', NEED, { ...NPC, sub: 'somebody@gov.example' })).status).toBe(403);
    expect((await post('/v1/needs', NEED, MISSION)).status).toBe(403);
    // Valid when recorded is not enough: it must have been valid when signed.
    expect((await post('/v1/needs', NEED, NPC, { 'effective-at': '2025-12-31' })).status).toBe(403);
    expect((await post('/v1/needs', NEED, NPC, { 'effective-at': '2026-01-01' })).status).toBe(201);
    const path = recorded.headers.location!;
    expect((await post(`${path}/revoke`, {}, MISSION, { 'if-match': '"0"' })).status).toBe(403);
    const revoked = await post(`${path}/revoke`, {}, COORDINATOR, { 'if-match': '"0"' });
    expect(revoked.body).toMatchObject({ inForce: false, actions: [] });
    expect((await post('/v1/needs', NEED, NPC)).status).toBe(403);
  });

  it('are seen by the party and the coordinator only, and never as a person in the log', async () => {
    const { headers } = await post('/v1/designations', designation(), MISSION);
    const path = headers.location!;
    const statuses = await Promise.all(
      [undefined, DESK, NPC, COORDINATOR].map(
        async (as) => (await app.get(path, as === undefined ? {} : { as })).status,
      ),
    );
    expect(statuses).toEqual([404, 404, 200, 200]);
    await app.settled();
    const listed = async (request: TestRequest): Promise<number> =>
      (await app.get('/v1/designations?party=state:VUT', request)).body.items.length as number;
    expect([
      await listed({}),
      await listed({ as: DESK }),
      await listed({ as: NPC }),
      await listed({ as: COORDINATOR }),
    ]).toEqual([0, 0, 1, 1]);
    const events = await app.store.readAll(0n, 100);
    expect(JSON.stringify(events.map(({ data, metadata }) => ({ data, metadata })))).not.toContain('gov.example');
  });

  it('stand in the party’s history for the party and the coordinator', async () => {
    const { headers } = await post('/v1/designations', designation(), MISSION);
    await post(`${headers.location!}/revoke`, {}, COORDINATOR, { 'if-match': '"0"' });
    const history = async (request: TestRequest): Promise<readonly { type?: string; data?: object }[]> =>
      (await app.get('/v1/parties/state:VUT/history', request)).body.items;
    expect(await history({ as: NPC })).toMatchObject([
      { type: 'DesignationRecorded', data: { holder: 'npc@gov.example', powers: ['file'] } },
      { type: 'DesignationRevoked' },
    ]);
    expect((await history({ as: DESK })).map(({ type }) => type)).toEqual([undefined, undefined]);
  });

  it('under one key are recorded once, and the key is not another party’s', async () => {
    const headers = { 'idempotency-key': 'k' };
    const first = await post('/v1/designations', designation(), COORDINATOR, headers);
    const again = await post('/v1/designations', designation(), COORDINATOR, headers);
    expect(again.headers.location).toBe(first.headers.location);
    expect(again.body).toEqual(first.body);
    expect(
      (await post('/v1/designations', designation({ office: 'Mission in New York' }), COORDINATOR, headers)).status,
    ).toBe(422);
    expect((await post('/v1/designations', designation({ party: 'state:FJI' }), COORDINATOR, headers)).status).toBe(
      422,
    );
  });
});

describe('contact points', () => {
  const OFFICE: As = { ...MISSION, sub: 'office@gov.example' };
  const RUTH: As = { party: 'state:VUT', role: 'npc', sub: 'ruth.k@gov.example' };
  const CONTACT = { name: 'Ruth Kalsakau', mailbox: 'ruth@moia.example', telephone: '+6785559876' };
  const folder = temporaryFolder();
  let ruths: string;
  let subject: string;
  let fijis: string;

  beforeAll(async () => {
    const contexts = [directoryContext, subjectsContext, auditContext];
    app = await testApp({ now: '2026-03-02T09:00:00.000Z', contexts, dataFolder: folder.path });
    await post('/v1/designations', designation({ powers: ['designate'], holder: OFFICE.sub }), COORDINATOR);
    await post('/v1/designations', designation({ powers: ['file'], holder: NPC.sub }), OFFICE);
    const made = await post('/v1/designations', designation({ powers: ['sign'], holder: RUTH.sub }), OFFICE);
    ruths = made.headers.location!;
    subject = made.body.subject as string;
    fijis = (await post('/v1/designations', designation({ party: 'state:FJI', holder: RUTH.sub }), COORDINATOR)).headers
      .location!;
  });
  afterAll(async () => {
    await app.close();
    folder.remove();
  });

  const etag = async (path = ruths): Promise<string> => (await app.get(path, { as: COORDINATOR })).headers.etag!;
  const set = async (body: object, as: As, headers: Record<string, string> = {}): Promise<Response> =>
    post(`${ruths}/contact`, body, as, { 'if-match': await etag(), ...headers });
  const erase = (body: object, as: As, headers: Record<string, string> = {}): Promise<Response> =>
    post(`/v1/subjects/${subject}/erase`, body, as, headers);
  const shown = async (as: As): Promise<unknown> => (await app.get(ruths, { as })).body.contact;
  /** Files of the data folder that hold any of these texts, read models and write-ahead logs among them. */
  const filesWith = (...texts: readonly string[]): readonly string[] =>
    readdirSync(folder.path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((file) => texts.some((text) => readFileSync(file).includes(text)));

  it('are set by the party’s office, the coordinator and the holder, and by nobody else', async () => {
    expect((await post(`${ruths}/contact`, CONTACT, OFFICE)).status).toBe(428);
    expect((await set(CONTACT, OFFICE, { 'if-match': '"0"' })).status).toBe(412);
    const answers = await Promise.all([NPC, DESK, AUDITOR].map((as) => set(CONTACT, as)));
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    await register(JAPAN);
    expect((await set(CONTACT, DESK)).status).toBe(404);
    const byOffice = await set({ mailbox: 'first@moia.example' }, OFFICE, { 'idempotency-key': 'contact' });
    expect([byOffice.status, byOffice.body.contact]).toEqual([200, { mailbox: 'first@moia.example' }]);
    const byHolder = await set(CONTACT, RUTH);
    expect([byHolder.body.contact, byHolder.body.actions]).toEqual([CONTACT, ['contact', 'remove-contact']]);
    expect((await set(CONTACT, COORDINATOR)).headers.etag).toBe(byHolder.headers.etag);
    const key = { 'idempotency-key': 'contact' };
    const repeated = await set({ mailbox: 'first@moia.example' }, OFFICE, key);
    expect([repeated.status, repeated.body.contact, repeated.headers.etag]).toEqual([
      200,
      CONTACT,
      byHolder.headers.etag,
    ]);
    expect((await set({ mailbox: 'other@moia.example' }, OFFICE, key)).status).toBe(422);
  });

  it.each<[string, object]>([
    ['mailbox', {}],
    ['mailbox', { ...CONTACT, mailbox: 'Ruth <ruth@moia.example>' }],
    ['telephone', { ...CONTACT, telephone: '678 5559876' }],
    ['name', { ...CONTACT, name: ' ' }],
    ['fax', { ...CONTACT, fax: '+6785550123' }],
  ])('are refused with a bad %s: %j', async (field, body) => {
    const answer = await set(body, OFFICE);
    expect([answer.status, fieldsOf(answer)]).toEqual([400, [field]]);
    expect(answer.text).not.toMatch(/moia\.example|Kalsakau|5559876/);
  });

  it('are read by the party and the coordinator, and stay sealed in history, in the audit log and on the disk', async () => {
    await app.settled();
    for (const as of [NPC, OFFICE, RUTH, COORDINATOR]) expect(await shown(as)).toEqual(CONTACT);
    const list = await app.get('/v1/designations?party=state:VUT', { as: NPC });
    expect((list.body.items as { contact?: object }[]).map(({ contact }) => contact)).toEqual([
      CONTACT,
      undefined,
      undefined,
    ]);
    await post('/v1/mandates', mandate(), COORDINATOR);
    const history = await app.get('/v1/parties/state:VUT/history', { as: NPC });
    expect(history.body.items.at(-1)).toMatchObject({
      type: 'ContactPointSet',
      data: { contact: { mailbox: { alg: 'A256GCM', subject } } },
    });
    const audit = await app.get('/v1/audit/events', { as: AUDITOR });
    expect(audit.status).toBe(200);
    for (const { text } of [history, audit]) expect(text).not.toMatch(/moia\.example|Kalsakau|5559876/);
    expect(filesWith('A256GCM')).not.toEqual([]);
    expect(filesWith(...Object.values(CONTACT), 'first@moia.example')).toEqual([]);
    // Who is behind a reference stands in the key store alone.
    expect(filesWith(RUTH.sub!).map((file) => file.slice(folder.path.length + 1, folder.path.length + 6))).toContain(
      'keys/',
    );
  });

  it('go with the person: erased by its party or on its order, where it acts for nobody else', async () => {
    expect((await app.get(`/v1/subjects/${subject}`)).status).toBe(404);
    expect((await app.get(`/v1/subjects/${subject}`, { as: DESK })).status).toBe(404);
    expect((await app.get(`/v1/subjects/${subject}`, { as: OFFICE })).body).toEqual({
      ...{ id: subject, erased: false, designations: [ruths.split('/').at(-1)], actions: ['erase'], revision: null },
    });
    const OPERATOR: As = { party: 'agency:hosting', role: 'operator' };
    const order = { orderedBy: 'state:VUT', reference: 'Note 9/2026' };
    expect((await erase({}, RUTH)).status).toBe(403);
    expect((await erase({}, DESK)).status).toBe(404);
    expect(fieldsOf(await erase({}, OPERATOR))).toEqual(['orderedBy', 'reference']);
    expect(fieldsOf(await erase({ orderedBy: 'state:FJI' }, OFFICE))).toEqual(['orderedBy']);
    for (const [body, as] of [
      [{}, OFFICE],
      [order, OPERATOR],
    ] as const)
      expect((await erase(body, as)).body.code).toBe('held-elsewhere');
    await post(`${fijis}/revoke`, {}, COORDINATOR, { 'if-match': await etag(fijis) });
    const key = { 'idempotency-key': 'erase' };
    const erased = await erase(order, OPERATOR, key);
    expect([erased.status, erased.body]).toEqual([
      200,
      { id: subject, erased: true, erasedAt: '2026-03-02T09:00:00.000Z', ...order, actions: [], revision: 0 },
    ]);
    expect((await erase(order, OPERATOR, key)).body).toEqual(erased.body);
    expect((await erase({ ...order, reference: 'Note 10/2026' }, OPERATOR, key)).status).toBe(422);
    expect((await erase({}, OFFICE)).body).toMatchObject({ erased: true, revision: 0, orderedBy: 'state:VUT' });
  });

  it('are shown as erased ever after, the designation is over, and who comes back is somebody else', async () => {
    await app.settled();
    expect(await shown(COORDINATOR)).toEqual({ erased: true });
    const { body } = await app.get(ruths, { as: NPC });
    expect(body).toMatchObject({ subject, inForce: false, recordedBy: 'state:VUT', contact: { erased: true } });
    expect(body).not.toHaveProperty('holder');
    expect(filesWith(RUTH.sub!)).toEqual([]);
    expect((await set(CONTACT, COORDINATOR)).body.code).toBe('holder-erased');
    const again = await post('/v1/designations', designation({ holder: RUTH.sub }), OFFICE);
    expect([again.body.holder, again.body.subject === subject]).toEqual([RUTH.sub, false]);
    const removed = await post(`${ruths}/remove-contact`, {}, OFFICE, { 'if-match': await etag() });
    expect([removed.status, removed.body.contact]).toEqual([200, undefined]);
    const { items } = (await app.get('/v1/audit/events?type=SubjectErased', { as: AUDITOR })).body;
    expect(items).toMatchObject([{ data: { orderedBy: 'state:VUT', designations: [ruths.split('/').at(-1)] } }]);
  });
});

describe('audit mandates', () => {
  beforeEach(start);
  afterEach(stop);

  it('open a need to the auditor within their scope, sealed parts only where the owner gave them', async () => {
    const { body: need } = await post(
      '/v1/needs',
      { ...NEED, visibility: { summary: 'members', body: 'sealed', annex: 'sealed' } },
      NPC,
    );
    const id = need.id as string;
    await post(`/v1/needs/${id}/submit`, { consent: { circulate: true, publish: true } }, NPC, { 'if-match': '"0"' });
    await post(`/v1/needs/${id}/open`, {}, COORDINATOR, { 'if-match': '"1"' });
    const seen = async (): Promise<Response> => app.get(`/v1/needs/${id}`, { as: AUDITOR });
    expect((await seen()).status).toBe(404);
    const given = await post('/v1/mandates', mandate(), COORDINATOR);
    expect(given.status).toBe(201);
    expect((await seen()).body).not.toHaveProperty('problem');
    // Of what is not its own nobody gives one, whether it sees it, or there is any.
    const others = mandate({ scope: { records: [id, ABSENT] }, sealed: true });
    const refused = await post('/v1/mandates', others, { ...NPC, party: 'state:FJI' });
    expect([refused.status, refused.body.code, refused.body.errors]).toEqual([
      403,
      'forbidden',
      [0, 1].map((at) => ({ field: `scope.records[${at}]`, message: 'names no record of your party' })),
    ]);
    expect((await post('/v1/mandates', others, NPC)).body.errors).toMatchObject([{ field: 'scope.records[1]' }]);
    expect((await seen()).body).not.toHaveProperty('problem');
    const own = await post('/v1/mandates', mandate({ scope: { records: [id] }, sealed: true }), NPC);
    expect(own.status).toBe(201);
    expect((await seen()).body.problem).toBe(NEED.problem);
    const told = async (as: As): Promise<unknown[]> =>
      ((await app.get('/v1/parties/auditor:court/history', { as })).body.items as { type?: string }[]).map(
        ({ type }) => type,
      );
    expect(await told(AUDITOR)).toEqual(['MandateGiven', 'MandateGiven']);
    expect((await app.get('/v1/parties/auditor:court')).status).toBe(404);
    const path = given.headers.location!;
    const ended = await post(`${path}/end`, {}, COORDINATOR, { 'if-match': '"1"' });
    expect(ended.body).toMatchObject({ inForce: false });
    expect((await app.get(path)).status).toBe(404);
    expect((await app.get(path, { as: AUDITOR })).status).toBe(200);
    await app.settled();
    for (const [as, count] of [
      [AUDITOR, 2],
      [COORDINATOR, 2],
      [NPC, 1],
      [DESK, 0],
    ] as const) {
      expect((await app.get('/v1/mandates', { as })).body.items).toHaveLength(count);
    }
  });
});

describe('the directory', () => {
  beforeAll(start);
  afterAll(stop);

  it.each<[string, object]>([
    ['id', { id: 'japan' }],
    ['name', { name: ' ' }],
    ['category', { category: 'rich' }],
    ['ofState', { ofState: 'Japan' }],
    ['ofState', { id: 'state:VUT', ofState: 'FJI' }],
    ['footnote', { id: 'authority:flnks' }],
    ['members', { members: [{ party: 'state:VUT', as: 'member' }] }],
    [
      'members[0].to',
      { id: 'network:x', members: [{ party: 'state:VUT', as: 'member', from: '2020-01-01', to: '2019-01-01' }] },
    ],
    ['members[0].party', { id: 'network:x', members: [{ party: 'donor:japan', as: 'member' }] }],
    ['person', { person: 'Mr X' }],
  ])('refuses a party with a bad %s: %j', async (field, more) => {
    const answer = await register({ ...JAPAN, ...more });
    expect([answer.status, fieldsOf(answer)]).toEqual([400, [field]]);
  });

  it.each<[number, string, object, As]>([
    [403, 'forbidden', designation(), NPC],
    [403, 'forbidden', designation({ party: 'state:FJI' }), MISSION],
    [409, 'unknown-party', designation({ party: 'donor:japan', office: 'donor-desk' }), COORDINATOR],
    [400, 'invalid-request', designation({ powers: [] }), COORDINATOR],
    [400, 'invalid-request', designation({ powers: ['file', 'file'] }), COORDINATOR],
    [400, 'invalid-request', designation({ to: '2025-12-31' }), COORDINATOR],
    [400, 'invalid-request', designation({ authorityRef: undefined }), COORDINATOR],
  ])('refuses a designation, %i %s: %j', async (status, code, body, as) => {
    expect((await post('/v1/designations', body, as)).body).toMatchObject({ status, code });
  });

  it.each<[number, string, object, As]>([
    [403, 'forbidden', mandate(), NPC],
    [403, 'forbidden', mandate({ sealed: true }), COORDINATOR],
    [403, 'forbidden', mandate({ sealed: true }), NPC],
    [403, 'forbidden', mandate({ sealed: true, scope: { parties: ['state:FJI'] } }), NPC],
    [400, 'invalid-request', mandate({ auditor: 'donor:japan' }), COORDINATOR],
    [400, 'invalid-request', mandate({ scope: {} }), COORDINATOR],
    [400, 'invalid-request', mandate({ scope: { everything: false } }), COORDINATOR],
    [400, 'invalid-request', mandate({ scope: { parties: [] } }), COORDINATOR],
    [400, 'invalid-request', mandate({ scope: { parties: ['x'] } }), COORDINATOR],
    [400, 'invalid-request', mandate({ scope: { records: ['x'] } }), COORDINATOR],
    [400, 'invalid-request', mandate({ scope: { funds: ['x'] } }), COORDINATOR],
    [400, 'invalid-request', mandate({ scope: { everything: true, parties: ['state:VUT'] } }), COORDINATOR],
    [400, 'invalid-request', mandate({ scope: 'everything' }), COORDINATOR],
  ])('refuses a mandate, %i %s: %j', async (status, code, body, as) => {
    expect((await post('/v1/mandates', body, as)).body).toMatchObject({ status, code });
  });
});
