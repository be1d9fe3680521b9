import { createHash, randomUUID } from 'node:crypto';
import type { RecordedEvent } from '#kernel';
import { readZip } from '#evidence';
import { organisationsOf } from '#vocabulary';
import { gapsFromRecords, inOrder, unusedFromRecords } from '../support/cells.js';
import type { CallerName, HiddenKind, HiddenRecord, World } from './hidden-world.js';
import { runEnded } from '../support/allocation-run.js';
import { told } from '../support/told.js';
import { buildWorld, by, CALLER_NAMES, OUTSIDERS, SWEEPERS } from './hidden-world.js';

/**
 * What is hidden from a caller is found by no route: two services hold the same visible world, one of them hidden records as well, and
 * whoever may not know of these is answered alike by both, and for a hidden id as for one that nobody ever used (I19).
 *
 * Seen to fail with each of these leaks planted: every need's summary seen; the board of needs without `opened = 1`; every member sees
 * offers labelled `named`; `q` asked of bodies that are hidden; commitments seen before they bind; the commitment's id left in an offer's
 * `CapacityReserved`; `partOf` shown to all; `sort=rank` by the hidden rank; matches with offers that are not seen; the desk of others; a
 * declined change in the history and replay of a commitment that all see; a donor left out of a fund's attribution because it gave in
 * confidence too; the need of an application named to an auditor; a cell of the gap view that adds up needs of which the summary alone is
 * seen; a pair of records of which one is seen; findings shown to every auditor that sees their records, whatever its mandate covers; prior
 * work reckoned over commitments that are not seen; a past standing judged for the day of its position's last event; suggestions of other
 * desks; the id of a suggestion that follows from its number among the run's pairs; a feed of matches with offers that are not seen.
 */
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: { readonly enum?: readonly string[] };
}
interface Operation {
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: object }>> };
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

interface JsonObject {
  [field: string]: Json;
}
type Json = null | boolean | number | string | Json[] | JsonObject;
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

const JSON_TYPE = 'application/json';

let bare: World;
let full: World;
let paths: Paths;
let checks: readonly string[];
beforeAll(async () => {
  [bare, full] = [await buildWorld(false), await buildWorld(true)];
  paths = (JSON.parse((await ask(full, 'anonymous', 'GET', '/openapi.json')).text) as { paths: Paths }).paths;
  const listed = await ask(full, 'coordinator', 'GET', '/v1/audit/checks');
  checks = (JSON.parse(listed.text) as { items: { name: string }[] }).items.map(({ name }) => name);
});
afterAll(async () => {
  await bare.close();
  await full.close();
});

