import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { categoryOfStream, idOfStream, ManualClock } from '#kernel';
import { contexts, ROUTE_TABLE, SERVICES, shareOf } from '#services';
import type { LoggedEvent } from '../../infra/frozen-events.js';
import { AskedModels } from '../support/asked-models.js';
import type { Services } from '../support/services.js';
import { startServices } from '../support/services.js';
import { bind, DAY, JAPAN, openNeed, Play, propose, seats, VANUATU } from './play.js';
import type { Reading } from './replay.js';
import { replayed, ROUTES, ROUTES_BESIDE, storeOf } from './replay.js';

/** A log that holds every event type, read by services instead of one process. */
const events = readFileSync('test/history/log-5.ndjson', 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as LoggedEvent);

test('services read a log as one process does, and write nothing at seeing it again', async () => {
  const expected = JSON.parse(readFileSync(join('test/history', 'expected-5.json'), 'utf8')) as Reading;
  const { reading, log } = await replayed(events, (store, clock) => startServices({ store, clock }));
  expect(log).toEqual(events);
  expect(reading).toMatchObject(expected);
}, 180_000);

describe('what the services ask of read models', () => {
  const models = new Map<string, AskedModels>();
  let services: Services;
  beforeAll(async () => {
    const at = events.reduce((last, { metadata }) => (metadata.recordedAt > last ? metadata.recordedAt : last), '');
    const clock = new ManualClock(at);
    services = await startServices({
      store: await storeOf(events),
      clock,
      readDatabaseOf: (service) => {
        const database = new AskedModels();
        models.set(service, database);
        return database;
      },
    });
    await services.settled();
    await agreeAmongTheEligible(new Play(services, services.url, clock));
    await readEverything(services);
    await askBeyondReading(services);
    for (const { ticker } of services.hosts.values()) await ticker.tickNow();
  }, 180_000);
  afterAll(() => services.close());

  test.each(SERVICES)('%s keeps what it is asked for, and nothing in vain', (service) => {
    const { kept, asked } = models.get(service) ?? new AskedModels();
    expect(new Set(kept)).toEqual(new Set(shareOf(service, ROUTE_TABLE, contexts).readModels));
    expect([...asked].sort()).toEqual([...kept].sort());
  });
});

/** What the log does not end with: a need and an offer that are open to those alone who could match them, and a commitment between them. */
const agreeAmongTheEligible = async (play: Play): Promise<void> => {
  const need = await openNeed(play, VANUATU, {
    title: 'Courses for licensing officers',
    lines: [{ kind: 'training', description: 'Courses', quantity: seats(8) }],
    visibility: 'members',
  });
  const offer = await play.create(JAPAN, '/v1/offers', {
    title: 'Courses for those who ask',
    lines: [{ kinds: ['training'], capacity: seats(8) }],
    visibility: 'eligible',
  });
  await play.pass(2 * DAY);
  const commitment = await propose(play, JAPAN, offer, need, [{ offerLine: 1, needLine: 1, drawn: seats(2) }]);
  await bind(play, commitment, { accepts: VANUATU, sign: [JAPAN, VANUATU] });
};

/** What no route of a list or record asks: the log's own tree, and a suggestion that is to be proposed. */
const askBeyondReading = async (services: Services): Promise<void> => {
  const { url } = services;
  const headers = {
    authorization: `Bearer ${await services.token({ party: 'donor:japan', roles: ['donor-desk'], sub: 'desk' })}`,
    'content-type': 'application/json',
  };
  const [event] = events;
  const proposed = await fetch(`${url}/v1/suggestions/${event?.id}/propose`, { method: 'POST', headers, body: '{}' });
  const proof = await fetch(`${url}/v1/audit/events/${event?.id}/proof`, {
    headers: { ...headers, prefer: 'wait=10' },
  });
  expect([proposed.status, proof.status]).toEqual([404, 200]);
};

const READERS = [
  undefined,
  { party: 'agency:secretariat', roles: ['coordinator'] },
  { party: 'auditor:court', roles: ['auditor'] },
  { party: 'state:VUT', roles: ['npc'] },
  { party: 'state:FJI', roles: ['npc'] },
  { party: 'donor:japan', roles: ['donor-desk'] },
  { party: 'fund:unscar', roles: ['donor-desk'] },
  { party: 'agency:cavr', roles: ['fiscal-agent'] },
];

/** Every route that reads, of every record, by people who see more and less. @throws where one is answered by a fault of ours */
const readEverything = async (services: Services): Promise<void> => {
  const { url } = services;
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  };
  const ids = new Map<string, string[]>();
  for (const stream of new Set(events.map((event) => event.stream))) {
    const root = ROOTS[categoryOfStream(stream)] ?? '';
    ids.set(root, [...(ids.get(root) ?? []), idOfStream(stream)]);
  }
  const faults: string[] = [];
  for (const reader of READERS) {
    const headers: Record<string, string> =
      reader === undefined ? {} : { authorization: `Bearer ${await services.token({ ...reader, sub: reader.party })}` };
    for (const [path, operations] of Object.entries(paths)) {
      if (!('get' in operations) || !path.startsWith('/v1/') || path.startsWith('/v1/admin')) continue;
      for (const asked of addressesOf(path, ids)) {
        const response = await fetch(`${url}${asked}`, { headers });
        const text = await response.text();
        // The log alone was given: the bytes of documents are not there.
        const isFault = response.status >= 500 && !asked.startsWith('/v1/documents/');
        if (isFault) faults.push(`${asked} by ${reader?.party ?? 'anyone'}: ${response.status} ${text.slice(0, 200)}`);
      }
    }
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
};

const ROOTS: Readonly<Record<string, string>> = { ...ROUTES, ...ROUTES_BESIDE, document: '/v1/documents' };

const CHECKS = ['same-hands', 'advances-ageing', 'earmarks', 'early-instalments', 'duplicate-references'];
const QUERIES: Readonly<Record<string, string>> = {
  '/v1/needs': '?network=network:msg&limit=3',
  '/v1/parties': '?network=network:msg',
  '/v1/statements': '?holder=agency:cavr',
  '/v1/statements/events': '?holder=agency:cavr',
  '/v1/rates/convert': '?from=EUR&to=USD&amount=1.00&on=2026-01-05',
  '/v1/audit/events': '?limit=200',
  '/v1/audit/state': '?at=2099-01-01',
};

const addressesOf = (path: string, ids: ReadonlyMap<string, readonly string[]>): readonly string[] => {
  if (!path.includes('{')) return [path, ...(path in QUERIES ? [`${path}${QUERIES[path] ?? ''}`] : [])];
  if (path === '/v1/audit/checks/{name}') return CHECKS.map((name) => `/v1/audit/checks/${name}`);
  const root = path.split('/').slice(0, 3).join('/');
  // Some of each kind: the newest, which everything has happened to.
  return (ids.get(root) ?? []).slice(-6).map((id) => path.replace(/\{[^}]+\}/, encodeURIComponent(id)));
};
