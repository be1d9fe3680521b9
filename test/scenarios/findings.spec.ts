import { createHash } from 'node:crypto';
import { jest } from '@jest/globals';
import { confirmationBoard, findingBoard, readBoard, sampleBoard } from '#audit';
import { everyEvent, projectionScenario } from '#kernel-testing';
import { desk } from '#matching';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

/**
 * Findings of auditors, from the mandate to the verified end.
 *
 * Seen to fail with each of these planted: sight by a mandate that covers one of two records; an author who needs no mandate any more; an
 * owner that is not asked whether it sees the events; an event found in a record that is not named; the mandate told to the owner; a
 * desk that shows an auditor what it sees no longer.
 */
const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: ['npc', 'mission'] };
const FIJI: As = { party: 'state:FJI', role: ['npc', 'mission'] };
const CAVR: As = { party: 'agency:cavr', role: 'implementer' };
const NGO: As = { party: 'agency:ngo', role: 'implementer' };
const COURT: As = { party: 'auditor:court', role: 'auditor' };
const NARROW: As = { party: 'auditor:narrow', role: 'auditor' };
const UNMANDATED: As = { party: 'auditor:none', role: 'auditor' };
const USD = (amount: number): object => ({ measure: 'money', currency: 'USD', amount: `${amount}.00` });
const ABSENT = '00000000-0000-7000-8000-000000000000';

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly overdue: string | null;
  readonly actions: readonly string[];
  readonly revision: number;
  readonly due: string;
}
interface Refusal {
  readonly code: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

let app: TestApp;
let need: string;
let offer: string;
let commitment: string;
/** Events of the commitment, oldest first, and one of the need. */
let events: readonly string[];
let ofNeed: string;
let mandate: string;
/** A confirmation request that nobody answers. */
let unanswered: string;
/** A need that is not for everybody. */
let sealed: string;

const created = async (path: string, body: object, as: As): Promise<string> => {
  const answer = await app.post(path, body, { as, headers: { prefer: 'wait=5' } });
  if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  await app.settled();
  return (answer.body as { id: string }).id;
};

const attempt = async (path: string, body: object, as: As): Promise<Response> => {
  const { etag = '"0"' } = (await app.get(path.split('/').slice(0, 4).join('/'), { as })).headers;
  return app.post(path, body, { as, headers: { 'if-match': etag, prefer: 'wait=5' } });
};

const command = async (path: string, body: object, as: As): Promise<Shown> => {
  const answer = await attempt(path, body, as);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  await app.settled();
  return answer.body as Shown;
};

const eventIds = async (path: string): Promise<readonly string[]> => {
  const { body } = await app.get(`${path}/history`, { as: COURT });
  return (body as { items: { eventId: string }[] }).items.map(({ eventId }) => eventId);
};

beforeAll(async () => {
  app = await testApp();
  for (const id of ['donor:japan', 'agency:cavr', 'agency:ngo', 'auditor:court', 'auditor:narrow', 'auditor:none']) {
    await created('/v1/parties', { id, name: id, category: 'ngo' }, COORDINATOR);
  }
  need = await created(
    '/v1/needs',
    {
      ...{ title: 'A law', kinds: ['legal'], instruments: ['ATT'], authorityRef: 'Note 1' },
      lines: [{ kind: 'legal', quantity: USD(100) }],
      visibility: { summary: 'public', body: 'public' },
    },
    VANUATU,
  );
  await command(`/v1/needs/${need}/submit`, { consent: { circulate: true, publish: true } }, VANUATU);
  await command(`/v1/needs/${need}/open`, {}, COORDINATOR);
  offer = await created(
    '/v1/offers',
    { title: 'Drafting', lines: [{ kinds: ['legal'], capacity: USD(500) }], visibility: 'public' },
    JAPAN,
  );
  commitment = await created(
    '/v1/commitments',
    { offerId: offer, needId: need, legs: [{ offerLine: 1, needLine: 1, drawn: USD(60) }], implementer: CAVR.party },
    JAPAN,
  );
  const term = { from: '2026-01-01', to: '2028-12-31', reference: 'Resolution 1' };
  mandate = await created(
    '/v1/mandates',
    { ...term, auditor: COURT.party, scope: { parties: [JAPAN.party, VANUATU.party] } },
    COORDINATOR,
  );
  await created('/v1/mandates', { ...term, auditor: NARROW.party, scope: { records: [need] } }, COORDINATOR);
  events = await eventIds(`/v1/commitments/${commitment}`);
  ofNeed = (await eventIds(`/v1/needs/${need}`))[0] ?? '';
});
afterAll(() => app.close());

const OF_COMMITMENT = (): object => ({ records: [{ kind: 'commitment', id: commitment }], eventIds: [events[0]] });
const finding = (more: object = {}): object => ({
  ...{ severity: 'high', title: 'No receipt', text: 'None was reported.', recommendation: 'Report it.' },
  ...OF_COMMITMENT(),
  ...{ owner: CAVR.party, due: '2027-03-31' },
  ...more,
});
const written = (more: object = {}, as = COURT): Promise<string> => created('/v1/findings', finding(more), as);
const refused = async (answer: Promise<Response>): Promise<readonly unknown[]> => {
  const { status, body } = await answer;
  const { code, errors = [] } = body as Refusal;
  return [status, code, errors.map(({ field }) => field)];
};
const write = (more: object, as = COURT): Promise<Response> => app.post('/v1/findings', finding(more), { as });

const idsSeen = async (as: As, query = ''): Promise<readonly string[]> => {
  await app.settled();
  const { status, body, text } = await app.get(`/v1/findings?limit=200${query}`, { as });
  if (status !== 200) throw new Error(`${status} ${text}`);
  return (body as { items: { id: string }[] }).items.map(({ id }) => id);
};
const onDesk = async (as: As, id: string): Promise<readonly unknown[]> => {
  await app.settled();
  const { body } = await app.get('/v1/desk?limit=200', { as });
  return (body as { items: { record: string; action: string; due: string | null; href: string }[] }).items
    .filter(({ record }) => record === id)
    .map(({ action, due, href }) => [action, due, href]);
};
const PLAN = { response: 'agreed', text: 'It was forgotten.', action: { text: 'We ask the bank.', by: '2027-02-28' } };

describe('a finding', () => {
  it('goes from its writing to a verified end, and waits on the desk of whoever has to act', async () => {
    const id = await written({ criteria: 'Terms, 4', cause: 'A new treasurer', effect: 'USD 60 are unproved' });
    const path = `/v1/findings/${id}`;
    const first = (await app.get(path, { as: CAVR })).body;
    expect(first).toMatchObject({
      ...{ id, severity: 'high', criteria: 'Terms, 4', status: 'open', auditor: COURT.party, owner: CAVR.party },
      events: [{ kind: 'commitment', id: commitment, eventId: events[0], revision: 0 }],
      ...{ answerBy: '2026-12-22', due: '2027-03-31', overdue: null, actions: ['answer'], revision: 0 },
    });
    expect(first).not.toHaveProperty('mandate');
    expect((await app.get(path, { as: COURT })).body).toMatchObject({ mandate, actions: ['amend', 'close'] });
    expect(await onDesk(CAVR, id)).toEqual([['answer', '2026-12-22', path]]);
    expect(await onDesk(COURT, id)).toEqual([]);

    expect(await refused(attempt(`${path}/implement`, { text: 'Done', evidence: [PAPER] }, CAVR))).toEqual([
      409,
      'not-answered',
      [],
    ]);
    expect(await command(`${path}/answer`, PLAN, CAVR)).toMatchObject({
      status: 'answered',
      actions: ['answer', 'implement'],
    });
    // What is recommended shows on the desk 30 days before it is due.
    expect(await onDesk(CAVR, id)).toEqual([]);
    expect(await refused(attempt(`${path}/close`, { as: 'implemented' }, COURT))).toEqual([409, 'not-verified', []]);
    const sha256 = await uploaded(CAVR, 'The bank confirms.');
    await command(`${path}/implement`, { text: 'Reported.', evidence: [{ title: 'Confirmation', sha256 }] }, CAVR);
    expect([(await app.get(`/v1/documents/${sha256}`, { as: COURT })).status, await onDesk(COURT, id)]).toEqual([
      200,
      [['verify', null, path]],
    ]);
    expect(await refused(attempt(`${path}/verify`, { outcome: 'implemented', note: 'Fine' }, CAVR))).toEqual([
      403,
      'forbidden',
      [],
    ]);
    const note = 'The sum differs.';
    expect(
      await command(`${path}/verify`, { outcome: 'not-implemented', note, due: '2027-05-31' }, COURT),
    ).toMatchObject({ status: 'answered', due: '2027-05-31', verification: { outcome: 'not-implemented', note } });
    await command(`${path}/implement`, { text: 'Corrected.', evidence: [PAPER] }, CAVR);
    await command(`${path}/verify`, { outcome: 'implemented', note: 'The statement was read.' }, COURT);
    expect(await onDesk(COURT, id)).toEqual([['close', null, path]]);
    expect(await command(`${path}/close`, { as: 'implemented' }, COURT)).toMatchObject({
      ...{ status: 'closed', actions: [], closing: { as: 'implemented', auditor: COURT.party } },
    });
    expect(await onDesk(COURT, id)).toEqual([]);
    const history = await app.get(`${path}/history`, { as: CAVR });
    expect((history.body as { items: { type: string }[] }).items.map(({ type }) => type)).toEqual([
      ...['FindingWritten', 'FindingAnswered', 'ImplementationClaimed', 'ImplementationRejected'],
      ...['ImplementationClaimed', 'ImplementationVerified', 'FindingClosed'],
    ]);
    expect([
      history.text.includes(mandate),
      (await app.get(`${path}/history`, { as: COURT })).text.includes(mandate),
    ]).toEqual([false, true]);
  });

  it('is written on what a mandate covers and the auditor sees; what it does not see is to it as if it were not there', async () => {
    expect(await refused(write({}, UNMANDATED))).toEqual(await refused(write({}, NARROW)));
    expect(await refused(write({}, NARROW))).toEqual([404, 'not-found', ['records[0]', 'eventIds[0]']]);
    const unknown = { records: [{ kind: 'commitment', id: ABSENT }] };
    expect((await write(unknown, NARROW)).text.replace(/"correlationId":"[^"]*"/, '')).toBe(
      (await write({}, NARROW)).text.replace(/"correlationId":"[^"]*"/, ''),
    );
    // Seen by everybody, and covered by no mandate of this auditor.
    expect(await refused(write({ ...OF_NEED(), owner: VANUATU.party }, UNMANDATED))).toEqual([
      403,
      'forbidden',
      ['records'],
    ]);
    expect(await refused(write({ eventIds: [events[0], ofNeed] }))).toEqual([404, 'not-found', ['eventIds[1]']]);
    expect(await refused(write({}, CAVR))).toEqual([403, 'forbidden', []]);
  });

  it('asks a registered party that sees every event that it rests on', async () => {
    const both = { records: [...OF_NEED().records, { kind: 'commitment', id: commitment }] };
    expect(await refused(write({ ...both, eventIds: [ofNeed, events[0]], owner: NGO.party }))).toEqual([
      409,
      'hidden-from-owner',
      ['eventIds[1]'],
    ]);
    expect(await refused(write({ owner: 'agency:nobody' }))).toEqual([409, 'unknown-party', ['owner']]);
    expect(await refused(write({ owner: COURT.party }))).toEqual([400, 'invalid-request', ['owner']]);
    expect(await refused(write({ due: '2026-11-21' }))).toEqual([409, 'dates-do-not-fit', ['due']]);
    expect(await refused(write({ answerBy: '2027-04-01', eventIds: ['x'], records: [], severity: 'grave' }))).toEqual([
      400,
      'invalid-request',
      expect.arrayContaining(['answerBy', 'eventIds[0]', 'records', 'severity']),
    ]);
  });

  it('is shown to its owner, to auditors whose mandate covers all of its records, and to the coordinator', async () => {
    const ofBoth = await written({
      ...{ records: [...OF_NEED().records, { kind: 'commitment', id: commitment }], owner: VANUATU.party },
      eventIds: [ofNeed, events[0]],
    });
    const public_ = await written({ ...OF_NEED(), owner: VANUATU.party, severity: 'low' });
    // Everybody sees both records; one auditor's mandate covers one of them.
    const ofTwo = await written({
      records: [...OF_NEED().records, { kind: 'offer', id: offer }],
      ...{ eventIds: [ofNeed, (await eventIds(`/v1/offers/${offer}`))[0]], owner: VANUATU.party },
    });
    const seers = async (id: string): Promise<readonly string[]> => {
      const seen: string[] = [];
      for (const as of [VANUATU, FIJI, JAPAN, CAVR, COURT, NARROW, UNMANDATED, COORDINATOR]) {
        const { status } = await app.get(`/v1/findings/${id}`, { as });
        const listed = (await idsSeen(as)).includes(id);
        expect([as.party, status, listed]).toEqual([as.party, listed ? 200 : 404, listed]);
        if (listed) seen.push(as.party);
      }
      return seen;
    };
    for (const id of [ofBoth, ofTwo]) expect(await seers(id)).toEqual([VANUATU.party, COURT.party, COORDINATOR.party]);
    expect(await seers(public_)).toEqual([VANUATU.party, COURT.party, NARROW.party, COORDINATOR.party]);
    expect((await app.get('/v1/findings')).status).toBe(403);
    // Another auditor whose mandate covers it verifies and closes; it withdraws nothing.
    expect(await refused(attempt(`/v1/findings/${public_}/amend`, { title: 'X', reason: 'Y' }, NARROW))).toEqual([
      403,
      'forbidden',
      [],
    ]);
    expect(await refused(attempt(`/v1/findings/${public_}/close`, { as: 'withdrawn', reason: 'Y' }, NARROW))).toEqual([
      403,
      'forbidden',
      [],
    ]);
    await command(`/v1/findings/${public_}/answer`, { response: 'disagreed', text: 'No.', acceptsRisk: true }, VANUATU);
    await command(`/v1/findings/${public_}/close`, { as: 'risk-accepted', reason: 'As stated' }, NARROW);
    expect(await idsSeen(COURT, '&severity=low&status=closed')).toEqual([public_]);
    expect(await idsSeen(VANUATU, `&owner=${VANUATU.party}&record=${commitment}`)).toEqual([ofBoth]);
    expect(await idsSeen(COURT, `&auditor=${COURT.party}&record=${need}&dueBefore=2027-03-31`)).toEqual([]);
    const all = await idsSeen(COURT, '&dueBefore=2027-04-01');
    const paged: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await app.get(`/v1/findings?limit=1&dueBefore=2027-04-01${more}`, { as: COURT });
      const page = body as { items: { id: string }[]; next: string | null };
      paged.push(...page.items.map((item) => item.id));
      cursor = page.next;
    }
    expect([paged, paged.slice(0, 3)]).toEqual([all, [ofTwo, public_, ofBoth]]);
  });

  it('is amended by its author; reworded, it waits for another answer', async () => {
    const id = await written();
    const path = `/v1/findings/${id}`;
    await command(`${path}/answer`, PLAN, CAVR);
    expect(await command(`${path}/amend`, { due: '2027-06-30', reason: 'Asked for' }, COURT)).toMatchObject({
      ...{ status: 'answered', due: '2027-06-30' },
    });
    const reworded = await command(`${path}/amend`, { recommendation: 'Pay it back.', reason: 'It is gone' }, COURT);
    expect(reworded).toMatchObject({ status: 'open', recommendation: 'Pay it back.' });
    expect(reworded).not.toHaveProperty('answer');
    expect(await onDesk(CAVR, id)).toEqual([['answer', '2026-12-22', path]]);
    expect(await command(`${path}/close`, { as: 'withdrawn', reason: 'An error' }, COURT)).toMatchObject({
      closing: { as: 'withdrawn', reason: 'An error' },
    });
    for (const body of [{ as: 'withdrawn' }, { as: 'risk-accepted' }]) {
      expect(await refused(attempt(`${path}/close`, body, COURT))).toEqual([400, 'invalid-request', ['as']]);
    }
    for (const body of [
      { response: 'agreed', text: 'Yes' },
      { ...PLAN, response: 'disagreed' },
    ]) {
      expect(await refused(attempt(`${path}/answer`, body, CAVR))).toEqual([400, 'invalid-request', ['response']]);
    }
    expect(await refused(attempt(`${path}/answer`, { ...PLAN, acceptsRisk: true }, CAVR))).toEqual([
      400,
      'invalid-request',
      ['acceptsRisk'],
    ]);
  });

  it('may come from a sample: what was drawn with a seed is drawn again, with its evidence and its share of the whole', async () => {
    const path = `/v1/commitments/${commitment}`;
    await command(`${path}/accept`, {}, VANUATU);
    await command(`${path}/consent-task`, {}, CAVR);
    for (const as of [JAPAN, VANUATU]) await command(`${path}/sign`, {}, as);
    for (const amount of [40, 20]) {
      await command(
        `${path}/transfers`,
        {
          kind: 'disbursement',
          from: JAPAN.party,
          to: CAVR.party,
          amount: USD(amount),
          date: '2026-11-20',
          reference: 'P',
        },
        JAPAN,
      );
    }
    const receipt = { transfer: 1, amount: USD(40), date: '2026-11-21', reference: 'B' };
    await command(`${path}/receipts`, receipt, { ...CAVR, role: ['implementer', 'fiscal-agent'] });
    const order = { of: 'transfers', method: 'monetary-unit', size: 3, seed: 'November' };
    const draw = async (body: object, as = COURT): Promise<Response> => app.post('/v1/samples', body, { as });
    const sample = (await draw(order)).body as { id: string; items: object[]; draws: object[] };
    const transfers = [40, 20].map((amount, index) => ({ commitment, transfer: index + 1, amounts: [USD(amount)] }));
    expect(sample).toMatchObject({
      ...{ auditor: COURT.party, mandate, population: 2, seed: 'November', filter: {} },
      draws: [{ currency: 'USD', interval: '2000', drawn: 2 }],
      coverage: [
        {
          currency: 'USD',
          items: { population: 2, drawn: 2 },
          amount: { population: USD(60), drawn: USD(60), share: '1.0000' },
        },
      ],
      items: [
        {
          ...transfers[0],
          hits: 2,
          evidence: expect.arrayContaining([{ kind: 'receipt', present: true, found: [1] }]),
        },
        {
          ...transfers[1],
          hits: 1,
          evidence: expect.arrayContaining([{ kind: 'receipt', present: false, found: [] }]),
        },
      ],
    });
    const again = (await draw(order)).body as typeof sample;
    expect([again.draws, again.id === sample.id]).toEqual([sample.draws, false]);
    await app.settled();
    const ofSample = `/v1/samples/${sample.id}`;
    const { text: csv } = await app.get(ofSample, { as: COURT, headers: { accept: 'text/csv' } });
    expect(csv.split('\r\n').slice(0, 3)).toEqual([
      ['commitment', 'transfer', 'amount', 'currency', 'units']
        .concat(
          ['transfer', 'receipt', 'delivery', 'confirmation', 'paper'].flatMap((kind) => [
            `evidence: ${kind}`,
            `found: ${kind}`,
          ]),
          'answers that agree',
          'answers that differ',
        )
        .join(','),
      `${commitment},1,40.00,USD,2,,,present,1,absent,,absent,,absent,,,`,
      `${commitment},2,20.00,USD,1,,,absent,,absent,,absent,,absent,,,`,
    ]);
    const { body } = await app.get(`${ofSample}/history`, { as: COURT });
    expect((body as { items: { data: { population: object[] } }[] }).items[0]?.data.population).toMatchObject(
      transfers.map((item) => ({ ...item, key: `${commitment} 00000${item.transfer}` })),
    );
    const random = await draw({ of: 'commitments', method: 'random', size: 5, filter: { state: 'VUT' } });
    expect(random.body).toMatchObject({ items: [{ commitment, amounts: [USD(60)] }], seed: expect.any(String) });
    expect(await refused(draw({ ...order, filter: { donor: 'donor:norway' } }))).toEqual([409, 'nothing-to-draw', []]);
    expect(await refused(draw(order, NARROW))).toEqual([409, 'nothing-to-draw', []]);
    const backwards = { from: '2027-01-01', to: '2026-01-01' };
    expect(await refused(draw({ ...order, filter: backwards }))).toEqual([400, 'invalid-request', ['filter.to']]);
    expect(await refused(draw(order, UNMANDATED))).toEqual([403, 'forbidden', []]);
    expect(await refused(draw({ ...order, size: 0, method: 'all' }))).toEqual([
      400,
      'invalid-request',
      ['method', 'size'],
    ]);
    await app.settled();
    const listed = await app.get('/v1/samples?limit=2', { as: COURT });
    expect((listed.body as { items: { id: string }[] }).items.map(({ id }) => id)).toEqual([
      (random.body as Shown).id,
      again.id,
    ]);
    expect((await app.get('/v1/samples', { as: NARROW })).body).toEqual({ items: [], next: null });
    for (const [as, status] of [
      [NARROW, 404],
      [COORDINATOR, 403],
      [CAVR, 403],
    ] as const) {
      expect((await app.get(ofSample, { as })).status).toBe(status);
      expect((await app.get(`${ofSample}/history`, { as })).status).toBe(404);
    }
  });

  it('may have its figures confirmed by the parties they are of, who are shown no more of them than they see', async () => {
    const list = (await app.get('/v1/samples', { as: COURT })).body as { items: { id: string; of: string }[] };
    const sample = list.items.find(({ of }) => of === 'transfers')?.id ?? '';
    const all = '/v1/confirmation-requests';
    const ask = (body: object, as = COURT): Promise<Response> => app.post(all, { due: '2026-12-15', ...body }, { as });
    const asked = async (body: object): Promise<string> => created(all, { due: '2026-12-15', ...body }, COURT);
    const shown = async (id: string, as: As): Promise<Record<string, unknown>> =>
      (await app.get(`${all}/${id}`, { as })).body as Record<string, unknown>;

    const id = await asked({ party: JAPAN.party, sample, note: 'As of 30 November' });
    const lines = [40, 20].map((amount, index) => ({
      ...{ line: index + 1, commitment, figure: 'transfer', n: index + 1, books: USD(amount) },
    }));
    const toCourt = await shown(id, COURT);
    expect(toCourt).toMatchObject({ mandate, sample, status: 'open', overdue: false, actions: ['close'] });
    expect(toCourt.lines).toEqual(lines.map((line) => ({ ...line, outcome: 'unanswered' })));
    const toJapan = await shown(id, JAPAN);
    expect(toJapan).toMatchObject({ lines, note: 'As of 30 November', actions: ['answer'] });
    expect([toJapan.mandate, toJapan.sample]).toEqual([undefined, undefined]);
    expect(await onDesk(JAPAN, id)).toEqual([['answer', '2026-12-15', `${all}/${id}`]]);
    expect(await onDesk(COURT, id)).toEqual([]);
    for (const as of [VANUATU, COORDINATOR, NARROW, NGO]) {
      expect((await app.get(`${all}/${id}`, { as })).status).toBe(404);
      expect((await app.get(`${all}/${id}/history`, { as })).status).toBe(404);
      expect((await app.get(all, { as })).body).toEqual({ items: [], next: null });
    }
    const disagrees = { line: 2, says: 'disagrees', figure: USD(19), note: 'After charges' };
    const answers = [disagrees, { line: 1, says: 'agrees' }];
    expect(await refused(attempt(`${all}/${id}/close`, { as: 'confirmed' }, COURT))).toEqual([
      409,
      'not-confirmed',
      [],
    ]);
    expect(await refused(attempt(`${all}/${id}/answer`, { answers }, COURT))).toEqual([403, 'forbidden', []]);
    await command(`${all}/${id}/answer`, { answers }, JAPAN);
    expect((await shown(id, COURT)).lines).toMatchObject([
      { answer: { says: 'agrees' }, outcome: 'confirmed' },
      { answer: { says: 'disagrees', figure: USD(19), note: 'After charges' }, outcome: 'exception' },
    ]);
    expect([await onDesk(JAPAN, id), await onDesk(COURT, id)]).toEqual([[], [['close', null, `${all}/${id}`]]]);
    const { body } = await app.get(`/v1/samples/${sample}`, { as: COURT });
    expect((body as { items: { answers: object[] }[] }).items.map(({ answers: each }) => each)).toEqual([
      [{ id, confirmed: true }],
      [{ id, confirmed: false }],
    ]);
    const { text: csv } = await app.get(`/v1/samples/${sample}`, { as: COURT, headers: { accept: 'text/csv' } });
    expect(
      csv
        .trimEnd()
        .split('\r\n')
        .slice(1)
        .map((row) => row.split(',').slice(-2)),
    ).toEqual([
      [id, ''],
      ['', id],
    ]);
    const procedure = 'The statement of the bank shows 20.00 and a charge of 1.00.';
    await command(`${all}/${id}/close`, { as: 'alternative-procedure', procedure }, COURT);
    expect(await shown(id, JAPAN)).toMatchObject({ status: 'closed', closing: { procedure }, actions: [] });
    const history = (await app.get(`${all}/${id}/history`, { as: JAPAN })).body as { items: { data: object }[] };
    expect(history.items.map(({ data }) => ['mandate' in data, 'sample' in data])).toEqual(
      history.items.map(() => [false, false]),
    );

    // Whoever is to state a figure is not shown that of the books.
    const blank = await asked({ party: CAVR.party, commitments: [commitment], asks: ['transfer'], blank: true });
    const toCavr = await shown(blank, CAVR);
    expect(toCavr.lines).toEqual(lines.map(({ books: _books, ...line }) => line));
    expect(JSON.stringify((await app.get(`${all}/${blank}/history`, { as: CAVR })).body)).not.toContain('"books"');
    const states = [40, 20].map((amount, index) => ({ line: index + 1, says: 'states', figure: USD(amount) }));
    await command(`${all}/${blank}/answer`, { answers: states }, CAVR);
    expect(await shown(blank, COURT)).toMatchObject({ lines: [{ outcome: 'confirmed' }, { outcome: 'confirmed' }] });
    await command(`${all}/${blank}/close`, { as: 'confirmed' }, COURT);

    const about = { party: JAPAN.party, commitments: [commitment] };
    expect(await refused(ask({ ...about, party: NGO.party }))).toEqual([409, 'not-involved', ['commitments[0]']]);
    expect(await refused(ask({ ...about, party: 'agency:unknown' }))).toEqual([409, 'unknown-party', ['party']]);
    expect(await refused(ask({ ...about, commitments: [ABSENT] }))).toEqual([404, 'not-found', ['commitments[0]']]);
    expect(await refused(ask({ party: JAPAN.party, sample: ABSENT }))).toEqual([404, 'not-found', ['sample']]);
    expect(await refused(ask({ ...about, asks: ['delivery'] }))).toEqual([409, 'nothing-to-confirm', []]);
    expect(await refused(ask({ ...about, sample }))).toEqual([400, 'invalid-request', ['due']]);
    expect(await refused(ask({ ...about, due: '2026-11-01' }))).toEqual([409, 'dates-do-not-fit', ['due']]);
    expect(await refused(ask(about, NARROW))).toEqual([403, 'forbidden', ['commitments']]);
    expect(await refused(ask(about, JAPAN))).toEqual([403, 'forbidden', []]);
    const open = await asked({ ...about, asks: ['leg'], due: '2026-11-29' });
    expect(await refused(attempt(`${all}/${open}/answer`, { answers: [{ line: 1, says: 'states' }] }, JAPAN))).toEqual([
      400,
      'invalid-request',
      ['answers[0].says'],
    ]);
    expect(await refused(attempt(`${all}/${open}/close`, { as: 'withdrawn' }, COURT))).toEqual([
      400,
      'invalid-request',
      ['as'],
    ]);
    const found = async (query: string, as = COURT): Promise<readonly string[]> => {
      await app.settled();
      return ((await app.get(`${all}?${query}`, { as })).body as { items: { id: string }[] }).items.map(
        (each) => each.id,
      );
    };
    expect(await found('')).toEqual([open, blank, id]);
    expect(await found(`status=closed&party=${JAPAN.party}&commitment=${commitment}`)).toEqual([id]);
    expect([await found('', CAVR), await found('overdue=true')]).toEqual([[blank], []]);
    unanswered = open;
  });

  it('is not all that is watched: who reads what is not for everybody is told to its parties and to auditors, minute by minute', async () => {
    sealed = await created(
      '/v1/needs',
      {
        ...{ title: 'Stores', kinds: ['legal'], instruments: ['ATT'], authorityRef: 'Note 2' },
        lines: [{ kind: 'legal', quantity: USD(100) }],
        ...{ visibility: { summary: 'named', body: 'named' }, named: [JAPAN.party] },
      },
      VANUATU,
    );
    const path = `/v1/needs/${sealed}`;
    await command(`${path}/submit`, { consent: { circulate: true, publish: true } }, VANUATU);
    await command(`${path}/open`, {}, COORDINATOR);
    const hidden = await created(
      '/v1/offers',
      {
        ...{ title: 'Advice', lines: [{ kinds: ['legal'], capacity: USD(50) }] },
        ...{ visibility: 'named', named: [VANUATU.party] },
      },
      JAPAN,
    );
    const bound = await created(
      '/v1/commitments',
      { offerId: hidden, needId: sealed, legs: [{ offerLine: 1, needLine: 1, drawn: USD(10) }] },
      JAPAN,
    );
    await command(`/v1/commitments/${bound}/accept`, {}, VANUATU);
    for (const as of [JAPAN, VANUATU]) await command(`/v1/commitments/${bound}/sign`, {}, as);
    const paid = { from: JAPAN.party, to: VANUATU.party, amount: USD(10), date: '2026-11-20', reference: 'Q' };
    await command(`/v1/commitments/${bound}/transfers`, { kind: 'disbursement', ...paid }, JAPAN);
    const minutes = async (n: number): Promise<void> => {
      app.clock.set(new Date(app.clock.now().getTime() + n * 60_000).toISOString());
      await app.ticker.tickNow();
      await app.settled();
    };
    // What was read on the way here.
    await minutes(1);
    const logged = async (): Promise<readonly { data: { minute: string; records: { id: string }[] } }[]> =>
      (await everyEvent(app.store)).filter(({ type }) => type === 'RecordsRead') as never;
    const before = (await logged()).length;
    const minute = `${app.clock.now().toISOString().slice(0, 16)}Z`;
    const purpose = { 'purpose-of-use': 'Budget round 2027' };
    for (let n = 0; n < 5; n += 1) await app.get(path, { as: JAPAN, headers: purpose });
    await app.get(`${path}/history`, { as: JAPAN });
    await app.get('/v1/needs', { as: JAPAN });
    await app.get(path, { as: VANUATU });
    await app.get(`/v1/needs/${need}`, { as: JAPAN });
    await app.get(`/v1/offers/${hidden}`, { as: VANUATU });
    await app.get(`/v1/offers/${hidden}/matches`, { as: VANUATU });
    for (const reckoned of ['totals/events?figure=disbursed', `statements/events?donor=${JAPAN.party}`]) {
      const { items } = (await app.get(`/v1/${reckoned}`, { as: COURT })).body as { items: object[] };
      expect(JSON.stringify(items)).toContain(bound);
    }
    expect((await app.get(path, { as: FIJI })).status).toBe(404);
    const apart = { 'purpose-of-use': 'Into the sealed need' };
    await app.get(`/v1/audit/events?stream=need-${sealed}`, { as: COURT, headers: apart });
    await app.ticker.tickNow();
    expect(await logged()).toHaveLength(before);
    await minutes(1);
    const fresh = (await logged()).slice(before);
    expect(fresh.map(({ data: { records } }) => records.map(({ id }) => id))).toHaveLength(5);
    expect(fresh.map(({ data }) => [data.minute, data.records.map(({ id }) => id)])).toEqual(
      expect.arrayContaining([
        [minute, [sealed]],
        [minute, [hidden]],
        [minute, [bound]],
      ]),
    );
    const readers = async (of: string, as: As): Promise<readonly Record<string, unknown>[]> =>
      ((await app.get(`${of}/reads`, { as })).body as { items: Record<string, unknown>[] }).items.filter(
        (each) => each.minute === minute,
      );
    const byJapan = { minute, party: JAPAN.party, role: 'donor-desk' };
    expect(await readers(path, VANUATU)).toEqual(
      expect.arrayContaining([
        { ...byJapan, ways: ['record'], purposes: ['Budget round 2027'] },
        { ...byJapan, ways: ['history', 'list'], purposes: [] },
        { minute, party: COURT.party, role: 'auditor', ways: ['log'], purposes: ['Into the sealed need'] },
      ]),
    );
    expect(await readers(`/v1/offers/${hidden}`, JAPAN)).toEqual([
      { minute, party: VANUATU.party, role: 'npc', ways: ['matches', 'record'], purposes: [] },
    ]);
    // What it read another record for is not told here.
    expect(await readers(`/v1/commitments/${bound}`, JAPAN)).toEqual([
      { minute, party: COURT.party, role: 'auditor', ways: ['statements', 'totals'], purposes: [] },
    ]);
    const toCourt = await readers(path, COURT);
    expect(toCourt.find(({ ways }) => String(ways) === 'history,list')).toEqual({
      ...{ ...byJapan, ways: ['history', 'list'], purposes: [] },
      subject: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    for (const [as, status] of [
      [JAPAN, 403],
      [COORDINATOR, 403],
      [FIJI, 404],
      [NARROW, 404],
    ] as const) {
      expect((await app.get(`${path}/reads`, { as })).status).toBe(status);
    }
    const paged = await app.get(`${path}/reads?limit=1`, { as: VANUATU });
    expect([(paged.body as { items: object[] }).items.length, paged.headers.link]).toEqual([
      1,
      expect.stringContaining('rel="next"'),
    ]);
    const { status, body } = await app.get(path, { as: JAPAN, headers: { 'purpose-of-use': 'é' } });
    expect([status, (body as Refusal).errors?.map(({ field }) => field)]).toEqual([400, ['Purpose-Of-Use']]);
    expect(
      projectionScenario(readBoard, await everyEvent(app.store), { tries: 4 }).record_read?.length,
    ).toBeGreaterThan(2);
  });

  it('falls overdue in its history when a day passes; what an auditor’s mandate covers no longer is gone for it', async () => {
    const id = await written({ answerBy: '2026-11-25', due: '2026-11-30' });
    const path = `/v1/findings/${id}`;
    const told = async (): Promise<readonly unknown[]> => {
      await app.ticker.tickNow();
      await app.settled();
      const { body } = await app.get(`${path}/history`, { as: CAVR });
      return (body as { items: { type: string; data: object; actor: { party: string } }[] }).items
        .filter(({ type }) => type === 'FindingFellOverdue')
        .map(({ data, actor }) => [data, actor.party]);
    };
    app.clock.set('2026-11-25T23:59:00.000Z');
    expect([await told(), await idsSeen(CAVR, '&overdue=true')]).toEqual([[], []]);
    app.clock.set('2026-11-26T00:00:00.000Z');
    const ANSWER = [{ owed: 'answer', due: '2026-11-25' }, 'system:timer'];
    expect(await told()).toEqual([ANSWER]);
    expect([await idsSeen(CAVR, '&overdue=true'), (await idsSeen(CAVR, '&overdue=false')).includes(id)]).toEqual([
      [id],
      false,
    ]);
    expect((await app.get(path, { as: CAVR })).body).toMatchObject({ overdue: 'answer' });
    await command(`${path}/answer`, PLAN, CAVR);
    expect(await idsSeen(CAVR, '&overdue=true')).toEqual([]);
    app.clock.set('2026-12-01T00:00:00.000Z');
    await app.ticker.tickNow();
    await app.settled();
    const request = `/v1/confirmation-requests/${unanswered}`;
    expect((await app.get(request, { as: JAPAN })).body).toMatchObject({ overdue: true, reminded: false });
    expect(await onDesk(JAPAN, unanswered)).toEqual([['answer', '2026-11-29', request]]);
    expect(await onDesk(COURT, unanswered)).toEqual([['close', null, request]]);
    expect(await told()).toEqual([ANSWER, [{ owed: 'implementation', due: '2026-11-30' }, 'system:timer']]);
    expect(await onDesk(CAVR, id)).toEqual([['implement', '2026-11-30', path]]);
    await command(`${path}/implement`, { text: 'Done.', evidence: [PAPER] }, CAVR);
    expect(await onDesk(COURT, id)).toHaveLength(1);
    await command(`/v1/mandates/${mandate}/end`, {}, COORDINATOR);
    expect([(await app.get(path, { as: COURT })).status, await onDesk(COURT, id), await idsSeen(COURT)]).toEqual([
      404,
      [],
      [],
    ]);
    expect((await app.get(path, { as: CAVR })).status).toBe(200);
    expect((await app.get('/v1/samples', { as: COURT })).body).toEqual({ items: [], next: null });
    const log = await everyEvent(app.store);
    expect(projectionScenario(findingBoard, log, { tries: 4 }).record?.length).toBeGreaterThan(4);
    expect(projectionScenario(sampleBoard, log, { tries: 4 }).sample).toHaveLength(3);
    expect(projectionScenario(confirmationBoard, log, { tries: 4 }).record).toHaveLength(3);
    expect((await app.get(request, { as: COURT })).status).toBe(404);
    projectionScenario(desk, log, { tries: 4 });
    // A stop writes down what was read in the minute under way.
    expect((await app.get(`/v1/needs/${sealed}`, { as: JAPAN })).status).toBe(200);
    const appended = jest.spyOn(app.store, 'append');
    await app.close();
    const last = appended.mock.calls.flatMap(([stream, , batch]) => (stream.startsWith('reads-') ? batch : []));
    expect(last.map(({ type, data }) => [type, data])).toContainEqual([
      'RecordsRead',
      expect.objectContaining({ records: [{ kind: 'need', id: sealed, ways: ['record'] }] }),
    ]);
  });
});

const PAPER = { title: 'Confirmation', sha256: 'a'.repeat(64) };
const OF_NEED = (): { records: object[]; eventIds: string[] } => ({
  records: [{ kind: 'need', id: need }],
  eventIds: [ofNeed],
});

const uploaded = async (as: As, text: string): Promise<string> => {
  const bytes = Buffer.from(text);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await app.post('/v1/documents', { sha256, size: bytes.length, mediaType: 'text/plain' }, { as });
  const headers = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };
  const { status } = await app.send('PATCH', `/v1/documents/${sha256}`, { as, headers, body: bytes });
  if (status !== 204) throw new Error(`upload: ${status}`);
  await app.settled();
  return sha256;
};
