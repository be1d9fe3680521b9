import type { As, TestApp } from '../support/app.js';
import { NOW, temporaryFolder, testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

/** "Deadlines … catching up after downtime": the service is down while each of them comes, and does on its next day what was due. */
const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };

const seats = (amount: string): object => ({ measure: 'seats', amount });

let app: TestApp;
const folder = temporaryFolder();

interface Json {
  readonly id: string;
  readonly [field: string]: unknown;
}

/** The service starts on the folder at that moment, and ticks once. */
const up = async (now: string): Promise<void> => {
  app = await testApp({ dataFolder: folder.path, now });
  await app.settled();
  await app.ticker.tickNow();
  await app.settled();
};

const ok = (answer: Response): Json => {
  if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as Json;
};

const get = async (path: string, as: As): Promise<Json> => ok(await app.get(path, { as }));

/** Sends a command on the record as it stands. */
const send = async (path: string, command: string, body: object, as: As): Promise<Response> => {
  const { headers } = await app.get(path, { as });
  return app.post(`${path}/${command}`, body, {
    as,
    headers: { 'if-match': (headers as Record<string, string>).etag ?? '', prefer: 'wait=5' },
  });
};

const create = async (path: string, body: object, as: As): Promise<string> =>
  `${path}/${ok(await app.post(path, body, { as, headers: { prefer: 'wait=5' } })).id}`;

const lastEvent = async (path: string, as: As): Promise<object | undefined> =>
  ((await get(`${path}/history`, as)).items as object[]).at(-1);

const NEED = {
  title: 'Officers to be trained',
  kinds: ['training'],
  instruments: ['ATT'],
  lines: [{ kind: 'training', quantity: seats('20') }],
  authorityRef: 'Note Verbale 12/2026',
  visibility: 'public',
};
const OFFER = { title: 'Courses', lines: [{ kinds: ['training'], capacity: seats('20') }], visibility: 'public' };

const records = { asked: '', open: '', ending: '', lasting: '', proposed: '', accepted: '', delivered: '' };

beforeAll(async () => {
  await up(NOW);
  ok(await app.post('/v1/parties', { id: 'donor:japan', name: 'Japan', category: 'bilateral' }, { as: COORDINATOR }));
  records.asked = await create('/v1/needs', NEED, VANUATU);
  ok(await send(records.asked, 'submit', {}, VANUATU));
  records.open = await create('/v1/needs', NEED, VANUATU);
  ok(await send(records.open, 'submit', { consent: { circulate: true, publish: true } }, VANUATU));
  ok(await send(records.open, 'open', {}, COORDINATOR));
  records.ending = await create('/v1/offers', { ...OFFER, period: { from: '2026-01-01', to: '2026-12-31' } }, JAPAN);
  records.lasting = await create('/v1/offers', OFFER, JAPAN);
  const idOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  const proposal = {
    offerId: idOf(records.lasting),
    needId: idOf(records.open),
    legs: [{ offerLine: 1, needLine: 1, drawn: seats('4') }],
  };
  records.proposed = await create('/v1/commitments', proposal, JAPAN);
  records.accepted = await create('/v1/commitments', proposal, JAPAN);
  records.delivered = await create('/v1/commitments', proposal, JAPAN);
  for (const path of [records.accepted, records.delivered]) ok(await send(path, 'accept', {}, VANUATU));
  for (const as of [JAPAN, VANUATU]) ok(await send(records.delivered, 'sign', {}, as));
  const delivery = { leg: 1, quantity: seats('4'), date: '2026-11-20' };
  ok(await app.post(`${records.delivered}/deliveries`, delivery, { as: JAPAN }));
});
afterEach(() => app.close());
afterAll(() => {
  folder.remove();
});

test('before its time nothing happens', async () => {
  await app.close();
  await up('2026-11-26T23:59:00.000Z');
  expect(await get(records.asked, VANUATU)).toMatchObject({ status: 'submitted' });
  expect(await get(records.ending, JAPAN)).toMatchObject({ status: 'open' });
  expect(await get(records.proposed, JAPAN)).toMatchObject({ status: 'proposed', hold: 'held' });
});

test('a need that nobody objected to within five working days opens, as of the end of the window', async () => {
  await up('2026-12-01T08:00:00.000Z');
  expect(await get(records.asked, VANUATU)).toMatchObject({ status: 'open' });
  const opened = (await lastEvent(records.asked, VANUATU)) as { effectiveAt: string };
  expect(opened).toMatchObject({
    type: 'NeedOpened',
    actor: { party: 'system:timer' },
    recordedAt: '2026-12-01T08:00:00.000Z',
  });
  expect(opened.effectiveAt > '2026-11-27' && opened.effectiveAt <= '2026-11-30T00:00:00.000Z').toBe(true);
});

test('an offer whose period has ended expires', async () => {
  await up('2027-01-05T08:00:00.000Z');
  expect(await get(records.ending, JAPAN)).toMatchObject({
    status: 'closed',
    closedAs: 'expired',
    lines: [{ available: seats('0'), expired: seats('20') }],
  });
});

test('proposals and acceptances lapse after sixty days, and give back what they held', async () => {
  app = await testApp({ dataFolder: folder.path, now: '2027-02-01T08:00:00.000Z' });
  const late = await send(records.accepted, 'sign', {}, JAPAN);
  expect([late.status, (late.body as { code: string }).code]).toEqual([409, 'expired']);
  await app.close();
  await up('2027-02-01T08:00:01.000Z');
  for (const path of [records.proposed, records.accepted]) {
    expect(await get(path, JAPAN)).toMatchObject({ status: 'lapsed', hold: 'released' });
    expect(await lastEvent(path, JAPAN)).toMatchObject({
      type: 'CommitmentLapsed',
      actor: { party: 'system:timer' },
      effectiveAt: '2027-01-21T10:00:00.000Z',
    });
  }
  expect(await get(records.lasting, JAPAN)).toMatchObject({
    lines: [{ held: seats('0'), committed: seats('4'), available: seats('16') }],
  });
  expect(await get(records.open, VANUATU)).toMatchObject({
    lines: [{ coverage: { accepted: seats('0'), binding: seats('4') } }],
  });
});

test('a delivery that nobody confirmed closes its commitment unconfirmed after 180 days', async () => {
  await up('2027-07-01T08:00:00.000Z');
  expect(await get(records.delivered, JAPAN)).toMatchObject({ status: 'closed', closedAs: 'unconfirmed' });
  expect(await get(records.open, VANUATU)).toMatchObject({ lines: [{ coverage: { confirmed: seats('0') } }] });
});

test('a need that is not reaffirmed is due, then stale and dormant, out of the default lists', async () => {
  await up('2028-02-01T08:00:00.000Z');
  expect(await get(records.asked, VANUATU)).toMatchObject({ status: 'open', freshness: { state: 'due' } });
  await app.close();
  await up('2028-03-15T08:00:00.000Z');
  for (const path of [records.asked, records.open]) {
    expect(await get(path, VANUATU)).toMatchObject({ status: 'dormant', freshness: { state: 'stale' } });
  }
  expect((await get('/v1/needs', VANUATU)).items).toEqual([]);
});

test('a second start at the same time writes nothing more', async () => {
  await up('2028-03-15T08:00:00.000Z');
  const head = await app.store.head();
  await app.ticker.tickNow();
  await app.settled();
  expect(await app.store.head()).toBe(head);
});
