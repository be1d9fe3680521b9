import { randomBytes } from 'node:crypto';
import { type Logger, pino } from 'pino';
import { ensureTopics, KafkaBroker, KafkaMessageBus, TopicNames, topicsSettings, wantedTopics } from '#bus-kafka';
import { LocalMessageBus } from '#bus-local';
import { LogSigning } from '#audit';
import { createRelaying, createService } from '#distributed';
import { DocumentStore, FileDocumentStore } from '#documents';
import type { Host } from '#hosting';
import { LOG_KEY_FILE, logSigners, newLogKey, Opened } from '#hosting';
import { InMemoryEventStore } from '#kernel-testing';
import type { EventStore, ManualClock, MessageBus, ReadDatabase } from '#kernel';
import { LogLineage, Transactor, Upcasting } from '#kernel';
import { MemoryReadDatabase } from '#read-database';
import { contexts as everyContext, isOfEveryApp, ROUTE_TABLE, serviceOf } from '#services';
import { KurrentEventStore } from '#store-kurrent';
import { documentFolders, SqliteEventStore } from '#store-sqlite';
import type { Context, DeclaredRoute, SubjectRegister } from '#web';
import {
  DEFAULT_AUDIENCE,
  declaredRoutes,
  LocalIssuer,
  RemoteSubjectRegister,
  routesOf,
  sealKeysOf,
  secretFile,
  SqliteSubjectRegister,
  TokenVerifier,
  trustLocal,
  trustOidc,
} from '#web';
import { createGateway } from '../../apps/gateway/gateway.js';
import type { Published } from '../../apps/gateway/pages.js';
import { publish } from '../../apps/gateway/published.js';
import { createKeys } from '../../apps/keys/keys.js';
import type { AppOptions } from '../../apps/pledgebook/app.js';
import { solverThread } from './allocation-thread.js';
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
 * Where EVENTSTORE_URL and KAFKA_BROKERS name servers, the log and the bus are there, under a prefix of their own, fed by a relay, and
 * people's references are asked of a key store; a test that brings a log or a folder keeps what it brought. Contexts that the route table does not know (a test's own) make one service together.
 */
export const startServices = (options: ServicesOptions): Promise<Services> =>
  Opened.orClosed(async (opened) => {
    const { clock, contexts = everyContext, logger = pino({ level: 'silent' }), audience = DEFAULT_AUDIENCE } = options;
    const { dataFolder } = options;
    const servers = dataFolder === undefined && options.store === undefined ? serversNamed() : undefined;
    const footing =
      servers === undefined ? localFooting(options, opened) : await servedFooting(servers, contexts, logger, opened);
    const { store, subjects } = footing;
    const documents = opened.add(
      dataFolder === undefined
        ? FileDocumentStore.temporary(options.documentLimit)
        : FileDocumentStore.open(documentFolders(dataFolder), options.documentLimit),
    );
    const seals = sealKeysOf(dataFolder);
    const issuer = dataFolder === undefined ? LocalIssuer.inMemory() : LocalIssuer.open(dataFolder);
    const newKey = (): string => newLogKey('log.example/services');
    const key = dataFolder === undefined ? newKey() : secretFile(dataFolder, LOG_KEY_FILE, newKey);
    const signing = new LogSigning({
      signer: logSigners({ text: key }, clock, undefined),
      copyTo: options.log?.copyTo,
      everyMs: 'manual',
    });
    const table = tableOf(contexts);
    const hosts = new Map<string, Host>();
    const urls: Record<string, readonly string[]> = {};
    for (const service of Object.keys(table)) {
      const own = new Opened();
      const readDatabase = own.add((options.readDatabaseOf ?? inMemory)(service));
      const bus = footing.bus(own);
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
            lineage: LogLineage.of(store.storeId),
            bus,
            readDatabase,
            subjects,
            seals,
            issuer,
            ports: [
              { provide: DocumentStore, useValue: documents },
              { provide: LogSigning, useValue: signing },
              solverThread,
            ],
          },
        },
        own,
      );
      opened.add(host);
      hosts.set(service, host);
      urls[service] = [await host.listen(0)];
    }
    await footing.relay({ contexts, clock, logger, documents, subjects, seals, issuer });
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

