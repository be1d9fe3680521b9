import { commitmentsContext } from '#commitments';
import { directoryContext } from '#directory';
import { needsContext } from '#needs';
import { offersContext } from '#offers';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const CAVR: As = { party: 'agency:cavr', role: 'implementer' };
const PAYMASTER: As = { party: 'agency:paymaster', role: 'fiscal-agent' };
const NGO: As = { party: 'agency:ngo', role: 'implementer' };

const usd = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });
const vuv = (amount: string): object => ({ measure: 'money', currency: 'VUV', amount });

interface Json {
  readonly id: string;
  readonly code: string;
  readonly status: string;
  readonly actions: readonly string[];
  readonly balances: readonly Record<string, unknown>[];
  readonly [field: string]: unknown;
}
const json = (answer: Response): Json => answer.body as Json;
const ok = (answer: Response, status = 200): Json => {
  if (answer.status !== status) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return json(answer);
};
/** Status and code of a refusal; with 400 the fields at fault. */
const refusal = (answer: Response): unknown[] => {
  const { code, errors } = answer.body as { code: string; errors?: { field: string }[] };
  return answer.status === 400 ? [400, ...(errors ?? []).map(({ field }) => field)] : [answer.status, code];
};

// One service for all: each test binds a commitment of its own, on an offer and a need of its own.
let app: TestApp;
beforeAll(async () => {
  app = await testApp({ contexts: [directoryContext, needsContext, offersContext, commitmentsContext] });
  for (const id of ['donor:japan', 'agency:cavr', 'agency:paymaster', 'agency:ngo']) {
    ok(await app.post('/v1/parties', { id, name: id, category: 'ngo' }, { as: COORDINATOR }), 201);
  }
});
afterAll(() => app.close());

const records = async (): Promise<{ offerId: string; needId: string }> => {
  const offer = await app.post(
    '/v1/offers',
    {
      title: 'Model legislation',
      lines: [{ kinds: ['legislative'], capacity: usd('100000.00') }],
      conditions: [{ code: 'national-report' }],
      visibility: 'public',
    },
    { as: JAPAN },
  );
  const { id: needId } = ok(
    await app.post(
      '/v1/needs',
      {
        title: 'An arms law',
        kinds: ['legislative'],
        instruments: ['ATT'],
        lines: [{ kind: 'legislative', quantity: usd('60000.00') }],
        authorityRef: 'Note Verbale 12/2026',
        visibility: 'public',
      },
      { as: VANUATU },
    ),
    201,
  );
  const consent = { circulate: true, publish: true };
  ok(await app.post(`/v1/needs/${needId}/submit`, { consent }, { as: VANUATU, headers: { 'if-match': '"0"' } }));
  ok(await app.post(`/v1/needs/${needId}/open`, {}, { as: COORDINATOR, headers: { 'if-match': '"1"' } }));
  return { offerId: ok(offer, 201).id, needId };
};

const TERMS = {
  agreements: [
    {
      kind: 'grant',
      parties: ['donor:japan', 'agency:cavr'],
      reference: 'GA 7/2026',
      date: '2026-01-05',
      legallyBinding: true,
      subjectTo: 'availability of funds',
    },
  ],
  period: { from: '2026-01-01', to: '2026-12-31' },
  schedule: [
    { amount: usd('30000.00'), on: 'signature' },
    { amount: usd('20000.00'), on: 'report', report: 1, due: '2026-11-30' },
    { amount: usd('10000.00'), on: 'condition', condition: 2 },
  ],
  conditions: [{ code: 'ownership', text: 'Parliament is informed', on: 'recipient' }],
  reports: [{ kind: 'financial', by: 'agency:cavr', due: '2026-11-20' }],
};

const propose = async (terms: object = TERMS, more: object = {}): Promise<Response> =>
  app.post(
    '/v1/commitments',
    {
      ...(await records()),
      legs: [{ offerLine: 1, needLine: 1, drawn: usd('60000.00') }],
      implementer: 'agency:cavr',
      fiscalAgent: 'agency:paymaster',
      terms,
      ...more,
    },
    { as: JAPAN, headers: { prefer: 'wait=5' } },
  );

