import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
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

const OFFER = {
  title: 'Licensing courses in the Pacific',
  description: 'Two courses a year',
  lines: [
    { kinds: ['training'], description: 'Course', capacity: { measure: 'seats', amount: '20' } },
    { kinds: ['legal'], capacity: { measure: 'money', currency: 'USD', amount: '5000' } },
  ],
  earmark: { regions: ['009'], instruments: ['ATT'] },
  conditions: [{ code: 'co-financing', percent: '10' }],
  period: { from: '2026-11-01', to: '2027-03-31' },
  languages: ['en'],
  visibility: 'public',
};

let app: TestApp;
const start = async (): Promise<void> => {
  app = await testApp({ contexts: [directoryContext, needsContext, offersContext, commitmentsContext] });
  for (const id of ['donor:japan', 'donor:norway', 'agency:cavr', 'fund:unscar', 'network:msg']) {
    const answer = await app.post('/v1/parties', { id, name: id }, { as: COORDINATOR });
    expect(answer.status).toBe(201);
  }
};
const stop = (): Promise<void> => app.close();

interface Body {
  readonly id: string;
  readonly code: string;
  readonly [field: string]: unknown;
}
const bodyOf = (answer: Response): Body => answer.body as Body;
const posted = async (more: object = {}, as: As = JAPAN): Promise<Body> => {
  const answer = await app.post('/v1/offers', { ...OFFER, ...more }, { as });
  expect(answer.status).toBe(201);
  return bodyOf(answer);
};
const command = (id: string, name: string, body: object, revision: number, as: As = JAPAN): Promise<Response> =>
  app.post(`/v1/offers/${id}/${name}`, body, { as, headers: { 'if-match': `"${revision}"` } });
const listed = async (query = '', as?: As): Promise<readonly string[]> => {
  await app.settled();
  const answer = await app.get(`/v1/offers${query}`, as === undefined ? {} : { as });
  expect(answer.status).toBe(200);
  return (answer.body as { items: readonly Body[] }).items.map(({ id }) => id);
};

