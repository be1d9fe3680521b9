import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { RulesetRejectionCode } from './ruleset-weights.js';

/** Status and title of every refusal about rulesets. */
export const RULESET_PROBLEMS = registerProblems({
  forbidden: { status: 403, title: 'Not yours to do' },
  'not-found': { status: 404, title: 'Not found' },
  'weights-not-one': { status: 409, title: 'Weights do not sum to one' },
  'weights-fixed': { status: 409, title: 'The weights of this version are fixed' },
} satisfies Readonly<Record<RulesetRejectionCode | 'not-found' | 'weights-fixed', ProblemInfo>>);