const send = async (
  id: string,
  command: string,
  body: object,
  as: As,
  more: Record<string, string> = {},
): Promise<Response> => {
  const current = await app.get(`/v1/commitments/${id}`, { as });
  return app.post(`/v1/commitments/${id}/${command}`, body, {
    as,
    headers: { 'if-match': (current.headers as Record<string, string>).etag ?? '"0"', prefer: 'wait=5', ...more },
  });
};

const bound = async (): Promise<string> => {
  const { id } = ok(await propose(), 201);
  ok(await send(id, 'accept', {}, VANUATU));
  ok(await send(id, 'consent-task', {}, CAVR));
  ok(await send(id, 'consent-task', {}, PAYMASTER));
  ok(await send(id, 'sign', {}, JAPAN));
  expect(ok(await send(id, 'sign', {}, VANUATU)).status).toBe('binding');
  return id;
};

const DATE = '2026-11-22';
const pay = (id: string, as: As, to: string, amount: object, more: object = {}): Promise<Response> =>
  send(id, 'transfers', { kind: 'disbursement', from: as.party, to, amount, date: DATE, ...more }, as);
const passOn = (id: string, as: As, to: string, amount: object, onward: number): Promise<Response> =>
  pay(id, as, to, amount, { kind: 'onward-grant', onward });
const receive = (id: string, as: As, transfer: number, amount: object, more: object = {}): Promise<Response> =>
  send(id, 'receipts', { transfer, amount, date: DATE, ...more }, as);
const balanceOf = ({ balances }: Json, holder: string, currency = 'USD'): Record<string, unknown> | undefined =>
  balances.find((row) => row.holder === holder && row.currency === currency);

