import { directoryContext } from '#directory';
import { needsContext } from '#needs';
import type { As, TestApp, TestRequest } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const FIJI: As = { party: 'state:FJI', role: 'mission' };
const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const HOST: As = { party: 'network:msg', role: 'network-host' };

const LINE = { kind: 'training', quantity: { measure: 'money', currency: 'USD', amount: '1000' } };
const NEED = {
  title: 'Marking of weapons',
  kinds: ['training'],
  instruments: ['UNPoA'],
  lines: [LINE],
  authorityRef: 'Note Verbale 12/2026',
  visibility: 'public',
};

let app: TestApp;
beforeAll(async () => {
  app = await testApp({ now: '2026-03-02T09:00:00.000Z', contexts: [directoryContext, needsContext] });
  for (const [id, ofState] of [
    ['donor:japan', 'JPN'],
    ['network:msg', undefined],
  ] as const) {
    const party = { id, name: id, ...(ofState === undefined ? {} : { ofState }) };
    expect((await app.post('/v1/parties', party, { as: COORDINATOR })).status).toBe(201);
  }
});
afterAll(async () => {
  await app.close();
});

const file = async (body: object = {}, as = VANUATU, request: Partial<TestRequest> = {}): Promise<Response> =>
  app.post('/v1/needs', { ...NEED, ...body }, { as, ...request });
const command = async (need: string, name: string, body: object, as: As, revision: number): Promise<Response> =>
  app.post(`/v1/needs/${need}/${name}`, body, { as, headers: { 'if-match': `"${revision}"` } });
const CONSENT = { consent: { circulate: true, publish: true } };
const opened = async (body: object = {}, as = VANUATU): Promise<string> => {
  const { body: need } = await file(body, as);
  expect((await command(need.id, 'submit', CONSENT, as, 0)).status).toBe(200);
  expect((await command(need.id, 'open', {}, COORDINATOR, 1)).status).toBe(200);
  return need.id;
};

