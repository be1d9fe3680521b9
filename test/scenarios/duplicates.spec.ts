import { everyEvent, projectionScenario } from '#kernel-testing';
import type { Traits } from '#matching';
import { desk, duplicateIdOf, duplicateTraits, evidenceOf, wordsOf } from '#matching';
import type { Kind, Quantity } from '#vocabulary';
import { stateOfParty } from '#vocabulary';
import type { PairedRecord } from '#matching/contract';
import { Random } from '../extra/random.js';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

/**
 * Candidates for duplicates, and what the coordinator finds of them.
 *
 * Seen to fail with each of these planted: sight of one record taken for both, of fresh pairs and of judged ones; judged pairs compared
 * anew; only the first of a pair's States listed under a filter, or each of them without one; pages in the order of ids; records that are
 * no longer open; commitments that were withdrawn; suggestions that stay on the desk after a merge; a first If-Match let pass.
 */
const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const USA: As = { party: 'donor:usa', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: ['npc', 'mission'] };
const FIJI: As = { party: 'state:FJI', role: ['npc', 'mission'] };
const HOST: As = { party: 'network:msg', role: 'network-host' };

const USD = (amount: number): Quantity => ({ measure: 'money', currency: 'USD', amount: `${amount}.00` });

interface Pair {
  readonly id: string;
  readonly about: string;
  readonly records: readonly PairedRecord[];
  readonly states: readonly string[];
  readonly kinds: readonly string[];
  readonly evidence: readonly { readonly name: string; readonly value: string; readonly because: string }[];
  readonly verdict?: { readonly verdict: string; readonly by: string; readonly at: string; readonly note?: string };
  readonly revision?: number;
}

let app: TestApp;
beforeEach(async () => {
  app = await testApp();
  for (const [id, more] of [
    ['donor:japan', { ofState: 'JPN' }],
    ['donor:usa', { ofState: 'USA' }],
    ['network:msg', {}],
  ] as const) {
    await created('/v1/parties', { id, name: id, category: 'ngo', ...more }, COORDINATOR);
  }
});
afterEach(() => app.close());

const created = async (path: string, body: object, as: As): Promise<string> => {
  const answer = await app.post(path, body, { as, headers: { prefer: 'wait=5' } });
  if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return (answer.body as { id: string }).id;
};

const attempt = async (path: string, body: object, as: As): Promise<Response> => {
  const { etag } = (await app.get(path.split('/').slice(0, 4).join('/'), { as })).headers;
  return app.post(path, body, {
    as,
    headers: { ...(etag === undefined ? {} : { 'if-match': etag }), prefer: 'wait=5' },
  });
};

const command = async (path: string, body: object, as: As): Promise<Response> => {
  const answer = await attempt(path, body, as);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  await app.settled();
  return answer;
};

const need = async (as: As, title: string, more: object = {}): Promise<string> => {
  const id = await created(
    '/v1/needs',
    {
      title,
      kinds: ['legal'],
      instruments: ['ATT'],
      authorityRef: 'Note 1',
      lines: [{ kind: 'legal', quantity: USD(100) }],
      visibility: { summary: 'public', body: 'public' },
      ...more,
    },
    as,
  );
  await command(`/v1/needs/${id}/submit`, { consent: { circulate: true, publish: true } }, as);
  await command(`/v1/needs/${id}/open`, {}, COORDINATOR);
  return id;
};

const offer = (as: As, more: object = {}): Promise<string> =>
  created(
    '/v1/offers',
    { title: 'Drafting', lines: [{ kinds: ['legal'], capacity: USD(500) }], visibility: 'public', ...more },
    as,
  );

const pairs = async (as: As, query = ''): Promise<readonly Pair[]> => {
  await app.settled();
  const { status, body, text } = await app.get(`/v1/duplicates?limit=200${query}`, { as });
  if (status !== 200) throw new Error(`${status} ${text}`);
  return (body as { items: readonly Pair[] }).items;
};

const firstOf = async (as: As, query = ''): Promise<Pair> => {
  const [pair] = await pairs(as, query);
  if (pair === undefined) throw new Error(`no pair for ${as.party}`);
  return pair;
};

const judged = (id: string, body: object, headers: Readonly<Record<string, string>> = {}, as = COORDINATOR) =>
  app.post(`/v1/duplicates/${id}/judge`, body, { as, headers: { prefer: 'wait=5', ...headers } });

