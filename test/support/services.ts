import { pino } from 'pino';
import { LocalMessageBus } from '#bus-local';
import { DocumentStore, FileDocumentStore } from '#documents';
import type { Host } from '#hosting';
import { Opened } from '#hosting';
import { InMemoryEventStore } from '#kernel-testing';
import type { EventStore, ManualClock, ReadDatabase } from '#kernel';
import { Transactor, Upcasting } from '#kernel';
import { MemoryReadDatabase } from '#read-database';
import { contexts as everyContext, isOfEveryApp, ROUTE_TABLE, serviceOf } from '#services';
import { documentFolders, SqliteEventStore } from '#store-sqlite';
import type { Context, DeclaredRoute } from '#web';
import {
  DEFAULT_AUDIENCE,
  declaredRoutes,
  knownProblems,
  LocalIssuer,
  routesOf,
  sealKeysOf,
  SqliteSubjectRegister,
  TokenVerifier,
  trustLocal,
  trustOidc,
} from '#web';
import { createGateway } from '../../apps/gateway/gateway.js';
import { createApp, type AppOptions } from '../../apps/pledgebook/app.js';
import { createService } from '../../apps/service/service.js';
import type { Shape } from './app.js';

export interface ServicesOptions extends Omit<AppOptions, 'clock'> {
  readonly clock: ManualClock;
  /** Where the read models of a service are kept; in memory unless told. */
  readonly readDatabaseOf?: (service: string) => ReadDatabase;
}

export interface Services extends Shape {
  /** What runs behind the gateway, by service. */
  readonly hosts: ReadonlyMap<string, Host>;
}

/**
 * Every service in an app of its own, each listening for itself, behind the real gateway: all in this process, on one log and one clock.
 * Contexts that the route table does not know (a test's own) make one service together.
 */
export const startServices = (options: ServicesOptions): Promise<Services> =>
  Opened.orClosed(async (opened) => {
    const { clock, contexts = everyContext, logger = pino({ level: 'silent' }), audience = DEFAULT_AUDIENCE } = options;
    const { dataFolder } = options;
    const store = opened.add(options.store ?? storeOf(dataFolder));
    const subjects = opened.add(
      dataFolder === undefined ? SqliteSubjectRegister.inMemory() : SqliteSubjectRegister.open(dataFolder),
    );
    const documents = opened.add(
      dataFolder === undefined
        ? FileDocumentStore.temporary(options.documentLimit)
        : FileDocumentStore.open(documentFolders(dataFolder), options.documentLimit),
    );
    const seals = sealKeysOf(dataFolder);
    const issuer = dataFolder === undefined ? LocalIssuer.inMemory() : LocalIssuer.open(dataFolder);
    const table = tableOf(contexts);
    const hosts = new Map<string, Host>();
    const urls: Record<string, readonly string[]> = {};
    for (const service of Object.keys(table)) {
      const own = new Opened();
      const readDatabase = own.add((options.readDatabaseOf ?? inMemory)(service));
      const bus = own.add(new LocalMessageBus(store, ':memory:'));
      const host = await createService(
        {
          service,
          table,
          contexts,
          clock,
          logger,
          audience,
          oidc: options.oidc,
          tick: options.tick ?? 'manual',
          adapters: {
            store,
            bus,
            readDatabase,
            subjects,
            seals,
            issuer,
            ports: [{ provide: DocumentStore, useValue: documents }],
          },
        },
        own,
      );
      opened.add(host);
      hosts.set(service, host);
      urls[service] = [await host.listen(0)];
    }
    const { oidc } = options;
    const trusted =
      oidc === undefined ? trustLocal(issuer, audience, clock) : trustOidc(oidc.issuer, audience, oidc.jwksUri);
    const gateway = opened.add(
      await createGateway({
        table,
        services: urls,
        verifier: new TokenVerifier(trusted, clock),
        published: await publishedOf(contexts),
        logger,
        rate: options.rate ?? 'off',
      }),
    );
    const url = await gateway.listen(0);
    const all = [...hosts.values()];
    const keeping = (name: string): Host => {
      const found = all.find(({ projections }) => projections.statuses().some((status) => status.name === name));
      if (found === undefined) throw new RangeError(`no service keeps ${name}`);
      return found;
    };
    return {
      hosts,
      url,
      store,
      transactor: new Transactor(store, clock, new Upcasting(contexts.flatMap(({ upcasters = [] }) => upcasters))),
      ticker: {
        tickNow: async () => {
          await Promise.all(all.map(({ ticker }) => ticker.tickNow()));
        },
      },
      projections: {
        waitFor: async (position, timeoutMs, names) => {
          const reached = await Promise.all(
            all.map(({ projections }) => {
              const own = projections.statuses().map(({ name }) => name);
              return projections.waitFor(
                position,
                timeoutMs,
                names === undefined ? own : own.filter((name) => names.includes(name)),
              );
            }),
          );
          return reached.every(Boolean);
        },
        model: (name) => keeping(name).projections.model(name),
        statuses: () => all.flatMap(({ projections }) => projections.statuses()),
      },
      declared: () => unique(all.flatMap(({ nest }) => declaredRoutes(nest))),
      token: (request) => issuer.token({ audience, issuedAt: clock.now(), ...request }),
      settled: (timeoutMs = 20_000) => settle(store, all, timeoutMs),
      close: () => opened.close(),
    };
  });