describe('filing a need', () => {
  it('answers the draft as GET shows it, with defaults and numbered lines', async () => {
    const filed = await file({ visibility: undefined });
    expect(filed.status).toBe(201);
    expect(filed.headers.location).toBe(`/v1/needs/${filed.body.id}`);
    expect(filed.headers.etag).toBe('"0"');
    expect(filed.headers['consistency-token']).toBeDefined();
    expect(filed.body).toMatchObject({
      filer: 'state:VUT',
      beneficiaries: ['state:VUT'],
      state: 'VUT',
      status: 'draft',
      transcribed: false,
      urgency: 'normal',
      traffickingNexus: false,
      visibility: { summary: 'members', body: 'members', annex: 'sealed' },
      lines: [{ line: 1, quantity: { amount: '1000.00' }, coverage: { outstanding: { amount: '1000.00' } } }],
      coverage: 'none',
      merged: [],
    });
    const shown = await app.get(`/v1/needs/${filed.body.id}`, { as: VANUATU });
    expect(shown.body).toEqual(filed.body);
  });

  it('keeps every field as it was written, quantities in canonical form', async () => {
    const fields = {
      problem: 'p',
      outcome: 'o',
      rank: 2,
      urgency: 'urgent',
      traffickingNexus: true,
      period: { from: '2027-01-01', to: '2027-12-31' },
      languages: ['en', 'bi'],
      priorAid: [{ text: 'A course' }],
      planLink: 'https://example.org/plan',
      reportRefs: [{ instrument: 'UNPoA', year: 2024, section: '3', url: 'https://example.org/report' }],
      requestingAuthority: 'Police',
      contactOffice: 'National focal point',
      approached: [{ party: 'donor:japan', when: '2025', result: 'No answer' }],
      proposedImplementer: 'agency:cavr',
      documents: [{ kind: 'map', title: 'Depots', sha256: 'a'.repeat(64), label: 'sealed' }],
      named: ['donor:japan'],
      oversubscription: true,
    };
    const quantity = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });
    const filed = await file({
      ...fields,
      ownContribution: [{ description: 'Premises' }, { description: 'Cash', quantity: quantity('5') }],
      annex: {
        sites: ['Depot 4'],
        risk: 'Flood',
        quantitiesHeld: [{ description: 'Rifles', quantity: quantity('7') }],
      },
    });
    expect(filed.body).toMatchObject({
      ...fields,
      ownContribution: [{ description: 'Premises' }, { description: 'Cash', quantity: quantity('5.00') }],
      annex: {
        sites: ['Depot 4'],
        risk: 'Flood',
        quantitiesHeld: [{ description: 'Rifles', quantity: quantity('7.00') }],
      },
    });
    expect(filed.body.annex).not.toHaveProperty('accessLimits');
    expect((await file({ priorAid: 'none', ownContribution: 'none' })).body).toMatchObject({
      priorAid: 'none',
      ownContribution: 'none',
    });
  });

  it('with the same key files once, and refuses another body under it', async () => {
    const headers = { 'idempotency-key': 'k-1' };
    const [first, again] = [await file({}, VANUATU, { headers }), await file({}, VANUATU, { headers })];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body.id).toBe(first.body.id);
    expect((await file({ title: 'Else' }, VANUATU, { headers })).status).toBe(422);
  });

  it('is for State offices and network hosts, each for itself', async () => {
    expect((await file({}, HOST)).body).toMatchObject({ filer: 'network:msg', beneficiaries: ['network:msg'] });
    expect((await file({ beneficiaries: ['state:VUT'] })).status).toBe(201);
    expect((await file({ beneficiaries: ['state:FJI'] })).status).toBe(403);
    expect((await file({}, JAPAN)).status).toBe(403);
    expect((await file({}, COORDINATOR)).status).toBe(403);
    expect((await file({ onBehalfOf: 'state:VUT' })).status).toBe(403);
    expect((await file({ beneficiaries: ['state:FJI'] }, HOST)).body).toMatchObject({ beneficiaries: [], state: null });
  });

  const line = (quantity: unknown): object => ({ lines: [{ kind: 'training', quantity }] });
  const money = (amount: unknown): object => line({ measure: 'money', currency: 'USD', amount });
  it.each<[string, object]>([
    ['onBehalfOf', { onBehalfOf: 'donor:japan' }],
    ['beneficiaries[1]', { beneficiaries: ['state:VUT', 'state:VUT'] }],
    ['beneficiaries', { beneficiaries: [] }],
    ['beneficiaries', { beneficiaries: 'state:VUT' }],
    ['beneficiaries[0]', { beneficiaries: ['donor:japan'] }],
    ['lines[0].quantity.amount', line({ measure: 'access', amount: 'unlimited' })],
    ['lines', { lines: [] }],
    ['lines[0].kind', { lines: [{ ...LINE, kind: 'gifts' }] }],
    ['lines[0].line', { lines: [{ ...LINE, line: 2 }] }],
    ['lines[0].quantity.amount', money('1e3')],
    ['lines[0].quantity.amount', money('-1')],
    ['lines[0].quantity.amount', money('0')],
    ['lines[0].quantity.amount', money('0.001')],
    ['lines[0].quantity.amount', money(5)],
    ['lines[0].quantity.amount', line({ measure: 'person-days', amount: '1.25' })],
    ['lines[0].quantity.amount', line({ measure: 'seats', amount: '1.5' })],
    ['lines[0].quantity.currency', line({ measure: 'money', currency: 'XXX', amount: '1' })],
    ['title', { title: undefined }],
    ['title', { title: '  ' }],
    ['title', { title: 'x'.repeat(301) }],
    ['title', { title: 'bell\u0007' }],
    ['title', { title: '\ud800' }],
    ['problem', { problem: 'x'.repeat(10_001) }],
    ['kinds', { kinds: [] }],
    ['kinds[1]', { kinds: ['training', 'training'] }],
    ['instruments[0]', { instruments: ['NPT'] }],
    ['period.to', { period: { from: '2026-02-01', to: '2026-01-01' } }],
    ['period.from', { period: { from: '2026-02-30', to: '2026-03-01' } }],
    ['visibility', { visibility: 'secret' }],
    ['visibility.annex', { visibility: { annex: 'members' } }],
    ['visibility.whole', { visibility: { whole: 'public' } }],
    ['named[1]', { named: ['donor:japan', 'donor:japan'] }],
    ['named[0]', { named: ['Japan'] }],
    ['languages[0]', { languages: ['Bislama!'] }],
    ['rank', { rank: 0 }],
    ['rank', { rank: 1.5 }],
    ['priorAid', { priorAid: 'some' }],
    ['priorAid[0]', { priorAid: [{}] }],
    ['priorAid[0]', { priorAid: ['a course'] }],
    ['priorAid[0].text', { priorAid: [{ text: '' }] }],
    ['priorAid[0].commitmentId', { priorAid: [{ commitmentId: '7' }] }],
    ['priorAid[0].when', { priorAid: [{ text: 'a', when: 'b' }] }],
    [
      'ownContribution[0].quantity.amount',
      { ownContribution: [{ description: 'd', quantity: { measure: 'seats', amount: '0' } }] },
    ],
    ['ownContribution[0].description', { ownContribution: [{}] }],
    ['reportRefs[0].year', { reportRefs: [{ instrument: 'ATT', year: '2025' }] }],
    ['approached[0].when', { approached: [{ party: 'Japan', when: 'last year' }] }],
    ['documents[0].sha256', { documents: [{ kind: 'map', title: 't', sha256: 'abc' }] }],
    ['annex.sites[0]', { annex: { sites: [''] } }],
    ['annex.quantitiesHeld[0].quantity', { annex: { quantitiesHeld: [{ description: 'd' }] } }],
    ['traffickingNexus', { traffickingNexus: 'no' }],
    ['colour', { colour: 'red' }],
  ])('refuses a bad %s and names it: %j', async (field, body) => {
    const answer = await file(body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid-request' });
    expect((answer.body.errors as { field: string }[]).map((each) => each.field)).toContain(field);
  });

  it('names every fault at once', async () => {
    const answer = await file({ title: '', kinds: ['x'], lines: [{}], rank: -1 });
    const fields = (answer.body.errors as { field: string }[]).map((each) => each.field);
    expect(fields).toEqual(expect.arrayContaining(['title', 'kinds[0]', 'lines[0].kind', 'lines[0].quantity', 'rank']));
  });
});

