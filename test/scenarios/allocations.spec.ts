import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkCertificate } from '#allocation';
import { runEnded } from '../support/allocation-run.js';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import { sceneOf } from '../support/scene.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const ANOTHER: As = { party: 'agency:other', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const NORWAY: As = { party: 'donor:norway', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const FIJI: As = { party: 'state:FJI', role: 'npc' };
const USD = (amount: string) => ({ measure: 'money', currency: 'USD', amount });
const seats = (amount: string) => ({ measure: 'seats', amount });

let app: TestApp;
/** Needs and offers by name. */
const made: Record<string, string> = {};

const { created, command, opened } = sceneOf(() => app);

const openNeed = (as: As, lines: readonly object[], changes: object = {}): Promise<string> => {
  const body = {
    ...{ title: 'Review the firearms act', kinds: ['legal'], instruments: ['ATT'], authorityRef: 'NV 12/2026', lines },
    ...{ visibility: { summary: 'members', body: 'members' }, ...changes },
  };
  return opened(body, as);
};

const offer = (as: As, lines: readonly object[], changes: object = {}): Promise<string> =>
  created('/v1/offers', { title: 'Legal advice', lines, visibility: 'members', ...changes }, as);

const settled = async (id: string, as: As = COORDINATOR) => {
  await runEnded(app.store, id);
  return (await app.get(`/v1/allocations/${id}`, { as })).body;
};

const run = async (order: object = {}) => {
  const answer = await app.post('/v1/allocations', { objective: 'max-value', ...order }, { as: COORDINATOR });
  expect([answer.status, answer.body.status]).toEqual([202, 'queued']);
  expect(answer.headers.location).toBe(`/v1/allocations/${answer.body.id as string}`);
  return settled(answer.body.id as string);
};

beforeAll(async () => {
  app = await testApp();
  for (const [id, ofState] of [
    ['donor:japan', 'JPN'],
    ['donor:norway', 'NOR'],
  ]) {
    await created('/v1/parties', { id, name: id, ofState }, COORDINATOR);
  }
  const legal = (quantity: object) => [{ kind: 'legal', quantity }];
  made.vanuatu = await openNeed(VANUATU, legal(USD('100000.00')));
  made.fiji = await openNeed(FIJI, [
    { kind: 'legal', quantity: USD('50000.00') },
    { kind: 'training', quantity: seats('4') },
  ]);
  made.japan = await offer(JAPAN, [{ kinds: ['legal'], capacity: USD('90000.00') }]);
  made.norway = await offer(NORWAY, [{ kinds: ['legal', 'training'], capacity: seats('3') }], {
    earmark: { beneficiaries: ['FJI'] },
  });
  await app.settled();
});
afterAll(() => app.close());

