import { jest } from '@jest/globals';
import type { As } from '../support/app.js';
import type { ApiClient, Json } from './api-client.js';
import { anOffer, apiClient, bodyOf, CAVR, COORDINATOR, JAPAN, machines, NORWAY, VANUATU } from './api-client.js';

/** What an auditor asks of the past, over HTTP alone: what we knew then, what we say now was true then, and what changed since. */
const COURT: As = { party: 'auditor:court', role: 'auditor' };

interface Step {
  readonly type?: string;
  readonly masked?: true;
  readonly revision: number;
  readonly actor?: Json;
  readonly rule?: { readonly command: string; readonly by: string; readonly guard: string; readonly from: string[] };
  readonly changes: readonly { readonly path: string; readonly from: unknown; readonly to: unknown }[];
}
interface Replay {
  readonly state: Json | null;
  readonly steps: readonly Step[];
}
interface Difference {
  readonly record: { readonly kind: string; readonly id: string; readonly title: string | null };
  readonly outcome: string;
  readonly changes: readonly { readonly path: string; readonly words: string }[];
  readonly events: readonly { readonly type: string; readonly rule?: { readonly command: string } }[];
}

let client: ApiClient;
let need: string;
let offer: string;
let commitment: string;
let sealed: string;
/** The end of the log before anything was delivered. */
let before: string;
beforeAll(async () => {
  client = await apiClient();
  need = await client.openNeed();
  offer = await client.openOffer();
  commitment = await client.bound(need, offer);
  sealed = `/v1/offers/${String(bodyOf(await client.post('/v1/offers', anOffer({ visibility: 'sealed', title: 'Sealed' }), JAPAN)).id)}`;
  await client.post('/v1/parties', { id: 'auditor:court', name: 'Court', category: 'ngo' }, COORDINATOR);
  const mandate = {
    auditor: 'auditor:court',
    scope: { everything: true },
    sealed: false,
    from: '2026-01-01',
    to: '2030-01-01',
    reference: 'A/1',
  };
  expect((await client.post('/v1/mandates', mandate, COORDINATOR)).status).toBe(201);
  before = String(await client.app.store.head());
  // Delivered in October, reported now: on record it is new, in effect it is not.
  const report = { leg: 1, quantity: machines('4'), date: '2026-10-05' };
  expect((await client.post(`${commitment}/deliveries`, report, CAVR)).status).toBe(200);
  await client.app.settled();
});
afterAll(() => client.app.close());

const replay = async (record: string, query = '', as: As = VANUATU): Promise<Replay> => {
  const answer = await client.get(`${record}/replay${query}`, as);
  expect([record, query, answer.status]).toEqual([record, query, 200]);
  return answer.body as Replay;
};
const diff = async (query: string, as: As = COURT): Promise<Json & { readonly items: readonly Difference[] }> => {
  const answer = await client.get(`/v1/audit/diff?${query}`, as);
  expect([query, answer.status, answer.status === 200 ? '' : answer.text]).toEqual([query, 200, '']);
  return answer.body as Json & { readonly items: readonly Difference[] };
};

test('needs and offers replay as commitments do: each step with who, what changed and by which rule', async () => {
  const { state, steps } = await replay(need);
  const { actions: _today, quality: _coached, lines: _figures, ...now } = bodyOf(await client.get(need, VANUATU));
  expect(state).toMatchObject(now);
  expect(steps.map(({ type }) => type)).toEqual([
    ...['NeedDrafted', 'NeedSubmitted', 'NeedOpened', 'CoverageReserved', 'CoverageBound', 'CoverageDelivered'],
  ]);
  const opened = steps.find(({ type }) => type === 'NeedOpened');
  expect(opened).toMatchObject({
    actor: { party: COORDINATOR.party, role: 'coordinator' },
    rule: { command: 'OpenNeed', from: ['submitted'], source: expect.stringContaining('UNSCR 1540') as string },
  });
  expect(opened?.changes).toContainEqual({ path: 'status', from: 'submitted', to: 'open' });
  const bound = steps.find(({ type }) => type === 'CoverageBound');
  expect(bound?.rule?.by).toMatch(/^the process/);
  expect(bound?.changes).toContainEqual({ path: 'lines[0].coverage.binding.amount', from: '0', to: '10' });

  const ofOffer = await replay(offer, '', JAPAN);
  expect(ofOffer.steps[0]).toMatchObject({ type: 'OfferPosted', rule: { command: 'PostOffer' } });
  expect(ofOffer.steps.at(-1)?.changes).toContainEqual({ path: 'lines[0].delivered.amount', from: '0', to: '4' });
  for (const { rule } of (await replay(commitment)).steps) expect(rule?.guard.length).toBeGreaterThan(5);
});

