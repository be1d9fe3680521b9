import { commitmentsContext } from '#commitments';
import { directoryContext } from '#directory';
import { needsContext } from '#needs';
import { offersContext } from '#offers';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const REVIEWER: As = { party: 'agency:reviewers', role: 'coordinator' };
const HOST: As = { party: 'network:msg', role: 'network-host' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const NORWAY: As = { party: 'donor:norway', role: 'donor-desk' };
const office = (state: string): As => ({ party: `state:${state}`, role: 'npc' });
const [VANUATU, FIJI, PAPUA, SOLOMONS] = [office('VUT'), office('FJI'), office('PNG'), office('SLB')] as const;
const MSG = [VANUATU, FIJI, PAPUA, SOLOMONS];

const seats = (amount: number): object => ({ measure: 'seats', amount: String(amount) });
const usd = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });
const OPEN = { measure: 'undetermined', why: 'to-be-assessed' };
const NOTE = { kind: 'note-verbale', title: 'Note Verbale 3/2026', sha256: 'a'.repeat(64) };
const CONSENT = { consent: { circulate: true, publish: true } };

type Json = Readonly<Record<string, any>>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers of the API, read by field

// One service for all: each test files needs of its own, and looks for no others.
let app: TestApp;
beforeAll(async () => {
  app = await testApp({ contexts: [directoryContext, needsContext, offersContext, commitmentsContext] });
  for (const id of ['donor:japan', 'donor:norway', 'network:msg']) {
    expect((await app.post('/v1/parties', { id, name: id, category: 'ngo' }, { as: COORDINATOR })).status).toBe(201);
  }
});
afterAll(() => app.close());

const ok = (answer: Response, status = 200): Json => {
  if (answer.status !== status) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as Json;
};
const fault = (answer: Response): readonly unknown[] => [answer.status, (answer.body as Json).code];

const file = (body: object, as: As): Promise<Response> =>
  app.post(
    '/v1/needs',
    {
      title: 'Marking of weapons',
      kinds: ['training'],
      instruments: ['ATT'],
      lines: [{ kind: 'training', quantity: seats(20) }],
      authorityRef: 'Port Vila communiqué',
      visibility: 'public',
      ...body,
    },
    { as },
  );
const see = async (path: string, as?: As): Promise<Json> => ok(await app.get(path, as === undefined ? {} : { as }));
const send = async (path: string, command: string, body: object, as: As, owner = as): Promise<Response> => {
  const current = await app.get(path, { as: owner });
  return app.post(`${path}/${command}`, body, {
    as,
    headers: { 'if-match': (current.headers as Record<string, string>).etag ?? '"0"', prefer: 'wait=5' },
  });
};
const need = (id: string): string => `/v1/needs/${id}`;
const opened = async (body: object, as: As): Promise<string> => {
  const { id } = ok(await file(body, as), 201);
  ok(await send(need(id), 'submit', CONSENT, as));
  ok(await send(need(id), 'open', {}, REVIEWER));
  return id;
};
const anOffer = async (): Promise<string> =>
  ok(
    await app.post(
      '/v1/offers',
      { title: 'Courses', lines: [{ kinds: ['training'], capacity: seats(100) }], visibility: 'public' },
      { as: JAPAN },
    ),
    201,
  ).id;
const propose = async (offerId: string, needId: string, leg: object = {}): Promise<Response> =>
  app.post(
    '/v1/commitments',
    { offerId, needId, legs: [{ offerLine: 1, needLine: 1, drawn: seats(5), ...leg }] },
    { as: JAPAN, headers: { prefer: 'wait=5' } },
  );
const commitment = (id: string): string => `/v1/commitments/${id}`;
const bound = async (offerId: string, needId: string, as: As, leg: object = {}): Promise<string> => {
  const { id } = ok(await propose(offerId, needId, leg), 201);
  ok(await send(commitment(id), 'accept', {}, as));
  ok(await send(commitment(id), 'sign', {}, JAPAN));
  expect(ok(await send(commitment(id), 'sign', {}, as)).status).toBe('binding');
  await app.settled();
  return id;
};