describe('an allocation over the open needs and offers', () => {
  it('meets the most, within what is left of every line, and never mixes measures', async () => {
    const body = await run();
    expect(body).toMatchObject({
      ...{ status: 'done', requestedBy: 'agency:secretariat', objective: 'max-value', scope: {}, seed: 0 },
      ...{
        model: { ruleset: '3', needLines: 3, offerLines: 2, pairs: 3 },
        certificate: true,
        shared: [],
        actions: ['share'],
      },
    });
    const pairs = body.pairs.items as {
      needId: string;
      needLine: number;
      offerId: string;
      quantity: { amount: string };
    }[];
    expect(body.pairs.next).toBeNull();
    expect(pairs).toContainEqual(
      expect.objectContaining({ needId: made.fiji, needLine: 2, offerId: made.norway, quantity: seats('3') }),
    );
    expect(body.unmet.items).toEqual(
      expect.arrayContaining([expect.objectContaining({ needId: made.fiji, needLine: 2, quantity: seats('1') })]),
    );
    for (const { because } of body.unmet.items) expect(because).not.toBe('');
    expect(body.prices.items.map(({ offerId }: { offerId: string }) => offerId).sort()).toEqual(
      [made.japan, made.norway].sort(),
    );
    expect(body.fairness.states.map(({ code }: { code: string }) => code)).toEqual(
      expect.arrayContaining(['FJI', 'VUT']),
    );
    expect(BigInt(body.asOf as string)).toBeGreaterThan(0n);
  });

  it('gives a dollar where it meets more of a need, and counts a need once however many lines it has', async () => {
    const { pairs, unmet } = await run({ scope: { kind: 'legal' } });
    const given = (pairs.items as { needId: string; quantity: object }[]).map(({ needId, quantity }) => [
      needId,
      quantity,
    ]);
    // A dollar meets twice as much of what Fiji asks in money as of what Vanuatu does.
    expect(given).toHaveLength(2);
    expect(given).toContainEqual([made.fiji, USD('50000.00')]);
    expect(given).toContainEqual([made.vanuatu, USD('40000.00')]);
    expect(unmet.items).toMatchObject([{ needId: made.vanuatu, needLine: 1, quantity: USD('60000.00') }]);
  });

  it('gives each list of the answer as one table, with whose each need and offer is', async () => {
    const { id, pairs, unmet, prices } = await run();
    const tableOf = async (part: string): Promise<readonly string[]> => {
      // One item to a page of JSON says nothing of the table.
      const answer = await app.get(`/v1/allocations/${id}/${part}?limit=1`, {
        as: COORDINATOR,
        headers: { accept: 'text/csv' },
      });
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
      return answer.text.trimEnd().split('\r\n');
    };
    const [head, ...rows] = await tableOf('pairs');
    expect(head).toBe(
      'beneficiaries,kind,donor,measure,currency,unit,amount,needId,needLine,offerId,offerLine,because',
    );
    expect(rows).toHaveLength(pairs.items.length);
    expect(rows).toContainEqual(
      expect.stringContaining(`state:FJI,training,donor:norway,seats,,,3,${made.fiji},2,${made.norway},1,`),
    );
    const [, ...missed] = await tableOf('unmet');
    expect(missed).toHaveLength(unmet.items.length);
    expect(missed).toContainEqual(expect.stringContaining(`state:FJI,training,seats,,,1,${made.fiji},2,`));
    const [, ...priced] = await tableOf('prices');
    expect(priced).toHaveLength(prices.items.length);
    expect(priced).toContainEqual(expect.stringMatching(/^donor:japan,money:USD,[0-9.]+,[0-9.]+,range,false,/));
  });

  it('serves everybody alike where that is asked for', async () => {
    const body = await run({ objective: 'max-min', scope: { kind: 'legal' } });
    const amounts = Object.fromEntries(
      (body.pairs.items as { needId: string; quantity: object }[]).map(({ needId, quantity }) => [needId, quantity]),
    );
    // 60 % of either; what is left is worth the same to neither.
    expect(Number((amounts[made.vanuatu!] as { amount: string }).amount)).toBeGreaterThanOrEqual(59_999);
    expect(Number((amounts[made.fiji!] as { amount: string }).amount)).toBeGreaterThanOrEqual(29_999);
    expect(body.fairness.equalShares[0]).toMatchObject({ per: 'money:USD', lines: 2 });
    expect(body.fairness.equalShares[0].possible).toMatch(/^0\.(6|59999)/);
  });

  it('proves itself by a certificate that is checked without a solver, and not when a figure is changed', async () => {
    const { id } = await run();
    const { text, headers } = await app.get(`/v1/allocations/${id}/certificate`, { as: COORDINATOR });
    expect(headers['content-type']).toContain('application/x-ndjson');
    expect(checkCertificate(text)).toMatchObject({ ok: true });
    const changed = text.replace(/"5000000"/, '"5000001"');
    expect(changed).not.toBe(text);
    expect(checkCertificate(changed)).toMatchObject({ ok: false });
  });

  it('keeps to budgets, floors and scope', async () => {
    const budget = await run({ budgets: [{ donor: 'donor:japan', quantity: USD('10000.00') }] });
    const drawn = (budget.pairs.items as { offerId: string; quantity: { amount: string } }[])
      .filter(({ offerId }) => offerId === made.japan)
      .reduce((sum, { quantity }) => sum + Number(quantity.amount), 0);
    expect(drawn).toBe(10_000);
    const floor = await run({ floors: [{ state: 'VUT', share: '0.9' }] });
    expect(floor.pairs.items).toContainEqual(
      expect.objectContaining({ needId: made.vanuatu, quantity: USD('90000.00') }),
    );
    const scope = await run({ scope: { state: 'FJI', kind: 'training' } });
    expect(
      scope.pairs.items.map(({ needId, needLine }: { needId: string; needLine: number }) => [needId, needLine]),
    ).toEqual([[made.fiji, 2]]);
  });

  it('names the floors that cannot be kept together', async () => {
    const body = await run({
      floors: [
        { state: 'VUT', share: '0.9' },
        { state: 'FJI', share: '0.5' },
      ],
      scope: { kind: 'legal' },
    });
    expect(body.status).toBe('infeasible');
    expect(body.because).not.toBe('');
    const conflicts = body.conflicts as { kind: string; of: string }[][];
    expect(conflicts[0]!.map(({ of }) => of).sort()).toEqual(['FJI', 'VUT']);
  });

  it('is the private tool of the coordinators of the party that asked', async () => {
    const { id } = await run();
    for (const as of [ANOTHER, JAPAN, VANUATU, undefined]) {
      for (const path of ['', '/pairs', '/certificate', '/history']) {
        const answer = await app.get(`/v1/allocations/${id}${path}`, as === undefined ? {} : { as });
        expect([path, answer.status]).toEqual([path, 404]);
      }
    }
    for (const as of [ANOTHER, JAPAN]) expect((await app.get('/v1/allocations', { as })).body.items).toEqual([]);
    expect((await app.get('/v1/allocations')).body.items).toEqual([]);
    const listed = await app.get('/v1/allocations?limit=1&status=done', { as: COORDINATOR });
    expect(listed.body.items).toHaveLength(1);
    expect(listed.body.items[0]).toMatchObject({ id, status: 'done' });
    const next = await app.get(`/v1/allocations?limit=1&status=done&cursor=${listed.body.next as string}`, {
      as: COORDINATOR,
    });
    expect(next.body.items).toHaveLength(1);
    expect((await app.post('/v1/allocations', { objective: 'max-value' }, { as: JAPAN })).status).toBe(403);
  });

  it('does not take part what the coordinator may not see', async () => {
    const hidden = await offer(NORWAY, [{ kinds: ['legal'], capacity: USD('500000.00') }], {
      ...{ visibility: 'named', named: ['state:VUT'] },
    });
    await app.settled();
    const body = await run();
    expect(body.model.offerLines).toBe(2);
    expect(JSON.stringify(body)).not.toContain(hidden);
  });

  it('pages its lists, and goes on where the first page ended', async () => {
    const { id, pairs } = await run();
    const first = await app.get(`/v1/allocations/${id}/pairs?limit=1`, { as: COORDINATOR });
    const items = [...first.body.items];
    let next = first.body.next as string | null;
    while (next !== null) {
      const page = await app.get(`/v1/allocations/${id}/pairs?limit=1&cursor=${next}`, { as: COORDINATOR });
      items.push(...page.body.items);
      next = page.body.next as string | null;
    }
    expect(items).toEqual(pairs.items);
    const foreign = await app.get(`/v1/allocations/${id}/unmet?cursor=${first.body.next as string}`, {
      as: COORDINATOR,
    });
    expect(foreign.status).toBe(400);
  });

  it('says at once what is wrong with an order', async () => {
    const bad = {
      ...{ objective: 'most', seed: -1, scope: { from: '2027-02-01', to: '2027-01-01', colour: 'red' } },
      floors: [{ share: '0.5' }, { state: 'VUT', region: '009', share: '2' }],
      budgets: [{ donor: 'donor:japan', quantity: { measure: 'undetermined', why: 'not-stated' } }],
    };
    const { status, body } = await app.post('/v1/allocations', bad, { as: COORDINATOR });
    expect(status).toBe(400);
    const fields = (body.errors as { field: string }[]).map(({ field }) => field);
    for (const field of [
      'objective',
      'seed',
      'scope.colour',
      'floors[0].share',
      'floors[1].share',
      'budgets[0].quantity.measure',
    ]) {
      expect(fields).toContain(field);
    }
  });

  it('is asked for once under one key, and has ended when it is cancelled too late', async () => {
    const request = { as: COORDINATOR, headers: { 'idempotency-key': 'allocation-1' } };
    const order = { objective: 'max-value', seed: 7 };
    const first = await app.post('/v1/allocations', order, request);
    expect(first.body.pairs).toEqual({ items: [], next: null });
    const ended = await settled(first.body.id as string);
    const again = await app.post('/v1/allocations', order, request);
    expect([again.status, again.body.id, again.body.status]).toEqual([202, first.body.id, 'done']);
    expect(again.body).toEqual(ended);
    expect((await app.post('/v1/allocations', { ...order, seed: 8 }, request)).status).toBe(422);
    const path = `/v1/allocations/${first.body.id as string}/cancel`;
    expect((await app.post(path, {}, { as: COORDINATOR })).status).toBe(428);
    const etag = (await app.get(first.headers.location!, { as: COORDINATOR })).headers.etag!;
    const late = await app.post(path, {}, { as: COORDINATOR, headers: { 'if-match': etag } });
    expect([late.status, late.body.code]).toEqual([409, 'run-ended']);
    const history = await app.get(`${first.headers.location!}/history`, { as: COORDINATOR });
    expect(history.body.items.map(({ type }: { type: string }) => type)).toEqual(
      expect.arrayContaining([
        'AllocationRequested',
        'AllocationStarted',
        'AllocationPieceRecorded',
        'AllocationEnded',
      ]),
    );
  });
});