const ask = (
  world: World,
  caller: CallerName,
  method: 'GET' | 'HEAD' | 'PATCH' | 'POST',
  url: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> =>
  world.app.sendPlain(method, url, {
    ...by(caller),
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

/** What a caller has been shown that it may not know: markers, and ids of records hidden from it. */
const leaks = (caller: CallerName, text: string, asked = ''): readonly string[] => [
  // In a cursor, which is sealed, a word may stand by chance.
  ...[...text.replaceAll(/"next":"[^"]*"/g, '').matchAll(/zq[a-z0-9]+/g)].flatMap(([word]) =>
    full.markers.get(word)?.includes(caller) === true ? [] : [word],
  ),
  ...full.hidden
    .filter(
      ({ id, seers, told }) =>
        !asked.includes(id) && !seers.includes(caller) && told?.includes(caller) !== true && text.includes(id),
    )
    .map(({ name, kind }) => `id of ${kind} ${name}`),
];

/** Alike for every service: what tells one answer from the next, and not one world from the other. */
const OPAQUE = new Set([
  'position',
  'revision',
  'asOf',
  'eventId',
  'next',
  'at',
  'correlationId',
  'commandId',
  'causationId',
  'subject',
]);
/** What a process wrote on a need or an offer about a commitment. */
const isFigure = ({ type }: JsonObject): boolean =>
  typeof type === 'string' && /^(Capacity|Coverage|Fund(Booked|Credited)|Allocation)/.test(type);
/** Figures of a fund, true for everyone who sees it. */
const FUND_FIGURES = new Set(['contributions', 'decisions', 'received', 'allocated', 'share', 'unattributed']);
const isOfFund = ({ fund, basis, currency }: JsonObject): boolean =>
  fund === 'fund:hope' && (basis !== undefined || currency !== undefined);

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What of an answer both worlds must have in common for this caller: without opaque tokens, without the figures of records that hidden
 * commitments move, and without what the caller may see of the records that stand in one world only.
 */
const common = (caller: CallerName, value: Json, inTouched = false): Json => {
  if (Array.isArray(value)) {
    return (
      value
        .filter((item) => !isObject(item) || (!mentionsSeen(caller, item) && item.masked !== true))
        // Its score, and with it its place among matches, is a figure of the record.
        .filter((item) => !(isObject(item) && !('id' in item) && [item.offerId, item.needId].some(isTouched)))
        .filter((item) => !(inTouched && isObject(item) && (isFigure(item) || item.others === true)))
        .map((item) => common(caller, item, inTouched))
    );
  }
  if (!isObject(value)) return value;
  // Where nobody says until when, it is a position.
  if ('clock' in value && typeof value.to === 'string' && /^\d+$/.test(value.to)) {
    return common(caller, { ...value, to: null }, inTouched);
  }
  // How many records changed counts those that one world has and the caller sees.
  if (isObject(value.counts) && 'unchanged' in value.counts)
    return common(caller, { ...value, counts: null }, inTouched);
  const about = isObject(value.record) ? value.record.id : undefined;
  const id = [value.id, value.offerId, value.needId, about].find(
    (each) => typeof each === 'string' && full.touched.has(each),
  );
  if (id !== undefined && !('boundAt' in value)) return { id };
  const ofTouched = inTouched || touchedStream(value.stream) || isOfFund(value);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([field]) => !OPAQUE.has(field) && !(ofTouched && FUND_FIGURES.has(field)))
      .map(([field, each]) => [field, common(caller, field === 'opens' ? opened(caller, each) : each, ofTouched)]),
  );
};

/** What one change would open, without the records that one world has, and those of which it is judged on figures. */
const opened = (caller: CallerName, opens: Json): Json =>
  Array.isArray(opens) ? opens.filter((id) => !isTouched(id) && !mentionsSeen(caller, { id })) : opens;

const isTouched = (id: Json | undefined): boolean => typeof id === 'string' && full.touched.has(id);

const touchedStream = (stream: Json | undefined): boolean =>
  typeof stream === 'string' && [...full.touched, 'fund:hope'].some((id) => stream.endsWith(id));

/** True for what stands for a record that only one world has, and that this caller may see. */
const mentionsSeen = (caller: CallerName, item: JsonObject): boolean => {
  const paired = Array.isArray(item.records) ? item.records.map((each) => (isObject(each) ? each.id : undefined)) : [];
  const about = [
    ...paired,
    isObject(item.record) ? item.record.id : undefined,
    item.id,
    item.record,
    item.offerId,
    item.needId,
    item.stream,
    item.contribution,
    item.commitment,
  ]
    .filter((each) => typeof each === 'string')
    .join(' ');
  return (
    full.hidden.some(({ id, seers }) => seers.includes(caller) && about.includes(id)) ||
    (touchedStream(item.stream) && isFigure(item))
  );
};

const listed = (caller: CallerName, { text, status }: Answer, url: string): Json => {
  const touchedHistory = [...full.touched, 'fund:hope'].some((id) => url.includes(id));
  const body = text.startsWith('{') ? (JSON.parse(text) as Json) : text;
  return { status, body: common(caller, body, touchedHistory) };
};

/** What would be, without how much of it there is once that is found to be how much of it is shown. */
const uncounted = (text: string): string => {
  const { needs, offers, ...rest } = JSON.parse(text) as Record<'needs' | 'offers', JsonObject[]>;
  const lengthOf = (list: Json | undefined): number => (Array.isArray(list) ? list.length : 0);
  const itemsOf = (list: Json | undefined): Json | undefined => (isObject(list) ? list.items : undefined);
  const [ofNeeds, ofOffers] = [needs, offers].map((entries) =>
    entries.map(({ counts, ...entry }) => {
      expect(counts).toEqual({
        ...{ before: lengthOf(itemsOf(entry.before)), after: lengthOf(itemsOf(entry.after)) },
        ...{ appeared: lengthOf(entry.appeared), improved: lengthOf(entry.improved) },
        ...{ worsened: lengthOf(entry.worsened), vanished: lengthOf(entry.vanished) },
      });
      return entry;
    }),
  );
  return JSON.stringify({ needs: ofNeeds, offers: ofOffers, ...rest });
};

const WAITS = { prefer: 'wait=10' };

/** What the history of its record shows of an event. */
const shownOf = async (caller: CallerName, stream: string, revision: number): Promise<object | undefined> => {
  const [kind = '', ...id] = stream.split('-');
  const history = await ask(full, caller, 'GET', `/v1/${kind}s/${id.join('-')}/history`);
  const { items } = JSON.parse(history.text) as { items: readonly { readonly data?: object }[] };
  return items[revision]?.data;
};

const isOfCells = (url: string): boolean => /^\/v1\/(gaps|unused)\?/.test(url);

/**
 * Cells as both worlds must have them in common for this caller: those that hold records of one world only, or figures that hidden
 * commitments move, by the records they have in common. What figures these have is held against the records themselves, below.
 */
const commonCells = (caller: CallerName, { text }: Answer, beside: Answer): Json => {
  const itemsOf = (of: string): readonly JsonObject[] => (JSON.parse(of) as { items: JsonObject[] }).items;
  const idsOf = ({ needs, offers }: JsonObject): readonly string[] => (needs ?? offers) as string[];
  const keyOf = (cell: JsonObject): string =>
    JSON.stringify(Object.entries(cell).filter(([, value]) => typeof value === 'string'));
  const inOneWorld = (id: string): boolean => full.hidden.some((each) => each.id === id && each.seers.includes(caller));
  const moved = new Set(
    [...itemsOf(text), ...itemsOf(beside.text)]
      .filter((cell) => idsOf(cell).some((id) => full.touched.has(id) || inOneWorld(id)))
      .map(keyOf),
  );
  return itemsOf(text).flatMap((cell): Json[] => {
    if (!moved.has(keyOf(cell))) return [cell];
    const ids = idsOf(cell).filter((id) => !inOneWorld(id));
    return ids.length === 0 ? [] : [[keyOf(cell), ids]];
  });
};

/** The first place at which two answers differ. */
const differenceOf = (here: Json | undefined, there: Json | undefined, path = ''): string | undefined => {
  if (JSON.stringify(here) === JSON.stringify(there)) return undefined;
  if (typeof here !== 'object' || typeof there !== 'object' || here === null || there === null) {
    return `${path} is ${JSON.stringify(here)}, and ${JSON.stringify(there)} where nothing is hidden`;
  }
  const [a, b] = [Object.entries(here), Object.entries(there)].map(
    (each) => Object.fromEntries(each) as Record<string, Json>,
  );
  for (const field of new Set([...Object.keys(here), ...Object.keys(there)])) {
    const inner = differenceOf(a?.[field], b?.[field], `${path}.${field}`);
    if (inner !== undefined) return inner;
  }
  return `${path} has its fields in another order`;
};

/** Networks of a State, as this world has them. */
const networksOf = (party: string): readonly string[] => {
  const registered = { 'network:msg': ['VUT', 'FJI', 'SLB'], 'network:psg': ['VUT', 'SLB', 'PLW'] };
  return [
    ...organisationsOf(party, '2026-11-22', ['member', 'associate']).filter((network) => !(network in registered)),
    ...Object.entries(registered).flatMap(([network, states]) =>
      states.some((state) => party === `state:${state}`) ? [network] : [],
    ),
  ];
};

const ABSENT = randomUUID();

/** By the index in memory, by every version of the rules, and as it stood; `{head}` is the end of a world's log. */
const MATCHES = [
  '/matches?limit=200',
  // The two first versions are asked alike.
  ...['', '&ruleset=2', '&at={head}'].map((more) => `/matches?includeBlocked=true&limit=200${more}`),
];
/** What else is read of a record than itself and its history. */
const REPLAYS = ['/replay', '/replay?at=2026-11-23&clock=effective'];
const MORE: Readonly<Record<string, readonly string[]>> = {
  needs: [...MATCHES, ...REPLAYS],
  offers: [...MATCHES, ...REPLAYS],
  commitments: REPLAYS,
  funds: ['/attribution', '/attribution?from=2026-11-21'],
};

const urlIn = async (world: World, url: string): Promise<string> =>
  url.includes('{head}') ? url.replace('{head}', String(await world.app.store.head())) : url;

/** Headers that differ from answer to answer, whoever asks for what. */
const plainHeaders = (headers: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => !['date', 'x-correlation-id', 'content-length'].includes(name)),
  );

