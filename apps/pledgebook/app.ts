import { join } from 'node:path';
import type { DynamicModule, LoggerService } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { pino } from 'pino';
import { LocalMessageBus } from '#bus-local';
import { FileDocumentStore } from '#documents';
import type { Clock, EventStore } from '#kernel';
import {
  DeadlineTicker,
  describeProcessAlarm,
  failureOf,
  framesOf,
  ProcessRunner,
  ProjectionRunner,
  SystemClock,
  Transactor,
  Upcasting,
} from '#kernel';
import { MemoryReadDatabase, SqliteReadDatabase } from '#read-database';
import { documentFolders, SqliteEventStore } from '#store-sqlite';
import type { Context, ContextDeps, TokenRequest, TrustedIssuer } from '#web';
import {
  BODY_LIMIT,
  clientErrorHandler,
  DEFAULT_AUDIENCE,
  frameworkErrors,
  installPipeline,
  LocalIssuer,
  publishDocument,
  RateLimit,
  RequestMetrics,
  requireActions,
  sealKeysOf,
  SubjectRegister,
  TokenVerifier,
  trustLocal,
  trustOidc,
  WebModule,
} from '#web';
import { contexts as everyContext } from './contexts.js';
import { type Core, CoreModule } from './core.module.js';
import { Drain } from './drain.js';
import { ROUTE_SUMMARIES } from './route-summaries.js';
import { DEFAULT_RATE, type OidcSettings } from './settings.js';

export interface AppOptions {
  /** Where log, read models and keys live. Without `store` this is needed. */
  readonly dataFolder?: string;
  /** A store of its own (in memory, for tests): read models, checkpoints and keys are then in memory too. */
  readonly store?: EventStore;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Requests a second and caller, or a limit of its own (with a clock that stands still, for tests); `off`: no limit. */
  readonly rate?: number | RateLimit | 'off';
  readonly audience?: string;
  /** Largest document in bytes; 50 MiB unless told. */
  readonly documentLimit?: number | undefined;
  readonly oidc?: OidcSettings | undefined;
  /** What is served; every context unless told. */
  readonly contexts?: readonly Context[];
  /** Milliseconds between ticks of the deadline ticker; `manual`: only `ticker.tickNow()`. */
  readonly tick?: number | 'manual';
}

/** A running service. Nothing listens until `listen`; `inject` works at once. */
export interface PledgebookApp extends Core {
  readonly nest: NestFastifyApplication;
  readonly fastify: FastifyInstance;
  /** Listens and answers the address, such as `http://127.0.0.1:3000`. Port 0 chooses a free one. */
  listen(port: number, host?: string): Promise<string>;
  /** A token of the local issuer. */
  token(request: TokenRequest): Promise<string>;
  /** Resolves when processes and projections have handled everything, also what the processes wrote meanwhile. */
  settled(timeoutMs?: number): Promise<void>;
  /** Drains requests, then processes and projections, then closes the log. */
  close(): Promise<void>;
}

/** Longer than any wait a caller may prefer, with room for the body. */
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 65_000;

