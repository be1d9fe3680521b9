import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import { sceneOf } from '../support/scene.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const NORWAY: As = { party: 'donor:norway', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const USD = (amount: string) => ({ measure: 'money', currency: 'USD', amount });

const WEIGHTS = {
  ...{ fit: '0.15', coverage: '0.25', priority: '0.15', earmark: '0.1', period: '0.1', language: '0.05' },
  ...{ 'prior-work': '0.05', freshness: '0.05', conditions: '0.1' },
};

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
  for (const [id, ofState] of [
    ['donor:japan', 'JPN'],
    ['donor:norway', 'NOR'],
  ]) {
    await created('/v1/parties', { id, name: id, ofState }, COORDINATOR);
  }
});
afterAll(() => app.close());

const { created, command, opened } = sceneOf(() => app);

const openNeed = (changes: object = {}, as: As = VANUATU): Promise<string> => {
  return opened(
    {
      title: 'Review the firearms act',
      kinds: ['legal'],
      instruments: ['ATT'],
      authorityRef: 'NV 12/2026',
      lines: [{ kind: 'legal', quantity: USD('180000.00') }],
      visibility: { summary: 'public', body: 'public' },
      ...changes,
    },
    as,
  );
};

const offer = (changes: object = {}, as: As = JAPAN): Promise<string> =>
  created(
    '/v1/offers',
    { title: 'Drafting', lines: [{ kinds: ['legal'], capacity: USD('100000.00') }], visibility: 'public', ...changes },
    as,
  );

/** Binds the whole of a line of an offer to a line of a need. */
const bound = async (offerId: string, needId: string, amount: string): Promise<void> => {
  const proposal = await app.post(
    '/v1/commitments',
    { offerId, needId, legs: [{ offerLine: 1, needLine: 1, drawn: USD(amount) }] },
    { as: JAPAN, headers: { prefer: 'wait=5' } },
  );
  const path = `/v1/commitments/${proposal.body.id as string}`;
  await command(`${path}/accept`, {}, VANUATU);
  await command(`${path}/sign`, {}, JAPAN);
  await command(`${path}/sign`, {}, VANUATU);
};

interface Item {
  readonly offerId: string;
  readonly score: number;
  readonly components: readonly { readonly name: string; readonly value: number; readonly because: string }[];
}
interface Blocked {
  readonly offerId: string;
  readonly reasons: readonly { readonly code: string; readonly need: object; readonly offer: object }[];
  readonly unlock: readonly object[];
  readonly unlockable: boolean;
}
interface List {
  readonly items: readonly Item[];
  readonly blocked: readonly Blocked[];
  readonly opening?: object;
  readonly ruleset: string;
  readonly asOf: string;
  readonly on: string;
}

const matches = async (path: string, query = '', as?: As): Promise<List> => {
  await app.settled();
  const answer = await app.get(`${path}/matches?limit=200${query}`, as === undefined ? {} : { as });
  expect([answer.status, answer.body.detail]).toEqual([200, undefined]);
  return answer.body as List;
};

const part = (list: List, offerId: string, name: string): Item['components'][number] | undefined =>
  list.items.find((item) => item.offerId === offerId)?.components.find((component) => component.name === name);

describe('a version of the rules', () => {
  it('is asked for by name, the newest where none is, and no other is answered', async () => {
    const needId = await openNeed();
    const offerId = await offer();
    const path = `/v1/needs/${needId}`;
    const newest = await matches(path);
    expect(newest.ruleset).toBe('3');
    expect(newest.items.map((item) => item.offerId)).toContain(offerId);
    for (const version of ['1', '2', '3']) {
      expect((await matches(path, `&ruleset=${version}`)).ruleset).toBe(version);
    }
    const names = (await matches(path, '&ruleset=2')).items[0]?.components.map(({ name }) => name);
    expect(names).toEqual(['quantity', 'lines', 'earmark', 'period', 'language', 'urgency']);
    const unknown = await app.get(`${path}/matches?ruleset=4`);
    expect([unknown.status, unknown.body.errors]).toEqual([
      400,
      [{ field: 'ruleset', message: 'must be one of 1, 2, 3' }],
    ]);
  });

  it('blocks by what the first versions overlooked: a smallest lot, a line without a quantity', async () => {
    const unknown = { kind: 'legal', quantity: { measure: 'undetermined', why: 'to-be-assessed' } };
    const needId = await openNeed({ lines: [unknown] });
    const offerId = await offer();
    const blockedIn = async (version: string): Promise<readonly string[] | undefined> =>
      (await matches(`/v1/needs/${needId}`, `&includeBlocked=true&ruleset=${version}`)).blocked
        .find((each) => each.offerId === offerId)
        ?.reasons.map(({ code }) => code);
    expect(await blockedIn('1')).toEqual(['measure']);
    expect(await blockedIn('2')).toBeUndefined();
    expect(await blockedIn('3')).toBeUndefined();
  });

  it('reads as a table of rules and weighted parts, to anyone', async () => {
    const table = await app.get('/v1/rulesets/3');
    expect(table.status).toBe(200);
    expect(table.body).toMatchObject({ id: '3', newest: true, revision: null });
    const parts = table.body.parts as { name: string; weight: string }[];
    expect(Object.fromEntries(parts.map(({ name, weight }) => [name, weight]))).toEqual(WEIGHTS);
    const codes = (table.body.rules as { codes: string[] }[]).flatMap((rule) => rule.codes);
    expect(codes).toEqual(expect.arrayContaining(['same-side', 'region', 'national-report', 'below-minimum-lot']));
    expect(((await app.get('/v1/rulesets')).body.items as { id: string }[]).map(({ id }) => id)).toEqual([
      '1',
      '2',
      '3',
    ]);
    expect((await app.get('/v1/rulesets/4')).status).toBe(404);
    expect((await app.get('/v1/rulesets/1/history')).body).toEqual({ items: [], next: null });
  });
});