const codeOf = ({ body }: Response): unknown => (body as { code?: string }).code;

describe('two needs of one State that read alike', () => {
  const [TITLE, AGAIN] = ['Révision de la loi sur les armes', 'Revision de la LOI des armes'];

  it('are shown to whoever sees both, with what speaks for it, and to nobody who sees one', async () => {
    const a = await need(VANUATU, TITLE);
    const b = await need(VANUATU, AGAIN, { visibility: { summary: 'public', body: 'named' }, named: ['donor:japan'] });
    await need(FIJI, TITLE);
    for (const as of [VANUATU, COORDINATOR, JAPAN]) {
      const [pair, ...more] = await pairs(as);
      expect([as.party, more]).toEqual([as.party, []]);
      expect(pair).toMatchObject({ about: 'needs', state: 'VUT', states: ['VUT'], kinds: ['legal'] });
      expect(pair?.records.map(({ id }) => id).sort()).toEqual([a, b].sort());
      expect(pair?.evidence[0]).toEqual({
        name: 'title',
        value: '0.67',
        because: 'The titles share 3 of 6 words, whatever their case and accents.',
      });
      expect(pair).not.toHaveProperty('verdict');
      const one = await app.get(`/v1/duplicates/${pair?.id ?? ''}`, { as });
      expect([one.body, one.headers.etag]).toEqual([pair, undefined]);
    }
    const { id } = await firstOf(VANUATU);
    const hidden = async (): Promise<void> => {
      for (const as of [FIJI, USA]) {
        expect(await pairs(as)).toEqual([]);
        expect((await app.get(`/v1/duplicates/${id}`, { as })).status).toBe(404);
        expect((await app.get(`/v1/duplicates/${id}/history`, { as })).status).toBe(404);
      }
    };
    await hidden();
    await command(`/v1/duplicates/${id}/judge`, { verdict: 'same' }, COORDINATOR);
    expect(await pairs(JAPAN)).toMatchObject([{ id, verdict: { verdict: 'same' } }]);
    await hidden();
    expect((await app.get('/v1/duplicates')).status).toBe(403);
    expect((await app.get('/v1/duplicates?kind=law', { as: FIJI })).status).toBe(400);
  });

  it('are judged once without If-Match, afterwards with it, and by the coordinator alone', async () => {
    await need(VANUATU, TITLE);
    await need(VANUATU, AGAIN);
    const { id } = await firstOf(COORDINATOR);
    const word = { verdict: 'different', note: 'One is for brokers' };
    expect((await judged(id, word, {}, VANUATU)).status).toBe(403);
    expect((await judged(id, { verdict: 'perhaps' })).status).toBe(400);
    const unknown = '00000000-0000-8000-8000-000000000000';
    expect([(await judged(unknown, word)).status, (await judged('nothing', word)).status]).toEqual([404, 404]);
    const early = await judged(id, word, { 'if-match': '"0"' });
    expect([early.status, codeOf(early)]).toEqual([412, 'stale-revision']);

    const first = await judged(id, word, { 'idempotency-key': 'k1' });
    expect([first.status, first.headers.etag, first.headers.location]).toEqual([200, '"0"', undefined]);
    expect(first.body).toMatchObject({
      id,
      verdict: { ...word, by: 'agency:secretariat', at: '2026-11-22T10:00:00.000Z' },
      revision: 0,
    });
    const repeat = await judged(id, word, { 'idempotency-key': 'k1' });
    expect([repeat.status, repeat.headers.etag, repeat.body]).toEqual([200, '"0"', first.body]);
    expect((await judged(id, { verdict: 'same' }, { 'idempotency-key': 'k1' })).status).toBe(422);

    const again = await judged(id, { verdict: 'complementary' });
    expect([again.status, codeOf(again)]).toEqual([428, 'if-match-required']);
    expect((await judged(id, { verdict: 'complementary' }, { 'if-match': '"7"' })).status).toBe(412);
    const second = await judged(id, { verdict: 'complementary' }, { 'if-match': '"0"' });
    expect([second.status, second.headers.etag]).toEqual([200, '"1"']);
    expect((second.body as Pair).verdict).not.toHaveProperty('note');
    expect((await judged(id, { verdict: 'same' }, { 'if-match': '"0"' })).status).toBe(412);
    await app.settled();
    const { body } = await app.get(`/v1/duplicates/${id}/history`, { as: VANUATU });
    expect(
      (body as { items: { type: string; data: { verdict: string } }[] }).items.map(({ data }) => data.verdict),
    ).toEqual(['different', 'complementary']);
    expect((await app.get(`/v1/duplicates/${id}/history`)).status).toBe(404);
  });

  it('are never a fresh candidate again once judged, whatever becomes of them', async () => {
    const a = await need(VANUATU, TITLE);
    await need(VANUATU, AGAIN);
    const { id, evidence } = await firstOf(COORDINATOR, '&verdict=none');
    expect((await judged(id, { verdict: 'different' })).status).toBe(200);
    const still = async (): Promise<void> => {
      expect(await pairs(COORDINATOR, '&verdict=none')).toEqual([]);
      expect(await pairs(COORDINATOR, '&verdict=same')).toEqual([]);
      expect(await pairs(COORDINATOR, '&verdict=different')).toEqual(await pairs(VANUATU));
      expect(await pairs(VANUATU)).toMatchObject([{ id, evidence, verdict: { verdict: 'different' } }]);
    };
    await still();
    await command(`/v1/needs/${a}/amend`, { title: 'Something else altogether', problem: 'Nothing alike' }, VANUATU);
    await still();
    await command(`/v1/needs/${a}/amend`, { title: AGAIN }, VANUATU);
    await still();
    await command(`/v1/needs/${a}/withdraw`, { reason: { code: 'other' } }, VANUATU);
    await still();
    // Who lost sight of one of them lost sight of the verdict.
    await command(`/v1/needs/${await need(VANUATU, 'A third')}/amend`, { title: TITLE }, VANUATU);
    expect(await pairs(COORDINATOR, '&verdict=none')).toHaveLength(1);
  });

  it('found to be the same, wait on the desk of the State until one is merged', async () => {
    const a = await need(VANUATU, TITLE);
    const b = await need(VANUATU, AGAIN);
    const { id } = await firstOf(COORDINATOR);
    const merging = async (as: As): Promise<readonly unknown[]> => {
      await app.settled();
      const { body } = await app.get('/v1/desk?limit=200', { as });
      return (body as { items: { record: string; action: string; href: string; kind: string }[] }).items
        .filter(({ action }) => action === 'merge')
        .map(({ record, href, kind }) => [record, href, kind]);
    };
    await judged(id, { verdict: 'same', note: 'Filed by two offices' });
    expect(await merging(VANUATU)).toEqual([[id, `/v1/duplicates/${id}`, 'duplicate']]);
    expect([await merging(FIJI), await merging(COORDINATOR)]).toEqual([[], []]);
    await command(`/v1/duplicates/${id}/judge`, { verdict: 'complementary' }, COORDINATOR);
    expect(await merging(VANUATU)).toEqual([]);
    await command(`/v1/duplicates/${id}/judge`, { verdict: 'same' }, COORDINATOR);
    expect(await merging(VANUATU)).toHaveLength(1);
    await command(`/v1/needs/${a}/merge`, { into: b }, VANUATU);
    expect(await merging(VANUATU)).toEqual([]);
    expect(await pairs(VANUATU, '&verdict=same')).toMatchObject([{ id }]);
    const log = await everyEvent(app.store);
    expect(projectionScenario(desk, log, { tries: 20 }).desk_pair).toHaveLength(2);
    expect(projectionScenario(duplicateTraits, log, { tries: 20 }).judged).toHaveLength(1);
  });
});

