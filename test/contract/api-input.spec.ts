import type { ApiClient, Json } from './api-client.js';
import { aNeed, anOffer, apiClient, COORDINATOR, JAPAN, machines, VANUATU } from './api-client.js';

/** Bad input on the real routes: what body or query alone shows is 400 and names its field. */
let client: ApiClient;
beforeAll(async () => {
  client = await apiClient();
});
afterAll(() => client.app.close());

const fieldsOf = (body: unknown): readonly string[] =>
  ((body as { errors?: readonly { readonly field: string }[] }).errors ?? []).map(({ field }) => field);

const oneLine = (quantity: unknown): object => ({ lines: [{ kind: 'training', description: 'x', quantity }] });
const money = (amount: unknown): object => oneLine({ measure: 'money', currency: 'USD', amount });
const AMOUNT = 'lines[0].quantity.amount';

test.each<[field: string, more: object]>([
  ...['1e3', '-1', '0', '0.00', '1.234', ' 1', '+1', '01', '1,5', '', '.5', '5.', '1234567890123456', 5, null].map(
    (amount): [string, object] => [AMOUNT, money(amount)],
  ),
  [AMOUNT, oneLine({ measure: 'person-days', amount: '1.25' })],
  [AMOUNT, oneLine({ measure: 'seats', amount: '1.5' })],
  [AMOUNT, oneLine({ measure: 'items', unit: 'tonne', amount: '2.1255' })],
  [AMOUNT, oneLine({ measure: 'money', currency: 'JPY', amount: '15.5' })],
  ['lines[0].quantity.currency', oneLine({ measure: 'money', currency: 'ZZZ', amount: '1' })],
  ['lines[0].quantity.unit', oneLine({ measure: 'items', amount: '1' })],
  ['lines[0].quantity.why', oneLine({ measure: 'undetermined', why: 'unsure' })],
  ['lines[0].quantity.qualifier', oneLine({ measure: 'seats', amount: '1', qualifier: 'roughly' })],
  ['lines[0].quantity', oneLine({ measure: 'access', amount: 'unlimited' })],
  ['lines[0].colour', { lines: [{ kind: 'training', colour: 'red', quantity: { measure: 'seats', amount: '1' } }] }],
  ['lines', { lines: [] }],
  ['title', { title: '😀'.repeat(301) }],
  ['title', { title: ' \u00a0 ' }],
  ['problem', { problem: 'x'.repeat(10_001) }],
  ['title', { title: 'a\u0085b' }],
  ['title', { title: 'a\ud800b' }],
  ['kinds', { kinds: ['training', 'training'] }],
  ['instruments', { instruments: ['att'] }],
  ['period.to', { period: { from: '2026-01-01', to: '2027-02-29' } }],
  ['period', { period: { from: '2026-02-02', to: '2026-02-01' } }],
  ['rank', { rank: 1.5 }],
  ['visibility.annex', { visibility: { summary: 'public', body: 'public', annex: 'members' } }],
  ['onBehalfOf', { onBehalfOf: 'donor:japan' }],
  ['beneficiaries', { beneficiaries: ['state:VUT', 'state:VUT'] }],
])('a need with a bad %s is refused: %j', async (field, more) => {
  const { status, body } = await client.post('/v1/needs', aNeed(more), VANUATU);
  expect([status, (body as Json).code]).toEqual([400, 'invalid-request']);
  expect(fieldsOf(body).some((named) => named.startsWith(field))).toBe(true);
});

test.each<[string, object]>([
  ['titles of 300 letters, counted as a reader counts', { title: '😀'.repeat(300) }],
  ['texts of 10,000 letters', { problem: 'x'.repeat(10_000) }],
  ['fifteen digits', money('1234567890123.45')],
  ['three decimals where the currency has them', oneLine({ measure: 'money', currency: 'KWD', amount: '1.234' })],
  ['an undetermined line', oneLine({ measure: 'undetermined', why: 'to-be-assessed' })],
  ['a period of one day', { period: { from: '2028-02-29', to: '2028-02-29' } }],
  ['visibility in short', { visibility: 'named', named: ['donor:japan'] }],
])('a need may have %s', async (_what, more) => {
  expect((await client.post('/v1/needs', aNeed(more), VANUATU)).status).toBe(201);
});

test.each<[field: string, more: object]>([
  ['lines[0].capacity', { lines: [{ kinds: ['training'], capacity: { measure: 'access', amount: '1.5' } }] }],
  ['lines[0].minimumLot', { lines: [{ kinds: ['training'], capacity: machines('3'), minimumLot: '4' }] }],
  ['providers', { providers: [{ party: 'donor:norway' }] }],
  ['providers[1].party', { providers: [{ party: 'donor:japan' }, { party: 'donor:japan' }] }],
  ['earmark.regions', { earmark: { regions: ['VUT'] } }],
  ['earmark.colour', { earmark: { colour: 'red' } }],
  ['conditions[0].percent', { conditions: [{ code: 'co-financing', percent: 10 }] }],
])('an offer with a bad %s is refused: %j', async (field, more) => {
  const { status, body } = await client.post('/v1/offers', anOffer(more), JAPAN);
  expect(status).toBe(400);
  expect(fieldsOf(body).some((named) => named.startsWith(field))).toBe(true);
});

test.each(['needs', 'offers', 'commitments', 'reported', 'parties'])(
  'a list of %s refuses what it cannot read, naming it',
  async (list) => {
    for (const query of [
      'limit=0',
      'limit=201',
      'limit=x',
      'limit=1e1',
      'cursor=abc',
      'colour=red',
      'limit=1&limit=2',
    ]) {
      const { status, body } = await client.get(`/v1/${list}?${query}`, VANUATU);
      expect([query, status, fieldsOf(body)]).toEqual([query, 400, [query.split('=')[0]]]);
    }
    expect((await client.get(`/v1/${list}?limit=200`, VANUATU)).body).toMatchObject({ next: null });
  },
);

test.each([
  ['2025', 201],
  ['2025-03', 201],
  ['2026-01-01', 201],
  ['2026-01-01T00:00:00.123Z', 201],
  ['2026-11-25', 400],
  ['2027', 400],
  ['2026-02-30', 400],
  ['2026-13', 400],
  ['2026-01-01T00:00:00', 400],
  ['2026-01-01T24:00:00Z', 400],
  ['soon', 400],
])('Effective-At %s is %d', async (effectiveAt, expected) => {
  const { status, body } = await client.post('/v1/needs', aNeed(), VANUATU, { 'effective-at': effectiveAt });
  expect(status).toBe(expected);
  if (status === 400) expect(fieldsOf(body)).toEqual(['Effective-At']);
});

test('a designation names its office in the party’s own words', async () => {
  const office = 'Permanent Mission, disarmament section';
  const body = {
    party: 'state:SLB',
    office,
    powers: ['file'],
    holder: 'someone',
    authorityRef: 'Note 3/2026',
    from: '2026-01-01',
    to: '2027-12-31',
  };
  expect((await client.post('/v1/designations', body, COORDINATOR)).body).toMatchObject({ office });
});