describe('a joint need of a network', () => {
  const states = MSG.map(({ party }) => party);
  const joint = async (more: object = {}): Promise<string> =>
    ok(await file({ beneficiaries: states, ...more }, HOST), 201).id;

  it('lists and counts each State from its own consent on', async () => {
    const id = await joint();
    expect(await see(need(id), FIJI)).toMatchObject({
      beneficiaries: [],
      state: null,
      participants: states.map((party) => ({ party, status: 'invited' })),
      actions: ['consent-participation', 'withdraw-participation'],
    });
    expect(fault(await app.get(need(id), { as: office('KIR') }))).toEqual([404, 'not-found']);
    ok(await send(need(id), 'submit', CONSENT, HOST));
    expect(fault(await send(need(id), 'open', {}, COORDINATOR))).toEqual([409, 'no-beneficiary']);
    for (const as of [VANUATU, FIJI, PAPUA]) ok(await send(need(id), 'consent-participation', {}, as));
    expect(fault(await send(need(id), 'object', { to: 'publication' }, SOLOMONS))).toEqual([403, 'forbidden']);
    ok(await send(need(id), 'open', {}, COORDINATOR));
    await app.settled();
    const shown = await see(need(id));
    expect(shown).toMatchObject({ status: 'open', state: 'VUT', beneficiaries: states.slice(0, 3) });
    expect(shown).not.toHaveProperty('participants');
    const listed = async (query: string): Promise<number> =>
      (await see(`/v1/needs?${query}`)).items.filter((item: Json) => item.id === id).length;
    expect(await listed('state=PNG')).toBe(1);
    expect(await listed('state=SLB')).toBe(0);
    expect(await listed('region=054')).toBe(1);
    ok(await send(need(id), 'consent-participation', {}, SOLOMONS));
    ok(await send(need(id), 'withdraw-participation', {}, FIJI));
    await app.settled();
    expect(await listed('state=SLB')).toBe(1);
    expect(await listed('state=FJI')).toBe(0);
    expect((await see(need(id), COORDINATOR)).participants).toMatchObject([
      { party: 'state:VUT', status: 'consented' },
      { party: 'state:FJI', status: 'withdrawn' },
      { party: 'state:PNG', status: 'consented' },
      { party: 'state:SLB', status: 'consented' },
    ]);
  });

  it('is amended and closed by its host, and left by each State for itself', async () => {
    const id = await joint();
    for (const as of MSG) ok(await send(need(id), 'consent-participation', {}, as));
    expect(fault(await send(need(id), 'amend', { title: 'Other' }, FIJI))).toEqual([403, 'forbidden']);
    ok(await send(need(id), 'submit', CONSENT, HOST));
    ok(await send(need(id), 'open', {}, COORDINATOR));
    const alone = await send(need(id), 'amend', { beneficiaries: ['state:VUT'] }, HOST);
    expect(fault(alone)).toEqual([409, 'participant-consented']);
    for (const as of MSG.slice(1)) ok(await send(need(id), 'withdraw-participation', {}, as));
    expect(fault(await send(need(id), 'withdraw-participation', {}, VANUATU))).toEqual([409, 'last-participant']);
    expect((await see(need(id), FIJI)).beneficiaries).toEqual(['state:VUT']);
    const less = ok(await send(need(id), 'amend', { beneficiaries: ['state:VUT', 'state:KIR'] }, HOST));
    expect(less.participants).toMatchObject([
      { party: 'state:VUT', status: 'consented' },
      { party: 'state:KIR', status: 'invited' },
    ]);
    expect(fault(await send(need(id), 'consent-participation', {}, FIJI))).toEqual([403, 'forbidden']);
  });

  it('says who was asked to nobody else, in its history neither', async () => {
    const id = await joint();
    ok(await send(need(id), 'consent-participation', {}, VANUATU));
    ok(await send(need(id), 'withdraw-participation', {}, FIJI));
    ok(await send(need(id), 'submit', CONSENT, HOST));
    ok(await send(need(id), 'open', {}, COORDINATOR));
    for (const as of [undefined, NORWAY]) {
      const seen = JSON.stringify([await see(need(id), as), await see(`${need(id)}/history`, as)]);
      expect(seen).toContain('state:VUT');
      for (const party of ['state:FJI', 'state:PNG', 'state:SLB']) expect(seen).not.toContain(party);
    }
    expect(JSON.stringify(await see(`${need(id)}/history`, HOST))).toContain('state:SLB');
  });
});

