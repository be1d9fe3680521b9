import type { FastifyReply } from 'fastify';
import type { Problem } from './problem.js';
import { problemInfo } from './problem.js';

/** A problem as RFC 9457 has it, with `code`, `correlationId` and `errors` as extensions. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly correlationId: string;
  readonly errors?: Problem['errors'];
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

export const problemDocument = ({ status, code, detail, errors }: Problem, correlationId: string): ProblemDocument => ({
  type: `/problems/${code}`,
  title: problemInfo(code).title,
  status,
  detail,
  code,
  correlationId,
  ...(errors === undefined ? {} : { errors }),
});

export const sendProblem = (reply: FastifyReply, correlationId: string, problem: Problem): void => {
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', PROBLEM_MEDIA_TYPE)
    // As text: an object would be checked against the route's media type again.
    .send(JSON.stringify(problemDocument(problem, correlationId)));
};