const alike = ({ status, headers, text }: Answer, id: string): string =>
  JSON.stringify({
    status,
    headers: plainHeaders(headers),
    text: text.replaceAll(id, '<id>').replaceAll(/"correlationId":"[^"]*"/g, ''),
  }).replaceAll(id, '<id>');

const at = (kind: HiddenKind): readonly HiddenRecord[] => full.hidden.filter((each) => each.kind === kind);
const idOf = (name: string): string => {
  const found = full.hidden.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no hidden record ${name}`);
  return found.id;
};

/** How each route is tried; a route that is not named here fails the test that follows. */
const KINDS: readonly HiddenKind[] = [
  ...(['needs', 'offers', 'commitments', 'reported', 'designations', 'mandates'] as const),
  ...(['contributions', 'calls', 'duplicates', 'findings', 'suggestions', 'samples'] as const),
  'confirmation-requests',
];
/** Lists, and what else is asked without an id. */
const LISTS = [
  ...[
    ...KINDS,
    'parties',
    'desk',
    'funds',
    'totals',
    'totals/events',
    'rates',
    'rulesets',
    'gaps',
    'unused',
    'allocations',
    'matches/feed',
  ].map((each) => `/v1/${each}`),
  '/v1/audit/events',
  '/v1/audit/state',
  '/v1/audit/diff',
  '/v1/audit/checks',
  '/v1/audit/checks/{name}',
  '/v1/statements',
  '/v1/statements/events',
  '/v1/advances',
  '/v1/rates/convert',
  '/v1/schemas',
];
/** Parameters without which a list is not answered: each of these is asked, alone and beside every other parameter. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  '/v1/statements': ['fund=fund:hope', 'fund=fund:peace', 'holder=agency:ngo', 'holder=agency:cavr', 'donor=donor:usa'],
  '/v1/statements/events': ['fund=fund:hope', 'holder=agency:ngo', 'donor=donor:japan'],
  '/v1/advances': ['fund=fund:hope', 'holder=agency:ngo'],
  ...Object.fromEntries(
    ['totals', 'totals/events', 'audit/state'].map((each) => [`/v1/${each}`, ['', 'clock=effective&at=2026-11-23']]),
  ),
  '/v1/audit/diff': ['from=0', 'from=2026-11-22&clock=effective'],
  '/v1/rates/convert': ['from=USD&to=EUR&on=2026-01-05&amount=1.00'],
  // Cells without `by` are held against the records themselves, below.
  '/v1/gaps': ['by=kind,region,instrument,network,period'],
  '/v1/unused': ['by=kind,region,instrument,network,period'],
  '/v1/matches/feed': ['records=own', 'records=all'],
};
/** Lists without pages. */
const WHOLE = [
  ...['/v1/audit/state', '/v1/schemas', '/v1/totals', '/v1/advances', '/v1/audit/checks', '/v1/rates/convert'],
  ...['/v1/gaps', '/v1/unused'],
];
/** Creations, and a question, that may name hidden records in their body. */
const CREATIONS = [...KINDS, 'parties', 'funds', 'rates', 'allocations', 'what-if'].map((each) => `/v1/${each}`);
/** Parties are no secret; what stands in their streams is. */
const PARTY_ROUTES = [
  'get /v1/parties/{id}',
  'get /v1/parties/{id}/history',
  'post /v1/parties/{id}/amend',
  'post /v1/parties/{id}/retire',
];
/** Funds are known to every member, and days of rates to everybody; what of a fund is not for all stands in its parts. */
const OPEN_ROUTES = /^\w+ \/v1\/(funds|rates|rulesets)\/\{id\}/;
/** Tried with runs of their own, below. */
const ALLOCATION_ROUTES = /^\w+ \/v1\/allocations\/\{id\}/;
/** Tried with the holder of a designation, below. */
const SUBJECT_ROUTES = /^\w+ \/v1\/subjects\/\{id\}/;
/** Tried with files of their own, below. */
const DOCUMENT_ROUTES = [
  'post /v1/documents',
  ...['get', 'head', 'patch'].map((method) => `${method} /v1/documents/{sha256}`),
];
/** Nothing of a record is in these. */
const PLAIN = [
  'get /healthz',
  'get /readyz',
  'get /metrics',
  'get /openapi.json',
  'get /problems/{code}',
  'get /v1/schemas/{type}/{version}',
  // Of events only salted hashes, in their order.
  'get /log/checkpoint',
  'get /log/verifier-key',
  'get /log/verifier-keys',
  'get /log/tile/entries/{path}',
  'get /log/tile/{level}/{path}',
];
/** Tried with every hidden record's events, below. */
const PROOF_ROUTE = 'get /v1/audit/events/{eventId}/proof';

const kindOf = (path: string): HiddenKind | undefined =>
  path.includes('/{id}') ? KINDS.find((kind) => path.startsWith(`/v1/${kind}/{id}`)) : undefined;

test('every route of the document is tried', () => {
  const missed = Object.entries(paths)
    .flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method} ${path}`))
    .filter((route) => {
      const [method = '', path = ''] = route.split(' ');
      if (kindOf(path) !== undefined || PARTY_ROUTES.includes(route) || PLAIN.includes(route)) return false;
      if (DOCUMENT_ROUTES.includes(route) || OPEN_ROUTES.test(route)) return false;
      if (ALLOCATION_ROUTES.test(route) || SUBJECT_ROUTES.test(route) || route === PROOF_ROUTE) return false;
      if (path.startsWith('/v1/admin/')) return false;
      return !(method === 'get' ? LISTS : CREATIONS).includes(path);
    });
  expect(missed).toEqual([]);
});