test('a stranger replays a need from what it sees of it: no draft, no answer that is not for it', async () => {
  const { state, steps } = await replay(need, '', NORWAY);
  expect(state).toMatchObject({ status: 'open' });
  expect(JSON.stringify(steps)).not.toContain('"accepted"');
  expect(steps.filter(({ type }) => type === 'CoverageReserved')).toEqual([]);
  expect(steps.find(({ type }) => type === 'NeedOpened')?.changes).toContainEqual({
    path: 'status',
    from: null,
    to: 'open',
  });
  expect((await client.get(`${sealed}/replay`, NORWAY)).status).toBe(404);
});

test('the two clocks part where something is reported late: in records, boards and totals', async () => {
  const delivered = async (query: string): Promise<unknown> =>
    ((await replay(offer, query, JAPAN)).state as { lines: { delivered: { amount: string } }[] } | null)?.lines[0]
      ?.delivered.amount;
  expect([await delivered(`?at=${before}`), await delivered('')]).toEqual(['0', '4']);
  // Before it was posted there was no offer, whatever is said of what it gave.
  expect((await replay(offer, '?clock=effective&at=2026-10-31', JAPAN)).state).toBeNull();
  expect(bodyOf(await client.get(`/v1/audit/state?at=${before}`, COURT))).toMatchObject({
    at: before,
    clock: 'recorded',
  });
  const boards = bodyOf(await client.get('/v1/audit/state?at=2026-10-31&clock=effective', COURT));
  expect(boards).toMatchObject({ clock: 'effective', needs: [], offers: [], commitments: [] });
  const totals = async (query: string): Promise<unknown> =>
    bodyOf(await client.get(`/v1/totals?${query}`, JAPAN)).delivered;
  expect(await totals(`at=${before}`)).toEqual([]);
  expect(await totals('clock=effective&at=2099-01-01')).toEqual([machines('4')]);
  expect(await totals('clock=effective&at=2026-10-31')).toEqual([]);
  const events = bodyOf(
    await client.get('/v1/totals/events?clock=effective&at=2099-01-01&figure=delivered', JAPAN),
  ).items;
  expect(events).toMatchObject([{ quantity: machines('4'), type: 'DeliveryReported', effectiveOn: '2026-10-05' }]);
});

test('what changed between two moments is told in words and as data, with the totals', async () => {
  const changed = await diff(`from=${before}`);
  expect(changed).toMatchObject({ from: before, clock: 'recorded', counts: { created: 0, changed: 3 } });
  expect(changed.totals).toEqual([
    { figure: 'delivered', from: null, to: machines('4'), words: 'delivered: was nothing, is 4 marking-machine' },
  ]);
  const [ofNeed, ofOffer, ofCommitment] = changed.items;
  expect(ofNeed?.record).toMatchObject({ kind: 'need', title: 'Marking machines for the police' });
  expect(ofNeed?.changes.map(({ words }) => words)).toContain(
    'line 1, coverage, delivered: was 0 marking-machine, is 4 marking-machine',
  );
  expect(ofOffer?.record.kind).toBe('offer');
  expect(ofCommitment?.events).toMatchObject([{ type: 'DeliveryReported', rule: { command: 'ReportDelivery' } }]);
  expect(await diff(`from=${String(await client.app.store.head())}`)).toMatchObject({ items: [], totals: [] });

  const created = await diff('from=0');
  expect(created.items.map(({ outcome, record }) => [outcome, record.kind])).toContainEqual(['created', 'commitment']);
  expect(JSON.stringify(created)).not.toContain('Sealed');
  const paged: unknown[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Json & { readonly items: readonly Difference[] } = await diff(`from=0&limit=1${more}`);
    paged.push(...page.items);
    cursor = typeof page.next === 'string' ? page.next : null;
  }
  expect(paged).toEqual(created.items);
});

