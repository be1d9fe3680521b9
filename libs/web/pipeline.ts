import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Fault } from '#vocabulary';
import { newId } from '#kernel';
import { readBody } from './body-reader.js';
import { HttpAnswer } from './http-answer.js';
import { invalid, Problem } from './problem.js';
import { PROBLEM_MEDIA_TYPE, problemDocument, sendProblem } from './problem-document.js';
import type { RateLimit } from './rate-limit.js';
import type { RequestContext } from './request-context.js';
import { RouteMethods } from './route-methods.js';
import type { TokenVerifier, VerifiedToken } from './token-verifier.js';
import { BadTokenError } from './token-verifier.js';

/** What the pipeline knows of a request from its first hook on. */
export interface RequestState {
  readonly correlationId: string;
  readonly startedAtMs: number;
  token: VerifiedToken | undefined;
  /** Verifies the token once more, for an answer that goes on for long. @throws {Problem} 401 once it has ended */
  reverify: () => Promise<void>;
  bodyFaults: readonly Fault[];
  ctx: RequestContext | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    pledgebook: RequestState;
  }
}

/** Told of every answered request; never of bodies, tokens or people. */
export interface RequestLine {
  readonly correlationId: string;
  /** Empty for the anonymous reader. */
  readonly party: string;
  readonly method: string;
  /** The route's pattern, such as `/v1/needs/:id`; absent where no route matched. */
  readonly route: string | undefined;
  readonly status: number;
  readonly ms: number;
}

export interface AdmissionParts {
  readonly verifier: TokenVerifier;
  /** Absent: no limit. */
  readonly rateLimit: RateLimit | undefined;
  readonly answered: (line: RequestLine) => void;
  /** True once the service stops: what still comes in is sent away. */
  readonly closing: () => boolean;
}

/** Largest body in bytes. */
export const BODY_LIMIT = 1_048_576;

/** A part of a file on its way in (as in the tus protocol). */
export const CHUNK_TYPE = 'application/offset+octet-stream';

const CORRELATION_ID = /^[\x21-\x7e]{1,128}$/;
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
// Probes and scrapers come every few seconds whatever callers do.
const UNLIMITED = new Set(['/healthz', '/readyz', '/metrics']);

const ANSWER_HEADERS = {
  'cache-control': 'private, no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  vary: 'Authorization',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** Sets up what happens before a route is reached: correlation, authentication, rate limit, methods, reading of bodies. */
export const installPipeline = (fastify: FastifyInstance, parts: AdmissionParts): void => {
  installAdmission(fastify, parts);
  installMethods(fastify);
  installBodyReaders(fastify);
};

/** Answers methods that an address lacks, before anything of a body is read, and OPTIONS. */
const installMethods = (fastify: FastifyInstance): void => {
  const routes = new RouteMethods();
  fastify.addHook('onRoute', ({ url, method }) => {
    for (const each of [method].flat()) routes.add(url, each);
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) {
      done();
      return;
    }
    const methods = routes.at(pathOf(request));
    // The router may refuse an address for more than its method.
    if (methods.length === 0 || (methods.includes(request.method) && request.method !== 'OPTIONS')) done();
    else if (request.method === 'OPTIONS') void reply.code(204).header('allow', methods.join(', ')).send();
    else done(methodNotAllowed(request.method, methods));
  });
};

/** The address without its query, as it came. */
export const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? '';

const methodNotAllowed = (method: string, methods: readonly string[]): Problem => {
  const allow = methods.join(', ');
  return Problem.of('method-not-allowed', `${method} is not a method of this address: ${allow}.`, {
    headers: { allow },
  });
};

/** The part of the pipeline that never looks at a body: correlation, authentication, rate limit, and the line in the log. */
export const installAdmission = (
  fastify: FastifyInstance,
  { verifier, rateLimit, answered, closing }: AdmissionParts,
): void => {
  fastify.decorateRequest('pledgebook');
  fastify.addHook('onRequest', (request, reply, done) => {
    const token = begin(request, reply);
    const passed = (verified: VerifiedToken | undefined): Problem | undefined => {
      request.pledgebook.token = verified;
      return limited(rateLimit, request, verified);
    };
    if (closing()) {
      done(shuttingDown());
      return;
    }
    if (typeof token === 'string') request.pledgebook.reverify = () => reverified(verifier, token);
    if (token instanceof Problem) {
      done(token);
      return;
    }
    const known = token === undefined ? undefined : verifier.known(token);
    if (token === undefined || known !== undefined) {
      done(passed(known));
      return;
    }
    verifier.verify(token).then(
      (verified) => {
        done(passed(verified));
      },
      (error: unknown) => {
        done(error instanceof BadTokenError ? badToken() : toError(error));
      },
    );
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    answered(lineOf(request, reply));
    done();
  });
};

