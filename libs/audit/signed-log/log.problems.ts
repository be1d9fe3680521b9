import { registerProblems } from '#web';

/** Refusals of the signed log's own. */
export const LOG_PROBLEMS = registerProblems({
  'log-not-signed': { status: 503, title: 'No checkpoint is signed now' },
  'log-not-cosigned': { status: 503, title: 'Too few witnesses have cosigned' },
});
