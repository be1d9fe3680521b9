import { runEnded } from '../support/allocation-run.js';
import type { As } from '../support/app.js';
import type { ApiClient, Json } from './api-client.js';
import { aNeed, apiClient, bodyOf, CAVR, COORDINATOR, dollars, JAPAN, NORWAY, VANUATU, WAIT } from './api-client.js';

/**
 * API.md, `Idempotency-Key`: a repeat of a call that wrote events writes nothing and answers with the same status, `Location` and code;
 * another body is 422 (I15). Every command of joint needs, terms, money and funds is sent twice, and a third time with another body.
 */
const UNSCAR: As = { party: 'fund:unscar', role: 'donor-desk' };
const HOST: As = { party: 'network:msg', role: 'network-host' };
const FIJI: As = { party: 'state:FJI', role: 'npc' };

let client: ApiClient;
/** Routes that were tried, as the document writes them. */
const tried = new Set<string>();
beforeAll(async () => {
  client = await apiClient();
  for (const id of ['fund:unscar', 'network:msg']) {
    await client.post('/v1/parties', { id, name: id, category: 'fund' }, COORDINATOR);
  }
});
afterAll(() => client.app.close());

const lengthOf = async (record: string, as: As): Promise<number> => {
  await client.app.settled();
  const { items } = bodyOf(await client.get(`${record}/history`, as)) as unknown as { items: Json[] };
  return items.length;
};

let keys = 0;
/** Sends a command twice under one key, then another body under it. */
const twice = async (path: string, body: object, as: As, other: object = { bogus: 1 }): Promise<Json> => {
  keys += 1;
  tried.add(
    path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|fund:unscar|(?<=rulesets\/)3/, '{id}').replace(/\/(\d+)\//, '/{n}/'),
  );
  const record = path.split('/').slice(0, 4).join('/');
  const isCreation = record === path;
  const etag = isCreation ? undefined : ((await client.get(record, as)).headers.etag ?? '"0"');
  const headers = {
    ...WAIT,
    'idempotency-key': `key-${keys}`,
    ...(etag === undefined ? {} : { 'if-match': etag }),
  };
  const first = await client.post(path, body, as, headers);
  if (first.status >= 300) throw new Error(`${path}: ${first.status} ${first.text}`);
  const at = first.headers.location ?? record;
  const written = await lengthOf(at, as);
  const second = await client.post(path, body, as, headers);
  expect([path, second.status, second.headers.location]).toEqual([path, first.status, first.headers.location]);
  expect([path, await lengthOf(at, as)]).toEqual([path, written]);
  const { actions: _first, revision: _then, ...shown } = bodyOf(first);
  const { actions: _second, revision: _now, ...again } = bodyOf(second);
  if (Object.keys(shown).length > 0) expect(Object.keys(again).sort()).toEqual(Object.keys(shown).sort());
  // What is not well-formed is 400 whatever the key is.
  const reused = await client.post(path, other, as, headers);
  expect([path, reused.status]).toEqual([path, 'bogus' in other ? 400 : 422]);
  expect([path, await lengthOf(at, as)]).toEqual([path, written]);
  return bodyOf(second);
};

const date = '2026-11-20';

test('needs of several, transcribed, assessed and merged', async () => {
  const joint = await twice(
    '/v1/needs',
    aNeed({ beneficiaries: ['state:VUT', 'state:FJI'] }),
    HOST,
    aNeed({ beneficiaries: ['state:VUT'] }),
  );
  const need = `/v1/needs/${String(joint.id)}`;
  await twice(`${need}/consent-participation`, {}, VANUATU);
  await twice(`${need}/consent-participation`, {}, FIJI);
  await twice(`${need}/withdraw-participation`, {}, FIJI);

  const note = { kind: 'note-verbale', title: 'Note 3', sha256: 'a'.repeat(64) };
  const behalf = await twice(
    '/v1/needs',
    aNeed({ onBehalfOf: 'state:VUT', documents: [note] }),
    COORDINATOR,
    aNeed({ onBehalfOf: 'state:FJI', documents: [note] }),
  );
  await client.send(
    `/v1/needs/${String(behalf.id)}`,
    'submit',
    { consent: { circulate: true, publish: true } },
    COORDINATOR,
  );
  await twice(`/v1/needs/${String(behalf.id)}/ratify`, {}, VANUATU);

  const unknown = await client.openNeed({
    lines: [{ kind: 'training', quantity: { measure: 'undetermined', why: 'to-be-assessed' } }],
  });
  const assessed = (amount: string): object => ({
    lines: [{ line: 1, quantity: { measure: 'seats', amount } }],
    report: { kind: 'report', title: 'Visit', sha256: 'c'.repeat(64) },
  });
  await twice(`${unknown}/assess`, assessed('4'), VANUATU, assessed('5'));
  const [into, from] = [await client.openNeed(), await client.openNeed()];
  await twice(`${from}/merge`, { into: into.split('/')[3] }, VANUATU, { into: unknown.split('/')[3] });
  await twice(`${from}/unmerge`, {}, VANUATU);
});