describe('a need filed on behalf of a State', () => {
  const BEHALF = { onBehalfOf: 'state:VUT', documents: [NOTE] };

  it('needs the note, is marked until the State ratifies it, and is the State’s from then on', async () => {
    const bare = await file({ onBehalfOf: 'state:VUT', authorityRef: undefined }, COORDINATOR);
    expect((bare.body as Json).errors.map(({ field }: Json) => field)).toEqual(['authorityRef', 'documents']);
    const { id } = ok(await file(BEHALF, COORDINATOR), 201);
    expect(await see(need(id), VANUATU)).toMatchObject({
      filer: 'agency:secretariat',
      onBehalfOf: 'state:VUT',
      beneficiaries: ['state:VUT'],
      transcribed: true,
      actions: ['ratify', 'withdraw'],
    });
    expect(fault(await send(need(id), 'amend', { documents: [] }, COORDINATOR))).toEqual([409, 'incomplete']);
    expect(fault(await send(need(id), 'submit', CONSENT, VANUATU))).toEqual([403, 'forbidden']);
    ok(await send(need(id), 'submit', CONSENT, COORDINATOR));
    expect(fault(await send(need(id), 'open', {}, COORDINATOR))).toEqual([403, 'forbidden']);
    expect(fault(await send(need(id), 'ratify', {}, FIJI, VANUATU))).toEqual([404, 'not-found']);
    ok(await send(need(id), 'open', {}, REVIEWER));
    expect(ok(await send(need(id), 'ratify', {}, VANUATU))).toMatchObject({ transcribed: false });
    expect(fault(await send(need(id), 'amend', { title: 'Theirs' }, COORDINATOR))).toEqual([403, 'forbidden']);
    ok(await send(need(id), 'amend', { title: 'Ours' }, VANUATU));
  });
});

describe('an assessment', () => {
  it('sets what was undetermined, once, on the assessor’s report', async () => {
    const id = await opened({ lines: [{ kind: 'training', quantity: OPEN }] }, VANUATU);
    await bound(await anOffer(), id, VANUATU, { credited: { scope: 'A first course' } });
    expect(await see(need(id), VANUATU)).toMatchObject({
      coverage: 'not-measurable',
      lines: [{ coverage: 'not-measurable' }],
    });
    expect(fault(await send(need(id), 'withdraw', { reason: { code: 'other' } }, VANUATU))).toEqual([
      409,
      'live-commitments',
    ]);
    const lines = [{ line: 1, quantity: seats(12) }];
    expect((await send(need(id), 'assess', { lines }, VANUATU)).status).toBe(400);
    const report = { ...NOTE, kind: 'assessment' };
    const assessed = ok(await send(need(id), 'assess', { lines, report }, VANUATU));
    expect(assessed).toMatchObject({
      coverage: 'none',
      lines: [{ quantity: seats(12), coverage: { binding: seats(0), outstanding: seats(12) } }],
      assessments: [{ lines: [1], report }],
    });
    expect(fault(await send(need(id), 'assess', { lines, report }, VANUATU))).toEqual([409, 'not-undetermined']);
  });
});

