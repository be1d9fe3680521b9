import { InMemoryEventStore } from '#kernel-testing';
import type { EventStore, RecordedEvent } from '#kernel';
import { categoryOfStream, idOfStream, ManualClock } from '#kernel';
import type { TokenRequest } from '#web';
import type { LoggedEvent } from '../../infra/frozen-events.js';
import { logged } from '../../infra/frozen-events.js';
import { createApp } from '../../apps/pledgebook/app.js';
import type { Shape } from '../support/app.js';
import type { Response } from '../support/http.js';
import { sendPlain } from '../support/http.js';

/** What a frozen log says to those who read it, at its end. */
export interface Reading {
  /** The moment it is read at: that of its last event. */
  readonly at: string;
  /** By reader, then by address: the record, or the ids of the list. A record hidden from a reader is not there. */
  readonly readers: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Where the records of a category of streams are served. */
export const ROUTES: Readonly<Record<string, string>> = {
  party: '/v1/parties',
  need: '/v1/needs',
  offer: '/v1/offers',
  commitment: '/v1/commitments',
  reported: '/v1/reported',
  fund: '/v1/funds',
  contribution: '/v1/contributions',
  call: '/v1/calls',
  rates: '/v1/rates',
  ruleset: '/v1/rulesets',
  allocation: '/v1/allocations',
};

/** Of these, what a list shows grows with every release; what was said of each record does not. */
export const ROUTES_BESIDE: Readonly<Record<string, string>> = {
  duplicate: '/v1/duplicates',
  finding: '/v1/findings',
  sample: '/v1/samples',
  confirmation: '/v1/confirmation-requests',
  subject: '/v1/subjects',
};

/** Categories whose records tell who read them. */
const READ_BY = new Set(['need', 'offer', 'commitment']);

const READERS = {
  anyone: undefined,
  coordinator: { party: 'agency:secretariat', roles: ['coordinator'] },
  auditor: { party: 'auditor:court', roles: ['auditor'] },
  vanuatu: { party: 'state:VUT', roles: ['npc'] },
} as const;

/** An event of a frozen log as a store hands it out. */
export const recordedOf = ({ position, ...event }: LoggedEvent): RecordedEvent => ({
  ...event,
  position: BigInt(position),
});

/** Starts the service on a store, in one process or in many. */
export type Start = (
  store: EventStore,
  clock: ManualClock,
) => Promise<Pick<Shape, 'url' | 'token' | 'settled' | 'close'>>;

const inOneProcess: Start = async (store, clock) => {
  const app = await createApp({ store, clock, rate: 'off', tick: 'manual' });
  return { ...app, url: await app.listen(0) };
};

/** A store that holds the log as it was written: the same ids, streams, revisions and positions. */
export const storeOf = async (events: readonly LoggedEvent[]): Promise<InMemoryEventStore> => {
  const store = new InMemoryEventStore();
  for (const { id, stream, revision, type, data, metadata } of events) {
    await store.append(stream, revision - 1, [{ id, type, data, metadata }]);
  }
  return store;
};

/**
 * Starts the service on the frozen log as on a log whose read models and checkpoints were lost, and reads every record and board.
 * `log` is the log afterwards: processes that see old events again must write nothing.
 */
export const replayed = async (
  events: readonly LoggedEvent[],
  start: Start = inOneProcess,
): Promise<{ readonly reading: Reading; readonly log: readonly LoggedEvent[] }> => {
  const at = events.reduce((latest, { metadata }) => (metadata.recordedAt > latest ? metadata.recordedAt : latest), '');
  const store = await storeOf(events);
  const app = await start(store, new ManualClock(at));
  try {
    await app.settled();
    const readers = await readingsOf(app, events);
    const log = (await store.readAll(0n, Number.MAX_SAFE_INTEGER)).map(logged);
    return { reading: { at, readers }, log };
  } finally {
    await app.close();
  }
};

/** What every reader is shown of a log's records and boards by a service that has come to its end. */
export const readingsOf = async (
  { url, token }: { readonly url: string; readonly token: (request: TokenRequest) => Promise<string> },
  events: readonly Pick<LoggedEvent, 'stream'>[],
): Promise<Reading['readers']> => {
  const readers: Record<string, Record<string, unknown>> = {};
  for (const [name, reader] of Object.entries(READERS)) {
    const authorization =
      reader === undefined
        ? undefined
        : `Bearer ${await token({ party: reader.party, roles: [...reader.roles], sub: name })}`;
    const ask = (path: string, method: string): Promise<Response> =>
      sendPlain(method, `${url}${path}`, authorization === undefined ? {} : { headers: { authorization } });
    const get: Get = async (path) => {
      const response = await ask(path, 'GET');
      if (response.status === 404 || response.status === 403) return undefined;
      if (response.status !== 200) throw new Error(`GET ${path} as ${name}: ${response.status} ${response.text}`);
      return response.body as unknown;
    };
    readers[name] = await everything(events, get, async (path) => (await ask(path, 'HEAD')).status);
  }
  return readers;
};

/** The answer, or undefined where it is hidden, absent or not the reader's to ask for. */
type Get = (path: string) => Promise<unknown>;

const everything = async (
  events: readonly Pick<LoggedEvent, 'stream'>[],
  get: Get,
  statusOf: (path: string) => Promise<number>,
): Promise<Record<string, unknown>> => {
  const found: Record<string, unknown> = {};
  for (const route of Object.values(ROUTES)) {
    const list = (await get(`${route}?limit=200`)) as { readonly items: readonly { readonly id?: string }[] };
    found[route] = list.items.map((item) => item.id ?? item);
  }
  found['/v1/totals'] = await get('/v1/totals');
  const streams = new Set(events.map((event) => event.stream));
  const readsAreLogged = [...streams].some((stream) => categoryOfStream(stream) === 'reads');
  for (const stream of streams) {
    const [category, id] = [categoryOfStream(stream), idOfStream(stream)];
    if (category === 'document') {
      const path = `/v1/documents/${id}`;
      const status = await statusOf(path);
      // The bytes are not in the log: whoever would be given them is told that the store lacks them.
      found[path] = status === 404 ? 'hidden' : status === 503 ? 'shown' : status;
      continue;
    }
    // The log's own keys, told in lines by /log/verifier-keys; the run that reads has another.
    if (category === 'log') continue;
    // A person's, told with the records that were read.
    if (category === 'reads') continue;
    const route = ROUTES_BESIDE[category] ?? ROUTES[category];
    if (route === undefined) throw new Error(`no route shows the records of ${stream}`);
    const path = `${route}/${id}`;
    const record = await get(path);
    if (record !== undefined) found[path] = factsIn(record as Readonly<Record<string, unknown>>);
    if (readsAreLogged && READ_BY.has(category)) {
      const readings = await get(`${path}/reads`);
      if (readings !== undefined) found[`${path}/reads`] = readings;
    }
    if (category === 'party' || category === 'fund') {
      const of = `/v1/statements?limit=200&${category === 'party' ? 'holder' : 'fund'}=${id}`;
      const statement = (await get(of)) as { readonly currencies: readonly object[] } | undefined;
      if (statement !== undefined && statement.currencies.length > 0) found[of] = statement;
    }
  }
  return found;
};

/** What may be done next and what a coach says of it grow with every release; what happened does not. */
const factsIn = ({ actions: _actions, quality: _quality, ...facts }: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(facts).map(([field, value]) => [field, withoutCursor(value)]));

/** A first page that goes on: its cursor is signed with a key of this run. */
const withoutCursor = (value: unknown): unknown => {
  const { items, next } = (value ?? {}) as { readonly items?: unknown; readonly next?: unknown };
  return Array.isArray(items) && typeof next === 'string' ? { items, next: 'signed' } : value;
};
