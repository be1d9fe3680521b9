import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const UNDP: As = { party: 'agency:undp', role: 'fiscal-agent' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const GERMANY: As = { party: 'donor:germany', role: 'donor-desk' };
const NORWAY: As = { party: 'donor:norway', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const FIJI: As = { party: 'state:FJI', role: 'npc' };
const AUDITOR: As = { party: 'auditor:court', role: 'auditor' };

const usd = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });
const eur = (amount: string): object => ({ measure: 'money', currency: 'EUR', amount });

interface Json {
  readonly id: string;
  readonly code: string;
  readonly status: string;
  readonly revision: number;
  readonly actions: readonly string[];
  readonly [field: string]: unknown;
}

const begin = async (): Promise<TestApp> => {
  const started = await testApp();
  for (const id of ['agency:undp', 'donor:japan', 'donor:germany', 'donor:norway', 'auditor:court'])
    ok(await started.post('/v1/parties', { id, name: id, category: 'fund' }, { as: COORDINATOR }), 201);
  return started;
};

// One service for all: to each test a fund of its own. The one that looks at all there are has its own service.
let app: TestApp;
beforeAll(async () => {
  app = await begin();
});
afterAll(() => app.close());

let funds = 0;
let fundId: string;
let fund: string;
let unscar: As;
const register = async (): Promise<void> => {
  ok(await app.post('/v1/parties', { id: fundId, name: fundId, category: 'fund' }, { as: COORDINATOR }), 201);
};
beforeEach(async () => {
  funds += 1;
  fundId = `fund:unscar-${funds}`;
  fund = `/v1/funds/${fundId}`;
  unscar = { party: fundId, role: 'donor-desk' };
  await register();
});

const ok = (answer: Response, status = 200): Json => {
  if (answer.status !== status) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as Json;
};
const code = (answer: Response): string => (answer.body as Json).code;
const get = async (path: string, as?: As): Promise<Json> => ok(await app.get(path, as === undefined ? {} : { as }));
const send = async (path: string, command: string, body: object, as: As): Promise<Response> => {
  const { etag } = (await app.get(path, { as })).headers as Record<string, string>;
  return app.post(`${path}/${command}`, body, { as, headers: { 'if-match': etag ?? '"0"' } });
};
const TERMS = {
  administrator: 'agency:undp',
  decidingBody: { name: 'Selection committee', members: ['donor:japan', 'state:FJI'] },
  currency: 'USD',
  windows: [{ code: 'pacific', name: 'Pacific' }],
  feeRates: [{ code: 'administration', percent: '7', base: 'contributions' }],
  capacityBasis: 'received',
  reserve: usd('1000.00'),
  periods: [
    { from: '2025-01-01', to: '2025-12-31' },
    { from: '2026-01-01', to: '2026-12-31' },
  ],
};
const established = async (more: object = {}): Promise<Json> =>
  ok(await app.post('/v1/funds', { ...TERMS, fund: fundId, ...more }, { as: COORDINATOR }), 201);

const contributed = async (amount: object, as: As, more: object = {}): Promise<string> => {
  const { id } = ok(await app.post('/v1/contributions', { fund: fundId, amount, ...more }, { as }), 201);
  ok(await send(`/v1/contributions/${id}`, 'sign', { reference: 'Agreement 1' }, as));
  return `/v1/contributions/${id}`;
};

const aNeed = async (as: As, visibility = 'public'): Promise<string> => {
  const { id } = ok(
    await app.post(
      '/v1/needs',
      {
        title: 'Licensing officers to be trained',
        kinds: ['training'],
        instruments: ['ATT'],
        lines: [{ kind: 'training', quantity: usd('50000.00') }],
        authorityRef: 'Note Verbale 12/2026',
        visibility,
      },
      { as },
    ),
    201,
  );
  ok(await send(`/v1/needs/${id}`, 'submit', { consent: { circulate: true, publish: true } }, as));
  ok(await send(`/v1/needs/${id}`, 'open', {}, COORDINATOR));
  return id;
};