describe('weights', () => {
  it('are set by the coordinator alone, well-formed, and sum to one', async () => {
    const set = (weights: object, as: As, path = '/v1/rulesets/3/weights') =>
      app.post(path, { weights, reason: 'As the meeting agreed.' }, { as });
    expect((await set(WEIGHTS, JAPAN)).status).toBe(403);
    const more = await set({ ...WEIGHTS, fit: '0.16' }, COORDINATOR);
    expect([more.status, more.body.errors]).toEqual([
      400,
      [{ field: 'weights', message: 'must sum to exactly 1: they come to more' }],
    ]);
    const { fit: _, ...without } = WEIGHTS;
    const short = await set({ ...without, period: 0.1 }, COORDINATOR);
    expect(short.status).toBe(400);
    expect((short.body.errors as { field: string }[]).map(({ field }) => field).sort()).toEqual([
      'weights.fit',
      'weights.period',
    ]);
    expect((await set(WEIGHTS, COORDINATOR, '/v1/rulesets/2/weights')).body.code).toBe('weights-fixed');
    expect((await set(WEIGHTS, COORDINATOR, '/v1/rulesets/9/weights')).status).toBe(404);
  });

  it('count from when they are set, and an answer from before is given again as it was', async () => {
    const needId = await openNeed({ urgency: 'urgent', rank: 1 });
    const offerId = await offer();
    await offer({ lines: [{ kinds: ['legal', 'training'], capacity: USD('150000.00') }] });
    const path = `/v1/needs/${needId}`;
    const before = await matches(path, '&includeBlocked=true');
    const weights = { ...WEIGHTS, priority: '0.35', coverage: '0.05' };
    const set = await app.post(
      '/v1/rulesets/3/weights',
      { weights, reason: 'Urgent needs first.' },
      { as: COORDINATOR },
    );
    expect([set.status, set.body.revision]).toEqual([200, 0]);
    const after = await matches(path);
    expect(part(after, offerId, 'priority')).toMatchObject({ weight: 0.35, value: 1 });
    // Everything a pairing is judged by moves: lines, earmarks, holds, memberships, the provider's State, and the day.
    await bound(offerId, needId, '60000.00');
    await command(`/v1/offers/${offerId}/amend`, { earmark: { regions: ['150'] } }, JAPAN);
    await command(`${path}/amend`, { title: 'Anew', languages: ['fr'] }, VANUATU);
    await command('/v1/parties/donor:japan/amend', { ofState: 'NOR' }, COORDINATOR);
    await offer({ lines: [{ kinds: ['legal'], capacity: USD('5.00') }] });
    app.clock.advance(40 * 86_400_000);
    expect((await matches(path)).items.map((item) => item.offerId)).not.toContain(offerId);
    const again = await matches(path, `&includeBlocked=true&at=${before.asOf}&on=${before.on}`);
    expect(again).toEqual(before);
    // Without the day it is judged for today.
    expect((await matches(path, `&at=${before.asOf}`)).on).toBe('2027-01-01');
    const two = await matches(path, `&includeBlocked=true&ruleset=2&at=${before.asOf}`);
    expect(two.items.map((item) => item.offerId).sort()).toEqual(before.items.map((item) => item.offerId).sort());
    const fromOffer = await app.get(`/v1/offers/${offerId}/matches?at=${before.asOf}&on=${before.on}`);
    expect(
      (fromOffer.body.items as { needId: string; score: number }[]).find((item) => item.needId === needId)?.score,
    ).toBe(before.items.find((item) => item.offerId === offerId)?.score);
    await command('/v1/parties/donor:japan/amend', { ofState: 'JPN' }, COORDINATOR);
  });

  it('are told apart from what the log has not come to', async () => {
    const needId = await openNeed();
    const { asOf } = await matches(`/v1/needs/${needId}`);
    const late = await app.get(`/v1/needs/${needId}/matches?at=${BigInt(asOf) + 1n}`);
    expect([late.status, late.body.errors]).toEqual([
      400,
      [{ field: 'at', message: `must not be later than ${asOf}, where matches stand now` }],
    ]);
    for (const query of ['at=soon', 'on=2026-11-22', `at=${asOf}&on=2026-02-30`]) {
      expect([query, (await app.get(`/v1/needs/${needId}/matches?${query}`)).status]).toEqual([query, 400]);
    }
    // Before the need was filed there was nothing to match.
    expect(await matches(`/v1/needs/${needId}`, '&at=1')).toMatchObject({ items: [], blocked: [] });
  });
});