describe('terms over HTTP', () => {
  it('are proposed with the commitment, numbered by place, the offer’s conditions first', async () => {
    const proposal = ok(await propose(), 201);
    expect(proposal.conditions).toEqual([
      { n: 1, code: 'national-report', on: 'recipient', status: 'open' },
      { n: 2, code: 'ownership', text: 'Parliament is informed', on: 'recipient', status: 'open' },
    ]);
    expect(proposal.terms).toMatchObject({
      agreements: [{ kind: 'grant', legallyBinding: true, subjectTo: 'availability of funds' }],
      period: { from: '2026-01-01', to: '2026-12-31' },
      schedule: [
        { n: 1, amount: usd('30000.00'), on: 'signature', paid: usd('0.00'), status: 'open' },
        { n: 2, amount: usd('20000.00'), on: 'report', report: 1, due: '2026-11-30' },
        { n: 3, amount: usd('10000.00'), on: 'condition', condition: 2 },
      ],
      reports: [{ n: 1, kind: 'financial', by: 'agency:cavr', due: '2026-11-20', status: 'owed', late: true }],
      verifier: null,
    });
  });

  it('that are malformed are refused by name', async () => {
    const bad = async (terms: object): Promise<unknown[]> => refusal(await propose(terms));
    expect(await bad({ schedule: [{ amount: usd('1.00'), on: 'report' }] })).toEqual([400, 'terms.schedule[0].on']);
    expect(await bad({ reports: [{ n: 1, ...TERMS.reports[0] }] })).toEqual([400, 'terms.reports[0].n']);
    expect(await bad({ agreements: [{ kind: 'treaty' }] })).toEqual([
      400,
      'terms.agreements[0].kind',
      'terms.agreements[0].parties',
      'terms.agreements[0].reference',
      'terms.agreements[0].date',
      'terms.agreements[0].legallyBinding',
    ]);
    expect(await bad({ period: { from: '2026-02-01', to: '2026-01-01' } })).toEqual([400, 'terms.period.to']);
    expect(await bad({ schedule: [{ amount: usd('60000.01'), on: 'signature' }] })).toEqual([409, 'over-schedule']);
    expect(await bad({ schedule: [{ amount: usd('1.00'), on: 'report', report: 4 }] })).toEqual([
      409,
      'unknown-report',
    ]);
    expect(await bad({ reports: [{ ...TERMS.reports[0], by: 'agency:ngo' }] })).toEqual([409, 'terms-mismatch']);
    expect(await bad({ verifier: 'agency:cavr' })).toEqual([409, 'terms-mismatch']);
  });

  it('run from payment through report and condition, with an instalment paid early as a visible exception', async () => {
    const id = await bound();
    const first = ok(await pay(id, JAPAN, 'agency:paymaster', usd('30000.00'), { instalment: 1 }));
    expect(first.exceptions).toEqual([]);
    const early = ok(await pay(id, JAPAN, 'agency:paymaster', usd('5000.00'), { instalment: 2 }));
    expect(early.exceptions).toEqual([
      { transfer: 2, instalment: 2, code: 'before-trigger', because: 'report 1 was not accepted then' },
    ]);
    expect(early.terms).toMatchObject({
      schedule: [{ status: 'paid', paid: usd('30000.00') }, { status: 'part-paid' }, { status: 'open' }],
    });
    expect(refusal(await pay(id, JAPAN, 'agency:paymaster', usd('1.00'), { instalment: 9 }))).toEqual([
      409,
      'unknown-instalment',
    ]);

    expect(refusal(await send(id, 'reports/1/accept', {}, CAVR))).toEqual([409, 'own-report']);
    expect(refusal(await send(id, 'reports/1/accept', {}, JAPAN))).toEqual([409, 'not-filed']);
    expect(ok(await app.get(`/v1/commitments/${id}`, { as: CAVR })).actions).toContain('file-report');
    ok(await send(id, 'reports/1/file', { date: '2026-11-21', reference: 'FR 1' }, CAVR));
    ok(await send(id, 'reports/1/return', { note: 'Vouchers are missing.' }, JAPAN));
    ok(await send(id, 'reports/1/file', { reference: 'FR 1a' }, CAVR));
    const accepted = ok(await send(id, 'reports/1/accept', {}, JAPAN));
    expect(accepted.terms).toMatchObject({
      reports: [
        { status: 'accepted', late: true, filed: { date: DATE, reference: 'FR 1a' }, answer: { party: 'donor:japan' } },
      ],
    });
    const paid = ok(await pay(id, JAPAN, 'agency:paymaster', usd('15000.00'), { instalment: 2 }));
    expect(paid.exceptions).toHaveLength(1);

    expect(refusal(await send(id, 'conditions/2/meet', {}, VANUATU))).toEqual([409, 'own-condition']);
    expect(ok(await send(id, 'conditions/2/meet', { note: 'Tabled.' }, JAPAN)).conditions).toMatchObject([
      { n: 1, status: 'open' },
      { n: 2, status: 'met', by: 'donor:japan', note: 'Tabled.' },
    ]);
    ok(await send(id, 'conditions/1/waive', {}, JAPAN));
    expect(refusal(await send(id, 'conditions/1/meet', {}, JAPAN))).toEqual([409, 'already-answered']);
    expect(refusal(await send(id, 'conditions/7/meet', {}, JAPAN))).toEqual([404, 'not-found']);
  });

  it('stop payments while one side has suspended, but never reports', async () => {
    const id = await bound();
    ok(await pay(id, JAPAN, 'agency:paymaster', usd('100.00')));
    const suspended = ok(await send(id, 'suspend', { reason: { code: 'security', note: 'Unrest.' } }, VANUATU));
    expect(suspended).toMatchObject({
      flags: ['suspended'],
      suspensions: [{ side: 'recipient', party: 'state:VUT', reason: { code: 'security', note: 'Unrest.' } }],
    });
    expect(refusal(await pay(id, JAPAN, 'agency:paymaster', usd('1.00')))).toEqual([409, 'suspended']);
    ok(await pay(id, JAPAN, 'agency:paymaster', usd('1.00'), { date: '2026-11-20' }));
    ok(await receive(id, PAYMASTER, 1, usd('100.00')));
    ok(await pay(id, PAYMASTER, 'donor:japan', usd('10.00'), { kind: 'refund', of: 1 }));
    const filed = ok(await send(id, 'reports/1/file', {}, CAVR, { 'effective-at': '2026-11-03T10:00:00Z' }));
    expect(filed.terms).toMatchObject({ reports: [{ filed: { date: '2026-11-03' } }] });
    expect(refusal(await send(id, 'resume', {}, JAPAN))).toEqual([409, 'not-suspended']);
    expect(ok(await send(id, 'resume', {}, VANUATU)).flags).toEqual([]);
    ok(await pay(id, JAPAN, 'agency:paymaster', usd('1.00')));
  });

  it('are extended by agreement: dates only, and only to later days', async () => {
    const id = await bound();
    const extend = (dates: object): Promise<Response> => send(id, 'extend', { ...dates, reason: 'Rain.' }, CAVR);
    const asked = (dates: object): Promise<Response> => send(id, 'extend', { ...dates, reason: 'Rain.' }, VANUATU);
    expect(refusal(await asked({}))).toEqual([400, 'reason']);
    expect(refusal(await extend({ period: { to: '2027-06-30' } }))).toEqual([403, 'forbidden']);
    expect(refusal(await asked({ period: { to: '2026-06-30' } }))).toEqual([409, 'not-an-extension']);
    expect(refusal(await asked({ reports: [{ n: 4, due: '2027-06-30' }] }))).toEqual([409, 'unknown-report']);
    const dates = { period: { to: '2027-06-30' }, reports: [{ n: 1, due: '2027-01-31' }] };
    ok(await asked(dates));
    const extended = ok(await send(id, 'amend-accept', {}, JAPAN));
    expect(extended.terms).toMatchObject({
      period: { from: '2026-01-01', to: '2027-06-30' },
      schedule: [{ n: 1 }, { n: 2, due: '2026-11-30' }, { n: 3 }],
      reports: [{ n: 1, due: '2027-01-31', late: false }],
    });
  });

  it('are amended, but what was filed cannot vanish', async () => {
    const id = await bound();
    ok(await send(id, 'reports/1/file', {}, CAVR));
    const amend = (terms: object): Promise<Response> => send(id, 'amend', { terms, reason: 'A new plan.' }, JAPAN);
    expect(refusal(await amend({ reports: [] }))).toEqual([409, 'terms-in-use']);
    const twice = { ...TERMS.reports[0], n: 1 };
    expect(refusal(await amend({ reports: [twice, twice] }))).toEqual([400, 'terms.reports[1].n']);
    expect(refusal(await amend({ schedule: [{ amount: usd('60000.01'), on: 'signature' }] }))).toEqual([
      409,
      'over-schedule',
    ]);
    ok(await amend({ reports: [twice, { ...TERMS.reports[0], kind: 'audit' }] }));
    const amended = ok(await send(id, 'amend-accept', {}, VANUATU));
    expect(amended.terms).toMatchObject({
      reports: [
        { n: 1, status: 'filed' },
        { n: 2, kind: 'audit', status: 'owed' },
      ],
    });
  });

  it('hold the closing until reports are filed or waived', async () => {
    const id = await bound();
    const delivery = { leg: 1, quantity: usd('60000.00'), date: DATE };
    ok(await send(id, 'deliveries', delivery, CAVR));
    ok(await send(id, 'deliveries/1/confirm', {}, VANUATU));
    expect(refusal(await send(id, 'close', {}, COORDINATOR))).toEqual([409, 'open-reports']);
    ok(await send(id, 'reports/1/waive', { note: 'Part of the final one.' }, JAPAN));
    expect(ok(await send(id, 'close', {}, COORDINATOR)).status).toBe('closed');
  });
});