const decision = (needId: string, amount: string, more: object = {}): object => ({
  body: 'Selection committee',
  date: '2026-11-20',
  reference: 'Minutes 3/2026',
  allocations: [{ needId, amount: usd(amount), ...more }],
  interests: [{ party: 'state:FJI', declaration: 'One need is its own', recused: true }],
});

const capacity = async (as = unscar): Promise<Record<string, { readonly amount: string }>> => {
  await app.settled();
  return (await get(fund, as)).capacity as Record<string, { readonly amount: string }>;
};

describe('the story of a fund', () => {
  it('takes contributions, calls, decides, draws, is given back and closes its period', async () => {
    const opened = await established();
    expect(opened).toMatchObject({ id: fundId, revision: 0, currency: 'USD', decisions: [] });
    expect(code(await app.post('/v1/funds', { ...TERMS, fund: fundId }, { as: unscar }))).toBe('already-exists');

    // Japan gives dollars in two parts, Germany euros that are booked in dollars.
    const japan = await contributed(usd('30000.00'), JAPAN, {
      window: 'pacific',
      schedule: [
        { due: '2026-11-01', amount: usd('20000.00') },
        { due: '2027-02-01', amount: usd('10000.00') },
      ],
    });
    const germany = await contributed(eur('10000.00'), GERMANY);
    ok(await send(japan, 'payments', { amount: usd('20000.00'), date: '2026-11-02', reference: 'SWIFT 1' }, JAPAN));
    ok(await send(germany, 'payments', { amount: eur('10000.00'), date: '2026-11-03' }, GERMANY));
    const part = ok(
      await send(
        japan,
        'receipts',
        { payment: 1, amount: usd('19990.00'), charges: usd('10.00'), date: '2026-11-04' },
        UNDP,
      ),
    );
    expect(part).toMatchObject({ status: 'received', arrival: 'part', outstanding: usd('10000.00') });
    expect(code(await send(germany, 'receipts', { amount: eur('10000.00'), date: '2026-11-05' }, UNDP))).toBe(
      'valuation-required',
    );
    const whole = ok(
      await send(
        germany,
        'receipts',
        { payment: 1, amount: eur('10000.00'), credited: usd('10812.30'), rate: '1.08123', date: '2026-11-05' },
        UNDP,
      ),
    );
    expect(whole).toMatchObject({ arrival: 'full', outstanding: eur('0.00') });
    expect(await capacity()).toMatchObject({ received: usd('30802.30'), available: usd('29802.30') });

    // The administrator books interest and its fee.
    ok(await send(fund, 'bookings', { kind: 'interest', amount: usd('200.00'), date: '2026-11-10' }, UNDP));
    const fee = {
      kind: 'fee',
      rate: 'administration',
      base: usd('30802.30'),
      amount: usd('2156.16'),
      date: '2026-11-10',
    };
    ok(await send(fund, 'bookings', { ...fee, counterparty: 'agency:undp' }, UNDP));
    expect(await capacity()).toMatchObject({
      interest: usd('200.00'),
      fees: usd('2156.16'),
      available: usd('27846.14'),
    });

    // A call: Vanuatu and Fiji apply, the committee takes one.
    const [vanuatu, fiji] = [await aNeed(VANUATU), await aNeed(FIJI, 'members')];
    const announced = ok(
      await app.post(
        '/v1/calls',
        {
          fund: fundId,
          title: 'Call 2026',
          window: 'pacific',
          opens: '2026-11-01',
          closes: '2026-11-30',
          ceiling: usd('20000.00'),
          criteria: [{ code: 'urgency', text: 'Urgency', weight: '1' }],
        },
        { as: unscar },
      ),
      201,
    );
    const call = `/v1/calls/${announced.id}`;
    expect((await get(call, VANUATU)).actions).toEqual(['applications']);
    expect(code(await send(call, 'applications', { needId: vanuatu, amount: usd('20000.01') }, VANUATU))).toBe(
      'over-ceiling',
    );
    expect(code(await send(call, 'applications', { needId: vanuatu, amount: usd('15000.00') }, FIJI))).toBe(
      'forbidden',
    );
    ok(await send(call, 'applications', { needId: vanuatu, amount: usd('15000.00') }, VANUATU));
    expect(code(await send(call, 'applications', { needId: vanuatu, amount: usd('1.00') }, VANUATU))).toBe(
      'already-applied',
    );
    ok(await send(call, 'applications', { needId: fiji, amount: usd('20000.00') }, FIJI));
    expect(code(await send(call, 'applications/1/rank', { rank: 1 }, unscar))).toBe('not-eligible');
    ok(await send(call, 'applications/1/screen', { eligible: true }, unscar));
    ok(await send(call, 'applications/2/screen', { eligible: true }, unscar));
    ok(await send(call, 'applications/1/rank', { rank: 1, note: 'first of all' }, unscar));

    // What a decision lacks is named; more than there is is refused.
    const answers = { call: announced.id, application: 1 };
    const { body: _, ...bodyless } = decision(vanuatu, '15000.00') as { readonly body: string };
    const lacking = await send(fund, 'decisions', bodyless, unscar);
    expect([lacking.status, (lacking.body as { errors: object[] }).errors]).toEqual([
      400,
      [{ field: 'body', message: 'is required' }],
    ]);
    expect(code(await send(fund, 'decisions', decision(vanuatu, '27846.15'), unscar))).toBe('insufficient-funds');
    expect((await send(fund, 'decisions', decision(vanuatu, '15000.00'), UNDP)).status).toBe(403);

    // Before the decision the fund signs nothing for that need.
    const offer = ok(
      await app.post(
        '/v1/offers',
        { title: 'Grants', lines: [{ kinds: ['training'], capacity: usd('50000.00') }], visibility: 'public' },
        { as: unscar },
      ),
      201,
    );
    const legs = [{ offerLine: 1, needLine: 1, drawn: usd('12000.00') }];
    const proposed = ok(
      await app.post(
        '/v1/commitments',
        { offerId: offer.id, needId: vanuatu, legs },
        { as: unscar, headers: { prefer: 'wait=5' } },
      ),
      201,
    );
    const commitment = `/v1/commitments/${proposed.id}`;
    await app.settled();
    ok(await send(commitment, 'accept', {}, VANUATU));
    await app.settled();
    expect(code(await send(commitment, 'sign', {}, unscar))).toBe('decision-required');

    ok(await send(fund, 'decisions', decision(vanuatu, '15000.00', answers), unscar));
    await app.settled();
    expect((await get(call, VANUATU)).applications).toMatchObject([
      { n: 1, status: 'approved', decision: 1, ranking: { rank: 1 } },
    ]);
    const declined = ok(
      await send(
        call,
        'applications/2/decide',
        { outcome: 'declined', reason: { code: 'budget', note: 'next year' } },
        unscar,
      ),
    );
    expect((declined.applications as Json[])[1]).toMatchObject({ status: 'declined', actions: [] });
    // Declined, the need is as open as before, and only its State has heard of it.
    expect(await get(`/v1/needs/${fiji}`, FIJI)).toMatchObject({ status: 'open' });
    expect((await get(call, FIJI)).applications).toMatchObject([
      { n: 2, status: 'declined', reason: { code: 'budget' } },
    ]);
    expect((await get(call, JAPAN)).applications).toEqual([]);
    expect(JSON.stringify(await get(`/v1/needs/${fiji}/history`, JAPAN))).not.toContain('declined');

    ok(await send(commitment, 'sign', {}, unscar));
    ok(await send(commitment, 'sign', {}, VANUATU));
    expect(await capacity()).toMatchObject({
      allocated: usd('15000.00'),
      used: usd('12000.00'),
      available: usd('12846.14'),
    });

    // 9,000 are paid, the commitment is cancelled, 2,500 come back: what will not be paid and what came back is free again.
    const paid = {
      kind: 'disbursement',
      from: fundId,
      to: 'state:VUT',
      amount: usd('9000.00'),
      date: '2026-11-21',
      reference: 'P1',
    };
    ok(await send(commitment, 'transfers', paid, unscar));
    ok(await send(commitment, 'cancel', { reason: { code: 'priorities' } }, VANUATU));
    const back = {
      kind: 'refund',
      of: 1,
      from: 'state:VUT',
      to: fundId,
      amount: usd('2500.00'),
      date: '2026-11-21',
      reference: 'R1',
    };
    ok(await send(commitment, 'transfers', back, VANUATU));
    ok(
      await send(
        commitment,
        'receipts',
        { transfer: 2, amount: usd('2500.00'), date: '2026-11-22', reference: 'R1' },
        unscar,
      ),
    );
    expect(await capacity()).toMatchObject({
      allocated: usd('12000.00'),
      used: usd('9000.00'),
      refunds: usd('2500.00'),
      available: usd('18346.14'),
    });
    ok(await send(fund, 'decisions/1/release', { reason: 'not needed' }, unscar));
    expect(code(await send(fund, 'decisions/1/release', {}, unscar))).toBe('nothing-to-release');
    expect(await capacity()).toMatchObject({ allocated: usd('9000.00'), available: usd('21346.14') });

    // Japan cancels what it has not sent; what arrived stays, and a part is paid back.
    ok(await send(japan, 'cancel', { reason: { code: 'budget' } }, JAPAN));
    expect(await get(japan, unscar)).toMatchObject({
      status: 'cancelled',
      received: usd('19990.00'),
      outstanding: usd('0.00'),
    });
    expect(code(await send(japan, 'refunds', { amount: usd('19990.01'), date: '2026-11-22' }, UNDP))).toBe(
      'over-refund',
    );
    ok(await send(japan, 'refunds', { amount: usd('990.00'), date: '2026-11-22' }, UNDP));
    ok(await send(germany, 'close', {}, GERMANY));
    expect(await capacity()).toMatchObject({ repaid: usd('990.00'), available: usd('20356.14') });

    // Periods are closed in order, once they are over; what is dated in them later is marked.
    const period = { from: '2026-01-01', to: '2026-12-31' };
    expect(code(await send(fund, 'close-period', { period }, UNDP))).toBe('period-not-over');
    ok(await send(fund, 'close-period', { period: { from: '2025-01-01', to: '2025-12-31' } }, UNDP));
    const late = ok(
      await send(fund, 'bookings', { kind: 'bank-charge', amount: usd('1.00'), date: '2025-12-30' }, UNDP),
    );
    expect((late.bookings as Json[]).at(-1)).toMatchObject({ priorPeriod: true });
    expect((late.periods as Json[])[0]).toMatchObject({ closed: true });

    const { items, ...attribution } = await get(`${fund}/attribution`, unscar);
    expect(attribution).toMatchObject({
      basis: 'pro-rata',
      notATotal: true,
      received: usd('29812.30'),
      allocated: usd('9000.00'),
    });
    expect(items).toEqual([
      { donor: 'donor:germany', received: usd('10812.30'), share: '0.362679', allocated: usd('3264.11') },
      { donor: 'donor:japan', received: usd('19000.00'), share: '0.637321', allocated: usd('5735.89') },
    ]);
    const listed = await get(`/v1/contributions?fund=${fundId}&status=cancelled`, NORWAY);
    expect(listed.items).toMatchObject([{ donor: 'donor:japan', as: 'to-fund', fund: fundId }]);
    expect((await get(`${fund}/history`, unscar)).items).toHaveLength((await get(fund, unscar)).revision + 1);
  });
});