describe('the proof of an event of a hidden record', () => {
  const eventIds = new Map<string, string>();
  /** A suggestion has no events of its own. */
  const withEvents = (): readonly HiddenRecord[] => full.hidden.filter(({ kind }) => kind !== 'suggestions');
  beforeAll(async () => {
    // Designations and mandates stand in the stream of a party.
    const isOf = ({ stream, data }: RecordedEvent, record: HiddenRecord): boolean =>
      stream.endsWith(`-${record.id}`) || (stream.startsWith('party-') && JSON.stringify(data).includes(record.id));
    for (const event of await full.app.store.readAll(0n, 100_000))
      for (const record of withEvents()) if (isOf(event, record)) eventIds.set(record.name, event.id);
    expect(
      withEvents()
        .map(({ name }) => name)
        .filter((name) => !eventIds.has(name)),
    ).toEqual([]);
    await ask(full, 'anonymous', 'GET', '/log/checkpoint', undefined, { prefer: 'wait=10' });
  });

  test.each([...OUTSIDERS, 'board', 'japan'] as const)('is for %s as that of no event, or there', async (caller) => {
    const differences: string[] = [];
    const unknown = await ask(full, caller, 'GET', `/v1/audit/events/${ABSENT}/proof`);
    for (const { name, seers, told } of withEvents()) {
      const id = eventIds.get(name) ?? '';
      const answer = await ask(full, caller, 'GET', `/v1/audit/events/${id}/proof`);
      if (
        answer.status === 200
          ? !seers.includes(caller) && told?.includes(caller) !== true
          : alike(answer, id) !== alike(unknown, ABSENT)
      )
        differences.push(`${name}: ${answer.status}`);
    }
    expect(differences).toEqual([]);
  });

  test('is there for whoever sees the record', async () => {
    const seen = full.hidden.filter(({ kind, seers }) => kind === 'needs' && seers.includes('slb'));
    expect(seen.length).toBeGreaterThan(5);
    for (const { name } of seen) {
      const { status } = await ask(full, 'slb', 'GET', `/v1/audit/events/${eventIds.get(name) ?? ''}/proof`);
      expect([name, status]).toEqual([name, 200]);
    }
  });
});

describe('an allocation', () => {
  let id: string;
  beforeAll(async () => {
    const order = { objective: 'max-min', floors: [{ region: '009', share: '0.01' }] };
    const asked = await ask(full, 'coordinator', 'POST', '/v1/allocations', order);
    ({ id } = JSON.parse(asked.text) as { id: string });
    await runEnded(full.app.store, id);
  });

  test('tells whoever asked for it nothing of what is hidden from it', async () => {
    const { text } = await ask(full, 'coordinator', 'GET', `/v1/allocations/${id}`);
    const run = JSON.parse(text) as { model: { offerLines: number; pairs: number }; status: string };
    expect(run.status).toBe('done');
    expect(run.model.pairs).toBeGreaterThan(0);
    for (const part of ['', '/pairs?limit=200', '/unmet?limit=200', '/prices?limit=200', '/certificate', '/history']) {
      const answer = await ask(full, 'coordinator', 'GET', `/v1/allocations/${id}${part}`);
      expect([part, answer.status, leaks('coordinator', answer.text)]).toEqual([part, 200, []]);
    }
  });

  test('is the same, to its proof, as if the records hidden from whoever asked did not exist', async () => {
    // Of what nothing moves: the needs that a coordinator sees and only one world has are of other kinds.
    const order = {
      objective: 'max-min',
      scope: { kind: 'meeting-sponsorship' },
      floors: [{ state: 'VUT', share: '0.5' }],
    };
    const answered = async (world: World): Promise<Json> => {
      const key = { 'idempotency-key': 'allocation-of-both' };
      const asked = await ask(world, 'coordinator', 'POST', '/v1/allocations', order, key);
      const run = (JSON.parse(asked.text) as { id: string }).id;
      await runEnded(world.app.store, run);
      const read = async (part: string, accept: string): Promise<string> =>
        (await ask(world, 'coordinator', 'GET', `/v1/allocations/${run}${part}`, undefined, { accept })).text;
      const { asOf: _position, revision: _revision, ...answer } = JSON.parse(await read('', JSON_TYPE)) as JsonObject;
      const tables = Object.fromEntries(
        await Promise.all(
          ['pairs', 'unmet', 'prices'].map(async (part) => [part, await read(`/${part}`, 'text/csv')] as const),
        ),
      );
      return { ...answer, tables, proof: await read('/certificate', '*/*') };
    };
    const [here, there] = [await answered(full), await answered(bare)];
    expect(differenceOf(here, there)).toBeUndefined();
    // Four of six seats: of the forty that each hidden offer has, none.
    expect(here).toMatchObject({
      status: 'done',
      model: { needLines: 1, offerLines: 2, pairs: 2 },
      unmet: { items: [{ quantity: { measure: 'seats', amount: '2' } }] },
    });
  });

  test.each(CALLER_NAMES.filter((name) => name !== 'coordinator'))(
    'is for %s as one that was never asked for',
    async (caller) => {
      for (const part of ['', '/pairs', '/unmet', '/prices', '/certificate', '/history']) {
        const [there, absent] = [id, ABSENT].map((each) => `/v1/allocations/${each}${part}`);
        const [hidden, unknown] = [
          await ask(full, caller, 'GET', there ?? ''),
          await ask(full, caller, 'GET', absent ?? ''),
        ];
        expect(alike(hidden, id)).toBe(alike(unknown, ABSENT));
      }
      const cancel = (each: string): Promise<Answer> =>
        ask(full, caller, 'POST', `/v1/allocations/${each}/cancel`, {}, { 'if-match': '"0"' });
      expect(alike(await cancel(id), id)).toBe(alike(await cancel(ABSENT), ABSENT));
    },
  );
});

// The operator erases on a party's order: that there is such a reference is no secret to it.
test.each(CALLER_NAMES.filter((name) => name !== 'coordinator' && name !== 'operator'))(
  'a person of another party is for %s as one that nobody knows',
  async (caller) => {
    const designation = await ask(full, 'coordinator', 'GET', `/v1/designations/${idOf('designation')}`);
    const { subject } = JSON.parse(designation.text) as { readonly subject: string };
    for (const send of [
      (id: string) => ask(full, caller, 'GET', `/v1/subjects/${id}`),
      (id: string) => ask(full, caller, 'POST', `/v1/subjects/${id}/erase`, {}),
      (id: string) => ask(full, caller, 'POST', `/v1/subjects/${id}/erase`, {}, { 'if-match': '"0"' }),
    ])
      expect(alike(await send(subject), subject)).toBe(alike(await send(ABSENT), ABSENT));
  },
);