/** Composes the whole service in one process. Throws what opening the data folder throws. */
export const createApp = async (options: AppOptions): Promise<PledgebookApp> => {
  const { dataFolder, clock = new SystemClock(), logger = pino({ level: 'silent' }), rate = DEFAULT_RATE } = options;
  const contexts = options.contexts ?? everyContext;
  const opened: Closing[] = [];
  try {
    const store = options.store ?? SqliteEventStore.open(folderOf(dataFolder));
    opened.push(store);
    const { core, deps } = composeCore(
      store,
      options.store === undefined ? dataFolder : undefined,
      clock,
      logger,
      contexts,
      options.documentLimit,
    );
    opened.push(core.readDatabase, core.bus, core.documents);
    const durable = options.store === undefined;
    const subjects = durable ? SubjectRegister.open(folderOf(dataFolder)) : SubjectRegister.inMemory();
    opened.push(subjects);
    const local = durable ? LocalIssuer.open(folderOf(dataFolder)) : LocalIssuer.inMemory();
    const verifier = new TokenVerifier(issuerOf(options, local, clock), clock);
    const metrics = new RequestMetrics();
    const adapter = new FastifyAdapter({
      bodyLimit: BODY_LIMIT,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      forceCloseConnections: 'idle',
      skipMiddie: true,
      multipart: false,
      return503OnClosing: false,
      frameworkErrors: frameworkErrors(verifier),
      clientErrorHandler,
    });
    const fastify = adapter.getInstance<FastifyInstance>();
    const life: Life = { closing: false, drain: new Drain(fastify) };
    installPipeline(fastify, {
      closing: () => life.closing,
      verifier,
      rateLimit: limitOf(rate),
      answered: (line) => {
        metrics.observe(line);
        logger.info(line, 'answered');
      },
    });
    const web = WebModule.forRoot({
      directory: callersOf(contexts, deps),
      subjects,
      seals: sealKeysOf(durable ? folderOf(dataFolder) : undefined),
      issuer: local,
      clock,
      metrics,
      log: (correlationId, error) => {
        logger.error({ correlationId, ...faultOf(error) }, 'request failed');
      },
    });
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the framework takes its options as a plain object
    const nest = await NestFactory.create<NestFastifyApplication>(AppModule.of(core, web, contexts), adapter, {
      logger: nestLogger(logger),
      bodyParser: false,
      abortOnError: false,
    });
    requireActions(nest);
    await nest.init();
    publishDocument(nest, ROUTE_SUMMARIES);
    await fastify.ready();
    // Processes hear of an event before read models do: a hold that somebody waits for is not behind figures that nobody asked for.
    core.processes.start();
    await core.projections.start();
    if (options.tick !== 'manual') core.ticker.start();
    return running(nest, fastify, core, local, subjects, life, options);
  } catch (error) {
    for (const part of opened.reverse()) await part.close();
    throw error;
  }
};

/** A fault for the log: what and where, without the error's own text, which may quote a record. */
const faultOf = (error: unknown): { readonly error: string; readonly at: readonly string[] } => ({
  error: failureOf(error),
  at: framesOf(error),
});

interface Life {
  closing: boolean;
  readonly drain: Drain;
}

interface Closing {
  close(): Promise<void> | void;
}

const folderOf = (dataFolder: string | undefined): string => {
  if (dataFolder === undefined) throw new Error('an app needs a data folder, or a store of its own');
  return dataFolder;
};

const limitOf = (rate: number | RateLimit | 'off'): RateLimit | undefined =>
  rate === 'off' ? undefined : typeof rate === 'number' ? new RateLimit(rate) : rate;

const issuerOf = (
  { oidc, audience = DEFAULT_AUDIENCE }: AppOptions,
  local: LocalIssuer,
  clock: Clock,
): TrustedIssuer =>
  oidc === undefined ? trustLocal(local, audience, clock) : trustOidc(oidc.issuer, audience, oidc.jwksUri);

const callersOf = (contexts: readonly Context[], deps: ContextDeps): ReturnType<NonNullable<Context['callers']>> => {
  const [callers, ...others] = contexts.flatMap((context) => (context.callers === undefined ? [] : [context.callers]));
  if (callers === undefined || others.length > 0) throw new Error('exactly one context says who callers are');
  return callers(deps);
};

