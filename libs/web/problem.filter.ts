import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { Catch, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  ContentionError,
  InvalidAppendError,
  NewerEventError,
  StoreUnavailableError,
  WritesRefusedError,
} from '#kernel';
import { Problem } from './problem.js';
import { IdentityProviderError } from './token-verifier.js';
import { sendProblem } from './problem-document.js';
import { KeyStoreUnavailableError } from './subject-register.js';
import { WEB_PROBLEMS } from './web.problems.js';

/** Told of faults of our own, with the correlation id of the request they broke. */
export type FaultLog = (correlationId: string, error: unknown) => void;

/** Turns whatever a request ended with into a problem document. What is not known stays inside. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: FaultLog) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const { correlationId } = http.getRequest<FastifyRequest>().pledgebook;
    const problem = problemOf(error);
    if (problem.status >= 500 && !(error instanceof Problem)) this.log(correlationId, error);
    // A stream that broke half-way cannot be answered again.
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    // The framework closes the connection on a body it will not read, which breaks the sender's pipe before it sees the answer:
    // kept open, the rest is read and thrown away, within the time limit of a request.
    if (problem.code === 'payload-too-large') reply.removeHeader('connection');
    sendProblem(reply, correlationId, problem);
  }
}

const RETRY_SOON = { headers: { 'retry-after': '1' } } as const;

/** The problem that stands for anything thrown. */
export const problemOf = (error: unknown): Problem => {
  if (error instanceof Problem) return error;
  if (error instanceof KeyStoreUnavailableError) {
    return Problem.of(
      'store-unavailable',
      'The key store cannot be asked now, and this rests on what it alone knows. A repeat with the same Idempotency-Key is safe.',
      { headers: { 'retry-after': '5' } },
    );
  }
  if (error instanceof WritesRefusedError) {
    return Problem.of(
      'log-rolled-back',
      `Nothing was written, reads go on: ${error.message}. The operator brings back the newest state, or goes on from this one as a fork (npm run restore -- <backup> --accept-fork). A repeat with the same Idempotency-Key is safe.`,
      { headers: { 'retry-after': '60' } },
    );
  }
  if (error instanceof StoreUnavailableError) {
    return Problem.of(
      'store-unavailable',
      'The log cannot be reached now. Nothing was written, or a repeat with the same Idempotency-Key is safe.',
      {
        headers: { 'retry-after': '5' },
      },
    );
  }
  if (error instanceof ContentionError) {
    return Problem.of(
      'store-unavailable',
      'The record is changing too fast. Nothing was written: try again.',
      RETRY_SOON,
    );
  }
  if (error instanceof NewerEventError) {
    return Problem.of(
      'store-unavailable',
      'The record was written by a newer version of this service. Nothing was written.',
      {
        headers: { 'retry-after': '60' },
      },
    );
  }
  // The one rule of an append that a request can break is its size.
  if (error instanceof InvalidAppendError)
    return Problem.of('payload-too-large', 'The record would be larger than 1 MiB.');
  if (error instanceof IdentityProviderError) {
    return Problem.of('identity-provider-unavailable', 'The identity provider cannot be reached now.', {
      headers: { 'retry-after': '5' },
    });
  }
  if (error instanceof HttpException) return problemOfStatus(error.getStatus());
  return Problem.of('internal-error', 'Something broke on our side. Quote the correlation id when you report it.');
};

const BY_STATUS = new Map<number, readonly [code: keyof typeof WEB_PROBLEMS, detail: string]>([
  [400, ['invalid-request', 'The request cannot be read.']],
  [404, ['not-found', 'There is no such route.']],
  [413, ['payload-too-large', 'A body may have 1 MiB at most.']],
  [
    415,
    [
      'unsupported-media-type',
      'Send the body as application/json, a chunk of a file as application/offset+octet-stream.',
    ],
  ],
  [431, ['header-fields-too-large', 'The header fields are too large.']],
]);

/** What the framework refuses with this status, in our words. */
export const problemOfStatus = (status: number): Problem => {
  const [code, detail] = BY_STATUS.get(status) ?? ['internal-error', 'Something broke on our side.'];
  return Problem.of(code, detail);
};