test('terms, changes, money and tranches of a commitment', async () => {
  const [need, offer] = [
    await client.openNeed({ lines: [{ kind: 'training', quantity: dollars('60000.00') }] }),
    await client.openOffer({ lines: [{ kinds: ['training'], capacity: dollars('90000.00') }] }),
  ];
  const proposal = (amount: string): object => ({
    needId: need.split('/')[3],
    offerId: offer.split('/')[3],
    implementer: 'agency:cavr',
    legs: [{ offerLine: 1, needLine: 1, drawn: dollars(amount) }],
    terms: {
      conditions: [
        { code: 'other', text: 'Tabled', on: 'recipient' },
        { code: 'other', text: 'Passed', on: 'recipient' },
      ],
      reports: [1, 2].map((n) => ({ kind: 'financial', by: 'agency:cavr', due: `2026-12-0${n}` })),
      verifier: 'donor:norway',
      period: { from: '2026-01-01', to: '2026-12-31' },
    },
  });
  const { id } = await twice('/v1/commitments', proposal('50000.00'), JAPAN, proposal('5.00'));
  const to = (command: string): string => `/v1/commitments/${String(id)}/${command}`;
  await twice(to('accept'), {}, VANUATU);
  await twice(to('consent-task'), {}, CAVR);
  await twice(to('sign'), {}, JAPAN);
  await twice(to('sign'), {}, VANUATU);

  const change = (text: string): object => ({
    terms: { conditions: [1, 2].map((n) => ({ n, code: 'other', text, on: 'recipient' })) },
    reason: 'So agreed',
  });
  for (const answer of ['amend-decline', 'amend-accept']) {
    await twice(to('amend'), { fiscalAgent: 'agency:cavr', reason: answer }, VANUATU, change('Other'));
    await twice(to(answer), {}, JAPAN);
  }
  await client.send(`/v1/commitments/${String(id)}`, 'consent-task', {}, CAVR);
  const longer = (day: string): object => ({ period: { to: day }, reason: 'Rain' });
  await twice(to('extend'), longer('2027-06-30'), VANUATU, longer('2027-07-31'));
  await twice(to('amend-withdraw'), {}, VANUATU);

  const pay = (amount: string): object => ({
    kind: 'disbursement',
    from: 'donor:japan',
    to: 'agency:cavr',
    amount: dollars(amount),
    date,
  });
  await twice(to('transfers'), pay('20000.00'), JAPAN, pay('20000.01'));
  const corrected = (reference: string): object => ({ reference, reason: 'Misread' });
  await twice(to('transfers/1/correct'), corrected('W 1'), JAPAN, corrected('W 2'));
  const receipt = (amount: string): object => ({ transfer: 1, amount: dollars(amount), date });
  await twice(to('receipts'), receipt('19990.00'), CAVR, receipt('19991.00'));
  await twice(to('receipts/1/correct'), corrected('R 1'), CAVR, corrected('R 2'));
  const settle = (reason: string): object => ({ amount: dollars('19990.00'), reason });
  await twice(to('discrepancies/1/settle'), settle('Fee of a bank'), JAPAN, settle('Another'));
  await twice(to('discrepancies/1/accept'), { reason: 'Small' }, COORDINATOR, { reason: 'Too small' });
  const spent = (amount: string): object => ({
    kind: 'interim',
    period: { from: '2026-10-01', to: '2026-10-31' },
    lines: [{ budgetLine: 'Travel', amount: dollars(amount) }],
    date,
  });
  await twice(to('expenditures'), spent('10.00'), CAVR, spent('11.00'));

  const bring = (amount: string): object => ({ leg: 1, quantity: dollars(amount), date });
  await twice(to('deliveries'), bring('5000.00'), CAVR, bring('5000.01'));
  await twice(to('deliveries/1/correct'), { quantity: dollars('4000.00'), reason: 'Misread' }, CAVR, {
    quantity: dollars('3000.00'),
    reason: 'Misread',
  });
  const seen = (amount: string): object => ({ quantity: dollars(amount) });
  await twice(to('deliveries/1/verify'), seen('4000.00'), NORWAY, seen('3999.00'));
  await twice(to('deliveries/1/dispute'), { reason: 'Too few' }, VANUATU, { reason: 'Too late' });
  const agreed = (amount: string): object => ({ outcome: 'reduced', quantity: dollars(amount) });
  await twice(to('deliveries/1/settle'), agreed('3000.00'), VANUATU, agreed('2000.00'));
  await twice(to('deliveries/1/settle'), agreed('3000.00'), JAPAN, agreed('2000.00'));
  const back = (amount: string): object => ({ delivery: 1, quantity: dollars(amount), reason: 'Broken', date });
  await twice(to('returns'), back('5.00'), CAVR, back('6.00'));

  const file = (reference: string): object => ({ date, reference });
  await twice(to('reports/1/file'), file('FR 1'), CAVR, file('FR 2'));
  await twice(to('reports/1/return'), { note: 'Incomplete' }, JAPAN, { note: 'Unsigned' });
  await client.send(`/v1/commitments/${String(id)}`, 'reports/1/file', {}, CAVR);
  await twice(to('reports/1/accept'), {}, JAPAN, { note: 'Good' });
  await twice(to('reports/2/waive'), {}, JAPAN, { note: 'Good' });
  await twice(to('conditions/1/meet'), { note: 'Seen' }, JAPAN, { note: 'Heard' });
  await twice(to('conditions/2/waive'), { note: 'Seen' }, JAPAN, { note: 'Heard' });
  const paper = (title: string): object => ({ kind: 'report', title, sha256: 'd'.repeat(64) });
  await twice(to('documents'), paper('One'), VANUATU, paper('Two'));
  await twice(to('suspend'), { reason: { code: 'security' } }, VANUATU, { reason: { code: 'budget' } });
  await twice(to('resume'), {}, VANUATU);
});