describe('a fund that keeps its book', () => {
  const decide = async (needId: string, amount: string): Promise<void> => {
    ok(await send(fund, 'decisions', { ...decision(needId, amount), interests: [] }, unscar));
  };
  /** An open need of Vanuatu's, and room in the fund. */
  const rich = async (): Promise<string> => {
    await established();
    const given = await contributed(usd('40000.00'), JAPAN);
    ok(await send(given, 'receipts', { amount: usd('40000.00'), date: '2026-11-04' }, UNDP));
    await app.settled();
    return aNeed(VANUATU);
  };
  const accepted = async (needId: string, amount: string, offer: object = {}): Promise<string> => {
    const lines = [{ kinds: ['training'], capacity: usd('30000.00') }];
    const { id } = ok(
      await app.post('/v1/offers', { title: 'Grants', lines, visibility: 'public', ...offer }, { as: unscar }),
      201,
    );
    const legs = [{ offerLine: 1, needLine: 1, drawn: usd(amount) }];
    const wait = { as: unscar, headers: { prefer: 'wait=5' } };
    const commitment = `/v1/commitments/${ok(await app.post('/v1/commitments', { offerId: id, needId, legs }, wait), 201).id}`;
    ok(await send(commitment, 'accept', {}, VANUATU));
    await app.settled();
    return commitment;
  };
  const sized = (amount: string): object => ({
    legs: [{ leg: 1, offerLine: 1, needLine: 1, drawn: usd(amount) }],
    reason: 'The course is longer.',
  });

  it('agrees to give more only under a decision that covers all of it, whoever asks for it', async () => {
    const needId = await rich();
    const commitment = await accepted(needId, '10000.00');
    expect(code(await send(commitment, 'sign', {}, unscar))).toBe('decision-required');
    await decide(needId, '12000.00');
    ok(await send(commitment, 'sign', {}, unscar));
    ok(await send(commitment, 'sign', {}, VANUATU));
    await app.settled();

    expect(code(await send(commitment, 'amend', sized('12000.01'), unscar))).toBe('decision-required');
    ok(await send(commitment, 'amend', sized('15000.00'), VANUATU));
    const early = await send(commitment, 'amend-accept', {}, unscar);
    expect([early.status, code(early)]).toEqual([409, 'decision-required']);
    await decide(needId, '3000.00');
    ok(await send(commitment, 'amend-accept', {}, unscar));
    expect(await capacity()).toMatchObject({ allocated: usd('15000.00'), used: usd('15000.00') });
    expect(await get(commitment, unscar)).toMatchObject({ legs: [{ drawn: usd('15000.00') }] });

    // 14,000 are paid, all is delivered and confirmed: the closing frees the rest.
    const paid = { kind: 'disbursement', from: fundId, to: 'state:VUT', date: '2026-11-21', reference: 'P1' };
    ok(await send(commitment, 'transfers', { ...paid, amount: usd('14000.00') }, unscar));
    ok(await send(commitment, 'deliveries', { leg: 1, quantity: usd('15000.00'), date: '2026-11-21' }, unscar));
    ok(await send(commitment, 'deliveries/1/confirm', { condition: 'usable' }, VANUATU));
    expect(await capacity()).toMatchObject({ used: usd('15000.00') });
    expect(ok(await send(commitment, 'close', {}, COORDINATOR)).closedAs).toBe('confirmed');
    expect(await capacity()).toMatchObject({ allocated: usd('14000.00'), used: usd('14000.00') });
  });

  it('names who holds its money only to those who see by which commitment', async () => {
    const needId = await rich();
    const commitment = await accepted(needId, '10000.00', { visibility: 'sealed' });
    await decide(needId, '10000.00');
    ok(await send(commitment, 'sign', {}, unscar));
    ok(await send(commitment, 'sign', {}, VANUATU));
    const paid = { kind: 'disbursement', from: fundId, to: 'state:VUT', date: '2026-11-21', reference: 'P1' };
    ok(await send(commitment, 'transfers', { ...paid, amount: usd('5000.00') }, unscar));
    await app.settled();
    const figures = { currency: 'USD', outstanding: '5000.00', oldest: '2026-11-21' };
    const advances = async (as: As): Promise<unknown> => (await get(`/v1/advances?fund=${fundId}`, as)).items;
    expect(await advances(unscar)).toMatchObject([{ holder: 'state:VUT', ...figures }]);
    const masked = await advances(UNDP);
    expect(masked).toMatchObject([{ ...figures, masked: true }]);
    expect(JSON.stringify(masked)).not.toContain('VUT');
  });

  it('gives nothing to another fund once it keeps a book, which would not see it leave', async () => {
    await established();
    const other: As = { party: `fund:trust-${funds}`, role: 'donor-desk' };
    ok(await app.post('/v1/parties', { id: other.party, name: 'Trust', category: 'fund' }, { as: COORDINATOR }), 201);
    const gift = { fund: fundId, amount: usd('10.00') };
    const { id } = ok(await app.post('/v1/contributions', gift, { as: other }), 201);
    ok(await app.post('/v1/funds', { ...TERMS, fund: other.party }, { as: other }), 201);
    expect(code(await send(`/v1/contributions/${id}`, 'sign', {}, other))).toBe('decision-required');
    const { status, body } = await app.post('/v1/contributions', gift, { as: other });
    expect([status, (body as Json).code]).toEqual([409, 'decision-required']);
  });

  it('signs its part of a joint offer under any decision for the need', async () => {
    const needId = await rich();
    const providers = [{ party: fundId }, { party: 'donor:norway' }];
    const commitment = await accepted(needId, '10000.00', { providers });
    expect(code(await send(commitment, 'sign', {}, unscar))).toBe('decision-required');
    await decide(needId, '1000.00');
    ok(await send(commitment, 'sign', {}, unscar));
    ok(await send(commitment, 'sign', {}, NORWAY));
    expect(ok(await send(commitment, 'sign', {}, VANUATU)).status).toBe('binding');
    expect(await capacity()).toMatchObject({ allocated: usd('1000.00'), used: usd('1000.00') });
    ok(await send(commitment, 'amend', sized('11000.00'), unscar));
  });
});