/** What all services of a test stand on. */
interface Footing {
  readonly store: EventStore;
  readonly subjects: SubjectRegister;
  readonly bus: (opened: Opened) => MessageBus;
  /** Starts what brings the log to the bus, where that takes one. */
  readonly relay: (parts: RelayParts) => Promise<void>;
}

interface RelayParts {
  readonly contexts: readonly Context[];
  readonly clock: ManualClock;
  readonly logger: Logger;
  readonly documents: DocumentStore;
  readonly subjects: SubjectRegister;
  readonly seals: ReturnType<typeof sealKeysOf>;
  readonly issuer: LocalIssuer;
}

const localFooting = ({ dataFolder, store: given }: ServicesOptions, opened: Opened): Footing => {
  const store = opened.add(given ?? storeOf(dataFolder));
  return {
    store,
    subjects: opened.add(
      dataFolder === undefined ? SqliteSubjectRegister.inMemory() : SqliteSubjectRegister.open(dataFolder),
    ),
    bus: (own) => own.add(new LocalMessageBus(store, ':memory:')),
    relay: () => Promise.resolve(),
  };
};

interface Servers {
  readonly eventStore: string;
  readonly brokers: readonly string[];
}

/** @throws where one of the two is named and the other is not */
const serversNamed = (): Servers | undefined => {
  const { EVENTSTORE_URL: eventStore = '', KAFKA_BROKERS: brokers = '' } = process.env;
  if (eventStore === '' && brokers === '') return undefined;
  if (eventStore === '' || brokers === '') throw new Error('set EVENTSTORE_URL and KAFKA_BROKERS, or neither');
  return { eventStore, brokers: brokers.split(',') };
};

const SECRET = 'a secret of tests that guards nothing at all';

const servedFooting = async (
  { eventStore, brokers }: Servers,
  contexts: readonly Context[],
  logger: Logger,
  opened: Opened,
): Promise<Footing> => {
  const prefix = `t${randomBytes(6).toString('hex')}`;
  const categories = categoriesOf(contexts);
  const topics = wantedTopics(
    new TopicNames(prefix),
    categories.map(({ name }) => name),
    topicsSettings({ partitions: 2 }),
  );
  await ensureTopics({ brokers }, topics);
  const store = opened.add(await KurrentEventStore.open({ url: eventStore, prefix }));
  const keys = await createKeys({ register: SqliteSubjectRegister.inMemory(), secret: SECRET, logger });
  opened.add(keys);
  return {
    store,
    subjects: opened.add(new RemoteSubjectRegister(await keys.listen(0), SECRET)),
    bus: (own) => {
      const broker = own.add(new KafkaBroker({ brokers }));
      return own.add(new KafkaMessageBus(store, broker, { prefix, categories, firstBackoffMs: 5 }));
    },
    relay: async ({ documents, subjects, seals, issuer, ...parts }) => {
      const own = new Opened();
      const broker = own.add(new KafkaBroker({ brokers }));
      const bus = own.add(new KafkaMessageBus(store, broker, { prefix, categories, firstBackoffMs: 5 }));
      const readDatabase = own.add(new MemoryReadDatabase());
      const ports = [{ provide: DocumentStore, useValue: documents }];
      const lineage = LogLineage.of(store.storeId);
      const adapters = { store, lineage, bus, readDatabase, subjects, seals, issuer, ports };
      opened.add(await createRelaying({ ...parts, adapters, broker, prefix, tick: 'manual' }, own));
    },
  };
};

/** Those of a test's own contexts, beside all there are: a process may handle events of a context that is not composed. */
const categoriesOf = (
  contexts: readonly Context[],
): readonly { readonly name: string; readonly types: readonly string[] }[] => {
  const streams = new Map<string, readonly string[]>();
  for (const context of [...everyContext, ...contexts])
    for (const [name, schemas] of Object.entries(context.streams)) streams.set(name, Object.keys(schemas));
  return [...streams].map(([name, types]) => ({ name, types }));
};

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

const published = new Map<string, Promise<Published>>();

/** What the apps are built with: the document and the refusals of one process. Made once for the contexts of these names. */
const publishedOf = (contexts: readonly Context[]): Promise<Published> => {
  const key = contexts.map(({ name }) => name).join(' ');
  const made = published.get(key) ?? publish(contexts);
  published.set(key, made);
  return made;
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
