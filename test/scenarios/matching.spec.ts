import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const NORWAY: As = { party: 'donor:norway', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const FIJI: As = { party: 'state:FJI', role: 'npc' };
const USD = (amount: string) => ({ measure: 'money', currency: 'USD', amount });

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

const created = async (path: string, body: object, as: As): Promise<string> => {
  const answer = await app.post(path, body, { as });
  expect([answer.status, answer.body.detail]).toEqual([201, undefined]);
  return answer.body.id as string;
};

const command = async (path: string, body: object, as: As): Promise<void> => {
  const record = path.split('/').slice(0, 4).join('/');
  const etag = (await app.get(record, { as })).headers.etag!;
  const answer = await app.post(path, body, { as, headers: { 'if-match': etag, prefer: 'wait=5' } });
  expect([answer.status, answer.body.detail]).toEqual([200, undefined]);
};

const openNeed = async (changes: object = {}, as: As = VANUATU): Promise<string> => {
  const id = await created(
    '/v1/needs',
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
  await command(`/v1/needs/${id}/submit`, { consent: { circulate: true, publish: true } }, as);
  await command(`/v1/needs/${id}/open`, {}, COORDINATOR);
  return id;
};

const offer = (changes: object = {}, as: As = JAPAN): Promise<string> =>
  created(
    '/v1/offers',
    {
      title: 'Legal drafting',
      lines: [{ kinds: ['legal'], capacity: USD('100000.00') }],
      visibility: 'public',
      ...changes,
    },
    as,
  );

const matched = async (path: string, as?: As): Promise<{ ids: string[]; blocked: Record<string, string[]> }> => {
  await app.settled();
  const answer = await app.get(`${path}/matches?includeBlocked=true`, as === undefined ? {} : { as });
  expect(answer.status).toBe(200);
  const idOf = (item: { offerId?: string; needId?: string }) => item.offerId ?? item.needId ?? '';
  return {
    ids: answer.body.items.map(idOf),
    blocked: Object.fromEntries(
      answer.body.blocked.map((item: { offerId?: string; needId?: string; reasons: { code: string }[] }) => [
        idOf(item),
        item.reasons.map(({ code }) => code),
      ]),
    ),
  };
};

describe('matches', () => {
  it('pair an open need with an open offer from both sides, and say how much could be served', async () => {
    const needId = await openNeed();
    const offerId = await offer();
    expect((await matched(`/v1/needs/${needId}`)).ids).toContain(offerId);
    expect((await matched(`/v1/offers/${offerId}`)).ids).toContain(needId);
    const answer = await app.get(`/v1/needs/${needId}/matches`);
    const match = answer.body.items.find((item: { offerId: string }) => item.offerId === offerId);
    expect(match.coverage).toEqual([{ needLine: 1, offerLine: 1, quantity: USD('100000.00') }]);
    expect(answer.body.ruleset).toBe('3');
    expect(answer.body.asOf).toMatch(/^\d+$/);
  });

  it('shrink with what is held, and block with the reason once nothing is left', async () => {
    const needId = await openNeed();
    const offerId = await offer();
    const proposal = await app.post(
      '/v1/commitments',
      { offerId, needId, legs: [{ offerLine: 1, needLine: 1, drawn: USD('100000.00') }] },
      { as: JAPAN, headers: { prefer: 'wait=5' } },
    );
    expect(proposal.body.hold).toBe('held');
    const { ids, blocked } = await matched(`/v1/needs/${needId}`);
    expect(ids).not.toContain(offerId);
    expect(blocked[offerId]).toEqual(['capacity']);
    await command(`/v1/commitments/${proposal.body.id as string}/withdraw`, { reason: { code: 'budget' } }, JAPAN);
    await app.settled();
    expect((await matched(`/v1/needs/${needId}`)).ids).toContain(offerId);
  });

  it('never show a record that the caller may not see', async () => {
    const sealed = await openNeed({ visibility: { summary: 'sealed', body: 'sealed' } });
    const named = await openNeed({ visibility: 'named', named: ['donor:japan'] });
    const offerId = await offer();
    const byJapan = await matched(`/v1/offers/${offerId}`, JAPAN);
    expect(byJapan.ids).toContain(named);
    expect(byJapan.ids).not.toContain(sealed);
    expect(byJapan.blocked).not.toHaveProperty(sealed);
    for (const as of [NORWAY, FIJI, undefined]) {
      const seen = await matched(`/v1/offers/${offerId}`, as);
      expect([...seen.ids, ...Object.keys(seen.blocked)]).not.toContain(named);
    }
    expect((await app.get(`/v1/needs/${named}/matches`, { as: NORWAY })).status).toBe(404);
  });

  it('tell the State, and nobody else, that a provider may not see its need', async () => {
    const hidden = await openNeed({ visibility: 'named', named: ['donor:norway'] });
    const offerId = await offer();
    expect((await matched(`/v1/needs/${hidden}`, VANUATU)).blocked[offerId]).toEqual(['visibility']);
    expect((await matched(`/v1/needs/${hidden}`, NORWAY)).blocked).not.toHaveProperty(offerId);
  });

  it('open a need labelled eligible to a provider whose fitting offer is older than a day', async () => {
    const needId = await openNeed({
      visibility: { summary: 'eligible', body: 'eligible' },
      kinds: ['training'],
      lines: [{ kind: 'training', quantity: { measure: 'seats', amount: '5' } }],
    });
    const seats = { lines: [{ kinds: ['training'], capacity: { measure: 'seats', amount: '3' } }] };
    await offer(seats, NORWAY);
    await app.settled();
    const status = async (as: As) => (await app.get(`/v1/needs/${needId}`, { as })).status;
    expect(await status(NORWAY)).toBe(404);
    app.clock.advance(25 * 3_600_000);
    expect(await status(NORWAY)).toBe(200);
    expect(await status(JAPAN)).toBe(404);
    expect((await app.get('/v1/needs?kind=training', { as: NORWAY })).body.items).toHaveLength(1);
    expect((await app.get('/v1/needs?kind=training', { as: JAPAN })).body.items).toHaveLength(0);
  });
});

describe('the desk', () => {
  const waiting = async (as: As): Promise<{ record: string; action: string }[]> => {
    await app.settled();
    const answer = await app.get('/v1/desk?limit=200', { as });
    expect(answer.status).toBe(200);
    return answer.body.items;
  };
  const actions = async (as: As, record: string): Promise<string[]> =>
    (await waiting(as)).filter((item) => item.record === record).map(({ action }) => action);

  it('follows a need and a commitment from hand to hand', async () => {
    const needId = await created(
      '/v1/needs',
      {
        title: 'Vault doors',
        kinds: ['physical-protection'],
        instruments: ['UNPoA'],
        authorityRef: 'NV 13/2026',
        lines: [{ kind: 'physical-protection', quantity: { measure: 'items', unit: 'safe', amount: '4' } }],
      },
      VANUATU,
    );
    await command(`/v1/needs/${needId}/submit`, { consent: { circulate: true, publish: false } }, VANUATU);
    expect(await actions(COORDINATOR, needId)).toEqual(['open']);
    expect(await actions(VANUATU, needId)).toEqual([]);
    await command(`/v1/needs/${needId}/open`, {}, COORDINATOR);
    expect(await actions(COORDINATOR, needId)).toEqual([]);

    const safes = { measure: 'items', unit: 'safe', amount: '4' };
    const offerId = await offer({ lines: [{ kinds: ['physical-protection'], capacity: safes }] });
    const proposal = await app.post(
      '/v1/commitments',
      { offerId, needId, legs: [{ offerLine: 1, needLine: 1, drawn: safes }] },
      { as: JAPAN, headers: { prefer: 'wait=5' } },
    );
    const id = proposal.body.id as string;
    const path = `/v1/commitments/${id}`;
    expect(await actions(VANUATU, id)).toEqual(['accept']);
    await command(`${path}/accept`, {}, VANUATU);
    expect(await actions(VANUATU, id)).toEqual(['sign']);
    expect(await actions(JAPAN, id)).toEqual(['sign']);
    await command(`${path}/sign`, {}, JAPAN);
    expect(await actions(JAPAN, id)).toEqual([]);
    await command(`${path}/sign`, {}, VANUATU);
    await command(`${path}/deliveries`, { leg: 1, quantity: safes, date: '2026-11-20' }, JAPAN);
    const [confirm] = (await waiting(VANUATU)).filter((item) => item.record === id);
    expect(confirm).toMatchObject({ action: 'confirm', n: 1, kind: 'commitment', href: path, reminders: 0 });
    expect(await actions(FIJI, id)).toEqual([]);
    await command(`${path}/deliveries/1/confirm`, { condition: 'usable' }, VANUATU);
    expect(await actions(VANUATU, id)).toEqual([]);
  });

  it('pages without losing or repeating an entry', async () => {
    for (let n = 0; n < 3; n += 1) {
      const id = await created(
        '/v1/needs',
        {
          title: `Need ${n}`,
          kinds: ['legal'],
          instruments: ['ATT'],
          authorityRef: 'x',
          lines: [{ kind: 'legal', quantity: USD('1.00') }],
        },
        VANUATU,
      );
      await command(`/v1/needs/${id}/submit`, { consent: { circulate: true, publish: true } }, VANUATU);
    }
    const all = (await waiting(COORDINATOR)).map(({ record, action }) => `${record} ${action}`);
    const paged: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const answer = await app.get(`/v1/desk?limit=1${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`, {
        as: COORDINATOR,
      });
      paged.push(
        ...answer.body.items.map((item: { record: string; action: string }) => `${item.record} ${item.action}`),
      );
      cursor = answer.body.next as string | null;
    }
    expect(paged).toEqual(all);
    expect(new Set(paged).size).toBe(all.length);
  });
});

describe('the log for auditors', () => {
  const BOARD: As = { party: 'auditor:board', role: 'auditor' };
  const LOCAL: As = { party: 'auditor:local', role: 'auditor' };

  beforeAll(async () => {
    for (const { party } of [BOARD, LOCAL]) await created('/v1/parties', { id: party, name: party }, COORDINATOR);
    const mandate = { sealed: false, from: '2026-01-01', to: '2027-12-31', reference: 'Res 1' };
    await created('/v1/mandates', { ...mandate, auditor: BOARD.party, scope: { everything: true } }, COORDINATOR);
    await created('/v1/mandates', { ...mandate, auditor: LOCAL.party, scope: { parties: ['state:FJI'] } }, COORDINATOR);
  });

  it('is 403 for everyone without a mandate', async () => {
    for (const as of [undefined, VANUATU, JAPAN, COORDINATOR, { party: 'auditor:none', role: 'auditor' }]) {
      expect((await app.get('/v1/audit/events', as === undefined ? {} : { as })).status).toBe(403);
    }
  });

  it('lists what the mandate does not open by its place alone, and leaves it out under a filter', async () => {
    const sealed = await openNeed({ title: 'Marker-7391', visibility: { summary: 'sealed', body: 'sealed' } });
    const all = async (as: As, query = ''): Promise<Record<string, unknown>[]> => {
      const items: Record<string, unknown>[] = [];
      for (let after: string | null = '0'; after !== null;) {
        const answer = await app.get(`/v1/audit/events?limit=200&after=${after}${query}`, { as });
        expect(answer.status).toBe(200);
        items.push(...answer.body.items);
        after = answer.body.next as string | null;
      }
      return items;
    };
    const head = await app.store.head();
    const local = await all(LOCAL);
    expect(local.at(-1)?.position).toBe(String(head));
    expect(local.some(({ masked }) => masked === true)).toBe(true);
    for (const item of local.filter(({ masked }) => masked === true))
      expect(Object.keys(item).sort()).toEqual(['masked', 'position']);
    expect(JSON.stringify(local)).not.toContain('Marker-7391');
    expect(JSON.stringify(local)).not.toContain(sealed);
    expect(await all(LOCAL, '&type=NeedDrafted')).toEqual(local.filter(({ type }) => type === 'NeedDrafted'));
    expect((await all(BOARD)).length).toBe(local.length);
  });

  it('streams the same events as lines', async () => {
    const answer = await app.get('/v1/audit/events', { as: BOARD, headers: { accept: 'application/x-ndjson' } });
    expect(answer.headers['content-type']).toContain('application/x-ndjson');
    const { text } = answer;
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { position: string });
    expect(lines.at(-1)?.position).toBe(String(await app.store.head()));
  });

  it('shows the boards as they stood', async () => {
    const needId = await openNeed({ title: 'Once a draft' });
    const history = (await app.get(`/v1/needs/${needId}/history`, { as: VANUATU })).body.items as {
      position: string;
    }[];
    const statusAt = async (at: string) => {
      const answer = await app.get(`/v1/audit/state?at=${at}`, { as: BOARD });
      expect(answer.status).toBe(200);
      return (answer.body.needs as { id: string; status: string }[]).find(({ id }) => id === needId)?.status;
    };
    expect(await statusAt(history[2]!.position)).toBe('open');
    expect(await statusAt(String(BigInt(history[0]!.position) - 1n))).toBeUndefined();
    const offerId = await offer();
    await app.settled();
    const before = String(await app.store.head());
    const proposal = await app.post(
      '/v1/commitments',
      { offerId, needId, legs: [{ offerLine: 1, needLine: 1, drawn: USD('5.00') }] },
      { as: JAPAN, headers: { prefer: 'wait=5' } },
    );
    expect(proposal.body.hold).toBe('held');
    const stood = (await app.get(`/v1/audit/state?at=${before}`, { as: BOARD })).body;
    const need = stood.needs.find(({ id }: { id: string }) => id === needId);
    // Today's proposals say nothing of that day.
    expect(need.lines[0].coverage).not.toHaveProperty('indicative');
    expect(need).not.toHaveProperty('actions');
    expect(stood.offers.find(({ id }: { id: string }) => id === offerId).lines[0].held).toEqual(USD('0.00'));
    expect(stood.commitments.some(({ id }: { id: string }) => id === proposal.body.id)).toBe(false);
    expect((await app.get('/v1/audit/state?at=soon', { as: BOARD })).status).toBe(400);
    expect((await app.get('/v1/audit/state', { as: BOARD })).status).toBe(400);
  });
});