describe('review', () => {
  it('goes from draft to open, with every refusal in API.md’s order', async () => {
    const { body: need } = await file();
    const path = `/v1/needs/${need.id}/submit`;
    expect((await app.post(path, CONSENT)).status).toBe(401);
    expect((await app.post(path, { consent: { circulate: 'yes' } }, { as: VANUATU })).status).toBe(400);
    expect((await app.post(path, CONSENT, { as: JAPAN })).status).toBe(403);
    expect((await app.post(path, CONSENT, { as: FIJI })).status).toBe(404);
    expect((await app.post(path, CONSENT, { as: VANUATU })).status).toBe(428);
    expect((await command(need.id, 'submit', CONSENT, VANUATU, 5)).status).toBe(412);
    const submitted = await command(need.id, 'submit', CONSENT, VANUATU, 0);
    expect(submitted.body).toMatchObject({ status: 'submitted', windowEnds: '2026-03-09T09:00:00.000Z' });
    expect((await command(need.id, 'submit', CONSENT, VANUATU, 0)).status).toBe(412);
    expect((await command(need.id, 'submit', CONSENT, VANUATU, 1)).body).toMatchObject({
      status: 409,
      code: 'wrong-status',
    });
    expect((await command(need.id, 'open', {}, { party: 'state:VUT', role: 'coordinator' }, 1)).status).toBe(403);
    expect((await command(need.id, 'open', {}, COORDINATOR, 1)).body).toMatchObject({
      status: 'open',
      freshness: { state: 'fresh' },
    });
  });

  it('names what a submission lacks', async () => {
    const { body: need } = await file({ authorityRef: undefined });
    const refused = await command(need.id, 'submit', CONSENT, VANUATU, 0);
    expect(refused.body).toMatchObject({ status: 409, code: 'incomplete', errors: [{ field: 'authorityRef' }] });
  });

  it('returns and sets aside with coded reasons', async () => {
    const { body: need } = await file();
    await command(need.id, 'submit', {}, VANUATU, 0);
    expect((await command(need.id, 'open', {}, COORDINATOR, 1)).body.code).toBe('consent-missing');
    const returned = await command(
      need.id,
      'return',
      { reasons: ['quantity-missing'], note: 'How many?' },
      COORDINATOR,
      1,
    );
    expect(returned.body).toMatchObject({ status: 'returned', review: { reasons: ['quantity-missing'] } });
    expect((await command(need.id, 'amend', { lines: [LINE, LINE] }, VANUATU, 2)).body.lines).toHaveLength(2);
    await command(need.id, 'submit', CONSENT, VANUATU, 3);
    const aside = await command(need.id, 'set-aside', { code: 'duplicate' }, COORDINATOR, 4);
    expect(aside.body).toMatchObject({ status: 'set-aside', review: { code: 'duplicate' } });
    expect((await app.get(`/v1/needs/${need.id}`, { as: VANUATU })).body.review).toBeDefined();
  });
});

