import type { DynamicModule, LoggerService, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { pino } from 'pino';
import type { EventStore, LogLineage, MessageBus, ReadDatabase, StreamSchemas } from '#kernel';
import {
  type Clock,
  DeadlineTicker,
  failureOf,
  framesOf,
  ProcessRunner,
  ProjectionRunner,
  SharedWriteGate,
  SystemClock,
  Transactor,
  Upcasting,
  WriteGate,
} from '#kernel';
import type { Context, ContextDeps, KeyRing, LocalIssuer, OwnChecks, SubjectRegister, TokenRequest } from '#web';
import {
  BODY_LIMIT,
  clientErrorHandler,
  DEFAULT_AUDIENCE,
  frameworkErrors,
  installCompression,
  installPipeline,
  publishDocument,
  RateLimit,
  RequestMetrics,
  requireActions,
  TokenVerifier,
  trustLocal,
  trustOidc,
  WebModule,
} from '#web';
import { alarmsTo, faultLine } from './alarms.js';
import { type Core, CoreModule, type Port } from './core.module.js';
import { Drain } from './drain.js';
import type { Opened } from './opened.js';
import type { OidcSettings } from './settings.js';

/** What an app picks: where the log is, how processes hear of it, where read models and keys live. */
export interface Adapters {
  readonly store: EventStore;
  /** What read models, and the bus, were opened for. */
  readonly lineage: LogLineage;
  readonly bus: MessageBus;
  readonly readDatabase: ReadDatabase;
  readonly subjects: SubjectRegister;
  /** What cursors and consistency tokens are sealed with. */
  readonly seals: KeyRing;
  readonly issuer: LocalIssuer;
  /** Ports of contexts, such as where documents lie. */
  readonly ports?: readonly Port[];
}

/** Which part of its contexts an app runs. Their providers are composed in every app: who sees what is judged alike everywhere. */
export interface Share {
  serves(controller: Type): boolean;
  /** Whether the processes and deadlines of the context of this name run here. */
  works(context: string): boolean;
  /** Whether this read model of the context is kept here. */
  keeps(projection: string, context: Context): boolean;
}

/** One app that runs everything. */
export const EVERYTHING: Share = { serves: () => true, works: () => true, keeps: () => true };

/** Requests a second and caller, or a limit of its own (with a clock that stands still, for tests); `off`: no limit. */
export type Rate = number | RateLimit | 'off';

export const limitOf = (rate: Rate): RateLimit | undefined =>
  rate === 'off' ? undefined : typeof rate === 'number' ? new RateLimit(rate) : rate;

export interface HostOptions {
  readonly adapters: Adapters;
  readonly contexts: readonly Context[];
  readonly share?: Share;
  /** What each route does in one line, by method and path: `POST /v1/needs`. */
  readonly summaries: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly rate: Rate;
  readonly audience?: string;
  readonly oidc?: OidcSettings | undefined;
  /** Milliseconds between ticks of the deadline ticker; `manual`: only `ticker.tickNow()`. */
  readonly tick?: number | 'manual';
  /** Added to readiness. */
  readonly checks?: OwnChecks;
}

/** A running service. Nothing listens until `listen`; `inject` works at once. */
export interface Host extends Core {
  readonly nest: NestFastifyApplication;
  readonly fastify: FastifyInstance;
  /** Listens and answers the address, such as `http://127.0.0.1:3000`. Port 0 chooses a free one. */
  listen(port: number, host?: string): Promise<string>;
  /** A token of the local issuer. */
  token(request: TokenRequest): Promise<string>;
  /** Resolves when processes and projections have handled everything, also what the processes wrote meanwhile. */
  settled(timeoutMs?: number): Promise<void>;
  /** Drains requests, then processes and projections, then closes what the app had opened. */
  close(): Promise<void>;
}

/** Longer than any wait a caller may prefer, with room for the body. */
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 65_000;
/** How long other services may still write once one has found that the log is not what was signed. */
const WRITES_LOOK_MS = 1_000;

/** How every server of ours waits for requests and lets connections go. */
export const SERVER = {
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  forceCloseConnections: 'idle',
  return503OnClosing: false,
} as const;

/**
 * Composes contexts on adapters and starts what follows the log.
 * @param opened what the app has opened for it: closed when the service closes; where this throws it is left to the app
 */
export const host = async (options: HostOptions, opened: Opened): Promise<Host> => {
  const { adapters, contexts, clock = new SystemClock(), logger = pino({ level: 'silent' }), rate } = options;
  const { audience = DEFAULT_AUDIENCE, oidc, share = EVERYTHING, tick } = options;
  const { issuer, seals, subjects } = adapters;
  const { core, deps } = composeCore(adapters, contexts, share, clock, logger, tick);
  const verifier = new TokenVerifier(
    oidc === undefined ? trustLocal(issuer, audience, clock) : trustOidc(oidc.issuer, audience, oidc.jwksUri),
    clock,
  );
  const metrics = new RequestMetrics();
  const adapter = new FastifyAdapter({
    ...SERVER,
    bodyLimit: BODY_LIMIT,
    skipMiddie: true,
    multipart: false,
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
  await installCompression(fastify);
  const web = WebModule.forRoot({
    directory: callersOf(contexts, deps),
    subjects,
    seals,
    issuer,
    clock,
    metrics,
    checks: options.checks,
    log: (correlationId, error) => {
      logger.error({ correlationId, ...faultLine(error) }, 'request failed');
    },
  });
  const root = HostModule.of(CoreModule.forRoot(core, adapters.ports ?? []), web, contexts, share);
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the framework takes its options as a plain object
  const nest = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: nestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  requireActions(nest);
  await nest.init();
  publishDocument(nest, options.summaries);
  await fastify.ready();
  await core.writes.start();
  // Processes hear of an event before read models do: a hold that somebody waits for is not behind figures that nobody asked for.
  core.processes.start();
  await core.projections.start();
  if (tick !== 'manual') core.ticker.start();
  return running(nest, fastify, core, issuer, audience, life, opened);
};

interface Life {
  closing: boolean;
  readonly drain: Drain;
}

const callersOf = (contexts: readonly Context[], deps: ContextDeps): ReturnType<NonNullable<Context['callers']>> => {
  const [callers, ...others] = contexts.flatMap((context) => (context.callers === undefined ? [] : [context.callers]));
  if (callers === undefined || others.length > 0) throw new Error('exactly one context says who callers are');
  return callers(deps);
};

const composeCore = (
  { store, lineage, bus, readDatabase, subjects }: Adapters,
  contexts: readonly Context[],
  share: Share,
  clock: Clock,
  logger: Logger,
  tick: HostOptions['tick'],
): { readonly core: Core; readonly deps: ContextDeps } => {
  const alarms = alarmsTo(logger);
  const upcasting = new Upcasting(
    contexts.flatMap(({ upcasters = [] }) => upcasters),
    Object.assign({}, ...contexts.map(({ streams }) => streams)) as StreamSchemas,
  );
  const writes = new SharedWriteGate(new WriteGate(), store, clock, {
    everyMs: tick === 'manual' ? tick : WRITES_LOOK_MS,
    failed: (error) => {
      alarms.bus({ kind: 'whether the log may be written cannot be asked', error });
    },
  });
  const transactor = new Transactor(store, clock, upcasting, undefined, writes.gate);
  const deps: ContextDeps = { store, transactor, clock, reads: (name) => projections.model(name) };
  const projections: ProjectionRunner = new ProjectionRunner(
    store,
    readDatabase,
    contexts.flatMap((context) => (context.projections?.(deps) ?? []).filter(({ name }) => share.keeps(name, context))),
    { upcasting, alarm: alarms.projection, note: alarms.noted },
  );
  const working = contexts.filter(({ name }) => share.works(name));
  const processes = new ProcessRunner(
    bus,
    transactor,
    working.flatMap((context) => context.processes?.(deps, subjects) ?? []),
    { upcasting, alarm: alarms.process },
  );
  const ticker = new DeadlineTicker(
    working.flatMap((context) => context.deadlines?.(deps) ?? []),
    transactor,
    clock,
    { ...(typeof tick === 'number' ? { intervalMs: tick } : {}), alarm: alarms.deadline },
  );
  return {
    core: { clock, store, lineage, bus, readDatabase, upcasting, transactor, projections, processes, ticker, writes },
    deps,
  };
};

@Module({})
class HostModule {
  static of(core: DynamicModule, web: DynamicModule, contexts: readonly Context[], share: Share): DynamicModule {
    return { module: HostModule, imports: [core, web, ...contexts.map((context) => composed(context, share))] };
  }
}

const composed = ({ module, controllers, history = [], forRoutes = [] }: Context, share: Share): DynamicModule => {
  const always = 'module' in module ? module : { module };
  const own = controllers.filter((controller) => share.serves(controller));
  return {
    ...always,
    controllers: [...own, ...history.filter((controller) => share.serves(controller))],
    providers: [...(always.providers ?? []), ...(own.length === 0 ? [] : forRoutes)],
  };
};

const running = (
  nest: NestFastifyApplication,
  fastify: FastifyInstance,
  core: Core,
  issuer: LocalIssuer,
  audience: string,
  life: Life,
  opened: Opened,
): Host => {
  let closing: Promise<void> | undefined;
  return {
    ...core,
    nest,
    fastify,
    listen: async (port, address = '127.0.0.1') => {
      await nest.listen(port, address);
      return addressOf(fastify, address);
    },
    token: (request) => issuer.token({ audience, issuedAt: core.clock.now(), ...request }),
    settled: (timeoutMs = 10_000) => settle(core, timeoutMs),
    close: () => {
      life.closing = true;
      closing ??= closeAll(nest, life.drain, core, opened);
      return closing;
    },
  };
};

/** Where a server listens, as an address to call. */
export const addressOf = ({ server }: FastifyInstance, hostname: string): string => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${address.port}`;
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
  { ticker, processes, projections, writes }: Core,
  opened: Opened,
): Promise<void> => {
  await drain.during(() => nest.close());
  await ticker.stop();
  await processes.stop();
  await projections.stop();
  await writes.stop();
  await opened.close();
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