describe('a run that is shared', () => {
  let path: string;
  const share = async (body: object, as = COORDINATOR, at = path) => {
    const etag = (await app.get(at, { as: COORDINATOR })).headers.etag!;
    const answer = await app.post(`${at}/share`, body, { as, headers: { 'if-match': etag } });
    await app.settled();
    return answer;
  };
  const listed = async (as: As, query = '') =>
    (await app.get(`/v1/suggestions${query}`, { as })).body.items as {
      id: string;
      needId: string;
      status: string;
      actions: string[];
    }[];
  const idOf = async (as: As, needId: string): Promise<string> => (await listed(as, `?needId=${needId}`))[0]!.id;
  const propose = (id: string, body: object = {}, as = JAPAN, headers: Record<string, string> = {}) =>
    app.post(`/v1/suggestions/${id}/propose`, body, { as, headers });
  /** What waits for the desk, but for what commitments ask. */
  const deskOf = async (as: As) =>
    ((await app.get('/v1/desk', { as })).body.items as { kind: string }[]).filter(({ kind }) => kind === 'suggestion');

  beforeAll(async () => {
    const { id } = await run({ floors: [{ state: 'FJI', share: '0.5' }] });
    path = `/v1/allocations/${id as string}`;
  });

  it('tells a desk its own lines, once each, and of the run no more than when it was and who shared it', async () => {
    expect(await listed(JAPAN)).toEqual([]);
    expect(await deskOf(JAPAN)).toEqual([]);
    const first = await share({ party: 'donor:japan', note: 'For your committee' });
    expect([first.status, first.body.shared]).toEqual([
      200,
      [{ party: 'donor:japan', at: expect.any(String), lines: 2 }],
    ]);
    const again = await share({ party: 'donor:japan' });
    expect([again.status, again.headers.etag, again.body.shared]).toEqual([200, first.headers.etag, first.body.shared]);
    const items = await listed(JAPAN);
    const quantities = Object.fromEntries(
      (first.body.pairs.items as { needId: string; offerId: string; quantity: object }[])
        .filter(({ offerId }) => offerId === made.japan)
        .map(({ needId, quantity }) => [needId, quantity]),
    );
    expect(items).toHaveLength(2);
    for (const item of items) {
      expect(item).toEqual({
        ...{ id: expect.any(String), needId: expect.any(String), needLine: 1, offerId: made.japan, offerLine: 1 },
        ...{ quantity: quantities[item.needId], status: 'open', because: expect.stringMatching(/^score /) },
        ...{ servable: expect.any(Object), allocationId: path.split('/').at(-1), ranAt: expect.any(String) },
        ...{ sharedBy: 'agency:secretariat', sharedAt: expect.any(String), note: 'For your committee' },
        actions: ['propose'],
      });
      expect((await app.get(`/v1/suggestions/${item.id}`, { as: JAPAN })).body).toEqual(item);
    }
    const page = await app.get('/v1/suggestions?limit=1', { as: JAPAN });
    const rest = await app.get(`/v1/suggestions?limit=1&cursor=${page.body.next as string}`, { as: JAPAN });
    expect([...page.body.items, ...rest.body.items, rest.body.next]).toEqual([...items, null]);
    expect(await deskOf(JAPAN)).toMatchObject([
      { action: 'propose', href: '/v1/suggestions?status=open', record: items[0]!.id, due: null },
    ]);
    const history = (await app.get(`${path}/history`, { as: COORDINATOR })).body.items as {
      type: string;
      data: object;
    }[];
    expect(history.filter(({ type }) => type === 'AllocationShared')).toMatchObject([
      { data: { party: 'donor:japan', lines: 2, note: 'For your committee' } },
    ]);
  });

  it('tells it to nobody else', async () => {
    const id = await idOf(JAPAN, made.vanuatu!);
    for (const as of [NORWAY, VANUATU, COORDINATOR]) {
      expect(await listed(as)).toEqual([]);
      expect((await app.get(`/v1/suggestions/${id}`, { as })).status).toBe(404);
      expect(await deskOf(as)).toEqual([]);
    }
    expect((await app.get('/v1/suggestions')).status).toBe(403);
    for (const as of [NORWAY, VANUATU]) expect((await propose(id, {}, as)).status).toBe(404);
    expect((await propose(id, {}, COORDINATOR)).status).toBe(403);
  });

  it('says at once what of a sharing does not fit, and shares nothing then', async () => {
    const pair = { needId: made.fiji, needLine: 2, offerId: made.norway, offerLine: 1 };
    const refused = async (body: object, as = COORDINATOR) => {
      const { status, body: problem } = await share(body, as);
      return [status, problem.code, (problem.errors as { field: string }[] | undefined)?.[0]?.field];
    };
    expect(await refused({ party: 'donor:canada' })).toEqual([409, 'nothing-to-share', 'party']);
    expect(await refused({ party: 'donor:japan', pairs: [pair] })).toEqual([409, 'not-of-party', 'pairs[0]']);
    const unknown = { ...pair, needLine: 9 };
    expect(await refused({ party: 'donor:norway', pairs: [pair, unknown] })).toEqual([409, 'unknown-pair', 'pairs[1]']);
    expect(await refused({ party: 'donor:norway', pairs: [] })).toEqual([400, 'invalid-request', 'pairs']);
    expect(await refused({ party: 'auditor:court' })).toEqual([400, 'invalid-request', 'party']);
    expect((await refused({ party: 'donor:norway' }, JAPAN))[0]).toBe(403);
    expect((await refused({ party: 'donor:norway' }, ANOTHER))[0]).toBe(404);
    expect((await app.post(`${path}/share`, { party: 'donor:norway' }, { as: COORDINATOR })).status).toBe(428);
    expect(await listed(NORWAY)).toEqual([]);
    const running = await app.post('/v1/allocations', { objective: 'max-value' }, { as: COORDINATOR });
    const early = await share({ party: 'donor:japan' }, COORDINATOR, running.headers.location);
    expect([early.status, early.body.code]).toEqual([409, 'no-answer']);
    await settled(running.body.id as string);
  });

  it('becomes a proposal with one call, the one that the desk would have made itself, and only one', async () => {
    const id = await idOf(JAPAN, made.vanuatu!);
    const over = await propose(id, { quantity: USD('90000.01') });
    expect([over.status, over.body.code, over.body.errors]).toMatchObject([
      409,
      'over-suggestion',
      [{ field: 'quantity' }],
    ]);
    expect((await propose(id, { quantity: seats('1') })).body.code).toBe('over-suggestion');
    expect((await propose(id, { expiresAt: '2026-01-01T00:00:00Z' })).status).toBe(400);
    expect((await propose(id, { implementer: 'agency:nobody' })).body.code).toBe('unknown-agency');
    const body = { quantity: USD('15000.00'), terms: { period: { from: '2027-01-01', to: '2027-06-30' } } };
    const headers = { 'idempotency-key': 'suggested', prefer: 'wait=5' };
    const answer = await propose(id, body, JAPAN, headers);
    expect([answer.status, answer.body.detail]).toEqual([201, undefined]);
    expect(answer.headers.location).toBe(`/v1/commitments/${answer.body.id as string}`);
    expect(answer.body).toMatchObject({
      ...{ status: 'proposed', hold: 'held', proposedBy: 'donor:japan', side: 'provider' },
      ...{ needId: made.vanuatu, offerId: made.japan, legs: [{ offerLine: 1, needLine: 1, drawn: USD('15000.00') }] },
    });
    const repeated = await propose(id, body, JAPAN, headers);
    expect([repeated.status, repeated.headers.location]).toEqual([201, answer.headers.location]);
    expect((await propose(id, {}, JAPAN, headers)).status).toBe(422);
    const second = await propose(id, body);
    expect([second.status, second.body.code]).toEqual([409, 'suggestion-proposed']);
    expect(second.headers.location).toBe(answer.headers.location);
    await app.settled();
    const commitments = await app.get(`/v1/commitments?offerId=${made.japan!}`, { as: JAPAN });
    expect(commitments.body.items.map((each: { id: string }) => each.id)).toEqual([answer.body.id]);
    const shown = (await app.get(`/v1/suggestions/${id}`, { as: JAPAN })).body;
    expect(shown).toMatchObject({ status: 'proposed', commitmentId: answer.body.id, actions: [] });
    expect((await listed(JAPAN, '?status=proposed')).map((each) => each.id)).toEqual([id]);
    const [open] = await listed(JAPAN, '?status=open');
    expect(open).toMatchObject({ needId: made.fiji, servable: USD('50000.00') });
    expect(await deskOf(JAPAN)).toMatchObject([{ record: open!.id }]);
  });

  it('is stale where it could not be bound now, and is proposed no more', async () => {
    expect((await share({ party: 'donor:norway' })).status).toBe(200);
    const id = await idOf(NORWAY, made.fiji!);
    await command(`/v1/offers/${made.norway!}/suspend`, { reason: { code: 'budget' } }, NORWAY);
    await app.settled();
    const [suspended] = await listed(NORWAY);
    expect(suspended).toMatchObject({ id, status: 'stale', because: expect.stringMatching(/suspended/i), actions: [] });
    await command(`/v1/offers/${made.norway!}/withdraw`, { reason: { code: 'budget' } }, NORWAY);
    await app.settled();
    expect(await listed(NORWAY, '?status=stale')).toMatchObject([{ id, actions: [] }]);
    expect(await listed(NORWAY, '?status=open')).toEqual([]);
    expect(await deskOf(NORWAY)).toEqual([]);
    expect((await propose(id, {}, NORWAY)).body.code).toBe('offer-not-open');
  });

  it('is gone for a desk that sees the need no more, and is not told to one that never did', async () => {
    const id = await idOf(JAPAN, made.fiji!);
    await command(`/v1/needs/${made.fiji!}/amend`, { visibility: { summary: 'members', body: 'sealed' } }, FIJI);
    await app.settled();
    expect((await listed(JAPAN)).map(({ needId }) => needId)).toEqual([made.vanuatu]);
    expect((await app.get(`/v1/suggestions/${id}`, { as: JAPAN })).status).toBe(404);
    expect((await propose(id)).status).toBe(404);
    expect(await deskOf(JAPAN)).toEqual([]);
    const pair = { needId: made.fiji, needLine: 1, offerId: made.japan, offerLine: 1 };
    const named = await share({ party: 'donor:japan', pairs: [pair] });
    expect([named.status, named.body.code]).toEqual([409, 'not-of-party']);
  });
});