describe('merged needs', () => {
  it('keep their own reservations, show them together, and part again as they were (I7)', async () => {
    const [absorbed, survivor] = [await opened({}, VANUATU), await opened({ title: 'The same' }, VANUATU)];
    const offerId = await anOffer();
    const live = await bound(offerId, absorbed, VANUATU);
    const waiting = ok(await propose(offerId, absorbed), 201).id;
    const before = [await see(need(absorbed), VANUATU), await see(need(survivor), VANUATU)];
    expect(fault(await send(need(absorbed), 'merge', { into: absorbed }, VANUATU))).toEqual([400, 'invalid-request']);
    const other = await opened({}, FIJI);
    expect(fault(await send(need(absorbed), 'merge', { into: other }, VANUATU))).toEqual([403, 'forbidden']);
    ok(await send(need(absorbed), 'merge', { into: survivor }, VANUATU));
    await app.settled();
    expect(await see(need(absorbed), VANUATU)).toMatchObject({
      status: 'closed',
      closedAs: 'superseded',
      supersededBy: survivor,
      actions: ['unmerge'],
      lines: [{ coverage: { binding: seats(5) } }],
    });
    expect(await see(need(survivor))).toMatchObject({
      coverage: 'none',
      groupCoverage: 'partial',
      merged: [{ id: absorbed, lines: [{ line: 1, coverage: { binding: seats(5), outstanding: seats(15) } }] }],
    });
    const late = await propose(offerId, absorbed);
    expect(fault(late)).toEqual([409, 'need-not-open']);
    expect(late.body).toMatchObject({ detail: expect.stringContaining(survivor), errors: [{ field: 'needId' }] });
    ok(await send(commitment(waiting), 'accept', {}, VANUATU));
    const today = { date: '2026-11-20' };
    // What is bound on it may still grow and shrink, as if it stood alone.
    const sized = (amount: number): object => ({
      legs: [{ leg: 1, offerLine: 1, needLine: 1, drawn: seats(amount) }],
      reason: 'The course has another size.',
    });
    for (const amount of [8, 5]) {
      ok(await send(commitment(live), 'amend', sized(amount), JAPAN));
      expect(ok(await send(commitment(live), 'amend-accept', {}, VANUATU)).legs).toMatchObject([
        { drawn: seats(amount) },
      ]);
      await app.settled();
      expect((await see(need(absorbed), VANUATU)).lines).toMatchObject([{ coverage: { binding: seats(amount) } }]);
    }
    ok(await send(commitment(live), 'deliveries', { leg: 1, quantity: seats(5), ...today }, JAPAN));
    await app.settled();
    expect((await see(need(survivor), VANUATU)).merged[0].lines[0].coverage).toMatchObject({
      accepted: seats(5),
      delivered: seats(5),
    });
    const closing = await send(need(survivor), 'close', { outcome: 'partly-met' }, VANUATU);
    expect(fault(closing)).toEqual([409, 'live-commitments']);
    ok(await send(need(absorbed), 'unmerge', {}, VANUATU));
    await app.settled();
    const after = [await see(need(absorbed), VANUATU), await see(need(survivor), VANUATU)];
    expect(after[1]).toEqual({ ...before[1], revision: after[1]?.revision });
    expect(after[0]).toMatchObject({ status: 'open', closedAs: null, lines: [{ coverage: { binding: seats(5) } }] });
    expect(after[0]).not.toHaveProperty('supersededBy');
  });

  it('resolve along the chain, and say no id of a need that is hidden', async () => {
    const [a, b, c] = [
      await opened({ lines: [{ kind: 'training', quantity: usd('5.00') }] }, VANUATU),
      await opened({}, VANUATU),
      await opened({ visibility: 'sealed' }, VANUATU),
    ] as const;
    ok(await send(need(a), 'merge', { into: b }, VANUATU));
    await app.settled();
    ok(await send(need(b), 'merge', { into: c }, VANUATU));
    await app.settled();
    expect(fault(await send(need(c), 'merge', { into: a }, VANUATU))).toEqual([409, 'survivor-not-open']);
    expect((await see(need(a), VANUATU)).supersededBy).toBe(c);
    expect((await see(need(c), VANUATU)).merged.map(({ id }: Json) => id)).toEqual([b, a]);
    for (const path of [need(a), need(b), `${need(b)}/history`, '/v1/needs']) {
      expect(JSON.stringify(await see(path, NORWAY))).not.toContain(c);
    }
    // Nor does the refusal of a proposal: the survivor is told to who sees it.
    const refused = await propose(await anOffer(), b);
    expect([...fault(refused), (refused.body as Json).detail]).toEqual([
      409,
      'need-not-open',
      'The need does not take proposals now.',
    ]);
    expect((await see(`${need(b)}/history`, NORWAY)).items.map(({ type }: Json) => type)).toContain('NeedsMerged');
  });
});