test('a fund’s book, contributions and calls', async () => {
  const terms = (name: string): object => ({
    fund: 'fund:unscar',
    decidingBody: { name, members: ['state:FJI'] },
    currency: 'USD',
    windows: [{ code: 'pacific', name: 'Pacific' }],
    periods: [{ from: '2025-01-01', to: '2025-12-31' }],
  });
  await twice('/v1/funds', terms('Committee'), COORDINATOR, terms('Board'));
  const fund = '/v1/funds/fund:unscar';
  await twice(`${fund}/amend`, { reserve: dollars('10.00') }, UNSCAR, { reserve: dollars('11.00') });
  const interest = (amount: string): object => ({ kind: 'interest', amount: dollars(amount), date });
  await twice(`${fund}/bookings`, interest('5.00'), UNSCAR, interest('6.00'));
  const paper = (title: string): object => ({ document: { kind: 'report', title, sha256: 'e'.repeat(64) } });
  await twice(`${fund}/documents`, paper('One'), UNSCAR, paper('Two'));
  await twice(`${fund}/close-period`, { period: { from: '2025-01-01', to: '2025-12-31' } }, UNSCAR);

  const pledge = (amount: string): object => ({ fund: 'fund:unscar', amount: dollars(amount), visibility: 'public' });
  const given = `/v1/contributions/${String((await twice('/v1/contributions', pledge('900.00'), JAPAN, pledge('1.00'))).id)}`;
  await twice(`${given}/sign`, { reference: 'A 1' }, JAPAN, { reference: 'A 2' });
  const money = (amount: string): object => ({ amount: dollars(amount), date });
  await twice(`${given}/payments`, money('800.00'), JAPAN, money('700.00'));
  await twice(`${given}/receipts`, { payment: 1, ...money('800.00') }, UNSCAR, money('700.00'));
  await twice(`${given}/refunds`, money('50.00'), UNSCAR, money('51.00'));
  await twice(`${given}/close`, {}, UNSCAR);
  const left = `/v1/contributions/${String((await twice('/v1/contributions', pledge('70.00'), JAPAN, pledge('1.00'))).id)}`;
  await twice(`${left}/cancel`, { reason: { code: 'budget' } }, JAPAN, { reason: { code: 'timing' } });

  const announced = (title: string): object => ({
    fund: 'fund:unscar',
    title,
    opens: '2026-11-01',
    closes: '2026-12-31',
    visibility: 'public',
  });
  const call = `/v1/calls/${String((await twice('/v1/calls', announced('One'), UNSCAR, announced('Two'))).id)}`;
  const need = await client.openNeed();
  const needId = need.split('/')[3];
  const ask = (amount: string): object => ({ needId, amount: dollars(amount) });
  await twice(`${call}/applications`, ask('100.00'), VANUATU, ask('90.00'));
  await twice(`${call}/applications/1/screen`, { eligible: true }, UNSCAR, { eligible: false });
  await twice(`${call}/applications/1/rank`, { rank: 1 }, UNSCAR, { rank: 2 });
  const decision = (reference: string): object => ({
    body: 'Committee',
    date,
    reference,
    allocations: [{ needId, amount: dollars('100.00') }],
  });
  await twice(`${fund}/decisions`, decision('Minutes 1'), UNSCAR, decision('Minutes 2'));
  const outcome = (approved: boolean): object =>
    approved ? { outcome: 'approved', decision: 1 } : { outcome: 'declined', reason: { code: 'budget' } };
  await twice(`${call}/applications/1/decide`, outcome(true), UNSCAR, outcome(false));
  const other = await client.openNeed();
  await client.send(call, 'applications', { needId: other.split('/')[3], amount: dollars('1.00') }, VANUATU);
  await twice(`${call}/applications/2/withdraw`, {}, VANUATU);
  await twice(`${call}/close`, {}, UNSCAR);
  await twice(`${fund}/decisions/1/release`, { reason: 'Met elsewhere' }, UNSCAR, { reason: 'Withdrawn' });

  const rates = (rate: string): object => ({
    source: 'ecb',
    reference: 'ECB euro foreign exchange reference rates',
    base: 'EUR',
    on: '2026-01-05',
    rates: [{ currency: 'USD', rate }],
  });
  await twice('/v1/rates', rates('1.0472'), COORDINATOR, rates('1.0473'));

  const weights = {
    ...{ fit: '0.15', coverage: '0.25', priority: '0.15', earmark: '0.1', period: '0.1', language: '0.05' },
    ...{ 'prior-work': '0.05', freshness: '0.05', conditions: '0.1' },
  };
  const set = (reason: string, priority: string, coverage: string): object => ({
    reason,
    weights: { ...weights, priority, coverage },
  });
  await client.post('/v1/rulesets/3/weights', set('First', '0.15', '0.25'), COORDINATOR, {});
  const urgent = set('Urgent needs first', '0.2', '0.2');
  await twice('/v1/rulesets/3/weights', urgent, COORDINATOR, set('Others', '0.1', '0.3'));
});