describe('prior work', () => {
  it('counts binding commitments of the sides, those that whoever asks may see', async () => {
    const named = { visibility: 'named', named: ['state:VUT'] };
    const needId = await openNeed();
    const hidden = await offer({ ...named, lines: [{ kinds: ['legal'], capacity: USD('70000.00') }] });
    const shown = await offer({ lines: [{ kinds: ['legal'], capacity: USD('80000.00') }] });
    const worth = async (as?: As): Promise<string | undefined> =>
      part(await matches(`/v1/needs/${needId}`, '', as), shown, 'prior-work')?.because;
    const before = [await worth(VANUATU), await worth(NORWAY), await worth()];
    await bound(hidden, needId, '100.00');
    const count = (because: string | undefined): number => Number(/^\d+/.exec(because ?? '')?.[0]);
    expect(count(await worth(VANUATU))).toBe(Math.min(3, count(before[0]) + 1));
    expect([await worth(NORWAY), await worth()]).toEqual([before[1], before[2]]);
  });
});

describe('a blocked pairing', () => {
  const blockedOf = async (needId: string, offerId: string, as?: As): Promise<Blocked | undefined> =>
    (await matches(`/v1/needs/${needId}`, '&includeBlocked=true', as)).blocked.find((each) => each.offerId === offerId);

  it('says every failing rule with the facts on both sides, and the smallest change that unlocks it', async () => {
    const needId = await openNeed({
      instruments: ['UNPoA'],
      kinds: ['tracing'],
      lines: [{ kind: 'tracing', quantity: USD('10.00') }],
    });
    const offerId = await offer({
      lines: [{ kinds: ['tracing'], capacity: USD('50.00') }],
      earmark: { regions: ['150'] },
      conditions: [{ code: 'national-report' }],
    });
    const blocked = await blockedOf(needId, offerId);
    expect(blocked?.reasons).toEqual([
      {
        code: 'region',
        because: 'the offer is for the regions 150 only',
        need: { beneficiaries: ['state:VUT'], regions: expect.arrayContaining(['009', '054']) },
        offer: { earmark: { regions: ['150'] } },
      },
      {
        code: 'national-report',
        because: 'the offer asks that the need appears in a national report, and the need cites none',
        need: { reportRefs: [] },
        offer: { conditions: ['national-report'] },
      },
    ]);
    expect(blocked?.unlock).toEqual([
      { side: 'offer', code: 'region', change: 'this offer: add Melanesia (054) to the regions of the earmark' },
      { side: 'need', code: 'national-report', change: 'this need: cite a national report' },
    ]);
    expect(blocked?.unlockable).toBe(true);
    await command(`/v1/offers/${offerId}/amend`, { earmark: { regions: ['150', '054'] } }, JAPAN);
    const reportRefs = [{ instrument: 'UNPoA', year: 2026 }];
    await command(`/v1/needs/${needId}/amend`, { reportRefs }, VANUATU);
    expect((await matches(`/v1/needs/${needId}`)).items.map((item) => item.offerId)).toContain(offerId);
  });

  it('says where no change of the two records could unlock it', async () => {
    const needId = await openNeed({ kinds: ['legal'] });
    const own: As = { party: 'state:VUT', role: 'donor-desk' };
    const offerId = await offer({}, own);
    expect(await blockedOf(needId, offerId)).toMatchObject({
      reasons: [{ code: 'same-side' }],
      unlock: [],
      unlockable: false,
    });
  });

  it('names, where a need has no match at all, the one change that would open the most', async () => {
    const needId = await openNeed({
      kinds: ['survey-research'],
      lines: [{ kind: 'survey-research', quantity: { measure: 'seats', amount: '4' } }],
    });
    const seats = { lines: [{ kinds: ['survey-research'], capacity: { measure: 'seats', amount: '9' } }] };
    const [first, second] = [
      await offer({ ...seats, conditions: [{ code: 'national-report' }] }),
      await offer({ ...seats, conditions: [{ code: 'national-report' }] }, NORWAY),
    ];
    await offer({ ...seats, earmark: { beneficiaries: ['FJI'] } });
    const list = await matches(`/v1/needs/${needId}`, '&includeBlocked=true');
    expect(list.items).toEqual([]);
    expect(list.opening).toEqual({
      side: 'need',
      record: needId,
      code: 'national-report',
      change: 'this need: cite a national report',
      opens: [first, second].sort(),
    });
    expect(await matches(`/v1/needs/${needId}`)).not.toHaveProperty('opening');
  });
});