describe('promises of several donors for one State and kind at one time', () => {
  it('are shown as candidates, among them what is planned in commitments, as far as the caller sees both', async () => {
    const year = (n: number): object => ({ period: { from: `${n}-01-01`, to: `${n}-12-31` } });
    const japan = await offer(JAPAN, { earmark: { beneficiaries: ['VUT'] }, ...year(2027) });
    const usa = await offer(USA, { earmark: { beneficiaries: ['state:VUT', 'FJI'], kinds: ['legal'] }, ...year(2027) });
    await offer(USA, { earmark: { beneficiaries: ['VUT'] }, ...year(2028) });
    await offer(USA, { earmark: { regions: ['054'] }, ...year(2027) });
    await offer(JAPAN, { earmark: { beneficiaries: ['VUT'] }, ...year(2027) });
    const records = async (as: As): Promise<readonly string[]> =>
      (await pairs(as, '&about=promises')).map(({ records: of }) =>
        of.map(({ kind, id }) => `${kind} ${id}`).join(' + '),
      );
    const ofJapan = async (as: As): Promise<readonly string[]> =>
      (await records(as)).filter((each) => each.includes(japan));
    const both = [`offer ${japan}`, `offer ${usa}`].sort().join(' + ');
    expect(await ofJapan(FIJI)).toEqual([both]);
    expect(await records(FIJI)).toHaveLength(2);

    const open = await offer(USA, { ...year(2027), title: 'For anybody' });
    const asked = await need(VANUATU, 'A law', year(2027));
    const commitment = await created(
      '/v1/commitments',
      { offerId: open, needId: asked, legs: [{ offerLine: 1, needLine: 1, drawn: USD(5) }] },
      USA,
    );
    const planned = [`commitment ${commitment}`, `offer ${japan}`].join(' + ');
    expect(await ofJapan(VANUATU)).toEqual(expect.arrayContaining([both, planned]));
    expect(await ofJapan(FIJI)).toEqual([both]);
    await command(`/v1/commitments/${commitment}/withdraw`, { reason: { code: 'budget' } }, USA);
    expect(await ofJapan(VANUATU)).toEqual([both]);
    expect(await pairs(FIJI, '&state=FJI')).toEqual([]);
    expect(await pairs(FIJI, '&kind=training')).toEqual([]);
    expect(await pairs(FIJI, '&about=needs')).toEqual([]);
  });

  it('are not judged by a coordinator whose own they are', async () => {
    const secretariat: As = { party: 'agency:secretariat', role: 'implementer' };
    await created('/v1/parties', { id: 'agency:secretariat', name: 'Secretariat', category: 'un-entity' }, COORDINATOR);
    await offer(JAPAN, { earmark: { beneficiaries: ['VUT'] } });
    await offer(secretariat, { earmark: { beneficiaries: ['VUT'] } });
    const { id } = await firstOf(COORDINATOR);
    expect((await judged(id, { verdict: 'complementary' })).status).toBe(403);
  });
});

