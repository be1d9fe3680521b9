import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastify as createFastify } from 'fastify';
import type { Logger } from 'pino';
import type { Rate } from '#hosting';
import { addressOf, Drain, faultLine, limitOf, SERVER } from '#hosting';
import { pause } from '#kernel';
import { serviceOf } from '#services';
import type { TokenVerifier } from '#web';
import {
  clientErrorHandler,
  frameworkErrors,
  installAdmission,
  installCompression,
  pathOf,
  Problem,
  problemOf,
  problemOfStatus,
  RequestMetrics,
  sendProblem,
} from '#web';
import { forward } from './forwarding.js';
import { Instance, Instances, probe } from './instances.js';
import { askEverywhere } from './operator.js';
import { type Published, servePages } from './pages.js';

export interface GatewayOptions {
  /** Which service answers which paths: the route table. */
  readonly table: Readonly<Record<string, readonly string[]>>;
  /** The addresses of each service's instances, such as `{ needs: ['http://127.0.0.1:3101'] }`. */
  readonly services: Readonly<Record<string, readonly string[]>>;
  readonly verifier: TokenVerifier;
  readonly published: Published;
  readonly logger: Logger;
  /** Services behind a gateway have no limit of their own. */
  readonly rate: Rate;
  /** Milliseconds between asking an instance whether it is ready and asking again. */
  readonly probeMs?: number;
}

/** The one address of many services. */
export interface Gateway {
  readonly fastify: FastifyInstance;
  /** Listens and answers the address. Port 0 chooses a free one. */
  listen(port: number, host?: string): Promise<string>;
  close(): Promise<void>;
}

const PROBE_MS = 1_000;
const METHODS = ['GET', 'HEAD', 'POST', 'PATCH'] as const;
/** An upload's chunks go to one instance: two must not write one file. */
const STICKY = /^\/v1\/documents\/([0-9a-f]{64})(?:[?]|$)/;

/** @throws where a service of the table has no address */
export const createGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const { table, verifier, logger, rate, probeMs = PROBE_MS } = options;
  const services = new Map(
    Object.keys(table).map((service) => {
      const urls = options.services[service] ?? [];
      if (urls.length === 0) throw new Error(`no address is known of the service ${service}`);
      const all = urls.map((url, index) => new Instance(`${service}/${index + 1}`, url));
      return [service, new Instances(service, all)] as const;
    }),
  );
  const metrics = new RequestMetrics();
  const fastify = createFastify({
    ...SERVER,
    exposeHeadRoutes: true,
    frameworkErrors: frameworkErrors(verifier),
    clientErrorHandler,
  });
  const life = { closing: false, drain: new Drain(fastify) };
  const leaving = new AbortController();
  installAdmission(fastify, {
    closing: () => life.closing,
    verifier,
    rateLimit: limitOf(rate),
    answered: (line) => {
      metrics.observe(line);
      logger.info(line, 'answered');
    },
  });
  // Bodies are the services' to read and to judge.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request, payload, done) => {
    done(null, payload);
  });
  fastify.setErrorHandler((error, request, reply) => {
    const problem = refusalOf(error);
    const { correlationId } = request.pledgebook;
    if (problem.status >= 500 && !(error instanceof Problem))
      logger.error({ correlationId, ...faultLine(error) }, 'request failed');
    sendProblem(reply, correlationId, problem);
  });
  const everything = [...services.values()];
  // Of what it answers itself; what a service answers it hands on as it comes.
  await installCompression(fastify);
  servePages(fastify, options.published, everything, metrics);
  const operator = (request: FastifyRequest, reply: FastifyReply): Promise<void> =>
    askEverywhere(everything, request, reply);
  for (const url of ['/v1/admin', '/v1/admin/*']) fastify.route({ method: ['GET', 'POST'], url, handler: operator });
  for (const [service, patterns] of Object.entries(table)) {
    const instances = services.get(service);
    if (instances === undefined) continue;
    const handler = (request: FastifyRequest, reply: FastifyReply): Promise<void> =>
      forward(instances, request, reply, leaving.signal, keyOf(request));
    for (const pattern of patterns)
      for (const url of [pattern, `${pattern}/*`]) fastify.route({ method: [...METHODS], url, handler });
  }
  // A method that an address lacks is refused by the service of the address; what no route answers every service refuses alike.
  const anyone = new Instances(
    'any',
    everything.flatMap(({ all }) => all),
  );
  fastify.setNotFoundHandler((request, reply) => {
    const answering = services.get(serviceOf(table, pathOf(request)) ?? '') ?? anyone;
    return forward(answering, request, reply, leaving.signal);
  });
  await fastify.ready();
  const ending = new AbortController();
  const watching = anyone.all.map((instance) => watch(instance, probeMs, ending.signal));
  return {
    fastify,
    listen: async (port, host = '127.0.0.1') => {
      await fastify.listen({ port, host });
      return addressOf(fastify, host);
    },
    close: async () => {
      life.closing = true;
      leaving.abort();
      await life.drain.during(() => fastify.close());
      ending.abort();
      for (const instance of anyone.all) instance.close();
      await Promise.all(watching);
    },
  };
};

/** Requests of one key go to one instance. */
const keyOf = ({ raw: { url = '' }, pledgebook: { token } }: FastifyRequest): string | undefined =>
  // An instance remembers what it told a reader of the feed.
  /^\/v1\/matches\/feed(?:[?]|$)/.test(url) ? token?.party : STICKY.exec(url)?.[1];

const watch = async (instance: Instance, everyMs: number, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await probe(instance);
    await pause(everyMs, signal);
  }
};

/** What the framework itself refuses (a media type that is none, say) is said as a service would say it. */
const refusalOf = (error: unknown): Problem => {
  const { statusCode } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly statusCode?: unknown;
  };
  return error instanceof Problem || typeof statusCode !== 'number' ? problemOf(error) : problemOfStatus(statusCode);
};