describe('who sees what of a fund', () => {
  let shared: TestApp;
  beforeEach(async () => {
    shared = app;
    app = await begin();
    await register();
  });
  afterEach(async () => {
    await app.close();
    app = shared;
  });

  it('shows it to members, its book to its keepers, and hidden needs to nobody', async () => {
    await established();
    const sealed = await contributed(usd('5000.00'), NORWAY, { visibility: 'sealed' });
    ok(await send(sealed, 'receipts', { amount: usd('5000.00'), date: '2026-11-04' }, unscar));
    const open = await contributed(usd('1000.00'), JAPAN, { visibility: 'public' });
    ok(await send(open, 'receipts', { amount: usd('1000.00'), date: '2026-11-04' }, unscar));
    await app.settled();
    const need = await aNeed(VANUATU, 'sealed');
    const announced = ok(
      await app.post(
        '/v1/calls',
        { fund: fundId, title: 'Call', opens: '2026-11-01', closes: '2026-11-30' },
        { as: unscar },
      ),
      201,
    );
    const call = `/v1/calls/${announced.id}`;
    expect(code(await send(fund, 'decisions', decision(need, '3000.00'), unscar))).toBe('not-found');
    ok(await send(call, 'applications', { needId: need, amount: usd('3000.00') }, VANUATU));
    const answers = { call: announced.id, application: 1 };
    expect(code(await send(fund, 'decisions', decision(need, '3000.00', { ...answers, application: 2 }), unscar))).toBe(
      'not-found',
    );
    ok(await send(fund, 'decisions', decision(need, '3000.00', answers), unscar));
    await app.settled();

    expect((await app.get(fund)).status).toBe(404);
    expect((await app.get(fund, { as: AUDITOR })).status).toBe(404);
    expect((await get('/v1/funds')).items).toEqual([]);
    expect((await get('/v1/funds', AUDITOR)).items).toEqual([]);
    const stranger = await get(fund, GERMANY);
    expect(stranger).toMatchObject({ contributions: { received: [usd('6000.00')] }, actions: [] });
    expect(stranger).not.toHaveProperty('capacity');
    expect(stranger).not.toHaveProperty('reserve');
    expect((await get('/v1/funds', GERMANY)).items).toEqual([stranger]);
    for (const path of [
      fund,
      `${fund}/history`,
      `${fund}/attribution`,
      '/v1/funds',
      '/v1/contributions',
      '/v1/calls',
      call,
    ]) {
      const text = JSON.stringify(await get(path, GERMANY));
      expect([path, text.includes(need), text.includes('norway'), text.includes(sealed.slice(-12))]).toEqual([
        path,
        false,
        false,
        false,
      ]);
    }
    // The figures are exact for everyone; donors that may not be told stand together.
    expect((await get(`${fund}/attribution`, GERMANY)).items).toEqual([
      { donor: 'donor:japan', received: usd('1000.00'), share: '0.166667', allocated: usd('500.00') },
      { others: true, received: usd('5000.00'), share: '0.833333', allocated: usd('2500.00') },
    ]);
    expect((await app.get(sealed, { as: GERMANY })).status).toBe(404);
    expect((await app.get(open)).status).toBe(200);
    expect((await get(open)).receipts).toBeUndefined();
    expect(await get(fund, FIJI)).toHaveProperty('capacity');
    expect(await get(fund, COORDINATOR)).toHaveProperty('bookings');

    ok(
      await app.post(
        '/v1/mandates',
        {
          auditor: 'auditor:court',
          scope: { parties: [fundId] },
          from: '2026-01-01',
          to: '2027-12-31',
          reference: 'Letter 1',
        },
        { as: COORDINATOR },
      ),
      201,
    );
    expect(await get(fund, AUDITOR)).toHaveProperty('capacity');
    expect((await get(call, AUDITOR)).applications).toMatchObject([{ n: 1 }]);
    expect((await get('/v1/contributions', AUDITOR)).items).toMatchObject([{ donor: 'donor:japan' }]);
    expect((await app.get(sealed, { as: AUDITOR })).status).toBe(404);
  });
});

