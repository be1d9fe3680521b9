import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { RatesRejectionCode } from './published-rates.js';

/** Status and title of every refusal of the rates register. */
export const RATES_PROBLEMS = registerProblems({
  forbidden: { status: 403, title: 'Not yours to do' },
  'not-found': { status: 404, title: 'Not found' },
  'rate-recorded': { status: 409, title: 'Another rate is recorded for that day' },
} satisfies Readonly<Record<RatesRejectionCode, ProblemInfo>>);

/** Refusals of a conversion: a rate is never guessed. */
export const CONVERSION_PROBLEMS = registerProblems({
  'rate-unknown': { status: 409, title: 'No rate in force' },
  'rate-ambiguous': { status: 409, title: 'Several sources have a rate' },
});
