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
const AUDITOR: As = { party: 'auditor:court', role: 'auditor' };

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

let app: TestApp;
const begin = async (): Promise<void> => {
  app = await testApp({ contexts: [directoryContext, needsContext, offersContext, commitmentsContext] });
  for (const id of ['donor:japan', 'donor:norway', 'agency:cavr', 'agency:ngo', 'auditor:court']) {
    const answer = await app.post('/v1/parties', { id, name: id, category: 'ngo' }, { as: COORDINATOR });
    expect(answer.status).toBe(201);
  }
};
const end = (): Promise<void> => app.close();

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
  app.post('/v1/commitments', { offerId, needId, legs: SEATS, ...more }, { as, headers: { prefer: 'wait=30' } });

const get = async (id: string, as: As): Promise<Json> => ok(await app.get(`/v1/commitments/${id}`, { as }));
const send = async (id: string, command: string, body: object, as: As, headers: object = {}): Promise<Response> => {
  const current = await app.get(`/v1/commitments/${id}`, { as });
  return app.post(`/v1/commitments/${id}/${command}`, body, {
    as,
    headers: { 'if-match': (current.headers as Record<string, string>).etag ?? '"0"', ...headers },
  });
};
const accept = (id: string, as: As = VANUATU): Promise<Response> => send(id, 'accept', {}, as, { prefer: 'wait=30' });

const bound = async (more: object = {}): Promise<{ id: string; offerId: string; needId: string }> => {
  const [offerId, needId] = [await anOffer(), await aNeed()];
  const { id } = ok(await propose(offerId, needId, more), 201);
  ok(await accept(id));
  if ('implementer' in more) ok(await send(id, 'consent-task', {}, CAVR));
  ok(await send(id, 'sign', {}, JAPAN));
  expect(ok(await send(id, 'sign', {}, VANUATU)).status).toBe('binding');
  return { id, offerId, needId };
};