describe('a suggestion', () => {
  interface Suggested extends JsonObject {
    id: string;
    needId: string;
    offerId: string;
  }
  const toldTo = async (world: World, caller: CallerName): Promise<readonly Suggested[]> =>
    (JSON.parse((await ask(world, caller, 'GET', '/v1/suggestions?limit=200')).text) as { items: Suggested[] }).items;

  // It owns nothing hidden, and gives an offer that all see.
  test('tells a desk of what the run was reckoned with no more than which of its pairs were chosen, and how much of each', async () => {
    const [here, there] = [await toldTo(full, 'norway'), await toldTo(bare, 'norway')];
    const both = here.filter(({ id }) => there.some((each) => each.id === id));
    expect(both.length).toBeGreaterThan(0);
    const chosen = (items: readonly Suggested[]): string =>
      JSON.stringify(items.map(({ id, quantity }) => [id, quantity]));
    // Hidden records that the coordinator sees took part in the run.
    expect(chosen(here)).not.toBe(chosen(there));
    for (const suggestion of both) {
      // What could be bound of a need that hidden commitments draw on is a figure of that need.
      const figures = isTouched(suggestion.needId) ? { because: '', servable: '' } : {};
      const apart = { quantity: '', ...figures };
      expect({ ...suggestion, ...apart }).toEqual({ ...there.find(({ id }) => id === suggestion.id), ...apart });
    }
  });

  test('is told to nobody but its desk', async () => {
    for (const caller of CALLER_NAMES.filter((name) => !['japan', 'norway', 'anonymous'].includes(name))) {
      expect([caller, await toldTo(full, caller)]).toEqual([caller, []]);
    }
  });
});