interface NeedShown {
  readonly id: string;
  readonly title: string;
  readonly problem?: string;
  readonly outcome?: string;
  readonly urgency?: string;
  readonly kinds: readonly Kind[];
  readonly beneficiaries: readonly string[];
  readonly period?: { readonly from: string; readonly to: string };
  readonly lines?: readonly { readonly kind: Kind; readonly description?: string; readonly quantity: Quantity }[];
}

interface OfferShown {
  readonly id: string;
  readonly donor: string;
  readonly earmark: { readonly beneficiaries?: readonly string[]; readonly kinds?: readonly Kind[] };
  readonly period?: { readonly from: string; readonly to: string };
  readonly lines: readonly { readonly kinds: readonly Kind[] }[];
}

/** Ids of every pair that the caller has to be shown: each record it sees with each. */
const fromRecords = async (as: As): Promise<readonly string[]> => {
  const list = async <T>(path: string): Promise<readonly T[]> =>
    ((await app.get(`${path}&limit=200`, { as })).body as { items: readonly T[] }).items;
  const needs = (await list<NeedShown>('/v1/needs?status=open')).flatMap((shown): [PairedRecord, Traits][] => {
    const { id, title, problem, outcome, kinds, beneficiaries, period, lines = [], urgency } = shown;
    if (urgency === undefined) return [];
    const texts = [title, problem, outcome, ...lines.map(({ description }) => description)];
    const traits: Traits = {
      about: 'needs',
      states: beneficiaries.flatMap((party) => stateOfParty(party) ?? []),
      kinds: [...new Set([...kinds, ...lines.map(({ kind }) => kind)])],
      parties: [],
      title: wordsOf(title),
      words: wordsOf(texts.filter((text) => text !== undefined).join('\n')),
      ...(period === undefined ? {} : { period }),
      lines,
    };
    return [[{ kind: 'need', id }, traits]];
  });
  const offers = (await list<OfferShown>('/v1/offers?status=open')).map((shown): [PairedRecord, Traits] => {
    const { id, donor, earmark, period, lines } = shown;
    const given = lines.flatMap(({ kinds }) => kinds);
    const meant = earmark.kinds ?? [];
    const traits: Traits = {
      about: 'promises',
      states: (earmark.beneficiaries ?? []).map((named) => named.replace('state:', '')),
      kinds: [...new Set(meant.length === 0 ? given : given.filter((kind) => meant.includes(kind)))],
      parties: [],
      donors: [donor],
      ...(period === undefined ? {} : { period }),
    };
    return [{ kind: 'offer', id }, traits];
  });
  const all = [...needs, ...offers];
  return all
    .flatMap(([a, one], at) =>
      all.slice(at + 1).flatMap(([b, other]) => (evidenceOf(one, other) === undefined ? [] : [duplicateIdOf(a, b)])),
    )
    .sort();
};

