import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { addAbortSignal, pipeline } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EVENT_STREAM, Problem } from '#web';
import type { Instance, Instances } from './instances.js';

/** Longer than a service takes for any request: 30 s of `Prefer: wait`, and the body before it. */
const ANSWER_TIMEOUT_MS = 65_000;
const CONNECT_TIMEOUT_MS = 3_000;

/** Of one connection only (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Why an instance gave no answer, and whether it can have taken the request. */
class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  constructor(
    readonly maybeTaken: boolean,
    options: { readonly cause: unknown },
  ) {
    super('an instance gave no answer', options);
  }
}

/**
 * Hands a request to an instance of the service as it came, and its answer to the caller as it comes. Another instance is tried where the
 * first cannot have taken the request (no connection), and for reads that broke off; never for anything that may have been taken.
 * @param leaving aborted once the gateway stops: answers that would go on for ever end with it
 * @param key requests of one key go to the same instance
 * @throws {Problem} 503 `store-unavailable` where no instance answers
 */
export const forward = async (
  instances: Instances,
  request: FastifyRequest,
  reply: FastifyReply,
  leaving: AbortSignal,
  key?: string,
): Promise<void> => {
  const tried = new Set<Instance>();
  for (let instance = instances.choose(tried, key); instance !== undefined; instance = instances.choose(tried, key)) {
    tried.add(instance);
    try {
      const answer = await send(instance, request);
      if (answer.headers['content-type']?.startsWith(EVENT_STREAM) === true) addAbortSignal(leaving, answer);
      passOn(answer, request, reply);
      return;
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      if (request.raw.destroyed && !request.raw.complete) throw callerLeft();
      instance.standing = 'unreachable';
      if (error.maybeTaken && !isRead(request)) throw unknownOutcome();
    }
  }
  throw unreachable(instances.service);
};

const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD';

const RETRY = { headers: { 'retry-after': '1' } } as const;

const unreachable = (service: string): Problem =>
  Problem.of(
    'store-unavailable',
    `The part of the service that answers this (${service}) cannot be reached now. Nothing was written: try again.`,
    RETRY,
  );

const unknownOutcome = (): Problem =>
  Problem.of(
    'store-unavailable',
    'The answer was lost: it may have been written or not. A repeat with the same Idempotency-Key is safe; without one, read the record first.',
    RETRY,
  );

const callerLeft = (): Problem => Problem.of('invalid-request', 'The request ended before its body did.');

/** Whether a body comes with it: RFC 9112, 6.3. */
const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

const send = (instance: Instance, request: FastifyRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const body = hasBody(request);
    // The path as it came: a service must judge the very bytes that the caller sent.
    const upstream = (instance.secure ? secureRequest : plainRequest)({
      agent: instance.agent,
      hostname: instance.hostname,
      port: instance.port,
      method: request.method,
      path: request.raw.url,
      headers: headersFor(instance, request, body),
      timeout: ANSWER_TIMEOUT_MS,
    });
    let connected = false;
    const give = (cause: unknown): void => {
      reject(new NoAnswerError(connected, { cause }));
    };
    watchConnecting(upstream, () => {
      connected = true;
      // Not before: what was read of a body cannot be sent to another instance.
      if (body) request.raw.pipe(upstream);
    });
    upstream.once('timeout', () => upstream.destroy(new Error('no answer in time')));
    upstream.once('response', (answer) => {
      // A service may answer before it has read everything: what breaks afterwards is not the answer's.
      upstream.on('error', () => undefined);
      if (body && !request.raw.complete) letGo(request, upstream, answer);
      resolve(answer);
    });
    upstream.once('error', give);
    request.raw.once('close', () => {
      if (!request.raw.complete) upstream.destroy();
    });
    if (!body) upstream.end();
  });

/** Answered before all of the body came: the rest is read and dropped, for many a caller reads only once it has sent everything. */
const letGo = ({ raw }: FastifyRequest, upstream: ClientRequest, answer: IncomingMessage): void => {
  raw.unpipe(upstream);
  raw.resume();
  // Nothing else can be asked on a connection whose request never ended.
  answer.once('close', () => upstream.destroy());
};

/** Tells once the request's connection stands: before that nothing of it can have been taken. */
const watchConnecting = (upstream: ClientRequest, connected: () => void): void => {
  upstream.once('socket', (socket) => {
    if (!socket.connecting) {
      connected();
      return;
    }
    const timer = setTimeout(() => upstream.destroy(new Error('no connection in time')), CONNECT_TIMEOUT_MS);
    socket.once('close', () => {
      clearTimeout(timer);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      connected();
    });
  });
};

const headersFor = (instance: Instance, request: FastifyRequest, body: boolean): OutgoingHttpHeaders => {
  const forwarded = request.headers['x-forwarded-for'];
  return {
    ...endToEnd(request.headers),
    ...(body && request.headers['content-length'] === undefined ? { 'transfer-encoding': 'chunked' } : {}),
    host: instance.host,
    'x-correlation-id': request.pledgebook.correlationId,
    'x-forwarded-for': [...(forwarded === undefined ? [] : [forwarded].flat()), request.ip].join(', '),
    'x-forwarded-host': request.headers.host ?? '',
    'x-forwarded-proto': request.protocol,
  };
};

const endToEnd = (headers: IncomingHttpHeaders): OutgoingHttpHeaders => {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !named.includes(name)));
};

const passOn = (answer: IncomingMessage, request: FastifyRequest, reply: FastifyReply): void => {
  // The caller may have gone meanwhile.
  if (reply.raw.destroyed) {
    answer.destroy();
    return;
  }
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
  pipeline(answer, raw, () => {
    // Cut short on one side: the other must see that it is not whole.
    if (!answer.complete) raw.destroy();
  });
  raw.once('close', () => {
    if (!answer.complete) answer.destroy();
    if (!request.raw.complete) request.raw.resume();
  });
};
