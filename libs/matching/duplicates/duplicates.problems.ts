import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { DuplicateRejectionCode } from './duplicate.js';

/** Every refusal of a verdict. */
export const DUPLICATE_PROBLEMS: Readonly<Record<DuplicateRejectionCode, ProblemInfo>> = registerProblems({
  forbidden: { status: 403, title: 'Not yours to do' },
  'not-found': { status: 404, title: 'Not found' },
  'already-judged': { status: 409, title: 'The pair was judged meanwhile' },
});