describe('an offer over HTTP', () => {
  beforeEach(start);
  afterEach(stop);

  test('is published at once and answered as GET shows it', async () => {
    const answer = await app.post('/v1/offers', OFFER, { as: JAPAN });
    expect(answer.status).toBe(201);
    const body = bodyOf(answer);
    expect(answer.headers).toMatchObject({ etag: '"0"', location: `/v1/offers/${body.id}` });
    expect(body).toMatchObject({
      donor: 'donor:japan',
      status: 'open',
      closedAs: null,
      exhausted: false,
      revision: 0,
      actions: ['amend', 'suspend', 'withdraw', 'complete'],
      lines: [
        {
          line: 1,
          capacity: { measure: 'seats', amount: '20' },
          held: { measure: 'seats', amount: '0' },
          available: { measure: 'seats', amount: '20' },
        },
        { line: 2, capacity: { measure: 'money', currency: 'USD', amount: '5000.00' } },
      ],
      named: [],
    });
    const read = await app.get(`/v1/offers/${body.id}`, { as: JAPAN });
    expect(read.body).toEqual(body);
    await app.settled();
    const list = await app.get('/v1/offers', { as: JAPAN });
    expect(list.body).toEqual({ items: [body], next: null });
    const stranger = bodyOf(await app.get(`/v1/offers/${body.id}`));
    expect(stranger).toMatchObject({ actions: [] });
    expect(stranger).not.toHaveProperty('named');
  });

  test('goes through its whole life, each step in its history', async () => {
    const { id } = await posted({ draft: true });
    expect((await app.get(`/v1/offers/${id}`, { as: NORWAY })).status).toBe(404);
    expect(bodyOf(await command(id, 'amend', { title: 'Courses' }, 0))).toMatchObject({
      title: 'Courses',
      status: 'draft',
    });
    expect(bodyOf(await command(id, 'post', {}, 1))).toMatchObject({ status: 'open', revision: 2 });
    const reason = { code: 'budget', note: 'for the secretariat', noteFor: 'coordinator' };
    expect(bodyOf(await command(id, 'suspend', { reason }, 2))).toMatchObject({
      status: 'suspended',
      actions: ['amend', 'resume', 'withdraw', 'complete'],
    });
    expect(bodyOf(await command(id, 'suspend', { reason }, 3)).code).toBe('offer-not-open');
    expect(bodyOf(await command(id, 'resume', {}, 3))).toMatchObject({ status: 'open' });
    const closed = bodyOf(await command(id, 'withdraw', { reason: { code: 'priorities' } }, 4));
    expect(closed).toMatchObject({
      status: 'closed',
      closedAs: 'withdrawn',
      actions: [],
      lines: [{ available: { amount: '0' }, expired: { amount: '20' } }, { expired: { amount: '5000.00' } }],
    });
    const history = async (as?: As): Promise<readonly Record<string, unknown>[]> =>
      ((await app.get(`/v1/offers/${id}/history`, as === undefined ? {} : { as })).body as { items: [] }).items;
    expect((await history(JAPAN)).map(({ type }) => type)).toEqual([
      'OfferDrafted',
      'OfferAmended',
      'OfferPosted',
      'OfferSuspended',
      'OfferResumed',
      'OfferWithdrawn',
    ]);
    const seen = await history();
    // What stands before the posting is the owner's alone, and a note goes to whom it is addressed.
    expect(seen.slice(0, 2)).toMatchObject([{ masked: true }, { masked: true }]);
    expect(seen[3]).toMatchObject({ type: 'OfferSuspended', data: { reason: { code: 'budget' } } });
    expect(JSON.stringify(seen)).not.toContain('secretariat');
    expect(JSON.stringify(await history(COORDINATOR))).toContain('for the secretariat');
  });

  test('expires at the end of its last day', async () => {
    const { id } = await posted({ period: { from: '2026-11-01', to: '2026-11-30' } });
    await app.settled();
    app.clock.set('2026-11-30T23:59:59.000Z');
    await app.ticker.tickNow();
    expect(bodyOf(await app.get(`/v1/offers/${id}`))).toMatchObject({ status: 'open' });
    app.clock.set('2026-12-01T00:00:00.000Z');
    await app.ticker.tickNow();
    expect(bodyOf(await app.get(`/v1/offers/${id}`))).toMatchObject({ status: 'closed', closedAs: 'expired' });
    const { items } = (await app.get(`/v1/offers/${id}/history`)).body as { items: readonly object[] };
    expect(items.at(-1)).toMatchObject({ effectiveAt: '2026-12-01T00:00:00.000Z', actor: { party: 'system:timer' } });
    const late = await app.post(
      '/v1/offers',
      { ...OFFER, period: { from: '2026-11-01', to: '2026-11-30' } },
      { as: JAPAN },
    );
    expect([late.status, bodyOf(late).code]).toEqual([409, 'period-over']);
  });

  test('is nobody else’s to command, and asks for the revision that was read', async () => {
    const { id } = await posted();
    expect((await command(id, 'suspend', { reason: { code: 'budget' } }, 0, NORWAY)).status).toBe(403);
    expect((await command(id, 'suspend', { reason: { code: 'budget' } }, 0, VANUATU)).status).toBe(403);
    expect((await app.post(`/v1/offers/${id}/resume`, {}, { as: JAPAN })).status).toBe(428);
    expect((await command(id, 'resume', {}, 7)).status).toBe(412);
    expect((await command('0190aaaa-0000-7000-8000-000000000000', 'resume', {}, 0)).status).toBe(404);
    expect((await command('nonsense', 'resume', {}, 0)).status).toBe(404);
  });

  test('with an idempotency key is posted once', async () => {
    const headers = { 'idempotency-key': 'k1' };
    const first = await app.post('/v1/offers', OFFER, { as: JAPAN, headers });
    const again = await app.post('/v1/offers', OFFER, { as: JAPAN, headers });
    expect([again.status, again.headers.location]).toEqual([201, first.headers.location]);
    expect((await app.post('/v1/offers', { ...OFFER, title: 'x' }, { as: JAPAN, headers })).status).toBe(422);
    expect(await listed()).toHaveLength(1);
  });

  test('is found by those who may see it, and by nobody else', async () => {
    const label = async (visibility: string, named: readonly string[] = []): Promise<string> =>
      (await posted({ visibility, named, title: `marker ${visibility}` })).id;
    const open = await label('public');
    const members = await label('members');
    const eligible = await label('eligible');
    const named = await label('named', ['state:VUT']);
    const sealed = await label('sealed');
    const draft = (await posted({ draft: true, title: 'marker draft' })).id;
    const everything = [draft, sealed, named, eligible, members, open];
    const visible: readonly (readonly [As | undefined, readonly string[]])[] = [
      [undefined, [open]],
      [{ party: 'auditor:board', role: 'auditor' }, [open]],
      [FIJI, [members, open]],
      [NORWAY, [members, open]],
      [COORDINATOR, [members, open]],
      [VANUATU, [named, members, open]],
      [JAPAN, everything],
    ];
    for (const [as, ids] of visible) {
      expect(await listed('?q=marker', as)).toEqual(ids);
      for (const id of everything) {
        for (const path of [`/v1/offers/${id}`, `/v1/offers/${id}/history`]) {
          expect((await app.get(path, as === undefined ? {} : { as })).status).toBe(ids.includes(id) ? 200 : 404);
        }
      }
    }
  });

  test('is listed page by page, behind a cursor that is the caller’s and the filter’s alone', async () => {
    const ids = [(await posted()).id, (await posted()).id, (await posted()).id].reverse();
    await app.settled();
    const page = async (path: string, as?: As): Promise<{ items: readonly Body[]; next: string | null }> =>
      (await app.get(path, as === undefined ? {} : { as })).body as { items: readonly Body[]; next: string | null };
    const first = await page('/v1/offers?limit=2&kind=legal');
    expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const cursor = encodeURIComponent(first.next ?? '');
    const second = await page(`/v1/offers?limit=2&kind=legal&cursor=${cursor}`);
    expect([second.items.map(({ id }) => id), second.next]).toEqual([ids.slice(2), null]);
    for (const path of [
      `/v1/offers?limit=2&kind=training&cursor=${cursor}`,
      `/v1/offers?cursor=${cursor.slice(1)}`,
      '/v1/offers?cursor=x',
    ]) {
      expect((await app.get(path)).status).toBe(400);
    }
    expect((await app.get(`/v1/offers?limit=2&kind=legal&cursor=${cursor}`, { as: JAPAN })).status).toBe(400);
  });
});