const composeCore = (
  store: EventStore,
  dataFolder: string | undefined,
  clock: Clock,
  logger: Logger,
  contexts: readonly Context[],
  documentLimit: number | undefined,
): { readonly core: Core; readonly deps: ContextDeps } => {
  const upcasting = new Upcasting(contexts.flatMap(({ upcasters = [] }) => upcasters));
  const transactor = new Transactor(store, clock, upcasting);
  const readDatabase =
    dataFolder === undefined
      ? new MemoryReadDatabase()
      : new SqliteReadDatabase(join(dataFolder, 'read'), {
          origin: store.storeId,
          discarded: ({ name, version, reason }) => {
            logger.warn({ name, version, reason }, 'a read model is built anew');
          },
        });
  const bus = new LocalMessageBus(store, dataFolder === undefined ? ':memory:' : join(dataFolder, 'processes.sqlite'), {
    alarm: (alarm) => {
      const subscription = 'subscription' in alarm ? alarm.subscription : 'all';
      logger.error({ subscription, ...faultOf(alarm.error) }, `bus: ${alarm.kind}`);
    },
  });
  const deps: ContextDeps = { store, transactor, clock, reads: (name) => projections.model(name) };
  const projections: ProjectionRunner = new ProjectionRunner(
    store,
    readDatabase,
    contexts.flatMap((context) => context.projections?.(deps) ?? []),
    {
      upcasting,
      alarm: (alarm) => {
        if (alarm.kind === 'parked') {
          const { projection, event, error } = alarm;
          logger.error(
            {
              projection,
              eventId: event.id,
              eventType: event.type,
              position: String(event.position),
              ...faultOf(error),
            },
            'projection parked',
          );
        } else logger.error({ projections: alarm.projections, ...faultOf(alarm.error) }, 'the log cannot be followed');
      },
      note: ({ kind, projection, position }) => {
        logger.info({ projection, position: String(position) }, `projection ${kind}`);
      },
    },
  );
  const processes = new ProcessRunner(
    bus,
    transactor,
    contexts.flatMap((context) => context.processes?.(deps) ?? []),
    {
      upcasting,
      alarm: (alarm) => {
        logger.error(
          { process: alarm.process, eventId: alarm.event.id, ...faultOf(alarm.error) },
          describeProcessAlarm(alarm),
        );
      },
    },
  );
  const ticker = new DeadlineTicker(
    contexts.flatMap((context) => context.deadlines?.(deps) ?? []),
    transactor,
    clock,
    {
      alarm: ({ source, stream, due, error }) => {
        logger.error({ source, stream, due, ...faultOf(error) }, 'a deadline could not be tried');
      },
    },
  );
  const documents =
    dataFolder === undefined
      ? FileDocumentStore.temporary(documentLimit)
      : FileDocumentStore.open(documentFolders(dataFolder), documentLimit);
  return {
    core: { clock, store, bus, readDatabase, documents, upcasting, transactor, projections, processes, ticker },
    deps,
  };
};

const served = ({ module, controllers, history = [] }: Context): DynamicModule => ({
  ...('module' in module ? module : { module }),
  controllers: [...controllers, ...history],
});

@Module({})
class AppModule {
  static of(core: Core, web: DynamicModule, contexts: readonly Context[]): DynamicModule {
    return { module: AppModule, imports: [CoreModule.forRoot(core), web, ...contexts.map(served)] };
  }
}

const running = (
  nest: NestFastifyApplication,
  fastify: FastifyInstance,
  core: Core,
  local: LocalIssuer,
  subjects: SubjectRegister,
  life: Life,
  { audience = DEFAULT_AUDIENCE }: AppOptions,
): PledgebookApp => {
  let closing: Promise<void> | undefined;
  return {
    ...core,
    nest,
    fastify,
    listen: async (port, host = '127.0.0.1') => {
      await nest.listen(port, host);
      const address = fastify.server.address();
      if (address === null || typeof address === 'string') throw new Error('not listening on a port');
      return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
    },
    token: (request) => local.token({ audience, issuedAt: core.clock.now(), ...request }),
    settled: (timeoutMs = 10_000) => settle(core, timeoutMs),
    close: () => {
      life.closing = true;
      closing ??= closeAll(nest, life.drain, core, subjects);
      return closing;
    },
  };
};

const settle = async ({ store, processes, projections }: Core, timeoutMs: number): Promise<void> => {
  for (let head = await store.head(), before = -1n; head !== before;) {
    await processes.reached(head);
    if (!(await projections.waitFor(head, timeoutMs)))
      throw new Error(`projections did not reach ${head} in ${timeoutMs} ms`);
    before = head;
    head = await store.head();
  }
};

const closeAll = async (
  nest: NestFastifyApplication,
  drain: Drain,
  { ticker, bus, processes, projections, readDatabase, documents, store }: Core,
  subjects: SubjectRegister,
): Promise<void> => {
  await drain.during(() => nest.close());
  await ticker.stop();
  await processes.stop();
  await bus.close();
  await projections.stop();
  readDatabase.close();
  await documents.close();
  await store.close();
  subjects.close();
};

// Nest tells its own story at start; of interest only where something is wrong.
const nestLogger = (logger: Logger): LoggerService => ({
  log: (message: unknown) => {
    logger.debug(String(message));
  },
  warn: (message: unknown) => {
    logger.warn(String(message));
  },
  error: (message: unknown) => {
    logger.error({ error: failureOf(message), at: framesOf(message) }, 'framework error');
  },
});