describe('a commitment over HTTP', () => {
  // One service for all: each test proposes on an offer and a need of its own, and the clock stands still.
  beforeAll(begin);
  afterAll(end);

  it('goes from proposal to confirmed and closed, and replays', async () => {
    const [offerId, needId] = [await anOffer(), await aNeed()];
    const legs = [...SEATS, { offerLine: 2, needLine: 2, drawn: usd('1000.00') }];
    const answer = await propose(offerId, needId, { legs, implementer: 'agency:cavr', fiscalAgent: 'agency:cavr' });
    const { id, ...proposal } = ok(answer, 201);
    expect(answer.headers.location).toBe(`/v1/commitments/${id}`);
    expect(answer.headers.etag).toBe('"1"');
    expect(proposal).toMatchObject({
      status: 'proposed',
      closedAs: null,
      hold: 'held',
      acceptance: 'none',
      flags: [],
      needId,
      offerId,
      state: 'VUT',
      donor: 'donor:japan',
      proposedBy: 'donor:japan',
      implementer: 'agency:cavr',
      fiscalAgent: 'agency:cavr',
      expiresAt: '2027-01-21T10:00:00.000Z',
      revision: 1,
      visibility: 'named',
      legs: [
        {
          leg: 1,
          offerLine: 1,
          needLine: 1,
          drawn: seats(10),
          credited: seats(10),
          delivered: seats(0),
          confirmed: seats(0),
        },
        { leg: 2, drawn: usd('1000.00'), delivered: usd('0.00') },
      ],
      signatories: ['donor:japan', 'state:VUT'],
      signatures: [],
      consents: [],
      actions: ['withdraw'],
    });
    expect(ok(await accept(id))).toMatchObject({ status: 'accepted', acceptance: 'given', actions: ['sign', 'amend'] });
    expect(ok(await send(id, 'sign', {}, JAPAN)).status).toBe('accepted');
    expect(ok(await send(id, 'sign', {}, VANUATU)).status).toBe('accepted');
    const consented = ok(await send(id, 'consent-task', {}, CAVR));
    expect(consented).toMatchObject({
      status: 'binding',
      visibility: 'public',
      consents: [{ party: 'agency:cavr', as: ['implementer', 'fiscal-agent'] }],
    });

    const transfer = {
      kind: 'disbursement',
      from: 'donor:japan',
      to: 'agency:cavr',
      amount: usd('1000.00'),
      date: '2026-11-20',
      reference: 'W1',
    };
    ok(await app.post(`/v1/commitments/${id}/transfers`, transfer, { as: JAPAN }));
    const receipt = { transfer: 1, amount: usd('980.00'), charges: usd('15.00'), date: '2026-11-21', reference: 'L1' };
    expect(ok(await app.post(`/v1/commitments/${id}/receipts`, receipt, { as: CAVR }))).toMatchObject({
      transfers: [{ n: 1, kind: 'disbursement' }],
      receipts: [{ n: 1, transfer: 1 }],
      discrepancies: [
        {
          n: 1,
          about: { transfer: 1 },
          provider: usd('1000.00'),
          recipient: usd('980.00'),
          difference: usd('5.00'),
          status: 'open',
        },
      ],
    });
    const deliver = (leg: number, quantity: object): Promise<Response> =>
      app.post(`/v1/commitments/${id}/deliveries`, { leg, quantity, date: '2026-11-22' }, { as: CAVR });
    expect(ok(await deliver(1, seats(4))).status).toBe('binding');
    expect(ok(await deliver(2, usd('1000.00'))).status).toBe('binding');
    expect(json(await deliver(1, seats(7)))).toMatchObject({ status: 409, code: 'over-delivery' });
    expect(ok(await deliver(1, seats(6))).status).toBe('delivered');
    expect(
      ok(await send(id, 'deliveries/1/confirm', { quantity: seats(3), condition: 'usable' }, VANUATU)),
    ).toMatchObject({
      status: 'delivered',
      deliveries: [
        { n: 1, quantity: seats(4), confirmedQuantity: seats(3), returnedQuantity: seats(0), status: 'confirmed' },
        { n: 2 },
        { n: 3 },
      ],
      legs: [{ delivered: seats(10), confirmed: seats(3) }, {}],
    });
    expect(ok(await send(id, 'deliveries/2/dispute', { reason: 'Not here.' }, VANUATU)).flags).toEqual(['disputed']);
    ok(await send(id, 'deliveries/2/confirm', {}, VANUATU));
    expect(ok(await send(id, 'deliveries/3/confirm', {}, VANUATU)).status).toBe('confirmed');
    expect(json(await send(id, 'close', {}, COORDINATOR)).code).toBe('open-discrepancies');
    ok(await send(id, 'discrepancies/1/accept', { reason: 'Correspondent bank.' }, COORDINATOR));
    expect(ok(await send(id, 'close', {}, VANUATU)).status).toBe('confirmed');
    expect(ok(await send(id, 'close', {}, JAPAN))).toMatchObject({ status: 'closed', closedAs: 'confirmed' });

    const history = ok(await app.get(`/v1/commitments/${id}/history`, { as: JAPAN })).items as {
      readonly position: string;
      readonly revision: number;
      readonly type: string;
      readonly effectiveAt: string;
    }[];
    expect(history.map(({ revision }) => revision)).toEqual([...history.keys()]);
    expect(history.find(({ type }) => type === 'TransferReported')?.effectiveAt).toBe('2026-11-20');
    const now = await get(id, JAPAN);
    const replay = async (query: string): Promise<Json> =>
      ok(await app.get(`/v1/commitments/${id}/replay${query}`, { as: JAPAN }));
    expect(await replay('')).toMatchObject({ state: now, clock: 'recorded' });
    for (const { position, revision, type } of history) {
      const then = await replay(`?at=${position}&clock=recorded`);
      const steps = then.steps as { readonly type: string; readonly revision: number }[];
      expect(steps.at(-1)).toMatchObject({ type, revision });
      expect(then.state).toMatchObject({ revision });
    }
    const atBinding = history.find(({ type }) => type === 'CommitmentBound')?.position ?? '';
    expect(await replay(`?at=${atBinding}`)).toMatchObject({
      state: { status: 'binding', transfers: [] },
      at: atBinding,
    });
    // Paid on the 20th and received on the 21st, but bound only on the 22nd: on the effective clock nothing was there before.
    expect(await replay('?at=2026-11-21&clock=effective')).toMatchObject({ state: null });
    expect((await app.get(`/v1/commitments/${id}/replay?at=1&clock=effective`, { as: JAPAN })).status).toBe(400);
    await app.settled();
    expect(ok(await app.get(`/v1/needs/${needId}`, { as: VANUATU }))).toMatchObject({
      lines: [{ coverage: { binding: seats(10), delivered: seats(10), confirmed: seats(9) } }, {}, {}],
    });
  });

  it('refuses with the recorded code where the offer or the need refuses', async () => {
    const [offerId, needId] = [await anOffer(), await aNeed({ lines: [{ kind: 'training', quantity: seats(5) }] })];
    const refused = await propose(offerId, needId, { legs: [{ offerLine: 1, needLine: 1, drawn: seats(11) }] });
    expect(refused.status).toBe(409);
    expect(json(refused).code).toBe('insufficient-capacity');
    const location = refused.headers.location ?? '';
    expect(refused.headers.etag).toBe('"1"');
    expect(ok(await app.get(location, { as: JAPAN }))).toMatchObject({ status: 'declined', hold: 'refused' });
    const { id } = ok(await propose(offerId, needId, { legs: [{ offerLine: 1, needLine: 1, drawn: seats(6) }] }), 201);
    const answer = await accept(id);
    expect(answer.status).toBe(409);
    expect(json(answer).code).toBe('insufficient-coverage');
    expect(answer.headers.location).toBe(`/v1/commitments/${id}`);
    expect(await get(id, VANUATU)).toMatchObject({ status: 'proposed', acceptance: 'refused', hold: 'held' });
  });

  it('holds exactly ten of fifty simultaneous proposals on an offer with room for ten', async () => {
    const [offerId, needId] = [await anOffer(), await aNeed()];
    const one = { legs: [{ offerLine: 1, needLine: 1, drawn: seats(1) }] };
    const answers = await Promise.all(Array.from({ length: 50 }, () => propose(offerId, needId, one)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(
      answers.filter((answer) => answer.status === 409 && json(answer).code === 'insufficient-capacity'),
    ).toHaveLength(40);
  });

  it('is not accepted by its own side, and answered by the other alone', async () => {
    const [offerId, needId] = [await anOffer(), await aNeed()];
    const { id } = ok(await propose(offerId, needId), 201);
    expect(json(await accept(id, JAPAN)).code).toBe('own-proposal');
    expect((await send(id, 'decline', { reason: { code: 'budget' } }, JAPAN)).status).toBe(403);
    expect((await send(id, 'withdraw', { reason: { code: 'budget' } }, VANUATU)).status).toBe(403);
    expect((await send(id, 'accept', {}, FIJI)).status).toBe(404);
    expect((await app.post(`/v1/commitments/${id}/accept`, {}, { as: VANUATU })).status).toBe(428);
    expect(
      (await app.post(`/v1/commitments/${id}/accept`, {}, { as: VANUATU, headers: { 'if-match': '"9"' } })).status,
    ).toBe(412);
    const declined = ok(
      await send(id, 'decline', { reason: { code: 'budget', note: 'for the desk', noteFor: 'coordinator' } }, VANUATU),
    );
    expect(declined).toMatchObject({ status: 'declined', reason: { code: 'budget', note: 'for the desk' } });
    expect((await get(id, JAPAN)).reason).toEqual({ party: 'state:VUT', code: 'budget' });
    expect((await get(id, COORDINATOR)).reason).toMatchObject({ note: 'for the desk' });
  });

  it('may be proposed by the State, and names 400s by field', async () => {
    const [offerId, needId] = [await anOffer(), await aNeed()];
    const bad = async (more: object, as: As = JAPAN): Promise<[number, unknown]> => {
      const answer = await propose(offerId, needId, more, as);
      const errors = (json(answer).errors ?? []) as { field: string }[];
      return [answer.status, errors.length === 0 ? json(answer).code : errors.map(({ field }) => field)];
    };
    expect(await bad({ signatories: ['state:VUT'] })).toEqual([409, ['signatories']]);
    expect(await bad({ terms: { schedule: 1 } })).toEqual([400, ['terms.schedule']]);
    expect(await bad({ expiresAt: '2026-11-22T10:00:00Z' })).toEqual([400, ['expiresAt']]);
    expect(await bad({ legs: [] })).toEqual([400, ['legs']]);
    expect(await bad({ implementer: 'donor:japan' })).toEqual([400, ['implementer']]);
    expect(await bad({ legs: [{ ...SEATS[0], credited: { scope: 'a course' } }] })).toEqual([
      409,
      ['legs[0].credited'],
    ]);
    expect(await bad({ legs: [{ ...SEATS[0], credited: seats(9) }] })).toEqual([400, ['legs[0].credited']]);
    expect(await bad({ legs: [{ ...SEATS[0], needLine: 2, credited: usd('5.00') }] })).toEqual([
      400,
      ['legs[0].valuation'],
    ]);
    expect(await bad({ legs: [{ ...SEATS[0], drawn: { measure: 'seats', amount: 3 } }] })).toEqual([
      400,
      ['legs[0].drawn.amount'],
    ]);
    expect(await bad({ legs: [{ ...SEATS[0], needLine: 3 }] })).toEqual([409, ['legs[0].needLine']]);
    expect((await bad({ legs: [{ ...SEATS[0], needLine: 9 }] }))[0]).toBe(409);
    expect((await bad({ implementer: 'agency:nobody' }))[0]).toBe(409);
    expect(await bad({}, FIJI)).toEqual([403, 'forbidden']);
    expect(await bad({ offerId: 'x' })).toEqual([404, 'not-found']);
    expect(await bad({ needId: offerId })).toEqual([404, 'not-found']);
    const { id } = ok(await propose(offerId, needId, { signatories: ['state:VUT', 'donor:japan'] }, VANUATU), 201);
    expect(await get(id, VANUATU)).toMatchObject({ side: 'recipient', proposedBy: 'state:VUT', actions: ['withdraw'] });
    expect(await get(id, JAPAN)).toMatchObject({ actions: ['accept', 'decline'] });
  });

  it('checks reports: payer and holder by party, dates by the calendar, limits by what is bound', async () => {
    const { id } = await bound({
      legs: [{ offerLine: 2, needLine: 2, drawn: usd('1000.00') }],
      implementer: 'agency:cavr',
    });
    const pay = (more: object, as: As = JAPAN, headers: Record<string, string> = {}): Promise<Response> =>
      app.post(
        `/v1/commitments/${id}/transfers`,
        {
          kind: 'disbursement',
          from: 'donor:japan',
          to: 'agency:cavr',
          amount: usd('600.00'),
          date: '2026-11-20',
          ...more,
        },
        { as, headers },
      );
    expect((await pay({ date: '2026-11-24' })).status).toBe(400);
    expect((await pay({ date: '2026-02-30' })).status).toBe(400);
    expect((await pay({}, JAPAN, { 'effective-at': '2026-11-19' })).status).toBe(400);
    expect((await pay({ amount: seats(1) })).status).toBe(400);
    expect((await pay({ to: 'donor:japan' })).status).toBe(400);
    expect((await pay({ kind: 'refund' })).status).toBe(400);
    expect((await pay({}, CAVR)).status).toBe(403);
    expect((await pay({}, NORWAY)).status).toBe(403);
    ok(await pay({ date: '2026-11-23' }));
    ok(await pay({ amount: usd('400.00'), date: '2026' }, JAPAN, { 'effective-at': '2026' }));
    expect(json(await pay({ amount: usd('0.01') })).code).toBe('over-disbursement');
    ok(await pay({ kind: 'onward-grant', from: 'agency:cavr', to: 'agency:ngo', onward: 1 }, CAVR));
    ok(await pay({ kind: 'refund', from: 'agency:cavr', to: 'donor:japan', onward: 1, amount: usd('100.00') }, CAVR));
    ok(await pay({ amount: usd('100.00') }));
    expect((await get(id, NGO)).actions).toContain('receipts');
    const receipt = { transfer: 3, amount: usd('600.00'), date: '2026-11-22' };
    expect((await app.post(`/v1/commitments/${id}/receipts`, receipt, { as: CAVR })).status).toBe(403);
    ok(await app.post(`/v1/commitments/${id}/receipts`, receipt, { as: NGO }));
    const booked = { ...receipt, credited: usd('600.00') };
    expect((await app.post(`/v1/commitments/${id}/receipts`, booked, { as: NGO })).status).toBe(400);
  });

  it('is hidden until it binds, then as visible as its need’s body and its offer', async () => {
    const offerId = await anOffer({ visibility: 'members' });
    const needId = await aNeed();
    const { id } = ok(await propose(offerId, needId), 201);
    const sees = async (as?: As): Promise<boolean> => {
      const one = await app.get(`/v1/commitments/${id}`, as === undefined ? {} : { as });
      const history = await app.get(`/v1/commitments/${id}/history`, as === undefined ? {} : { as });
      const replay = await app.get(`/v1/commitments/${id}/replay`, as === undefined ? {} : { as });
      const list = await app.get(`/v1/commitments?needId=${needId}`, as === undefined ? {} : { as });
      const listed = (ok(list).items as Json[]).some((item) => item.id === id);
      expect([one.status === 200, history.status === 200, replay.status === 200]).toEqual([listed, listed, listed]);
      return listed;
    };
    await app.settled();
    expect(await sees(NORWAY)).toBe(false);
    expect(await sees()).toBe(false);
    expect(await sees(AUDITOR)).toBe(false);
    expect(await sees(JAPAN)).toBe(true);
    expect(await sees(COORDINATOR)).toBe(true);
    ok(await accept(id));
    ok(await send(id, 'sign', {}, JAPAN));
    expect(ok(await send(id, 'sign', {}, VANUATU)).visibility).toBe('members');
    await app.settled();
    expect(await sees(NORWAY)).toBe(true);
    expect(await sees()).toBe(false);
    const events = (ok(await app.get(`/v1/commitments/${id}/history`, { as: NORWAY })).items as { data: object }[])[0];
    expect(events?.data).not.toHaveProperty('earmarkFacts');
  });

  it('hides need and offer from who may not see them', async () => {
    const [offerId, needId] = [
      await anOffer(),
      await aNeed({ visibility: { summary: 'sealed', body: 'sealed', annex: 'sealed' } }),
    ];
    expect((await propose(offerId, needId)).status).toBe(404);
    const seen = await aNeed({ visibility: { summary: 'public', body: 'sealed', annex: 'sealed' } });
    expect((await propose(offerId, seen)).status).toBe(403);
  });

  it('declines open proposals when the offer is withdrawn or the need closes, and leaves binding ones (I17)', async () => {
    const { id, offerId, needId } = await bound({ legs: [{ offerLine: 1, needLine: 1, drawn: seats(4) }] });
    const before = await get(id, VANUATU);
    const { id: open } = ok(
      await propose(offerId, needId, { legs: [{ offerLine: 1, needLine: 1, drawn: seats(4) }] }),
      201,
    );
    await app.settled();
    const offer = await app.get(`/v1/offers/${offerId}`);
    const withdrawn = await app.post(
      `/v1/offers/${offerId}/withdraw`,
      { reason: { code: 'budget' } },
      {
        as: JAPAN,
        headers: { 'if-match': (offer.headers as Record<string, string>).etag ?? '' },
      },
    );
    ok(withdrawn);
    await app.settled();
    expect(await get(open, VANUATU)).toMatchObject({ status: 'declined', reason: { code: 'offer-closed' } });
    expect(await get(id, VANUATU)).toEqual(before);
    const second = await anOffer();
    const other = await aNeed();
    const { id: gone } = ok(await propose(second, other), 201);
    const need = await app.get(`/v1/needs/${other}`, { as: VANUATU });
    ok(
      await app.post(
        `/v1/needs/${other}/withdraw`,
        { reason: { code: 'priorities' } },
        {
          as: VANUATU,
          headers: { 'if-match': (need.headers as Record<string, string>).etag ?? '' },
        },
      ),
    );
    await app.settled();
    expect(await get(gone, JAPAN)).toMatchObject({ status: 'declined', reason: { code: 'need-closed' } });
  });

  it('cancels after a partial delivery and keeps what was delivered (I8)', async () => {
    const { id, offerId, needId } = await bound();
    ok(
      await app.post(
        `/v1/commitments/${id}/deliveries`,
        { leg: 1, quantity: seats(4), date: '2026-11-22' },
        { as: JAPAN },
      ),
    );
    ok(await send(id, 'cancel', { reason: { code: 'security' } }, VANUATU));
    expect(ok(await send(id, 'deliveries/1/confirm', {}, VANUATU))).toMatchObject({
      status: 'cancelled',
      legs: [{ delivered: seats(4), confirmed: seats(4) }],
    });
    expect(ok(await send(id, 'close', {}, COORDINATOR))).toMatchObject({ status: 'closed', closedAs: 'cancelled' });
    await app.settled();
    expect(ok(await app.get(`/v1/offers/${offerId}`))).toMatchObject({
      lines: [{ committed: seats(4), delivered: seats(4), available: seats(6) }, {}],
    });
    expect(ok(await app.get(`/v1/needs/${needId}`, { as: VANUATU }))).toMatchObject({
      lines: [{ coverage: { binding: seats(4), delivered: seats(4), confirmed: seats(4) } }, {}, {}],
    });
  });
});

describe('commitments, to each test a service of its own', () => {
  beforeEach(begin);
  afterEach(end);

  it('lapses at its time limit, refusing parties before the timer has fired', async () => {
    const [offerId, needId] = [await anOffer(), await aNeed()];
    const { id } = ok(await propose(offerId, needId, { expiresAt: '2026-11-22T11:00:00+00:00' }), 201);
    app.clock.set('2026-11-22T11:00:00.000Z');
    expect(json(await accept(id)).code).toBe('expired');
    expect((await get(id, VANUATU)).actions).toEqual([]);
    await app.settled();
    await app.ticker.tickNow();
    expect(await get(id, JAPAN)).toMatchObject({ status: 'lapsed', hold: 'released' });
    expect(json(await accept(id)).code).toBe('expired');
    await app.settled();
    expect(ok(await app.get(`/v1/offers/${offerId}`))).toMatchObject({
      lines: [{ held: seats(0), available: seats(10) }, {}],
    });
  });

  it('closes unconfirmed after 180 days of silence and reopens on a late confirmation', async () => {
    const { id } = await bound();
    ok(
      await app.post(
        `/v1/commitments/${id}/deliveries`,
        { leg: 1, quantity: seats(10), date: '2026-11-22' },
        { as: JAPAN },
      ),
    );
    await app.settled();
    app.clock.set('2027-05-21T10:00:00.000Z');
    await app.ticker.tickNow();
    expect(await get(id, JAPAN)).toMatchObject({ status: 'closed', closedAs: 'unconfirmed' });
    expect(ok(await send(id, 'deliveries/1/confirm', {}, VANUATU))).toMatchObject({
      status: 'confirmed',
      closedAs: null,
    });
  });

  it('lists by filter and page, and writes once under a key', async () => {
    const [offerId, needId] = [await anOffer(), await aNeed()];
    const one = { offerId, needId, legs: [{ offerLine: 1, needLine: 1, drawn: seats(1) }] };
    const ids: string[] = [];
    for (const key of ['a', 'a', 'b', 'c']) {
      const answer = await app.post('/v1/commitments', one, {
        as: JAPAN,
        headers: { 'idempotency-key': key, prefer: 'wait=30' },
      });
      ids.push(ok(answer, 201).id);
    }
    expect(ids[0]).toBe(ids[1]);
    await app.settled();
    const page = async (query: string, as = JAPAN): Promise<{ ids: string[]; next: string | null }> => {
      const { items, next } = ok(await app.get(`/v1/commitments?${query}`, { as })) as unknown as {
        items: Json[];
        next: string | null;
      };
      return { ids: items.map((item) => item.id), next };
    };
    const first = await page('limit=2&state=VUT');
    expect(first.ids).toEqual([ids[3], ids[2]]);
    expect(await page(`limit=2&state=VUT&cursor=${first.next ?? ''}`)).toEqual({ ids: [ids[0]], next: null });
    expect((await app.get(`/v1/commitments?limit=2&cursor=${first.next ?? ''}`, { as: JAPAN })).status).toBe(400);
    expect(
      (await page('donor=donor:japan&kind=training&instrument=ATT&region=009&status=proposed&sort=oldest')).ids,
    ).toHaveLength(3);
    expect((await page('status=binding')).ids).toEqual([]);
    expect((await app.get('/v1/commitments?status=nonsense', { as: JAPAN })).status).toBe(400);
    expect((await app.get('/v1/commitments?from=2026-12-01&to=2026-11-01', { as: JAPAN })).status).toBe(400);
    const [item] = (ok(await app.get(`/v1/commitments?limit=1`, { as: JAPAN })) as unknown as { items: Json[] }).items;
    expect(item).toEqual(await get(ids[3] ?? '', JAPAN));
  });
});
