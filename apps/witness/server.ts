import type { FastifyInstance, FastifyReply } from 'fastify';
import { fastify as createFastify } from 'fastify';
import type { Logger } from 'pino';
import type { Witness } from './witness.js';

export interface ServerOptions {
  readonly witness: Witness;
  readonly logger: Logger;
  /** Requests a second and address; undefined: no limit. */
  readonly rate?: number | undefined;
  /** Milliseconds that never go back. */
  readonly now?: () => number;
}

/** A proof of 63 hashes and a checkpoint with a hundred signatures take less. */
const BODY_LIMIT = 64 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const TEXT = 'text/plain; charset=utf-8';
const SIZE = 'text/x.tlog.size';

/** The witness over HTTP, as C2SP tlog-witness says. Nothing listens until `listen`. */
export const createServer = ({ witness, logger, rate, now }: ServerOptions): FastifyInstance => {
  const server = createFastify({ bodyLimit: BODY_LIMIT, requestTimeout: REQUEST_TIMEOUT_MS });
  if (rate !== undefined) limit(server, rate, now);
  // Whatever a client calls its body, it is bytes.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  server.setNotFoundHandler((_request, reply) => text(reply, 404, 'POST /add-checkpoint, GET /verifier-key, GET /\n'));
  server.setErrorHandler((error: { readonly statusCode?: number; readonly message: string }, _request, reply) => {
    const { statusCode = 500, message } = error;
    if (statusCode < 500) return text(reply, statusCode, `${message}\n`);
    logger.error({ error: message }, 'a checkpoint could not be cosigned');
    return text(reply, 500, 'this witness cannot keep what it cosigns: its operator is told\n');
  });
  server.post<{ Body: Buffer | undefined }>('/add-checkpoint', (request, reply) => {
    const { status, body, evidence } = witness.add(request.body ?? Buffer.alloc(0));
    const reason = body.trimEnd();
    if (evidence !== undefined) logger.warn({ status, reason, evidence }, 'a log shows another tree than before');
    else if (status !== 200) logger.info({ status, reason }, 'not cosigned');
    return text(reply, status, body, status === 409 ? SIZE : TEXT);
  });
  server.get('/verifier-key', (_request, reply) => text(reply, 200, `${witness.verifierKey}\n`));
  server.get('/', async () => ({ verifierKey: witness.verifierKey, logs: witness.seen() }));
  server.get('/healthz', async () => {
    // Reads its memory: a witness without it cosigns nothing.
    witness.seen();
    return { status: 'ok' };
  });
  return server;
};

const text = (reply: FastifyReply, status: number, body: string, type = TEXT): FastifyReply =>
  reply.code(status).header('content-type', type).header('cache-control', 'no-store').send(body);

/** Requests of one address within one second, counted anew every second. */
const limit = (server: FastifyInstance, rate: number, now = (): number => performance.now()): void => {
  let counted = new Map<string, number>();
  let since = now();
  server.addHook('onRequest', async (request, reply) => {
    if (now() - since >= 1_000) {
      counted = new Map();
      since = now();
    }
    const count = (counted.get(request.ip) ?? 0) + 1;
    counted.set(request.ip, count);
    if (count > rate) await text(reply.header('retry-after', '1'), 429, `more than ${rate} requests in a second\n`);
  });
};