const reverified = async (verifier: TokenVerifier, token: string): Promise<void> => {
  try {
    await verifier.verify(token);
  } catch (error) {
    throw error instanceof BadTokenError ? badToken() : error;
  }
};

const installBodyReaders = (fastify: FastifyInstance): void => {
  fastify.addHook('preSerialization', (_request, reply, payload, done) => {
    if (payload instanceof HttpAnswer) {
      reply.code(payload.status).headers(payload.headers);
      done(null, payload.body);
      return;
    }
    done(null, payload);
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
    (request, bytes: Buffer, done) => {
      // An empty body is `{}`: whatever it lacks is named by the route's own rules.
      if (bytes.length === 0) {
        done(null, {});
        return;
      }
      const read = readBody(bytes);
      if (!read.ok) {
        done(invalid([{ field: '', message: read.message }]), undefined);
        return;
      }
      request.pledgebook.bodyFaults = read.faults;
      done(null, read.value);
    },
  );
  // A chunk of a file is no JSON and may be large: its route reads it as it comes. Nothing but PATCH takes one.
  fastify.addContentTypeParser(CHUNK_TYPE, (request, _payload, done) => {
    done(
      request.method === 'PATCH' ? null : Problem.of('unsupported-media-type', 'Send the body as application/json.'),
    );
  });
};

/** Answers what the router itself refuses (a path it cannot decode, an id longer than any) like any other unknown route. */
export const frameworkErrors =
  (verifier: TokenVerifier) =>
  (_error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    const token = begin(request, reply);
    const answer = (problem: Problem): void => {
      sendProblem(reply, request.pledgebook.correlationId, problem);
    };
    const absent = Problem.of('not-found', 'There is no such route.');
    if (token instanceof Problem) answer(token);
    else if (token === undefined) answer(absent);
    else
      verifier.verify(token).then(
        () => {
          answer(absent);
        },
        () => {
          answer(badToken());
        },
      );
  };

/** The bearer token, undefined for an anonymous read, or why there is no going on. */
const begin = (request: FastifyRequest, reply: FastifyReply): string | Problem | undefined => {
  const given = request.headers['x-correlation-id'];
  const correlationId = typeof given === 'string' && CORRELATION_ID.test(given) ? given : newId();
  request.pledgebook = {
    correlationId,
    startedAtMs: performance.now(),
    token: undefined,
    reverify: () => Promise.resolve(),
    bodyFaults: [],
    ctx: undefined,
  };
  reply.headers(ANSWER_HEADERS).header('x-correlation-id', correlationId);
  const { authorization } = request.headers;
  if (authorization === undefined) {
    return SAFE_METHODS.has(request.method)
      ? undefined
      : unauthenticated('This needs a token: send Authorization: Bearer <token>.', 'Bearer');
  }
  return BEARER.exec(authorization)?.[1] ?? badToken();
};

const unauthenticated = (detail: string, challenge: string): Problem =>
  Problem.of('unauthenticated', detail, { headers: { 'www-authenticate': challenge } });

const badToken = (): Problem =>
  unauthenticated('The token is not valid here, or has expired.', 'Bearer error="invalid_token"');

const shuttingDown = (): Problem =>
  Problem.of('shutting-down', 'The server is stopping: try again.', {
    headers: { 'retry-after': '1', connection: 'close' },
  });

/** Answers what is not HTTP that Node can read, on the bare connection. */
export const clientErrorHandler = (error: Error & { readonly code?: string }, socket: Socket): void => {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy(error);
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const problem = tooLarge
    ? Problem.of('header-fields-too-large', 'The header fields are too large: 16 KiB at most.')
    : Problem.of('invalid-request', 'The request is not HTTP that can be read.');
  const correlationId = newId();
  const body = JSON.stringify(problemDocument(problem, correlationId));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    `content-type: ${PROBLEM_MEDIA_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-correlation-id: ${correlationId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

const limited = (
  rateLimit: RateLimit | undefined,
  request: FastifyRequest,
  token: VerifiedToken | undefined,
): Problem | undefined => {
  if (rateLimit === undefined || UNLIMITED.has(request.url)) return undefined;
  const seconds = rateLimit.take(
    token === undefined ? `anonymous ${request.ip}` : JSON.stringify([token.issuer, token.party, token.subject]),
  );
  return seconds === 0
    ? undefined
    : Problem.of('too-many-requests', `More requests than your limit allows: wait ${seconds} s.`, {
        headers: { 'retry-after': String(seconds) },
      });
};

const lineOf = (request: FastifyRequest, reply: FastifyReply): RequestLine => ({
  correlationId: request.pledgebook.correlationId,
  party: request.pledgebook.token?.party ?? '',
  method: request.method,
  route: request.routeOptions.url,
  status: reply.statusCode,
  ms: Math.round((performance.now() - request.pledgebook.startedAtMs) * 10) / 10,
});
