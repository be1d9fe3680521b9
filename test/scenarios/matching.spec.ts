import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import { sceneOf } from '../support/scene.js';

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

describe('the feed of matches', () => {
  const SOLOMONS: As = { party: 'state:SLB', role: 'npc' };
  const CHF = (amount: string) => ({ measure: 'money', currency: 'CHF', amount });
  const need = (changes: object = {}): Promise<string> =>
    openNeed({ kinds: ['tracing'], lines: [{ kind: 'tracing', quantity: CHF('1000.00') }], ...changes }, SOLOMONS);
  const tracing = (changes: object = {}): Promise<string> =>
    offer({ lines: [{ kinds: ['tracing'], capacity: CHF('1000.00') }], ...changes }, NORWAY);
  const read = async (query: string, as: As = SOLOMONS) => {
    await app.settled();
    const answer = await app.get(`/v1/matches/feed?${query}`, { as });
    expect([answer.status, answer.body.detail]).toEqual([200, undefined]);
    return answer.body as Page;
  };
  interface Item {
    change: string;
    needId: string;
    offerId: string;
    score: { before: number | null; after: number | null };
    reasons: { code: string }[];
    components?: { name: string }[];
  }
  interface Page {
    restart: boolean;
    items: Item[];
    next: string;
    more: boolean;
    asOf: string;
  }
  const told = ({ items }: Page) =>
    items.map(({ change, needId, offerId, reasons }) => [change, needId, offerId, reasons.map(({ code }) => code)]);

  let needId: string;
  let offerId: string;
  let sealedOffer: string;
  let passing: string;
  let cursor: string;

  it('tells whose record it is what appeared, and later what became of it and why', async () => {
    needId = await need();
    offerId = await tracing();
    sealedOffer = await tracing({ visibility: 'sealed', period: { from: '2026-01-01', to: '2026-11-24' } });
    const first = await read('');
    expect(told(first)).toEqual([['appeared', needId, offerId, []]]);
    expect(first).toMatchObject({ restart: false, more: false });
    expect((await read('', NORWAY)).items.map(({ offerId: id }) => id)).toContain(offerId);
    expect((await read('', FIJI)).items.map(({ needId: id }) => id)).not.toContain(needId);

    const proposed = async (amount: string): Promise<string> => {
      const body = { offerId, needId, legs: [{ offerLine: 1, needLine: 1, drawn: CHF(amount) }] };
      const answer = await app.post('/v1/commitments', body, { as: NORWAY, headers: { prefer: 'wait=5' } });
      expect(answer.body.hold).toBe('held');
      return answer.body.id as string;
    };
    await proposed('600.00');
    const less = await read(`after=${first.next}`);
    expect(told(less)).toEqual([['worsened', needId, offerId, []]]);
    expect(less.items[0]?.components?.map(({ name }) => name)).toEqual(['coverage']);
    const rest = await proposed('400.00');
    const gone = await read(`after=${less.next}`);
    expect(told(gone)).toEqual([['vanished', needId, offerId, ['capacity']]]);
    await command(`/v1/commitments/${rest}/withdraw`, { reason: { code: 'budget' } }, NORWAY);
    const back = await read(`after=${gone.next}`);
    expect(told(back)).toEqual([['appeared', needId, offerId, ['capacity']]]);
    // From where it was read first: what lies between is not told, where it came to is.
    expect((await read(`after=${first.next}`)).items).toMatchObject([
      { change: 'worsened', score: { before: first.items[0]?.score.after, after: back.items[0]?.score.after } },
    ]);
    cursor = back.next;
  });

  it('tells of what may be seen now, and no longer, naming no reason that is not for the caller', async () => {
    await command(`/v1/offers/${sealedOffer}/amend`, { visibility: 'public' }, NORWAY);
    const shown = await read(`after=${cursor}`);
    expect(told(shown)).toEqual([['appeared', needId, sealedOffer, ['not-shown']]]);
    passing = await tracing();
    const passed = await read(`after=${shown.next}`);
    expect(told(passed)).toEqual([['appeared', needId, passing, ['offer-not-open']]]);
    await command(`/v1/offers/${passing}/amend`, { visibility: 'sealed' }, NORWAY);
    const hidden = await read(`after=${passed.next}`);
    expect(told(hidden)).toEqual([['vanished', needId, passing, ['not-shown']]]);
    cursor = hidden.next;
  });

  it('tells of a period that ended without an event', async () => {
    app.clock.advance(3 * 86_400_000);
    const over = await read(`after=${cursor}`);
    expect(told(over).toSorted()).toEqual(
      [
        // A need that was reaffirmed three days longer ago.
        ['worsened', needId, offerId, []],
        ['vanished', needId, sealedOffer, ['period']],
      ].toSorted(),
    );
    expect((await read(`after=${over.next}`)).items).toEqual([]);
    cursor = over.next;
  });

  it('takes a cursor of another filter, caller or log, and a filter of too many records, for what they are', async () => {
    const refused = async (query: string, as?: As) => {
      const { status, body } = await app.get(`/v1/matches/feed?${query}`, as === undefined ? {} : { as });
      return [status, body.errors?.map(({ field }: { field: string }) => field)];
    };
    expect(await refused(`kind=legal&after=${cursor}`, SOLOMONS)).toEqual([400, ['after']]);
    expect(await refused(`after=${cursor}`, NORWAY)).toEqual([400, ['after']]);
    expect(await refused('after=9999999', SOLOMONS)).toEqual([400, ['after']]);
    expect(await refused('records=some&limit=0&bogus=1', SOLOMONS)).toEqual([400, ['bogus', 'limit', 'records']]);
    expect(await refused('')).toEqual([403, undefined]);
  });

  it('streams the same pages to whoever asks so, from where a broken stream ended, until the token ends', async () => {
    const token = await app.token({ party: SOLOMONS.party, roles: ['npc'] });
    const stream = async (headers: Record<string, string>): Promise<EventReader> => {
      const answer = await fetch(`${app.url}/v1/matches/feed?needId=${needId}`, {
        headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...headers },
      });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
      return new EventReader(answer);
    };
    const first = await stream({});
    const { id: begun = '' } = await first.next();
    await command(`/v1/offers/${passing}/amend`, { visibility: 'public' }, NORWAY);
    const appeared = await first.next();
    expect([appeared.event, told(appeared.data as Page)]).toEqual([
      'matches',
      [['appeared', needId, passing, ['not-shown']]],
    ]);
    expect(appeared.id).toBe((appeared.data as Page).next);
    await first.cancel();

    const second = await stream({ 'last-event-id': begun });
    expect(told((await second.next()).data as Page)).toEqual(told(appeared.data as Page));
    await command(`/v1/offers/${passing}/withdraw`, { reason: { code: 'budget' } }, NORWAY);
    const withdrawn = await second.next();
    expect(told(withdrawn.data as Page)).toEqual([['vanished', needId, passing, ['offer-not-open']]]);
    const held = [await stream({}), await stream({}), await stream({})];
    const fifth = await app.get('/v1/matches/feed', { as: SOLOMONS, headers: { accept: 'text/event-stream' } });
    expect([fifth.status, fifth.headers['retry-after']]).toEqual([429, '30']);
    app.clock.advance(13 * 3_600_000);
    await tracing();
    expect(await second.next()).toMatchObject({ event: 'problem', data: { status: 401, code: 'unauthenticated' } });
    expect(await second.next()).toEqual({});
    for (const each of held) await each.cancel();
  });
});

interface StreamedEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data?: unknown;
}

/** Events of a stream as a client reads them, without those that only say where to go on; empty once it has ended. */
class EventReader {
  private readonly reader;
  private text = '';
  private started = false;

  constructor(answer: Response) {
    this.reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  async next(): Promise<StreamedEvent> {
    for (;;) {
      for (let end = this.text.indexOf('\n\n'); end >= 0; end = this.text.indexOf('\n\n')) {
        const fields = Object.fromEntries(
          this.text
            .slice(0, end)
            .split('\n')
            .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
        ) as { id?: string; event?: string; data?: string };
        this.text = this.text.slice(end + 2);
        if (fields.data !== undefined) return { ...fields, data: JSON.parse(fields.data) as unknown };
        const started = this.started;
        this.started = true;
        if (fields.id !== undefined && !started) return { id: fields.id };
      }
      const { done, value } = await this.reader.read();
      if (done) return {};
      this.text += value;
    }
  }

  cancel(): Promise<void> {
    return this.reader.cancel();
  }
}

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