describe('seeing a need', () => {
  it('is for the owner alone while it is a draft, with the coordinator from submission on', async () => {
    const { body: need } = await file();
    const statuses = async (): Promise<number[]> =>
      Promise.all(
        [undefined, JAPAN, FIJI, COORDINATOR, VANUATU].map(
          async (as) => (await app.get(`/v1/needs/${need.id}`, as === undefined ? {} : { as })).status,
        ),
      );
    expect(await statuses()).toEqual([404, 404, 404, 404, 200]);
    await command(need.id, 'submit', CONSENT, VANUATU, 0);
    expect(await statuses()).toEqual([404, 404, 404, 200, 200]);
    await command(need.id, 'open', {}, COORDINATOR, 1);
    expect(await statuses()).toEqual([200, 200, 200, 200, 200]);
    await command(need.id, 'object', { to: 'publication' }, VANUATU, 2);
    expect(await statuses()).toEqual([404, 200, 200, 200, 200]);
    await command(need.id, 'object', { to: 'circulation' }, VANUATU, 3);
    expect(await statuses()).toEqual([404, 404, 404, 200, 200]);
  });

  it('lists, finds and pages through what is seen, and nothing else', async () => {
    const marker = 'zanzibar';
    await opened({ title: `A ${marker}` });
    await opened({ title: `B ${marker}`, visibility: 'members' });
    await file({ title: `C ${marker}` });
    await app.settled();
    const titles = async (query: string, request: TestRequest = {}): Promise<string[]> =>
      ((await app.get(`/v1/needs?q=${marker}&${query}`, request)).body.items as { title: string }[]).map(
        ({ title }) => title[0]!,
      );
    expect(await titles('')).toEqual(['A']);
    expect(await titles('', { as: JAPAN })).toEqual(['B', 'A']);
    expect(await titles('', { as: VANUATU })).toEqual(['C', 'B', 'A']);
    expect(await titles('sort=oldest&status=open', { as: VANUATU })).toEqual(['A', 'B']);
    const first = await app.get(`/v1/needs?q=${marker}&limit=2`, { as: VANUATU });
    expect(first.headers.link).toContain('rel="next"');
    const next = encodeURIComponent(first.body.next as string);
    const rest = await app.get(`/v1/needs?q=${marker}&limit=2&cursor=${next}`, { as: VANUATU });
    expect(rest.body).toMatchObject({ items: [{ title: `A ${marker}` }], next: null });
    expect((await app.get(`/v1/needs?q=${marker}&limit=2&cursor=${next}`, { as: FIJI })).status).toBe(400);
    for (const bad of [
      'limit=201',
      'cursor=abc',
      'kind=x',
      'state=XXX',
      'colour=red',
      'from=2026-02-01&to=2026-01-01',
    ]) {
      expect((await app.get(`/v1/needs?${bad}`)).status).toBe(400);
    }
  });

  it('shows what drafts said to the State and not to the public', async () => {
    const id = await opened({ problem: 'Thefts' });
    const history = async (request: TestRequest): Promise<readonly { type: string; data: object }[]> =>
      (await app.get(`/v1/needs/${id}/history`, request)).body.items;
    const open = await history({});
    expect(open.map(({ type }) => type)).toEqual(['NeedDrafted', 'NeedSubmitted', 'NeedOpened']);
    expect(JSON.stringify(open)).not.toContain('Thefts');
    expect((await history({ as: VANUATU }))[0]).toMatchObject({
      type: 'NeedDrafted',
      data: { content: { problem: 'Thefts' } },
    });
  });
});