describe('bad input about funds', () => {
  it('is refused naming the rule', async () => {
    const overlapping = await app.post(
      '/v1/funds',
      { ...TERMS, fund: fundId, periods: [...TERMS.periods, { from: '2026-12-31', to: '2027-12-31' }] },
      { as: COORDINATOR },
    );
    expect([overlapping.status, (overlapping.body as { errors: { field: string }[] }).errors[0]?.field]).toEqual([
      400,
      'periods[2]',
    ]);
    expect((await app.post('/v1/funds', { ...TERMS, fund: fundId }, { as: JAPAN })).status).toBe(403);
    const nobody = await app.post('/v1/funds', { ...TERMS, fund: 'fund:nobody' }, { as: COORDINATOR });
    expect([nobody.status, code(nobody)]).toEqual([409, 'unknown-party']);
    expect(code(await app.post('/v1/contributions', { fund: fundId, amount: usd('1.00') }, { as: JAPAN }))).toBe(
      'fund-keeps-no-book',
    );
    await established();
    const schedule = [{ due: '2026-12-01', amount: usd('2.00') }];
    const unequal = await app.post('/v1/contributions', { fund: fundId, amount: usd('1.00'), schedule }, { as: JAPAN });
    expect([unequal.status, (unequal.body as { errors: object[] }).errors]).toEqual([
      400,
      [{ field: 'schedule', message: 'must sum to amount' }],
    ]);
    const faulty = await app.post(
      `${fund}/bookings`,
      { kind: 'interest', rate: 'administration', amount: usd('1.00'), date: '2026-11-01' },
      { as: UNDP },
    );
    expect([faulty.status, faulty.body]).toMatchObject([400, { errors: [{ field: 'rate' }, { field: 'rate' }] }]);
    const tomorrow = await send(fund, 'bookings', { kind: 'interest', amount: usd('1.00'), date: '2026-12-01' }, UNDP);
    expect(tomorrow.status).toBe(400);
    expect((await app.post(`${fund}/amend`, { capacityBasis: 'signed' }, { as: COORDINATOR })).status).toBe(428);
    const amended = ok(await send(fund, 'amend', { capacityBasis: 'signed' }, COORDINATOR));
    expect(amended).toMatchObject({ capacityBasis: 'signed', revision: 1 });
    const pledge = await contributed(usd('900.00'), JAPAN);
    expect(await capacity()).toMatchObject({ signed: usd('900.00'), available: usd('-100.00') });
    ok(await send(pledge, 'cancel', { reason: { code: 'budget' } }, JAPAN));
    expect(await capacity()).toMatchObject({ signed: usd('0.00'), available: usd('-1000.00') });
    const document = { kind: 'report', title: 'Annual report', sha256: 'ab'.repeat(32), label: 'named' };
    ok(await send(fund, 'documents', { document }, UNDP));
    expect((await get(fund, unscar)).documents).toEqual([document]);
    expect((await get(fund, GERMANY)).documents).toEqual([]);
  });
});