test('an allocation', async () => {
  const order = (seed: number): object => ({ objective: 'max-value', seed });
  const headers = { 'idempotency-key': 'allocation' };
  tried.add('/v1/allocations');
  const first = await client.post('/v1/allocations', order(1), COORDINATOR, headers);
  const again = await client.post('/v1/allocations', order(1), COORDINATOR, headers);
  expect([again.status, again.headers.location]).toEqual([202, first.headers.location]);
  expect((await client.post('/v1/allocations', order(2), COORDINATOR, headers)).status).toBe(422);
  await client.app.settled();
  expect(bodyOf(await client.get('/v1/allocations', COORDINATOR)).items).toHaveLength(1);
  // It waits for the other: what a run writes of itself is no repeat.
  const waiting = await client.post('/v1/allocations', order(3), COORDINATOR);
  await twice(`${waiting.headers.location ?? ''}/cancel`, {}, COORDINATOR);

  await client.openNeed();
  await client.openOffer();
  await client.app.settled();
  const run = (await client.post('/v1/allocations', order(4), COORDINATOR)).headers.location ?? '';
  await runEnded(client.app.store, run.split('/').at(-1) ?? '');
  await twice(`${run}/share`, { party: 'donor:japan' }, COORDINATOR, { party: 'donor:norway' });
  await client.app.settled();
  const { items } = bodyOf(await client.get('/v1/suggestions', JAPAN)) as unknown as { items: readonly Json[] };
  await twice(`/v1/suggestions/${String(items[0]?.id)}/propose`, {}, JAPAN, { partOf: 'A programme' });
});

test('a verdict on needs that look alike', async () => {
  const title = 'Doors of the armoury at Luganville';
  for (const note of ['police', 'customs']) await client.openNeed({ title, requestingAuthority: note });
  await client.app.settled();
  const { items } = bodyOf(await client.get('/v1/duplicates?about=needs&verdict=none', COORDINATOR)) as unknown as {
    items: readonly { id: string; evidence: readonly { name: string; value: string }[] }[];
  };
  const pair = items.find(({ evidence }) => evidence.some(({ name, value }) => name === 'title' && value === '1.00'));
  const path = `/v1/duplicates/${pair?.id ?? ''}/judge`;
  expect((await client.post(path, { verdict: 'different' }, COORDINATOR)).status).toBe(200);
  await twice(path, { verdict: 'same', note: 'Filed by two offices' }, COORDINATOR, { verdict: 'complementary' });
});