describe('an open need', () => {
  it('is amended, reaffirmed, closed and withdrawn by its State', async () => {
    const id = await opened();
    expect((await command(id, 'amend', { lines: [{ ...LINE, line: 7 }] }, VANUATU, 2)).body.code).toBe('unknown-line');
    const amended = await command(
      id,
      'amend',
      { visibility: { body: 'named' }, named: ['donor:japan'], urgency: 'urgent' },
      VANUATU,
      2,
    );
    expect(amended.body).toMatchObject({ urgency: 'urgent', visibility: { summary: 'public', body: 'named' } });
    expect((await command(id, 'reaffirm', {}, VANUATU, 3)).status).toBe(200);
    expect((await command(id, 'close', { outcome: 'met' }, VANUATU, 4)).body.code).toBe('not-met');
    const closed = await command(
      id,
      'close',
      { outcome: 'met', waivers: [{ line: 1, reason: 'Done otherwise' }] },
      VANUATU,
      4,
    );
    expect(closed.body).toMatchObject({ status: 'closed', closedAs: 'met', actions: [] });
    const other = await opened();
    const withdrawn = await command(
      other,
      'withdraw',
      { reason: { code: 'priorities', note: 'x', noteFor: 'coordinator' } },
      VANUATU,
      2,
    );
    expect(withdrawn.body).toMatchObject({ status: 'closed', closedAs: 'withdrawn', reason: { note: 'x' } });
    expect((await app.get(`/v1/needs/${other}`)).body.reason).toEqual({ code: 'priorities' });
  });

  it('opens by itself after five working days, falls dormant when nobody speaks for it, and is reopened', async () => {
    const own = await testApp({ now: '2026-03-02T09:00:00.000Z', contexts: [directoryContext, needsContext] });
    try {
      const { body: need } = await own.post('/v1/needs', NEED, { as: VANUATU });
      const path = `/v1/needs/${need.id as string}`;
      await own.post(`${path}/submit`, {}, { as: VANUATU, headers: { 'if-match': '"0"' } });
      const after = async (moment: string): Promise<{ status: string; freshness?: { state: string } }> => {
        own.clock.set(moment);
        await own.settled();
        await own.ticker.tickNow();
        await own.settled();
        return (await own.get(path, { as: VANUATU })).body;
      };
      expect(await after('2026-03-09T08:59:59.999Z')).toMatchObject({ status: 'submitted' });
      expect(await after('2026-03-09T09:00:00.000Z')).toMatchObject({ status: 'open', freshness: { state: 'fresh' } });
      expect((await own.get(path)).status).toBe(200);
      expect(await after('2027-03-10T00:00:00.000Z')).toMatchObject({ status: 'open', freshness: { state: 'due' } });
      expect(await after('2027-06-07T09:00:00.000Z')).toMatchObject({
        status: 'dormant',
        freshness: { state: 'stale' },
      });
      expect((await own.get('/v1/needs')).body.items).toEqual([]);
      expect((await own.get('/v1/needs?status=dormant')).body.items).toHaveLength(1);
      const reopened = await own.post(`${path}/reopen`, {}, { as: VANUATU, headers: { 'if-match': '"3"' } });
      expect(reopened.body).toMatchObject({ status: 'open', freshness: { state: 'fresh' } });
    } finally {
      await own.close();
    }
  });
});