describe('money over HTTP', () => {
  it('is followed from the donor through both agencies, and every holder’s book adds up', async () => {
    const id = await bound();
    ok(await pay(id, JAPAN, 'agency:paymaster', usd('30000.00')));
    ok(await receive(id, PAYMASTER, 1, usd('29985.00'), { charges: usd('15.00') }));
    expect(refusal(await passOn(id, PAYMASTER, 'agency:cavr', usd('29985.01'), 1))).toEqual([409, 'over-onward']);
    ok(await passOn(id, PAYMASTER, 'agency:cavr', usd('25000.00'), 1));
    expect(refusal(await passOn(id, CAVR, 'donor:japan', usd('1.00'), 2))).toEqual([409, 'cycle']);
    expect(refusal(await passOn(id, CAVR, 'agency:paymaster', usd('1.00'), 2))).toEqual([409, 'cycle']);
    const wrong = { credited: vuv('2900000'), rate: '119.50' };
    expect(refusal(await receive(id, CAVR, 2, usd('25000.00'), wrong))).toEqual([400, 'rate']);
    const booked = ok(await receive(id, CAVR, 2, usd('25000.00'), { credited: vuv('2987500'), rate: '119.50' }));
    expect(booked.receipts).toMatchObject([{ n: 1 }, { n: 2, credited: vuv('2987500'), rate: '119.50' }]);
    ok(await pay(id, PAYMASTER, 'agency:paymaster', usd('1500.00'), { kind: 'fee' }));
    ok(await pay(id, PAYMASTER, 'agency:paymaster', usd('12.50'), { kind: 'interest' }));
    ok(await pay(id, CAVR, 'agency:cavr', vuv('500'), { kind: 'exchange-difference', effect: 'loss' }));
    const lines = [{ budgetLine: 'Drafting', amount: vuv('900000') }];
    const half = { from: '2026-01-01', to: '2026-06-30' };
    ok(await send(id, 'expenditures', { kind: 'interim', period: half, lines, date: DATE, invoices: ['INV 1'] }, CAVR));
    expect(refusal(await send(id, 'expenditures', { kind: 'interim', period: half, lines, date: DATE }, CAVR))).toEqual(
      [409, 'period-overlap'],
    );
    const certified = { kind: 'certified', period: { from: '2026-01-01', to: '2026-10-31' }, date: DATE };
    const beyond = [{ budgetLine: 'Drafting', amount: vuv('2987001') }];
    expect(refusal(await send(id, 'expenditures', { ...certified, lines: beyond }, CAVR))).toEqual([
      409,
      'insufficient-balance',
    ]);
    const all = [
      { budgetLine: 'Drafting', amount: vuv('950000') },
      { budgetLine: 'Printing', amount: vuv('50000') },
    ];
    const spent = ok(await send(id, 'expenditures', { ...certified, lines: all }, CAVR));
    expect(spent.expenditures).toMatchObject([
      { n: 1, replacedBy: 2 },
      { n: 2, replaces: [1], period: certified.period },
    ]);
    expect(balanceOf(spent, 'agency:cavr', 'VUV')).toEqual({
      holder: 'agency:cavr',
      currency: 'VUV',
      received: vuv('2987500'),
      own: vuv('0'),
      interest: vuv('0'),
      income: vuv('0'),
      refundsReceived: vuv('0'),
      passedOn: vuv('0'),
      fees: vuv('0'),
      charges: vuv('0'),
      refundsPaid: vuv('0'),
      spent: vuv('1000000'),
      exchange: vuv('-500'),
      balance: vuv('1987000'),
      advance: { outstanding: vuv('1987000'), oldest: DATE },
    });
    expect(balanceOf(spent, 'agency:paymaster')).toMatchObject({
      received: usd('29985.00'),
      interest: usd('12.50'),
      fees: usd('1500.00'),
      passedOn: usd('25000.00'),
      balance: usd('3497.50'),
    });
    expect(balanceOf(spent, 'donor:japan')).toBeUndefined();
  });

  it('is corrected by its reporter until it is answered', async () => {
    const id = await bound();
    ok(await pay(id, JAPAN, 'agency:paymaster', usd('600.00'), { reference: 'Wire 1' }));
    const correct = { amount: usd('6000.00'), reason: 'A zero was missing.' };
    expect(refusal(await send(id, 'transfers/1/correct', correct, PAYMASTER))).toEqual([403, 'forbidden']);
    expect(refusal(await send(id, 'transfers/1/correct', { reason: 'x' }, JAPAN))).toEqual([400, 'reason']);
    expect(refusal(await send(id, 'transfers/9/correct', correct, JAPAN))).toEqual([404, 'not-found']);
    const over = { ...correct, amount: usd('60000.01') };
    expect(refusal(await send(id, 'transfers/1/correct', over, JAPAN))).toEqual([409, 'over-disbursement']);
    const corrected = ok(await send(id, 'transfers/1/correct', correct, JAPAN));
    expect(corrected.transfers).toMatchObject([
      {
        n: 1,
        amount: usd('6000.00'),
        reference: 'Wire 1',
        corrections: [{ amount: usd('600.00'), reason: 'A zero was missing.' }],
      },
    ]);
    ok(await receive(id, PAYMASTER, 1, usd('5000.00')));
    expect(refusal(await send(id, 'transfers/1/correct', correct, JAPAN))).toEqual([409, 'already-answered']);
    const arrived = ok(await send(id, 'receipts/1/correct', { amount: usd('5900.00'), reason: 'x' }, PAYMASTER));
    expect(arrived.discrepancies).toMatchObject([{ n: 1, difference: usd('100.00'), status: 'open' }]);
    ok(await passOn(id, PAYMASTER, 'agency:cavr', usd('5000.00'), 1));
    expect(refusal(await send(id, 'receipts/1/correct', { amount: usd('4999.00'), reason: 'x' }, PAYMASTER))).toEqual([
      409,
      'already-answered',
    ]);
  });

  it('that differs is settled by both ends stating the same', async () => {
    const id = await bound();
    ok(await pay(id, JAPAN, 'agency:paymaster', usd('600.00')));
    ok(await receive(id, PAYMASTER, 1, usd('590.00')));
    const settle = (amount: object | undefined, as: As): Promise<Response> =>
      send(id, 'discrepancies/1/settle', { ...(amount === undefined ? {} : { amount }), reason: 'Bank advice.' }, as);
    expect(ok(await settle(usd('590.00'), JAPAN)).discrepancies).toMatchObject([{ status: 'open' }]);
    expect(ok(await settle(undefined, PAYMASTER)).discrepancies).toMatchObject([{ status: 'open' }]);
    expect(refusal(await settle(vuv('1'), PAYMASTER))).toEqual([409, 'currency-mismatch']);
    expect(refusal(await settle(undefined, NGO))).toEqual([403, 'forbidden']);
    expect(ok(await settle(usd('590.00'), PAYMASTER)).discrepancies).toMatchObject([
      { status: 'settled', agreed: usd('590.00'), statements: { provider: { party: 'donor:japan' } } },
    ]);
    expect(refusal(await settle(usd('590.00'), JAPAN))).toEqual([409, 'already-settled']);
  });

  it('is stated in a currency in use at that date', async () => {
    const id = await bound();
    const marks = (currency: string): object => ({ measure: 'money', currency, amount: '10.00' });
    const own = (currency: string, date: string): Promise<Response> =>
      send(
        id,
        'transfers',
        { kind: 'interest', from: 'agency:cavr', to: 'agency:cavr', amount: marks(currency), date },
        CAVR,
      );
    expect(refusal(await own('DEM', DATE))).toEqual([400, 'amount.currency']);
    expect(refusal(await own('QQQ', DATE))).toEqual([400, 'amount.currency']);
    expect(balanceOf(ok(await own('DEM', '1999-05-01')), 'agency:cavr', 'DEM')).toMatchObject({
      interest: marks('DEM'),
    });
    const later = { date: '2004-01-01', reason: 'Misread.' };
    expect(refusal(await send(id, 'transfers/1/correct', later, CAVR))).toEqual([400, 'amount.currency']);
  });

  it('is due back after a cancellation, and what comes back is counted', async () => {
    const id = await bound();
    ok(await pay(id, JAPAN, 'agency:paymaster', usd('30000.00')));
    ok(await send(id, 'deliveries', { leg: 1, quantity: usd('12000.00'), date: DATE }, CAVR));
    const cancelled = ok(await send(id, 'cancel', { reason: { code: 'budget' } }, VANUATU));
    expect(cancelled.refundsDue).toEqual([
      { provider: 'donor:japan', quantity: usd('18000.00'), paid: usd('0.00'), outstanding: usd('18000.00') },
    ]);
    const refund = (amount: object): Promise<Response> =>
      pay(id, PAYMASTER, 'donor:japan', amount, { kind: 'refund', of: 1 });
    expect(refusal(await refund(usd('30000.01')))).toEqual([409, 'over-refund']);
    expect(ok(await refund(usd('10000.00'))).refundsDue).toMatchObject([{ outstanding: usd('8000.00') }]);
  });
});