describe('a hidden file', () => {
  const UNKNOWN = 'c'.repeat(64);
  const plain = ({ status, headers, text }: Answer, sha256: string): string =>
    alike({ status, headers: { ...headers, 'consistency-token': '' }, text }, sha256);
  test.each(CALLER_NAMES)('is for %s as one that was never brought, or there whole', async (caller) => {
    expect(full.files.length).toBeGreaterThan(1);
    const differences: string[] = [];
    for (const { name, sha256, bytes, seers } of full.files) {
      const url = `/v1/documents/${sha256}`;
      if (seers.includes(caller)) {
        const answer = await ask(full, caller, 'GET', url);
        if (answer.text !== bytes.toString()) differences.push(`${name}: ${answer.status} ${answer.text}`);
        continue;
      }
      for (const [method, headers] of [
        ['GET', {}],
        ['GET', { range: 'bytes=0-3' }],
        ['GET', { 'if-none-match': `"${sha256}"` }],
        ['HEAD', {}],
        ['PATCH', { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' }],
      ] as const) {
        const [hidden, unknown] = [
          await ask(full, caller, method, url, undefined, headers),
          await ask(full, caller, method, url.replace(sha256, UNKNOWN), undefined, headers),
        ];
        if (plain(hidden, sha256) !== plain(unknown, UNKNOWN))
          differences.push(`${method} ${name}: ${plain(hidden, sha256)}`);
      }
      const declare = (hash: string): Promise<Answer> =>
        ask(full, caller, 'POST', '/v1/documents', { sha256: hash, size: 99, mediaType: 'text/plain' });
      const [hidden, unknown] = [
        await declare(sha256),
        await declare(createHash('sha256').update(`${caller} ${name}`).digest('hex')),
      ];
      if (hidden.status !== unknown.status) differences.push(`POST ${name}: ${hidden.status} ${hidden.text}`);
    }
    expect(differences).toEqual([]);
  });
});

test('every marker is there to be found: somebody may read it and does', async () => {
  const read = new Set<string>();
  for (const caller of [
    'slb',
    'usa',
    'coordinator',
    'vut',
    'japan',
    'norway',
    'board',
    'hope',
    'host',
    'keyed',
  ] as const) {
    const seen = full.hidden.filter(({ seers }) => seers.includes(caller));
    const urls = [
      ...seen.flatMap(({ kind, id }) => [`/v1/${kind}/${id}`, `/v1/${kind}/${id}/history`]),
      ...['', '/history'].map((more) => `/v1/funds/fund:hope${more}`),
      ...['', '/history'].map((more) => `/v1/calls/${full.visible.call}${more}`),
    ];
    const lists = [...KINDS, 'parties', 'audit/events'].map((each) => `/v1/${each}?limit=200`);
    for (const url of [...urls, ...lists]) {
      for (const [word] of (await ask(full, caller, 'GET', url)).text.matchAll(/zq[a-z0-9]+/g)) read.add(word);
    }
  }
  expect([...full.markers.keys()].filter((word) => !read.has(word))).toEqual([]);
});

/** Values tried for each query parameter that the document names; an enumerated one is tried with these of its values. */
const valuesOf = (name: string, { enum: codes }: Parameter['schema'], path: string): readonly string[] => {
  // Its filters choose among matches that are seen: as of each record they are asked, above.
  if (path === '/v1/matches/feed' && !['needId', 'offerId'].includes(name)) return [];
  const some = ['legal', 'tracing', 'need', 'commitment'];
  if (codes !== undefined) return codes.length > 12 ? codes.filter((code) => some.includes(code)) : codes;
  const known: Readonly<Record<string, readonly string[]>> = {
    state: ['SLB', 'VUT', 'USA'],
    ofState: ['SLB'],
    region: ['054'],
    network: ['network:msg'],
    instrument: ['ATT'],
    q: ['zzhidden', 'zzsummary', 'zzbody', 'zzannex', 'zzdocument', 'zzdraft', 'law'],
    from: path.startsWith('/v1/rates') || path === '/v1/audit/diff' ? [] : ['2027-06-01', '2026-01-01'],
    to: path.startsWith('/v1/rates') ? [] : ['2027-06-01'],
    donor: ['donor:usa', 'donor:japan'],
    implementer: ['agency:ngo'],
    needId: [idOf('sealed'), idOf('draft'), full.visible.touchedNeed],
    offerId: [idOf('offernamed'), idOf('offersealed'), full.visible.touchedOffer],
    allocationId: [ABSENT],
    partOf: [idOf('reportsealed'), idOf('overoffer')],
    claimed: ['true', 'false'],
    disowned: ['true', 'false'],
    party: ['state:TON', 'auditor:other', 'state:SLB'],
    category: ['ngo'],
    at: /\/(audit\/state|totals|gaps|unused)/.test(path) ? ['999999', '2026-11-23'] : [],
    by: ['kind', 'network,region'],
    fund: ['fund:hope'],
    holder: ['agency:ngo'],
    currency: ['USD', 'EUR'],
    status: ['signed', 'received', 'cancelled'],
    source: ['ecb'],
    base: ['EUR'],
    on: ['2026-11-23'],
    amount: [],
    onDate: ['2027-03-01'],
    days: ['0'],
    after: ['0'],
    type: ['NeedDrafted', 'CommitmentProposed', 'OfferPosted'],
    stream: [`need-${idOf('sealed')}`, `need-${idOf('draft')}`, `commitment-${idOf('overneed')}`, 'party-state:TON'],
    actor: ['state:SLB', 'donor:usa'],
    limit: [],
    cursor: [],
    owner: ['state:VUT', 'donor:usa'],
    auditor: ['auditor:board'],
    commitment: [...at('commitments').map(({ id }) => id)],
    record:
      path === '/v1/audit/diff'
        ? [`needs/${full.visible.touchedNeed}`, `needs/${idOf('sealed')}`, `commitments/${idOf('overoffer')}`]
        : [full.visible.touchedNeed, idOf('overoffer')],
    dueBefore: ['2028-01-01'],
    overdue: ['true', 'false'],
    // True only as lines, which hold what the events do.
    openings: ['false'],
  };
  const values = known[name];
  if (values === undefined) throw new Error(`say which values of ${name} are tried (${path})`);
  return values;
};

const queriesOf = (path: string): readonly string[] => {
  const parameters = (paths[path]?.get?.parameters ?? []).filter((each) => each.in === 'query');
  const size = WHOLE.includes(path) ? '' : 'limit=200';
  const single = parameters.flatMap(({ name, schema }) =>
    valuesOf(name, schema, path).map((value) => `${name}=${encodeURIComponent(value)}`),
  );
  const needed = NEEDED[path] ?? [''];
  return checksIn(path).flatMap((one) =>
    needed.flatMap((base) =>
      ['', ...single.filter((each) => !base.includes(`${each.split('=')[0]}=`))].map(
        (query) => `${one}?${[size, base, query].filter((part) => part !== '').join('&')}`,
      ),
    ),
  );
};

/** The path, or one for each check. */
const checksIn = (path: string): readonly string[] =>
  path.includes('{name}') ? checks.map((name) => path.replace('{name}', name)) : [path];

/** The path, and whose books, or which record, are asked for. */
const whoseIn = (url: string): string => {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  return [pathname, ...['fund', 'holder', 'donor', 'record'].map((name) => searchParams.get(name) ?? '')].join(' ');
};

/** The answer, and of the log every page: masked places take room in it. */
const readAll = async (world: World, caller: CallerName, url: string): Promise<Answer> => {
  const first = await ask(world, caller, 'GET', url);
  if (first.status !== 200 || !url.startsWith('/v1/audit/events')) return first;
  const items: Json[] = [];
  for (let page = first; ;) {
    const read = JSON.parse(page.text) as { items: Json[]; next: string | null };
    items.push(...read.items);
    if (read.next === null) return { ...first, text: JSON.stringify({ items, next: null }) };
    page = await ask(world, caller, 'GET', `${url.replace(/&after=[^&]*/, '')}&after=${read.next}`);
  }
};

describe.each(SWEEPERS)('%s', (caller) => {
  test('reads in no list what it may not know', async () => {
    const found: string[] = [];
    const refused = new Set<string>();
    for (const url of LISTS.flatMap(queriesOf)) {
      if (refused.has(whoseIn(url))) continue;
      const answer = await readAll(full, caller, url);
      // Refused by role: the same whatever is asked.
      if (answer.status === 401 || answer.status === 403) {
        expect([url, answer.status]).toEqual([url, (await ask(bare, caller, 'GET', url)).status]);
        refused.add(whoseIn(url));
        continue;
      }
      found.push(...leaks(caller, answer.text, url).map((leak) => `${url}: ${leak}`));
      if (!OUTSIDERS.includes(caller)) continue;
      // The grade of coverage counts hidden commitments: it is true for everyone.
      if (url.includes('coverage=')) continue;
      const without = await readAll(bare, caller, url);
      const [here, there] = isOfCells(url)
        ? [commonCells(caller, answer, without), commonCells(caller, without, answer)]
        : [listed(caller, answer, url), listed(caller, without, url)];
      const difference = differenceOf(here, there);
      if (difference !== undefined) found.push(`${url}: ${difference}`);
    }
    expect(found).toEqual([]);
  });

  test('is shown in every cell what the records that it sees add up to', async () => {
    const everything = ['kind', 'region', 'instrument', 'network', 'period'] as const;
    for (const dimensions of [[], everything]) {
      const query = dimensions.length === 0 ? '' : `by=${dimensions.join(',')}`;
      const cells = async (view: string): Promise<unknown> => {
        const { text } = await ask(full, caller, 'GET', `/v1/${view}?${query}`);
        return inOrder((JSON.parse(text) as { items: JsonObject[] }).items);
      };
      expect(await cells('gaps')).toEqual(await gapsFromRecords(full.app, by(caller), dimensions, networksOf));
      expect(await cells('unused')).toEqual(await unusedFromRecords(full.app, by(caller), dimensions));
    }
  });

  test('reads of what it sees nothing more than if nothing were hidden', async () => {
    const found: string[] = [];
    for (const kind of [
      ...['needs', 'offers', 'commitments', 'reported', 'parties', 'contributions', 'calls', 'funds', 'duplicates'],
      ...['findings', 'confirmation-requests'],
    ]) {
      const list = await ask(bare, caller, 'GET', `/v1/${kind}?limit=200`);
      const { items = [] } = JSON.parse(list.text) as { items?: { id: string }[] };
      const suffixes = ['', '/history', ...(MORE[kind] ?? [])];
      for (const url of items.flatMap(({ id }) => suffixes.map((suffix) => `/v1/${kind}/${id}${suffix}`))) {
        const answer = await ask(full, caller, 'GET', await urlIn(full, url));
        found.push(...leaks(caller, answer.text, url).map((leak) => `${url}: ${leak}`));
        if (!OUTSIDERS.includes(caller)) continue;
        // What could be served of a record that hidden commitments draw on is a figure of that record.
        if (url.includes('/matches') && [...full.touched].some((id) => url.includes(id))) continue;
        const without = await ask(bare, caller, 'GET', await urlIn(bare, url));
        const difference = differenceOf(listed(caller, answer, url), listed(caller, without, url));
        if (difference !== undefined) found.push(`${url}: ${difference}`);
      }
    }
    expect(found).toEqual([]);
  });

  test('takes away as evidence of what it sees nothing more than its history shows', async () => {
    const found: string[] = [];
    let bundles = 0;
    for (const kind of ['needs', 'offers', 'commitments']) {
      const list = await ask(bare, caller, 'GET', `/v1/${kind}?limit=200`);
      for (const { id } of (JSON.parse(list.text) as { items: { id: string }[] }).items) {
        const url = `/v1/${kind}/${id}/evidence`;
        const { status, bytes } = await full.app.sendPlain('GET', url, { ...by(caller), headers: WAITS });
        expect([url, status]).toEqual([url, 200]);
        bundles += 1;
        const files = await readZip(bytes);
        // Of random letters some are a word by chance.
        const plain = [...files].filter(([path]) => !/\.tlog-proof$|^(checkpoint|verifier-key)$/.test(path));
        const text = plain.map(([, file]) => Buffer.from(file).toString()).join('\n');
        found.push(...leaks(caller, text, url).map((leak) => `${url}: ${leak}`));
        for (const [path, file] of files) {
          const [, stream = '', revision = ''] = /^events\/([^/]+)\/(\d+)\.json$/.exec(path) ?? [];
          if (stream === '') continue;
          const { data } = JSON.parse(Buffer.from(file).toString()) as { data: object };
          const shown = await shownOf(caller, stream, Number(revision));
          if (shown === undefined || told(shown) !== told(data))
            found.push(`${url}: ${path} is not as its history shows it`);
        }
      }
    }
    expect(found).toEqual([]);
    expect(bundles).toBeGreaterThan(3);
  });

  test('hears of nothing hidden in what would be', async () => {
    if (caller === 'anonymous') return;
    const { need, offer } = full.visible;
    const money = { measure: 'money', currency: 'USD', amount: '500.00' };
    const supposed = { title: 'Supposed', kinds: ['legal'], instruments: ['ATT'] };
    const found: string[] = [];
    for (const body of [
      { needs: [need], offers: [offer] },
      {
        change: [
          { offerId: offer, add: money },
          { needId: need, set: { languages: ['en', 'fr'], urgency: 'urgent' } },
        ],
      },
      {
        offers: [{ title: 'Supposed', donor: 'donor:usa', lines: [{ kinds: ['legal'], capacity: money }] }],
        needs: ['SLB', 'VUT'].map((code) => ({
          ...{ ...supposed, ref: code, beneficiaries: [`state:${code}`] },
          lines: [{ kind: 'legal', quantity: money }],
        })),
      },
    ]) {
      const [answer, without] = await Promise.all(
        [full, bare].map((world) =>
          ask(world, caller, 'POST', '/v1/what-if', { includeBlocked: true, limit: 50, ...body }),
        ),
      );
      if (answer === undefined || without === undefined) continue;
      expect(answer.status).toBe(200);
      found.push(...leaks(caller, answer.text));
      if (!OUTSIDERS.includes(caller)) continue;
      const [here, there] = [answer, without].map((each) =>
        listed(caller, { ...each, text: uncounted(each.text) }, ''),
      );
      const difference = differenceOf(here, there);
      if (difference !== undefined) found.push(`${JSON.stringify(body)}: ${difference}`);
    }
    expect(found).toEqual([]);
  });

  test('pages through lists one by one without a gap or an empty page', async () => {
    for (const path of [
      ...['needs', 'needs?sort=rank', 'offers', 'commitments', 'reported', 'desk', 'contributions', 'calls', 'funds'],
      ...['duplicates', 'findings', 'suggestions', 'samples', 'confirmation-requests'],
      'totals/events',
    ].map((each) => `/v1/${each}`)) {
      const size = (limit: number): string => `${path}${path.includes('?') ? '&' : '?'}limit=${limit}`;
      const whole = await ask(full, caller, 'GET', size(200));
      if (whole.status !== 200) continue;
      const { items } = JSON.parse(whole.text) as { items: Json[] };
      const paged: Json[] = [];
      let pages = 0;
      for (let cursor: string | null = ''; cursor !== null; pages += 1) {
        const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const { text } = await ask(full, caller, 'GET', `${size(1)}${more}`);
        const page = JSON.parse(text) as { items: Json[]; next: string | null };
        paged.push(...page.items);
        cursor = page.next;
      }
      expect([path, paged]).toEqual([path, items]);
      expect([path, pages]).toEqual([path, Math.max(items.length, 1)]);
    }
  });

  test('is answered for a hidden record as for none, by every route that names one', async () => {
    const differences: string[] = [];
    let turn = CALLER_NAMES.indexOf(caller);
    for (const [path, operations] of Object.entries(paths)) {
      const kind = kindOf(path);
      if (kind === undefined) continue;
      for (const [method, operation] of Object.entries(operations)) {
        const body = operation.requestBody?.content['application/json']?.example ?? {};
        const variants: readonly Readonly<Record<string, string>>[] =
          method === 'get'
            ? [{}]
            : [{}, { 'if-match': '"0"', 'idempotency-key': 'again', prefer: 'wait=1', 'effective-at': '2026-11-21' }];
        const suffix = path.endsWith('/matches') ? '?includeBlocked=true' : '';
        const to = (id: string): string => `${path.replace('{id}', id).replaceAll(/\{[^}]+\}/g, '1')}${suffix}`;
        const send = (id: string, headers: Readonly<Record<string, string>>): Promise<Answer> =>
          method === 'get'
            ? ask(full, caller, 'GET', to(id), undefined, headers)
            : ask(full, caller, 'POST', to(id), body, headers);
        for (const headers of variants) {
          const expected = alike(await send(ABSENT, headers), ABSENT);
          // Commands take turns over the hidden records: from caller to caller another part of them, all in the end.
          turn += 1;
          const unknown = at(kind).filter(({ seers }) => !seers.includes(caller));
          const tried = unknown.filter((_each, index) => method === 'get' || (index + turn) % 11 === 0);
          for (const { id, name } of tried) {
            const answer = alike(await send(id, headers), id);
            if (answer !== expected) differences.push(`${method} ${path} (${name}): ${answer} instead of ${expected}`);
          }
        }
      }
    }
    expect(differences).toEqual([]);
  });
});

/** Bodies that name another record. */
const NAMING: readonly {
  readonly path: string;
  readonly kinds: readonly HiddenKind[];
  readonly body: (id: string) => object;
}[] = [
  { path: '/v1/commitments', kinds: ['needs'], body: (id) => proposal(full.visible.offer, id) },
  { path: '/v1/commitments', kinds: ['offers'], body: (id) => proposal(id, full.visible.need) },
  { path: '/v1/commitments', kinds: ['needs', 'offers'], body: (id) => proposal(id, id) },
  {
    path: '/v1/needs',
    kinds: ['commitments'],
    body: (id) => ({
      title: 'After earlier aid',
      kinds: ['legal'],
      instruments: ['ATT'],
      lines: [{ kind: 'legal', quantity: { measure: 'money', currency: 'USD', amount: '5.00' } }],
      priorAid: [{ commitmentId: id }],
    }),
  },
  {
    path: '/v1/reported',
    kinds: ['needs', 'offers'],
    body: (id) => ({
      kind: 'need',
      title: 'A part',
      amounts: 'not-published',
      source: { kind: 'published', reference: 'A page' },
      partOf: id,
    }),
  },
  {
    path: '/v1/mandates',
    kinds: ['needs', 'offers', 'commitments', 'reported'],
    body: (id) => ({
      auditor: 'auditor:none',
      scope: { records: [id] },
      sealed: true,
      from: '2028-01-01',
      to: '2028-12-31',
      reference: 'Resolution 2',
    }),
  },
  {
    path: '/v1/calls/{call}/applications',
    kinds: ['needs'],
    body: (id) => ({ needId: id, amount: { measure: 'money', currency: 'USD', amount: '1.00' } }),
  },
  ...(
    [
      ['need', 'needs'],
      ['offer', 'offers'],
      ['commitment', 'commitments'],
      ['reported', 'reported'],
    ] as const
  ).map(([kind, kinds]) => ({
    path: '/v1/findings',
    kinds: [kinds],
    body: (id: string): object => ({
      ...{ severity: 'low', title: 'A part', text: 'So it is.', recommendation: 'Otherwise.', owner: 'state:VUT' },
      ...{ records: [{ kind, id }], eventIds: [ABSENT], due: '2027-12-31' },
    }),
  })),
  {
    path: '/v1/confirmation-requests',
    kinds: ['commitments'],
    body: (id) => ({ party: 'state:VUT', commitments: [id], due: '2027-12-31' }),
  },
  {
    path: '/v1/confirmation-requests',
    kinds: ['samples'],
    body: (id) => ({ party: 'state:VUT', sample: id, due: '2027-12-31' }),
  },
  { path: '/v1/what-if', kinds: ['needs'], body: (id) => ({ needs: [id] }) },
  { path: '/v1/what-if', kinds: ['offers'], body: (id) => ({ offers: [id], includeBlocked: true }) },
  {
    path: '/v1/what-if',
    kinds: ['needs'],
    body: (id) => ({ change: [{ needId: id, set: { rank: 1 } }], needs: [full.visible.need] }),
  },
  {
    path: '/v1/what-if',
    kinds: ['offers'],
    body: (id) => ({
      change: [
        {
          ...{ needId: full.visible.need, offerId: id },
          unlock: [
            { side: 'offer', code: 'visibility', change: 'this offer: name the State, or widen the visibility' },
          ],
        },
      ],
    }),
  },
  { path: '/v1/needs/{need}/merge', kinds: ['needs'], body: (id) => ({ into: id }) },
  {
    path: '/v1/funds/fund:hope/decisions',
    kinds: ['needs'],
    body: (id) => ({
      body: 'Committee',
      date: '2026-11-22',
      reference: 'Minutes 4',
      allocations: [{ needId: id, amount: { measure: 'money', currency: 'USD', amount: '1.00' } }],
    }),
  },
];
const proposal = (offerId: string, needId: string): object => ({
  offerId,
  needId,
  legs: [{ offerLine: 1, needLine: 1, drawn: { measure: 'money', currency: 'USD', amount: '1.00' } }],
});

test('the feed of matches tells nothing of what becomes of hidden records', async () => {
  const read = async (world: World, caller: CallerName, after: string): Promise<JsonObject> => {
    await world.app.settled();
    const from = after === '' ? '' : `&after=${after}`;
    const { text } = await ask(world, caller, 'GET', `/v1/matches/feed?records=all&limit=200${from}`);
    return JSON.parse(text) as JsonObject;
  };
  const members = OUTSIDERS.filter((caller) => caller !== 'anonymous');
  const places = new Map<CallerName, string>();
  let items = 0;
  for (const caller of members) {
    const page = await read(full, caller, '');
    places.set(caller, page.next as string);
    items += (page.items as Json[]).length;
  }
  expect(items).toBeGreaterThan(members.length);
  // Of both kinds of record: one that is seen by none of these goes, and one comes.
  for (const [offer, command, body] of [
    ['offernamed', 'suspend', { reason: { code: 'other' } }],
    ['offersealed', 'resume', {}],
  ] as const) {
    const path = `/v1/offers/${idOf(offer)}`;
    const { etag = '' } = (await ask(full, 'usa', 'GET', path)).headers;
    const answer = await ask(full, 'usa', 'POST', `${path}/${command}`, body, { 'if-match': String(etag) });
    expect([offer, answer.status]).toEqual([offer, 200]);
  }
  const need = `/v1/needs/${idOf('named')}`;
  const { etag = '' } = (await ask(full, 'slb', 'GET', need)).headers;
  const reason = { reason: { code: 'other' } };
  expect((await ask(full, 'slb', 'POST', `${need}/withdraw`, reason, { 'if-match': String(etag) })).status).toBe(200);
  for (const caller of members) {
    const page = await read(full, caller, places.get(caller) ?? '');
    expect([caller, page.items, page.restart, page.more]).toEqual([caller, [], false, false]);
  }
  expect((await read(full, 'usa', '')).items).not.toEqual([]);
});

// Last, for what is accepted is written.
test.each([
  ...([
    'anonymous',
    'fiji',
    'norway',
    'slbPolice',
    'network',
    'coordinator',
    'japan',
    'vut',
    'hope',
    'narrow',
  ] as const),
])('%s is answered alike whether a body names a hidden record or none', async (caller) => {
  const differences: string[] = [];
  const withoutIds = ({ status, text }: Answer): string =>
    `${status} ${text.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>').replaceAll(/"revision":\d+/g, '')}`;
  for (const { path: pattern, kinds, body } of NAMING) {
    const path = pattern.replace('{call}', full.visible.call).replace('{need}', full.visible.need);
    const record = path.split('/').slice(0, 4).join('/');
    const { etag = '"0"' } = record === path ? {} : (await ask(full, caller, 'GET', record)).headers;
    const headers = { prefer: 'wait=1', ...(record === path ? {} : { 'if-match': String(etag) }) };
    const expected = withoutIds(await ask(full, caller, 'POST', path, body(ABSENT), headers));
    for (const { id, name, kind, seers } of full.hidden) {
      if (!kinds.includes(kind) || seers.includes(caller)) continue;
      const answer = withoutIds(await ask(full, caller, 'POST', path, body(id), headers));
      if (answer !== expected) differences.push(`${path} (${kind} ${name}): ${answer} instead of ${expected}`);
    }
  }
  expect(differences).toEqual([]);
});
