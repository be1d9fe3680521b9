import type { ExecutionContext } from '@nestjs/common';
import { createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '#directory/contract';
import type { Person } from './subject-register.js';

/** The request as the pipeline has read and checked it. Times and tokens are valid where present. */
export interface RequestContext {
  readonly caller: Caller;
  /** Who the token names, for the key store alone: never logged, never in events. */
  readonly person?: Person;
  /** `Purpose-Of-Use`: what the caller says it reads for. */
  readonly purpose?: string;
  readonly correlationId: string;
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** The parsed body as it was sent, before any default. */
  readonly body: unknown;
  /** The query's parameters as they were sent. */
  readonly query: Readonly<Record<string, string>>;
  readonly idempotencyKey?: string;
  /** The revision that `If-Match` names. */
  readonly ifMatch?: number;
  /** RFC 3339 moment, or `YYYY`, `YYYY-MM`, `YYYY-MM-DD`; never in the future. */
  readonly effectiveAt?: string;
  /** `Prefer: wait`, in seconds, at most 30. */
  readonly waitSeconds?: number;
  readonly consistencyToken?: { readonly position: bigint };
  readonly accept?: string;
  /** `Last-Event-ID`, of a client that goes on with a stream. */
  readonly lastEventId?: string;
  /**
   * The same request by who the caller is now, for answers that go on for long.
   * @throws {Problem} 401 once the token has ended, 403 where the caller may no longer ask this
   */
  readonly again: () => Promise<RequestContext>;
}

/** Parameter decorator: the `RequestContext` of this request. */
export const Ctx = createParamDecorator((_data: unknown, context: ExecutionContext): RequestContext => {
  const { ctx } = context.switchToHttp().getRequest<FastifyRequest>().pledgebook;
  if (ctx === undefined) throw new Error('the route was reached without its guard');
  return ctx;
});