test('a finding', async () => {
  const court: As = { party: 'auditor:court', role: 'auditor' };
  await client.post('/v1/parties', { id: court.party, name: 'Court', category: 'ngo' }, COORDINATOR);
  const need = await client.openNeed();
  const id = need.split('/')[3] ?? '';
  const term = { from: '2026-01-01', to: '2028-12-31', reference: 'Resolution 1' };
  await client.post('/v1/mandates', { ...term, auditor: court.party, scope: { records: [id] } }, COORDINATOR);
  const { items } = bodyOf(await client.get(`${need}/history`, court)) as unknown as { items: { eventId: string }[] };
  const finding = (title: string): object => ({
    ...{ severity: 'high', title, text: 'So it is.', recommendation: 'Otherwise.', owner: VANUATU.party },
    ...{ records: [{ kind: 'need', id }], eventIds: [items[0]?.eventId], due: '2027-03-31' },
  });
  const made = await twice('/v1/findings', finding('One'), court, finding('Two'));
  const path = `/v1/findings/${String(made.id)}`;
  await twice(`${path}/amend`, { title: 'Two', reason: 'Better' }, court);
  const action = { text: 'We will.', by: '2027-02-28' };
  await twice(`${path}/answer`, { response: 'agreed', text: 'Yes', action }, VANUATU, {
    response: 'disagreed',
    text: 'No',
  });
  await twice(`${path}/implement`, { text: 'Done.', evidence: [{ title: 'Paper', sha256: 'a'.repeat(64) }] }, VANUATU);
  await twice(`${path}/verify`, { outcome: 'implemented', note: 'Read.' }, court);
  await twice(`${path}/close`, { as: 'implemented' }, court, { as: 'withdrawn', reason: 'An error' });
});

test('a sample of what was bound above, and what its party is asked of it', async () => {
  const firm: As = { party: 'auditor:firm', role: 'auditor' };
  await client.post('/v1/parties', { id: firm.party, name: 'Firm', category: 'private' }, COORDINATOR);
  const term = { from: '2026-01-01', to: '2028-12-31', reference: 'Resolution 2' };
  await client.post('/v1/mandates', { ...term, auditor: firm.party, scope: { everything: true } }, COORDINATOR);
  const order = (seed: string): object => ({ of: 'commitments', method: 'random', size: 1, seed });
  const drawn = await twice('/v1/samples', order('one'), firm, order('two'));
  const [{ commitment }] = drawn.items as [{ commitment: string }];
  const { providers, donor } = bodyOf(await client.get(`/v1/commitments/${commitment}`, firm)) as Record<
    string,
    unknown
  >;
  const party = String((providers as string[] | undefined)?.[0] ?? donor);
  const ask = (due: string): object => ({ party, commitments: [commitment], asks: ['leg'], due });
  const made = await twice('/v1/confirmation-requests', ask('2027-01-31'), firm, ask('2027-02-28'));
  const path = `/v1/confirmation-requests/${String(made.id)}`;
  const answers = (made.lines as { line: number }[]).map(({ line }) => ({ line, says: 'no-record' }));
  await twice(`${path}/answer`, { answers }, { party, role: 'donor-desk' });
  await twice(`${path}/close`, { as: 'alternative-procedure', procedure: 'Read.' }, firm);
});

test('leave out no command of theirs', async () => {
  const { paths } = (await client.get('/openapi.json')).body as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  // Tried with needs, offers and commitments of one State elsewhere, or writing nothing by itself.
  const elsewhere =
    /^\/v1\/(admin|parties|designations|mandates|subjects|offers|reported|documents|what-if)|needs\/\{id\}\/(submit|open|return|set-aside|object|amend|reaffirm|reopen|withdraw|close)$|commitments\/\{id\}\/(decline|withdraw|cancel|decline-task|close|deliveries\/\{n\}\/confirm)$/;
  const missing = Object.entries(paths)
    .filter(([path, operations]) => 'post' in operations && !elsewhere.test(path))
    .map(([path]) => path)
    .filter((path) => !tried.has(path));
  expect(missing).toEqual([]);
});