describe('an offer with a proposal on it', () => {
  beforeEach(start);
  afterEach(stop);

  test('shows everyone what is held, and nobody else whose it is; its label opens to the parties', async () => {
    const seats = { measure: 'seats', amount: '6' };
    const need = await app.post(
      '/v1/needs',
      {
        title: 'Officers to be trained',
        kinds: ['training'],
        instruments: ['ATT'],
        lines: [{ kind: 'training', quantity: seats }],
        authorityRef: 'Note Verbale 12/2026',
        visibility: 'public',
      },
      { as: VANUATU },
    );
    const needId = bodyOf(need).id;
    const consent = { circulate: true, publish: true };
    await app.post(`/v1/needs/${needId}/submit`, { consent }, { as: VANUATU, headers: { 'if-match': '"0"' } });
    await app.post(`/v1/needs/${needId}/open`, {}, { as: COORDINATOR, headers: { 'if-match': '"1"' } });
    const { id: offerId } = await posted();
    const proposal = await app.post(
      '/v1/commitments',
      { offerId, needId, implementer: 'agency:cavr', legs: [{ offerLine: 1, needLine: 1, drawn: seats }] },
      { as: JAPAN, headers: { prefer: 'wait=5' } },
    );
    expect([proposal.status, bodyOf(proposal).hold]).toEqual([201, 'held']);
    const commitmentId = bodyOf(proposal).id;
    await app.settled();

    const line = { held: seats, committed: { amount: '0' }, available: { amount: '14' } };
    for (const as of [undefined, NORWAY, VANUATU, JAPAN]) {
      expect(bodyOf(await app.get(`/v1/offers/${offerId}`, as === undefined ? {} : { as })).lines).toMatchObject([
        line,
        {},
      ]);
      const { items } = (await app.get('/v1/offers', as === undefined ? {} : { as })).body as {
        items: readonly Body[];
      };
      expect(items[0]?.lines).toMatchObject([line, {}]);
    }
    const dataSeenBy = async (as?: As): Promise<unknown> => {
      const answer = await app.get(`/v1/offers/${offerId}/history`, as === undefined ? {} : { as });
      return (answer.body as { items: readonly { readonly data: unknown }[] }).items.at(-1)?.data;
    };
    const whole = { commitment: commitmentId, leg: 1, amendment: 0, line: 1, quantity: seats };
    for (const as of [JAPAN, VANUATU, COORDINATOR, { party: 'agency:cavr', role: 'implementer' }]) {
      expect(await dataSeenBy(as)).toEqual(whole);
    }
    for (const as of [undefined, NORWAY, FIJI]) expect(await dataSeenBy(as)).toEqual({ line: 1, quantity: seats });

    // The hold is the process's: it makes no desk's revision stale.
    expect((await command(offerId, 'amend', { visibility: 'sealed' }, 0)).status).toBe(200);
    await app.settled();
    for (const [as, status] of [
      [VANUATU, 200],
      [{ party: 'agency:cavr', role: 'implementer' }, 200],
      [FIJI, 404],
      [NORWAY, 404],
      [COORDINATOR, 404],
    ] as const) {
      expect((await app.get(`/v1/offers/${offerId}`, { as })).status).toBe(status);
      expect(await listed('', as)).toEqual(status === 200 ? [offerId] : []);
    }
  });
});