test('a party asks it of a record that it sees, and of no other', async () => {
  const path = commitment.replace('/v1/', '');
  const { items } = await diff(`record=${path}&from=${before}`, VANUATU);
  expect(items).toMatchObject([{ outcome: 'changed', record: { kind: 'commitment' } }]);
  expect(items[0]?.changes.map(({ words }) => words)).toContain(
    'leg 1, delivered: was 0 marking-machine, is 4 marking-machine',
  );
  const asked = async (query: string, as: As | undefined): Promise<number> =>
    (await client.get(`/v1/audit/diff?${query}`, as)).status;
  const hidden = sealed.replace('/v1/', '');
  expect([await asked(`record=${hidden}&from=0`, NORWAY), await asked(`record=${hidden}&from=0`, JAPAN)]).toEqual([
    404, 200,
  ]);
  expect(await asked('from=0', VANUATU)).toBe(403);
});

test.each([
  ['/v1/audit/diff?from=9&to=3', 'to'],
  ['/v1/audit/diff?from=2026-11-02&to=2026-11-01', 'to'],
  ['/v1/audit/diff?from=9&clock=effective', 'from'],
  ['/v1/audit/diff', 'from'],
  ['/v1/audit/diff?from=0&record=commitments', 'record'],
  ['/v1/audit/events?from=2026-11&to=2026-10-31', 'to'],
  ['/v1/audit/state?at=9&clock=effective', 'at'],
  ['/v1/totals?at=9&clock=effective', 'at'],
  ['/v1/totals?at=2026-11-01&clock=wall', 'clock'],
])('%s is 400, naming %s', async (path, field) => {
  const answer = await client.get(path, COURT);
  expect([answer.status, (answer.body as { errors?: { field: string }[] }).errors?.map((each) => each.field)]).toEqual([
    400,
    [field],
  ]);
});

test('matches stand on the recorded clock alone', async () => {
  const { status, text } = await client.get(`${need}/matches?at=1&clock=effective`, VANUATU);
  expect(status).toBe(400);
  expect(text).toContain('must be recorded: who was matched with whom followed what was known then');
});

// These are last, since they write.
test('without a later moment a difference holds all that is on record, and from beyond it nothing', async () => {
  for (const query of ['from=999999', 'from=2099-01-01', 'from=2099-01-01&clock=effective']) {
    expect(await diff(query)).toMatchObject({ counts: { created: 0, changed: 0 }, totals: [], items: [] });
  }
  // Known to the day, it counts from the day's end, which is still to come.
  const date = client.app.clock.now().toISOString().slice(0, 10);
  expect((await client.post(`${commitment}/deliveries`, { leg: 1, quantity: machines('1'), date }, CAVR)).status).toBe(
    200,
  );
  await client.app.settled();
  const from = new Date(client.app.clock.now().getTime() - 86_400_000).toISOString();
  const { items, totals } = await diff(`from=${from}&clock=effective`);
  const { deliveries } = (await replay(commitment, '?clock=effective')).state as { deliveries: unknown[] };
  expect(deliveries).toHaveLength(2);
  const ofCommitment = items.find(({ record }) => record.kind === 'commitment');
  expect(ofCommitment?.changes).toContainEqual(expect.objectContaining({ path: 'deliveries', to: deliveries }));
  expect(totals).toContainEqual({
    ...{ figure: 'delivered', from: null, to: machines('5') },
    words: 'delivered: was nothing, is 5 marking-machine',
  });
});

