import type { ProblemInfo } from '#web';
import type { AllocationRejectionCode } from './allocation.js';

/** Status and title of every refusal of an allocation. */
export const ALLOCATION_PROBLEMS: Readonly<Record<AllocationRejectionCode, ProblemInfo>> = {
  forbidden: { status: 403, title: 'Not yours to do' },
  'not-found': { status: 404, title: 'Not found' },
  'already-requested': { status: 409, title: 'The run exists with another order' },
  'run-ended': { status: 409, title: 'The run has ended' },
  'no-answer': { status: 409, title: 'The run has no answer' },
  'nothing-to-share': { status: 409, title: 'Nothing of the run is for this party' },
};

/** What of a request to share does not fit the run. */
export const SHARING_PROBLEMS: Readonly<Record<'unknown-pair' | 'not-of-party', ProblemInfo>> = {
  'unknown-pair': { status: 409, title: 'The run has no such pair' },
  'not-of-party': { status: 409, title: 'The pair is not for this party' },
};