describe('an offer', () => {
  beforeAll(start);
  afterAll(stop);

  test.each<[As, number]>([
    [JAPAN, 201],
    [{ party: 'fund:unscar', role: 'donor-desk' }, 201],
    [{ party: 'state:FJI', role: 'donor-desk' }, 201],
    [{ party: 'agency:cavr', role: 'implementer' }, 201],
    [{ party: 'network:msg', role: 'network-host' }, 201],
    [VANUATU, 403],
    [{ party: 'state:VUT', role: 'mission' }, 403],
    [{ party: 'state:VUT', role: 'line-ministry' }, 403],
    [{ party: 'agency:cavr', role: 'fiscal-agent' }, 403],
    [COORDINATOR, 403],
    [{ party: 'donor:unregistered', role: 'donor-desk' }, 403],
  ])('is posted by the desk of its provider: %j %i', async (as, status) => {
    expect((await app.post('/v1/offers', OFFER, { as })).status).toBe(status);
  });
});

describe('an offer that is asked for wrongly', () => {
  beforeAll(start);
  afterAll(stop);

  const line = OFFER.lines[0];
  test.each<[string, object, readonly string[]]>([
    ['an unknown field', { colour: 'red' }, ['colour']],
    ['no title', { title: undefined }, ['title']],
    ['a blank title', { title: ' \n' }, ['title']],
    ['a title too long', { title: 'x'.repeat(301) }, ['title']],
    ['a control character', { description: 'a\u0000b' }, ['description']],
    ['a lone surrogate', { description: 'a\ud800b' }, ['description']],
    ['no lines', { lines: [] }, ['lines']],
    ['lines left out', { lines: undefined }, ['lines']],
    ['lines that are no list', { lines: {} }, ['lines']],
    [
      'a number for an amount',
      { lines: [{ ...line, capacity: { measure: 'seats', amount: 2 } }] },
      ['lines[0].capacity.amount'],
    ],
    [
      'an exponent',
      { lines: [{ ...line, capacity: { measure: 'money', currency: 'USD', amount: '1e3' } }] },
      ['lines[0].capacity.amount'],
    ],
    [
      'a negative amount',
      { lines: [{ ...line, capacity: { measure: 'seats', amount: '-1' } }] },
      ['lines[0].capacity.amount'],
    ],
    ['nothing', { lines: [{ ...line, capacity: { measure: 'seats', amount: '0' } }] }, ['lines[0].capacity.amount']],
    [
      'half a seat',
      { lines: [{ ...line, capacity: { measure: 'seats', amount: '0.5' } }] },
      ['lines[0].capacity.amount'],
    ],
    [
      'a tenth of a cent',
      { lines: [{ ...line, capacity: { measure: 'money', currency: 'USD', amount: '0.001' } }] },
      ['lines[0].capacity.amount'],
    ],
    [
      'half a use of access',
      { lines: [{ ...line, capacity: { measure: 'access', amount: '1.5' } }] },
      ['lines[0].capacity.amount'],
    ],
    ['a smallest lot over the capacity', { lines: [{ ...line, minimumLot: '999' }] }, ['lines[0].minimumLot']],
    ['a smallest lot of half a seat', { lines: [{ ...line, minimumLot: '0.5' }] }, ['lines[0].minimumLot']],
    ['a smallest lot of nothing', { lines: [{ ...line, minimumLot: '0' }] }, ['lines[0].minimumLot']],
    ['a smallest lot in numbers', { lines: [{ ...line, minimumLot: 2 }] }, ['lines[0].minimumLot']],
    [
      'a smallest lot without a limit',
      { lines: [{ ...line, capacity: { measure: 'access', amount: 'unlimited' }, minimumLot: 'unlimited' }] },
      ['lines[0].minimumLot'],
    ],
    [
      'a smallest lot of what is undetermined',
      { lines: [line, { ...line, capacity: { measure: 'undetermined', why: 'not-stated' }, minimumLot: '1' }] },
      ['lines[1].minimumLot'],
    ],
    [
      'a smallest lot of an unreadable capacity',
      { lines: [{ ...line, capacity: { measure: 'seats' }, minimumLot: '1' }] },
      ['lines[0].capacity.amount'],
    ],
    [
      'a smallest lot that is no text, of an unreadable capacity',
      { lines: [{ ...line, capacity: { measure: 'seats' }, minimumLot: 1 }] },
      ['lines[0].capacity.amount', 'lines[0].minimumLot'],
    ],
    ['a line number', { lines: [{ ...line, line: 1 }] }, ['lines[0].line']],
    ['a kind outside the list', { lines: [{ ...line, kinds: ['magic'] }] }, ['lines[0].kinds[0]']],
    ['a kind twice', { lines: [{ ...line, kinds: ['legal', 'legal'] }] }, ['lines[0].kinds[1]']],
    ['another provider', { providers: [{ party: 'donor:norway' }] }, ['providers']],
    ['no provider', { providers: [] }, ['providers']],
    ['too many providers', { providers: Array.from({ length: 101 }, () => ({ party: 'donor:japan' })) }, ['providers']],
    ['a word for providers', { providers: 'donor:japan' }, ['providers']],
    ['a provider that is no object', { providers: ['donor:japan'] }, ['providers[0]']],
    ['a provider that offers nothing', { providers: [{ party: 'auditor:board' }] }, ['providers[0].party']],
    ['a provider twice', { providers: [{ party: 'donor:japan' }, { party: 'donor:japan' }] }, ['providers[1].party']],
    [
      'shares over the whole',
      {
        providers: [
          { party: 'donor:japan', share: '60.5' },
          { party: 'donor:norway', share: '39.6' },
        ],
      },
      ['providers[1].share'],
    ],
    ['a share of nothing', { providers: [{ party: 'donor:japan', share: '0' }] }, ['providers[0].share']],
    ['a share in numbers', { providers: [{ party: 'donor:japan', share: 60 }] }, ['providers[0].share']],
    ['more of a provider', { providers: [{ party: 'donor:japan', role: 'lead' }] }, ['providers[0].role']],
    ['a region that is none', { earmark: { regions: ['000'] } }, ['earmark.regions[0]']],
    ['a beneficiary that is none', { earmark: { beneficiaries: ['Vanuatu'] } }, ['earmark.beneficiaries[0]']],
    ['a network that is none', { earmark: { networks: ['state:VUT'] } }, ['earmark.networks[0]']],
    [
      'a percentage over a hundred',
      { conditions: [{ code: 'co-financing', percent: '101' }] },
      ['conditions[0].percent'],
    ],
    ['a period backwards', { period: { from: '2027-02-01', to: '2027-01-01' } }, ['period.to']],
    ['a date that does not exist', { period: { from: '2027-02-30', to: '2027-03-01' } }, ['period.from']],
    ['a language that is none', { languages: ['Bislama'] }, ['languages[0]']],
    ['a label that is none', { visibility: 'secret' }, ['visibility']],
    ['a person in the list of names', { named: ['mr-smith'] }, ['named[0]']],
    ['a word for a flag', { draft: 'yes' }, ['draft']],
    [
      'several faults',
      { title: '', lines: [{ kinds: [], capacity: null }] },
      ['title', 'lines[0].kinds', 'lines[0].capacity'],
    ],
  ])('%s: is told where', async (_, wrong, fields) => {
    const answer = await app.post('/v1/offers', { ...OFFER, ...wrong }, { as: JAPAN });
    expect([answer.status, bodyOf(answer).code]).toEqual([400, 'invalid-request']);
    const errors = bodyOf(answer).errors as readonly { readonly field: string; readonly message: string }[];
    expect([...new Set(errors.map(({ field }) => field))]).toEqual(fields);
    expect(errors.every(({ message }) => message.length > 5)).toBe(true);
    expect(await listed('', JAPAN)).toEqual([]);
  });

  test.each([
    ['suspend', {}],
    ['withdraw', { reason: 'because' }],
    ['withdraw', { reason: { code: 'bored' } }],
    ['suspend', { reason: { code: 'other', noteFor: 'everyone' } }],
    ['resume', { reason: { code: 'budget' } }],
    ['amend', { lines: [{ kinds: ['legal'] }] }],
    ['amend', { draft: true }],
  ])('%s %j is 400', async (name, body) => {
    const { id } = await posted();
    expect((await command(id, name, body, 0)).status).toBe(400);
  });

  test.each([
    '?state=Vanuatu',
    '?region=000',
    '?status=exhausted',
    '?sort=best',
    '?limit=201',
    '?limit=0',
    '?from=2027-02-30',
    '?donor=x',
    '?what=else',
    '?q=%20',
    '?from=2027-02-01&to=2027-01-01',
    '?kind=legal&kind=training',
  ])('a list with %s is 400', async (query) => {
    expect((await app.get(`/v1/offers${query}`)).status).toBe(400);
  });

  test('only undetermined lines cannot be posted, but drafted', async () => {
    const lines = [{ kinds: ['legal'], capacity: { measure: 'undetermined', why: 'to-be-assessed' } }];
    const answer = await app.post('/v1/offers', { ...OFFER, lines }, { as: JAPAN });
    expect([answer.status, bodyOf(answer).code]).toEqual([409, 'no-determined-capacity']);
    expect(await posted({ lines, draft: true })).toMatchObject({
      lines: [{ held: 'not-measurable', available: 'not-measurable' }],
    });
  });
});