test.each(['from=2026-09-30&clock=effective', 'from=2026-09-30&clock=effective&to=2099-01-01', 'from=0'])(
  'pages of %s are of what was on record at the first of them',
  async (query) => {
    const whole = await diff(query);
    expect(whole.items.length).toBeGreaterThan(2);
    const first = await diff(`${query}&limit=1`);
    // Recorded between the pages: something new, and something of long before on the clock that is asked.
    const effectiveAt = { 'effective-at': '2026-09-01' };
    expect((await client.post('/v1/offers', anOffer({ title: 'Between' }), JAPAN)).status).toBe(201);
    expect((await client.post('/v1/offers', anOffer({ title: 'Earlier' }), JAPAN, effectiveAt)).status).toBe(201);
    const { revision } = bodyOf(await client.get(need, VANUATU));
    const headers = { ...effectiveAt, 'if-match': `"${String(revision)}"` };
    expect((await client.post(`${need}/reaffirm`, {}, VANUATU, headers)).status).toBe(200);
    await client.app.settled();
    const paged: unknown[] = [...first.items];
    for (let next = first.next; typeof next === 'string';) {
      const page = await diff(`${query}&limit=1&cursor=${encodeURIComponent(next)}`);
      expect([page.to, page.counts]).toEqual([first.to, whole.counts]);
      paged.push(...page.items);
      next = page.next;
    }
    expect(paged).toEqual(whole.items);
  },
);

test('what there was not at the earlier moment is created, as the state of that moment has it', async () => {
  const offered = async (title: string, visibility: string): Promise<string> =>
    `/v1/offers/${String(bodyOf(await client.post('/v1/offers', anOffer({ title, visibility }), JAPAN)).id)}`;
  const commanded = async (path: string, body: object, headers = {}): Promise<void> => {
    expect((await client.post(path, body, JAPAN, { 'if-match': '"0"', ...headers })).status).toBe(200);
  };
  // Its suspension is said to be older than it is itself.
  const suspended = await offered('Suspended first', 'public');
  await commanded(`${suspended}/suspend`, { reason: { code: 'budget' } }, { 'effective-at': '2026-09-15' });
  // The auditor did not see it at the earlier moment.
  const shown = await offered('Shown later', 'sealed');
  const sealedAt = String(await client.app.store.head());
  await commanded(`${shown}/amend`, { visibility: 'public' });
  await client.app.settled();
  for (const [record, moment] of [
    [suspended, '2026-09-30&clock=effective'],
    [shown, sealedAt],
  ] as const) {
    const id = record.slice('/v1/offers/'.length);
    const state = bodyOf(await client.get(`/v1/audit/state?at=${moment}`, COURT));
    expect((state.offers as Json[]).map((each) => each.id)).not.toContain(id);
    const { items } = await diff(`from=${moment}`);
    expect(items.filter((each) => each.record.id === id).map(({ outcome }) => outcome)).toEqual(['created']);
    expect(await diff(`record=offers/${id}&from=${moment}`)).toMatchObject({ items: [{ outcome: 'created' }] });
  }
});

test('who reads the whole log lets others have their turn between any two records', async () => {
  const records = 40;
  for (let n = 0; n < records; n += 1) await client.post('/v1/offers', anOffer({ title: `Offer ${n}` }), JAPAN);
  await client.app.settled();
  const end = String(await client.app.store.head());
  // A turn is over whenever it is asked: how fast this machine is does not matter.
  let now = performance.now();
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => (now += 1_000));
  try {
    for (const [path, headers] of [
      [`/v1/audit/state?at=${end}`],
      ['/v1/audit/diff?from=0'],
      ['/v1/audit/events?limit=200'],
      ['/v1/audit/events?openings=true', { accept: 'application/x-ndjson', prefer: 'wait=10' }],
    ] as const) {
      let turns = 0;
      let next = setImmediate(function turn() {
        turns += 1;
        next = setImmediate(turn);
      });
      const { status } = await client.get(path, COURT, headers);
      clearImmediate(next);
      expect([path, status, turns >= records ? 'in turns' : turns]).toEqual([path, 200, 'in turns']);
    }
  } finally {
    clock.mockRestore();
  }
});