const inMemory = (): ReadDatabase => new MemoryReadDatabase();

/** A test that names a folder is about the files in it: the log is then among them. */
const storeOf = (dataFolder: string | undefined): EventStore =>
  dataFolder === undefined ? new InMemoryEventStore() : SqliteEventStore.open(dataFolder);

/** The part of the route table that these contexts fill. */
const tableOf = (contexts: readonly Context[]): Readonly<Record<string, readonly string[]>> => {
  const paths = contexts
    .flatMap(({ controllers, history = [] }) => [...controllers, ...history])
    .flatMap(routesOf)
    .map(({ path }) => path)
    .filter((path) => !isOfEveryApp(path));
  const unknown = paths.filter((path) => serviceOf(ROUTE_TABLE, path) === undefined);
  if (unknown.length > 0) return { own: [...new Set(paths.map((path) => path.split('/').slice(0, 3).join('/')))] };
  const served = new Set(paths.map((path) => serviceOf(ROUTE_TABLE, path)));
  return Object.fromEntries(Object.entries(ROUTE_TABLE).filter(([service]) => served.has(service as 'needs')));
};

type PublishedParts = Awaited<ReturnType<typeof publish>>;
const published = new Map<string, Promise<PublishedParts>>();

/** What the apps are built with: the document and the refusals of one process. Made once for the contexts of these names. */
const publishedOf = (contexts: readonly Context[]): Promise<PublishedParts> => {
  const key = contexts.map(({ name }) => name).join(' ');
  const made = published.get(key) ?? publish(contexts);
  published.set(key, made);
  return made;
};

const publish = async (
  contexts: readonly Context[],
): Promise<{ readonly document: object; readonly problems: Record<string, { status: number; title: string }> }> => {
  const app = await createApp({ store: new InMemoryEventStore(), contexts, tick: 'manual' });
  try {
    const document = (await app.fastify.inject('/openapi.json')).json<object>();
    return { document, problems: Object.fromEntries(knownProblems()) };
  } finally {
    await app.close();
  }
};

const unique = (routes: readonly DeclaredRoute[]): readonly DeclaredRoute[] => [
  ...new Map(routes.map((route) => [`${route.method} ${route.path}`, route])).values(),
];

/** Until every process and read model of every service has come to the end of the log, and nothing was written meanwhile. */
const settle = async (store: Shape['store'], hosts: readonly Host[], timeoutMs: number): Promise<void> => {
  for (let head = await store.head(), before = -1n; head !== before;) {
    for (const { processes, projections } of hosts) {
      await processes.reached(head);
      if (!(await projections.waitFor(head, timeoutMs)))
        throw new Error(`projections did not reach ${head} in ${timeoutMs} ms`);
    }
    before = head;
    head = await store.head();
  }
};