test.each([
  [1, 1],
  [2, 3],
])(
  'what each caller is shown is every pair of what it sees, in pages without a gap (world %i, by %i)',
  async (seed, limit) => {
    const random = new Random(seed);
    const words = ['law', 'arms', 'review', 'marking', 'depots', 'training', 'courses', 'police'];
    const some = (): string => Array.from({ length: random.between(2, 4) }, () => random.pick(words)).join(' ');
    const visibility = (): object => ({
      visibility: { summary: 'public', body: random.pick(['public', 'members', 'named', 'sealed']) },
      named: [random.pick(['donor:japan', 'donor:usa', 'state:FJI'])],
    });
    const year = (): object => {
      const from = random.between(2027, 2029);
      return random.chance(0.5)
        ? {}
        : { period: { from: `${from}-01-01`, to: `${from + random.between(0, 1)}-06-30` } };
    };
    const kinds = (): readonly Kind[] => random.pick<readonly Kind[]>([['legal'], ['training'], ['legal', 'training']]);
    for (let n = 0; n < 14; n += 1) {
      const joint = n % 7 === 6;
      const lines = kinds().map((kind) => ({ kind, description: some(), quantity: USD(random.between(1, 4)) }));
      const more = { problem: some(), kinds: kinds(), lines, ...year(), ...visibility() };
      if (!joint) await need(random.pick([VANUATU, FIJI]), some(), more);
      else {
        const beneficiaries = ['state:VUT', 'state:FJI'];
        const id = await created(
          '/v1/needs',
          { title: some(), instruments: ['ATT'], authorityRef: 'x', ...more, beneficiaries },
          HOST,
        );
        for (const as of [VANUATU, FIJI]) await command(`/v1/needs/${id}/consent-participation`, {}, as);
        await command(`/v1/needs/${id}/submit`, { consent: { circulate: true, publish: true } }, HOST);
        await command(`/v1/needs/${id}/open`, {}, COORDINATOR);
      }
    }
    for (let n = 0; n < 8; n += 1) {
      await offer(random.pick([JAPAN, USA]), {
        lines: [{ kinds: kinds(), capacity: USD(9) }],
        earmark: random.pick<object>([
          {},
          { beneficiaries: ['VUT'] },
          { beneficiaries: ['state:FJI', 'VUT'] },
          { beneficiaries: ['FJI'], kinds: ['legal'] },
        ]),
        ...year(),
        visibility: random.pick(['public', 'members', 'sealed']),
      });
    }
    await app.settled();
    for (const as of [VANUATU, FIJI, JAPAN, USA, COORDINATOR]) {
      const shown = await pairs(as);
      expect([as.party, shown.map(({ id }) => id).sort()]).toEqual([as.party, await fromRecords(as)]);
      const strengths = shown.map(({ states: [state = ''], evidence }) => {
        const sum = evidence.reduce((all, { value }) => all + Number(value.replace('.', '')), 0);
        return { state, strength: Math.round(sum / evidence.length) };
      });
      expect(strengths).toEqual(
        [...strengths].sort((a, b) => (a.state === b.state ? b.strength - a.strength : a.state < b.state ? -1 : 1)),
      );
      const paged: Pair[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const { body } = await app.get(`/v1/duplicates?limit=${limit}${more}`, { as });
        paged.push(...(body as { items: Pair[] }).items);
        cursor = (body as { next: string | null }).next;
      }
      expect([as.party, paged]).toEqual([as.party, shown]);
      for (const state of ['VUT', 'FJI']) {
        const here = await pairs(as, `&state=${state}`);
        expect(here.map(({ id }) => id).sort()).toEqual(
          shown
            .filter(({ states }) => states.includes(state))
            .map(({ id }) => id)
            .sort(),
        );
      }
    }
    expect((await pairs(COORDINATOR)).length).toBeGreaterThan(3);
    projectionScenario(duplicateTraits, await everyEvent(app.store), { tries: 6 });
  },
);
